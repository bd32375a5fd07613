// Draws all thumbnails on one canvas and lays an empty, named cell over each, so that the keyboard, a screen reader and
// the browser's own hit-testing work as for any grid. Only a change of picture, width, filter or theme draws anew.

const SMALLEST = 24, LARGEST = 64, GAP = 3; // CSS pixels of a thumbnail's edge, and between two
const EDGE = 28;  // CSS pixels of the numbers at the left
const PREVIEW = 200;
const MOST_PIXELS = 12e6; // of the canvas: phones refuse larger ones, so very many heads are drawn less sharp there
const DIMMED = 0.14;

const views = new WeakMap(); // root → view; Streamlit calls again with the same root when the data or the theme changes

export default function ({ data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  if (!view) views.set(parentElement, (view = createView(parentElement.querySelector(".attention-grid"))));
  view.update(data, (value) => setTriggerValue("pick", value));
  return () => {
    view.close();
    views.delete(parentElement);
  };
}

const sentence = (note) => (note ? `${note[0].toUpperCase()}${note.slice(1)}${note.endsWith(".") ? "" : "."}` : "");
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

// Never "100 %" or "0 %" for what is only near it.
function percent(p) {
  const value = p * 100;
  if (value > 0 && value < 1) return "<\u202f1\u202f%";
  if (value < 100 && value > 99) return ">\u202f99\u202f%";
  return `${value.toFixed(0)}\u202f%`;
}

// ── the picture ──

// The colours at equal steps of √weight, so that the figures below them are the squares.
function legend() {
  const node = element("div", "legend", undefined, { role: "img", "aria-label": "Colour: a stronger colour is a larger weight, by its square root" });
  const steps = element("div", "steps", undefined, { "aria-hidden": "true" });
  const bar = steps.appendChild(element("div", "bar"));
  for (const weight of [0, 0.04, 0.2, 0.4, 1]) {
    steps.appendChild(element("span", "", String(weight))).style.left = `${100 * Math.sqrt(weight)}%`;
  }
  node.append(element("span", "", "Weight", { "aria-hidden": "true" }), steps);
  const show = (colours) => {
    bar.style.background = gradient(colours);
  };
  return { node, show };
}

// ── the view ──

function createView(root) {
  let data = null, pick = () => {};
  let grey = null;      // the sprite sheet as it came
  let levels = [];      // it in colours, each half as large as the one before
  let painted = "";     // the theme's scale that they are in
  let cells = [];       // one node a head, layer by layer
  let current = 0;      // the head that holds the tab stop
  let chosen = -1;
  let shown = -1;       // the head in the preview

  const summary = element("p", "summary");
  const scale = legend();
  const filter = element("select", "", undefined, { "aria-label": "Show heads of a kind" });
  const bar = element("div", "controls");
  const box = element("div", "box");
  const canvas = element("canvas", "sheet", undefined, { "aria-hidden": "true" });
  const preview = element("div", "preview", undefined, { "aria-hidden": "true" });
  const large = element("canvas", "large");
  const about = element("p", "about");
  const body = element("div", "body"), sheets = element("div", "sheets"), more = element("p", "more");
  const explained = element("p", "explained");
  const announce = element("p", "unseen", "", { "aria-live": "polite" });
  const head = element("div", "head");
  const label = element("label", "", "Show ");
  label.append(filter);
  bar.append(label, scale.node);
  head.append(summary, bar);
  preview.append(large, about);
  sheets.append(box, more);
  body.append(sheets, preview);
  root.replaceChildren(head, body, explained, announce);

  box.addEventListener("pointerover", (event) => show(placeOf(event.target)));
  box.addEventListener("pointerleave", () => show(-1));
  box.addEventListener("focusin", (event) => show(placeOf(event.target)));
  box.addEventListener("focusout", () => show(-1));
  box.addEventListener("click", (event) => choose(placeOf(event.target)));
  box.addEventListener("keydown", onKey);
  filter.addEventListener("change", () => { draw(); summarise(); });
  box.addEventListener("scroll", sayMore, { passive: true });
  const resized = new ResizeObserver(() => data && (layOut(), sayMore()));
  resized.observe(body);

  function update(fresh, send) {
    pick = send;
    const changed = fresh.digest !== data?.digest;
    const marked = changed || String(fresh.chosen) !== String(data.chosen);
    data = fresh;
    if (changed) build();
    if (marked) choose(fresh.chosen ? fresh.chosen[0] * fresh.heads + fresh.chosen[1] : -1, { byReader: false });
    if (changed) {
      box.scrollTop = 0; // the caption says that there is more
      sayMore();
      grey = null;
      painted = "";
      decode(fresh.picture).then((picture) => {
        if (data.digest !== fresh.digest) return; // another picture came meanwhile
        grey = picture;
        paint();
      });
    } else if (grey && String(scaleOf(root)) !== painted) paint(); // another theme
  }

  function paint() {
    const stops = scaleOf(root), colours = palette(stops);
    painted = String(stops);
    scale.show(colours);
    levels = [coloured(grey, colours)];
    let smaller = grey;
    for (let cells = data.cells; cells % 2 === 0 && cells > 16; cells /= 2) levels.push(coloured((smaller = halved(smaller)), colours));
    draw();
    drawPreview();
  }

  // ── building ──

  function build() {
    const { layers, heads } = data;
    filter.replaceChildren(new Option(`all ${plural(layers * heads, "head")}`, "-1"), ...data.kinds.map((kind, number) =>
      new Option(`${kind} (${data.kind.filter((other) => other === number).length})`, String(number))));
    const grid = element("div", "grid", undefined, {
      role: "grid", "aria-label": "Attention of all heads", "aria-rowcount": layers + 1, "aria-colcount": heads + 1,
    });
    grid.append(canvas, row("top", "columnheader", "", Array.from({ length: heads }, (_, head) =>
      element("div", "edge", String(head), { role: "columnheader", "aria-label": `Head ${head}` }))));
    cells = [];
    for (let layer = 0; layer < layers; layer++) {
      const inRow = Array.from({ length: heads }, (_, head) =>
        element("div", "cell", undefined, { role: "gridcell", tabindex: "-1", "aria-label": told(layer * heads + head) }));
      cells.push(...inRow);
      grid.append(row("", "rowheader", String(layer), inRow));
    }
    box.replaceChildren(grid);
    chosen = -1;
    current = Math.min(current, cells.length - 1);
    cells[current].tabIndex = 0;
    summarise();
    const edge = data.tokens_per_cell;
    explained.textContent = [
      `Layers down, heads across. In each picture a row is a token that reads, a column one that is read, the first token at the top left.`,
      edge > 1 ? `A cell is ${edge} × ${edge} tokens and shows their largest weight.` : "A cell is one token by one token.",
      `Colour goes by the square root of the weight.`, sentence(data.note),
    ].filter(Boolean).join(" ");
    layOut();
  }

  function row(className, role, name, inRow) {
    const node = element("div", `row ${className}`, undefined, { role: "row" });
    const first = element("div", "edge first", name, { role });
    if (name) first.setAttribute("aria-label", `Layer ${name}`);
    node.append(first, ...inRow);
    return node;
  }

  function summarise() {
    const kind = Number(filter.value);
    const count = data.kind.filter((other) => other === kind).length;
    summary.textContent = kind < 0
      ? `${plural(data.layers, "layer")} × ${plural(data.heads, "head")} · ${plural(data.tokens, "token")}`
      : `${count} of ${plural(cells.length, "head")}: ${data.kinds[kind]}`;
  }

  function told(place) {
    const [first, distance] = [data.first_token[place], data.distance[place]];
    const parts = [name(place), data.kinds[data.kind[place]]];
    if (first !== null) parts.push(`${percent(first)} on the first token`);
    if (distance !== null) parts.push(`reads ${distance.toFixed(distance < 100 ? 1 : 0)} tokens ${data.causal ? "back" : "away"}`);
    return parts.join(" · ");
  }

  const name = (place) => `Layer ${Math.floor(place / data.heads)}, head ${place % data.heads}`;

  // ── drawing ──

  // Which layers are in sight, where not all are; the box fades at the edge that has more behind it.
  function sayMore() {
    const pitch = parseFloat(root.style.getPropertyValue("--pitch")), seen = box.clientHeight - 24; // 24: the head numbers
    const hidden = box.scrollHeight - box.clientHeight;
    more.hidden = hidden < 2 || !pitch;
    box.classList.toggle("below", hidden - box.scrollTop >= 2);
    if (more.hidden) return;
    const first = Math.round(box.scrollTop / pitch), last = Math.min(data.layers - 1, Math.round((box.scrollTop + seen) / pitch) - 1);
    more.textContent = `Layers ${first} to ${last} of ${data.layers}: scroll for the others.`;
  }

  function layOut() {
    const wide = body.clientWidth >= 600;
    preview.classList.toggle("aside", wide);
    const room = body.clientWidth - (wide ? PREVIEW + 24 : 0) - EDGE - 3; // 3: the border of the box, and of the last
    const fit = (taken) => Math.max(SMALLEST, Math.min(LARGEST, Math.floor((room - taken) / data.heads) - GAP)) + GAP;
    const before = `${root.style.getPropertyValue("--pitch")} ${root.style.getPropertyValue("--heads")}`;
    let pitch = fit(0);
    root.style.setProperty("--heads", data.heads);
    root.style.setProperty("--pitch", `${pitch}px`);
    const bar = box.offsetWidth - box.clientWidth - 2; // of a scroll bar, where there is one that takes room
    if (bar > 0) root.style.setProperty("--pitch", `${(pitch = fit(bar))}px`);
    if (before === `${pitch}px ${data.heads}`) return;
    draw();
  }

  function draw() {
    if (!levels.length || !grey) return;
    const pitch = parseFloat(root.style.getPropertyValue("--pitch")), edge = pitch - GAP;
    const [width, height] = [data.heads * pitch, data.layers * pitch];
    const sharp = Math.min(devicePixelRatio || 1, Math.sqrt(MOST_PIXELS / (width * height)));
    canvas.width = Math.ceil(width * sharp);
    canvas.height = Math.ceil(height * sharp);
    const pen = canvas.getContext("2d");
    const size = Math.round(edge * sharp);
    // The smallest sheet that still has a cell a pixel, nearly.
    let level = 0;
    while (level + 1 < levels.length && data.cells / 2 ** (level + 1) >= size * 0.75) level += 1;
    const from = data.cells / 2 ** level;
    pen.imageSmoothingEnabled = size % from !== 0;
    pen.strokeStyle = getComputedStyle(root).getPropertyValue("--st-border-color");
    const kind = Number(filter.value);
    for (let place = 0; place < cells.length; place++) {
      const [layer, head] = [Math.floor(place / data.heads), place % data.heads];
      const x = Math.round((head * pitch + GAP / 2) * sharp), y = Math.round((layer * pitch + GAP / 2) * sharp);
      pen.globalAlpha = kind < 0 || data.kind[place] === kind ? 1 : DIMMED;
      pen.drawImage(levels[level], head * from, layer * from, from, from, x, y, size, size);
      pen.strokeRect(x - 0.5, y - 0.5, size + 1, size + 1);
    }
  }

  function drawPreview() {
    const place = shown >= 0 ? shown : chosen >= 0 ? chosen : current;
    about.replaceChildren();
    if (!data) return;
    const [title, ...facts] = told(place).split(" · ");
    about.append(element("strong", "", title), ...facts.map((fact) => element("span", "", ` · ${fact}`)));
    if (!levels.length || !grey) return;
    const side = large.clientWidth * (devicePixelRatio || 1);
    const whole = Math.max(Math.floor(side / data.cells), 1) * data.cells; // every cell as large as the others
    large.width = large.height = whole;
    const pen = large.getContext("2d");
    pen.imageSmoothingEnabled = false;
    pen.drawImage(levels[0], (place % data.heads) * data.cells, Math.floor(place / data.heads) * data.cells, data.cells, data.cells, 0, 0, whole, whole);
  }

  // ── moving and picking ──

  const placeOf = (node) => cells.indexOf(node.closest?.(".cell"));

  // −1: whatever holds the focus, else what is chosen.
  function show(place) {
    const focused = placeOf(root.getRootNode().activeElement ?? root);
    const next = place >= 0 ? place : focused;
    if (next === shown) return;
    shown = next;
    drawPreview();
  }

  function focus(place) {
    if (!cells[place]) return;
    cells[current].tabIndex = -1;
    current = place;
    cells[current].tabIndex = 0;
    cells[current].focus({ preventScroll: true });
    cells[current].scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { heads } = data, start = current - (current % heads), last = cells.length - 1;
    const moves = {
      ArrowLeft: () => focus(Math.max(current - 1, start)), ArrowRight: () => focus(Math.min(current + 1, start + heads - 1)),
      ArrowUp: () => focus(current - heads), ArrowDown: () => focus(current + heads),
      Home: () => focus(start), End: () => focus(start + heads - 1),
      PageUp: () => focus(Math.max(current - 5 * heads, current % heads)),
      PageDown: () => focus(Math.min(current + 5 * heads, last - (last - current) % heads)),
      Enter: () => choose(current), " ": () => choose(current),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    moves[event.key]();
  }

  // Marked at once; Python hears of it and answers with the same. byReader: not when Python says so itself.
  function choose(place, { byReader = true } = {}) {
    if (place < 0 && byReader) return;
    cells[chosen]?.removeAttribute("aria-selected");
    chosen = place;
    cells[chosen]?.setAttribute("aria-selected", "true");
    if (!byReader) {
      if (chosen >= 0 && !cells.includes(root.getRootNode().activeElement)) {
        cells[current].tabIndex = -1;
        current = chosen;
        cells[current].tabIndex = 0;
      }
      drawPreview();
      return;
    }
    focus(place);
    announce.textContent = `${name(place)} chosen.`;
    pick({ layer: Math.floor(place / data.heads), head: place % data.heads });
  }

  return { update, close: () => resized.disconnect() };
}
