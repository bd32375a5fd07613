// Draws the tokens once and changes as little as possible after that: one listener for all tokens, one tab stop, and a
// panel that is filled when a token is picked. Every word of the model reaches the page through textContent.

// A token, as token_view.py sends it: [index, id, text, kind, probability, sampled, seconds, forced, alternatives]
const INDEX = 0, ID = 1, TEXT = 2, KIND = 3, P = 4, SAMPLED = 5, SECONDS = 6, FORCED = 7, OTHERS = 8;
// Lowest probability of each tint, none to strong. The legend is drawn from the same list.
const STEPS = [[0.9, "90–100"], [0.5, "50–90"], [0.25, "25–50"], [0.1, "10–25"], [0.01, "1–10"], [0, "<\u202f1"]];
const SPOKEN = { " ": "space", ",": "comma", ".": "full stop", ":": "colon", ";": "semicolon", "!": "exclamation mark",
  "?": "question mark", "-": "hyphen", "(": "open bracket", ")": "close bracket", '"': "quotation mark", "'": "apostrophe" };
const ACTION = "Continue from here with this token";

const views = new WeakMap(); // root → view; Streamlit calls again with the same root when the data changes

export default function ({ data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  const opened = !view;
  if (opened) views.set(parentElement, (view = createView(parentElement.querySelector(".token-view"))));
  view.update(data, setTriggerValue);
  // A chat keeps its end in sight; what was asked for is the beginning of the tokens. Twice, since the page grows late.
  if (opened) for (const wait of [50, 400]) setTimeout(() => parentElement.querySelector(".head")?.scrollIntoView(), wait);
  return () => views.delete(parentElement);
}

const tableRow = (className) => element("tr", className, undefined, { role: "row" });
const cell = (className) => element("td", className, undefined, { role: "cell" });

// As many digits as the figure deserves; never "100 %" or "0 %" for what is only near it.
function percent(p) {
  if (p === null || p === undefined) return "—";
  const value = p * 100;
  if (value === 0 || value === 100) return `${value}\u202f%`;
  if (value < 0.1) return "<\u202f0.1\u202f%";
  if (value > 99.9) return ">\u202f99.9\u202f%";
  return `${value.toFixed(value < 9.95 || value >= 99 ? 1 : 0)}\u202f%`;
}

const spokenPercent = (p) =>
  percent(p).replace("<", "less than").replace(">", "more than").replace("%", "percent").replaceAll("\u202f", " ");

function duration(seconds) {
  if (seconds === null || seconds < 0) return "—";
  if (seconds < 0.001) return "< 1 ms";
  return seconds < 1 ? `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms` : `${seconds.toFixed(2)} s`;
}

function spoken(text, kind) {
  if (kind === "empty") return "empty token";
  if (kind === "part") return "part of a character";
  if (kind === "special") return `special token ${text}`;
  if (SPOKEN[text.trim() || text]) return SPOKEN[text.trim() || text];
  const breaks = text.split("\n").length - 1;
  if (!text.trim()) return breaks ? `${breaks === 1 ? "line break" : `${breaks} line breaks`}` : text ? "space" : "empty";
  return text.trim();
}

// A token by itself: a leading or trailing space and a line break have to be seen.
function word(text, className = "word") {
  const node = element("span", className);
  if (text === "") node.append(element("span", "space", "empty"));
  for (const part of text.split(/(^ +| +$|\n|\t)/)) {
    if (!part) continue;
    if (part === "\n" || part === "\t" || !part.trim()) {
      const mark = part === "\n" ? "↵" : part === "\t" ? "⇥" : "␣".repeat(part.length);
      node.append(element("span", "space", mark, { "aria-hidden": "true" }));
    } else node.append(document.createTextNode(part));
  }
  return node;
}

function tint(p) {
  const step = STEPS.findIndex(([low]) => p >= low);
  return step > 0 ? `s${step}` : "";
}

function createView(root) {
  let tokens = [], spans = [], surprises = [];
  let data = null, choose = () => {};
  let current = 0;    // the token that holds the tab stop
  let open = -1;      // the token in the panel, or -1
  let waiting = 0;    // timer of a pressed button

  const summary = element("p", "summary", "", { "aria-live": "polite" });
  const text = element("div", "text", undefined, {
    role: "listbox", "aria-label": "The answer, token by token", "aria-orientation": "horizontal",
  });
  const next = element("button", "", "Next surprise", { type: "button", "aria-keyshortcuts": "n" });
  const panel = element("section", "panel", undefined, { "aria-label": "The picked token" });
  const announce = element("p", "unseen", "", { "aria-live": "polite" });
  root.replaceChildren(head(summary), text, bar(next), panel, announce);

  text.addEventListener("click", (event) => {
    const span = event.target.closest(".token");
    if (span) pick(spans.indexOf(span));
  });
  text.addEventListener("keydown", onTextKey);
  root.addEventListener("keydown", onKey);
  next.addEventListener("click", () => jump(1));
  panel.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.classList.contains("close")) close();
    else if (button?.classList.contains("why")) ask(button);
    else if (button && !button.disabled) send(button);
  });

  function update(fresh, trigger) {
    choose = (value) => trigger("choice", value);
    const changed = fresh.digest !== data?.digest;
    data = fresh;
    clearTimeout(waiting);
    if (changed) {
      tokens = fresh.tokens;
      drawText();
    }
    drawPanel();
  }

  function drawText() {
    const fragment = document.createDocumentFragment();
    spans = tokens.map((token) => fragment.appendChild(tokenSpan(token)));
    text.replaceChildren(fragment);
    text.hidden = !tokens.length;
    open = -1;
    current = Math.min(current, Math.max(tokens.length - 1, 0));
    if (spans[current]) spans[current].tabIndex = 0;
    surprises = tokens.flatMap((token, place) => (token[P] !== null && token[P] < data.unlikely ? [place] : []));
    next.disabled = !surprises.length;
    summary.textContent = summarise();
    // Room for three lists in four, so that little moves between tokens; a rare longer one grows the panel.
    const lengths = tokens.map((token) => rows(token).length).sort((a, b) => a - b);
    panel.style.setProperty("--rows", String(Math.max(1, lengths[Math.floor(lengths.length * 0.75)] ?? 1)));
  }

  function summarise() {
    const known = tokens.filter((token) => token[P] !== null);
    const given = tokens.filter((token) => token[FORCED]).length;
    const parts = [`${tokens.length.toLocaleString("en")} token${tokens.length === 1 ? "" : "s"}`];
    if (known.length) {
      parts.push(`mean probability ${percent(known.reduce((sum, token) => sum + token[P], 0) / known.length)}`);
      parts.push(`${surprises.length} below ${percent(data.unlikely)}`);
    }
    if (given) parts.push(`${given} given`);
    return parts.join(" · ");
  }

  function tokenSpan(token) {
    const span = element("span", "token", undefined, { role: "option", "aria-selected": "false", tabindex: "-1" });
    const [shown, kind, p] = [token[TEXT], token[KIND], token[P]];
    if (p === null) span.classList.add("given");
    else if (tint(p)) span.classList.add(tint(p));
    span.setAttribute("aria-label", `${spoken(shown, kind)}, ${p === null ? "given" : spokenPercent(p)}`);
    if (kind !== "text") {
      span.classList.add("chip");
      span.textContent = kind === "special" ? shown : kind === "part" ? "…" : "∅";
      return span;
    }
    shown.split("\n").forEach((line, number) => {
      if (number) span.append(element("span", "mark", "↵", { "aria-hidden": "true" }), document.createTextNode("\n"));
      if (line) span.append(document.createTextNode(line));
    });
    return span;
  }

  // ── moving ──

  function focus(place) {
    const span = spans[place];
    if (!span) return;
    if (spans[current]) spans[current].tabIndex = -1;
    current = place;
    span.tabIndex = 0;
    span.focus({ preventScroll: true });
    span.scrollIntoView({ block: "nearest" });
  }

  function onTextKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = moveOf(event.key, spans, current, focus, pick);
    if (move) handled(event, move);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "n") handled(event, () => jump(1));
    else if (event.key === "p") handled(event, () => jump(-1));
    else if (event.key === "Escape" && open >= 0) handled(event, close);
  }

  function handled(event, action) {
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  function jump(direction) {
    if (!surprises.length) return;
    const from = open >= 0 || root.getRootNode().activeElement?.classList.contains("token") ? current : -direction;
    const ahead = direction > 0 ? surprises.find((place) => place > from) : surprises.findLast((place) => place < from);
    pick(ahead ?? surprises.at(direction > 0 ? 0 : -1));
  }

  // ── the panel ──

  function pick(place) {
    if (!spans[place]) return;
    mark(false);
    open = place;
    mark(true);
    focus(place);
    drawPanel();
    panel.scrollIntoView({ block: "nearest" }); // what was asked for is seen, whatever the length of the answer
    const token = tokens[place];
    const chance = token[P] === null ? "given, probability not measured" : `${spokenPercent(token[P])}, rank ${rank(token)}`;
    announce.textContent = `${spoken(token[TEXT], token[KIND])}: ${chance}. ${token[OTHERS].length} alternatives below the text.`;
  }

  function mark(selected) {
    spans[open]?.setAttribute("aria-selected", String(selected));
  }

  function close() {
    mark(false);
    open = -1;
    drawPanel();
    focus(current);
    announce.textContent = "Closed.";
  }

  // The alternatives, most likely first, with the chosen token among them even if it was not of the likeliest.
  function rows(token) {
    const others = [...token[OTHERS]];
    if (others.length && !others.some(([id]) => id === token[ID]))
      others.push([token[ID], token[TEXT], token[P], token[SAMPLED]]);
    return others.sort((a, b) => (b[2] ?? 0) - (a[2] ?? 0));
  }

  function rank(token) {
    const others = token[OTHERS];
    if (token[P] === null || !others.length) return "—";
    const likelier = others.filter(([id, , p]) => id !== token[ID] && p > token[P]).length;
    return others.some(([id]) => id === token[ID]) || likelier < others.length ? String(likelier + 1) : `below ${others.length}`;
  }

  function drawPanel() {
    const token = tokens[open];
    panel.classList.toggle("empty", !token);
    panel.hidden = !tokens.length;
    panel.replaceChildren(...(token ? filled(token) : [vacant()]));
  }

  function vacant() {
    const hint = element("p", "hint", "Pick a token to see what else the model considered");
    hint.append(element("small", "", "Its probability, its rank, and the tokens that could have stood in its place."));
    return hint;
  }

  function filled(token) {
    const facts = element("dl", "facts");
    const fact = (name, value, className = "") => {
      const box = facts.appendChild(element("div", className));
      box.append(element("dt", "", name), element("dd"));
      box.lastChild.append(value);
    };
    fact("Token", word(token[TEXT]), "first");
    fact("Probability", token[P] === null ? "not measured" : percent(token[P]));
    fact("Rank", rank(token));
    fact(open ? "Since the token before" : "Since the start", token[FORCED] ? "given" : duration(token[SECONDS]));
    const actions = facts.appendChild(element("div", "actions"));
    if (data.explains) actions.append(element("button", "why", "Why this word?", { type: "button", title: "See what the model looked at when it chose this token" }));
    actions.append(element("button", "close", "Close", { type: "button", "aria-keyshortcuts": "Escape" }));
    const list = rows(token);
    if (!list.length) return [facts, element("p", "none", "No alternatives were kept for this token.")];
    return [facts, alternatives(token, list)];
  }

  // The roles are spelled out because the narrow layout, which is no CSS table, would take them away.
  function alternatives(token, list) {
    const table = element("table", "", undefined, { role: "table", "aria-label": "What the model considered here" });
    const titles = table.appendChild(element("thead", "", undefined, { role: "rowgroup" })).appendChild(tableRow(""));
    for (const [title, className] of [["Token", "c-word"], ["Model", ""], ["After sampling settings", ""]]) {
      titles.append(element("th", className, title, { scope: "col", role: "columnheader" }));
    }
    titles.appendChild(element("th", "c-act", undefined, { scope: "col", role: "columnheader" })).append(element("span", "unseen", "Action"));
    const body = table.appendChild(element("tbody", "", undefined, { role: "rowgroup" }));
    for (const [id, shown, p, sampled] of list) {
      const chosen = id === token[ID];
      const row = body.appendChild(tableRow(chosen ? "chosen" : ""));
      row.appendChild(cell("w")).append(word(shown));
      row.append(figure("m", "Model", p), figure("after", "After settings", sampled));
      row.appendChild(cell("act")).append(
        chosen ? element("span", "badge", token[FORCED] ? "✓ Given" : "✓ Chosen") : action(token, id, shown),
      );
    }
    return table;
  }

  function figure(className, name, p) {
    const node = cell(className);
    node.append(element("span", "name", name, { "aria-hidden": "true" }));
    const box = node.appendChild(element("div", "figure"));
    const track = box.appendChild(element("div", "track", undefined, { "aria-hidden": "true" }));
    track.appendChild(element("div", "fill")).style.width = `${(p ?? 0) * 100}%`;
    const out = className === "after" && p === 0;
    box.append(element("span", out ? "number out" : "number", out ? "ruled out" : percent(p)));
    return node;
  }

  function action(token, id, shown) {
    const button = element("button", "", "Continue from here", {
      type: "button", title: ACTION, "aria-label": `${ACTION}: ${spoken(shown, "text")}`,
    });
    button.dataset.id = id;
    button.disabled = data.disabled;
    return button;
  }

  function ask(button) {
    choose({ index: tokens[open][INDEX], why: true });
    button.disabled = true;
    button.textContent = "Opening…";
    waiting = setTimeout(drawPanel, 2000);
  }

  // Answers at once; the page does the rest. If it keeps the same tokens, the buttons come back.
  function send(button) {
    choose({ index: tokens[open][INDEX], token_id: Number(button.dataset.id) });
    announce.textContent = "Continuing from here.";
    for (const other of panel.querySelectorAll("td button")) other.disabled = true;
    button.textContent = "Continuing…";
    waiting = setTimeout(drawPanel, 2000);
  }

  return { update };
}

function head(summary) {
  const node = element("div", "head");
  const scale = element("div", "scale", undefined, { role: "img", "aria-label": "Probability: a stronger tint is less likely" });
  const steps = element("ul", "steps", undefined, { "aria-hidden": "true" });
  STEPS.forEach(([, label], step) => steps.append(element("li", step ? `s${step}` : "", label)));
  scale.append(element("span", "", "Probability, %", { "aria-hidden": "true" }), steps);
  node.append(summary, scale);
  return node;
}

function bar(next) {
  const node = element("div", "bar");
  const keys = element("span", "keys", undefined, { "aria-hidden": "true" });
  keys.append(element("kbd", "", "←"), " ", element("kbd", "", "→"), " move   ", element("kbd", "", "Enter"), " open   ",
    element("kbd", "", "n"), " ", element("kbd", "", "p"), " next, previous surprise");
  node.append(next, keys);
  return node;
}
