// Shows what the server sends and asks for a rerun when the answer ends. Only blocks that changed are touched, and
// nothing is animated: on a laptop the browser and the model share the processor.

const views = new WeakMap(); // root → view; Streamlit calls again with the same root on every rerun of the page

export default function ({ data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  if (view?.source !== data.source) {
    view?.close();
    views.set(parentElement, (view = listen(parentElement, data.source)));
  }
  view.onEnd = () => setTriggerValue("ended", true);
  return () => {
    view.close();
    views.delete(parentElement);
  };
}

function listen(root, source) {
  const answer = root.querySelector(".answer");
  const line = root.querySelector(".line");
  const events = new EventSource(source);
  // The end of the answer stays in sight until the reader scrolls: chat does that by itself, completion does not.
  let follow = true;
  const leave = () => (follow = false);
  for (const kind of ["wheel", "touchmove"]) window.addEventListener(kind, leave, { passive: true });
  const view = {
    source,
    onEnd: () => {},
    close: () => {
      events.close();
      for (const kind of ["wheel", "touchmove"]) window.removeEventListener(kind, leave);
    },
  };

  const end = () => {
    view.close();
    answer.setAttribute("aria-busy", "false");
    view.onEnd();
  };

  events.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (event.line !== undefined) line.textContent = event.line;
    if (event.blocks) draw(answer, event.from, event.blocks);
    if (event.blocks && follow) line.scrollIntoView({ block: "nearest" });
    if (event.ended) end();
  };
  // The browser connects again by itself, and the server then sends everything anew. Only a refusal (the run is over,
  // the app was restarted) is final: then the record tells what became of it.
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) end();
  };
  return view;
}

// The HTML is made by the server from text: markup of the model's own is escaped there (tests/pages/test_live_route.py).
function draw(answer, from, blocks) {
  blocks.forEach((html, offset) => {
    const at = answer.children[from + offset];
    const block = at ?? document.createElement("div");
    block.innerHTML = html;
    if (!at) answer.append(block);
  });
  while (answer.children.length > from + blocks.length) answer.lastElementChild.remove();
}
