// One canvas holds the map, its labels and what is pointed at, and is drawn anew at most once a frame. The weights lie
// beside it as pictures of their own, each half as large as the one before, so that 4 million cells move as lightly as 4.

const LARGEST_CELL = 56;   // CSS pixels: a map of five tokens need not fill the page
const LABELLED = 11;       // CSS pixels of a cell from which every row and column has its piece
const LARGEST_PLOT = 560;
const FONT = 11;           // CSS pixels, the least that is written
const PER_CLICK = 1.6;     // of + and −
const STILL = 5;           // CSS pixels a pointer may slip in a click
const BELOW = 7;           // CSS pixels below the plot, for the half of a label at its edge
const TOPS = [1, 0.25, 0.05, 0.01]; // weights, of the full one, from which the strongest colour may be given

const views = new WeakMap(); // root → view; Streamlit calls again with the same root when the data or the theme changes

export default function ({ data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  if (!view) views.set(parentElement, (view = createView(parentElement.querySelector(".attention-map"))));
  view.update(data, (row) => setTriggerValue("pick", { row }));
  return () => {
    view.close();
    views.delete(parentElement);
  };
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

// A piece by itself: a line break and a lone space have to be seen.
const visible = (piece) => piece.replaceAll("\n", "↵").replaceAll("\t", "⇥");
const labelOf = (piece) => visible(piece).trim() || (piece ? "␣" : "∅");
const quoted = (piece) => `‘${visible(piece)}’`;

// ── the picture ──

// The colours at equal steps of √weight, so that the figures below them are the squares.
function legend() {
  const node = element("div", "legend", undefined, { role: "img", "aria-label": "Colour: a stronger colour is a larger weight, by its square root" });
  const steps = element("div", "steps", undefined, { "aria-hidden": "true" });
  const bar = steps.appendChild(element("div", "bar"));
  const ticks = [0, 0.04, 0.2, 0.4, 1].map((share) => {
    const tick = steps.appendChild(element("span"));
    tick.style.left = `${100 * Math.sqrt(share)}%`;
    return [tick, share];
  });
  node.append(element("span", "", "Weight", { "aria-hidden": "true" }), steps);
  const show = (colours, full, top) => {
    bar.style.background = gradient(colours);
    for (const [tick, share] of ticks) {
      tick.textContent = `${share === 1 && top < 1 ? "≥\u202f" : ""}${Number((share * full * top).toPrecision(2))}`;
    }
  };
  return { node, show };
}

// ── the view ──

function createView(root) {
  let data = null, pick = () => {};
  let queries = [], keys = [];
  let greys = [], levels = [];         // the picture and its halves: values, and in colours
  let painted = "";                    // what the colours were made for
  let theme = {};
  let plot = { left: 0, top: 0, width: 0, height: 0 };
  let base = { x: 1, y: 1 };           // CSS pixels of a cell when the whole map is seen
  let zoom = 1, origin = { x: 0, y: 0 }; // the cell at the plot's upper left corner, as a fraction
  let pointed = null;                  // { row, column } under the pointer, or where the arrow keys went
  let frame = 0, speaking = 0;

  const title = element("p", "title");
  const tops = element("select", "", undefined, { "aria-label": "Weight from which the colour is full" });
  const scale = legend();
  const stage = element("div", "stage", undefined, { tabindex: "0", role: "application" });
  const canvas = element("canvas", "", undefined, { "aria-hidden": "true" });
  const bar = element("div", "zoom", undefined, { role: "group", "aria-label": "Zoom" });
  const buttons = [["−", "Smaller", () => zoomBy(1 / PER_CLICK)], ["+", "Larger", () => zoomBy(PER_CLICK)], ["Whole", "The whole map", whole]];
  const [smaller, larger, all] = buttons.map(([text, name, act]) => {
    const button = bar.appendChild(element("button", "", text, { type: "button", "aria-label": name, title: name }));
    button.addEventListener("click", act);
    return button;
  });
  const readout = element("p", "readout");
  const hint = element("p", "hint");
  const remarks = element("p", "remarks");
  const announce = element("p", "unseen", "", { "aria-live": "polite" });
  const head = element("div", "head");
  const foot = element("div", "foot");
  const colouring = element("div", "colouring");
  const choice = colouring.appendChild(element("label", "", "Full colour from "));
  choice.append(tops);
  colouring.append(scale.node);
  head.append(title, colouring);
  foot.append(bar, hint);
  stage.append(canvas);
  root.replaceChildren(head, stage, readout, foot, remarks, announce);

  const resized = new ResizeObserver(() => data && layOut());
  resized.observe(root);
  tops.addEventListener("change", paint);
  stage.addEventListener("wheel", onWheel, { passive: false });
  stage.addEventListener("keydown", onKey);
  stage.addEventListener("focus", draw);
  stage.addEventListener("blur", () => point(null));
  trackPointers();

  function update(fresh, send) {
    pick = send;
    const changed = fresh.digest !== data?.digest;
    const alike = data && data.full === fresh.full && (data.keys ?? data.queries).length === (fresh.keys ?? fresh.queries).length;
    data = fresh;
    if (changed) {
      queries = data.queries;
      keys = data.keys ?? data.queries;
      greys = [];
      painted = "";
      pointed = null;
      if (!alike) offerTops();
      zoom = 1;
      origin = { x: 0, y: 0 };
      write();
      layOut();
      decode(data.picture).then((picture) => {
        if (data.digest !== fresh.digest) return; // another picture came meanwhile
        greys = [picture];
        while (Math.max(greys.at(-1).width, greys.at(-1).height) > 256) greys.push(halved(greys.at(-1)));
        paint();
      });
    } else paint(); // the theme or the focus may be another
  }

  // In a long text a row's weight is spread thin. The same default for all heads, so that they can be compared.
  function offerTops() {
    tops.replaceChildren(...TOPS.map((top) => new Option(String(Number((top * data.full).toPrecision(2))), String(top))));
    tops.value = String(keys.length <= 96 ? 1 : keys.length <= 400 ? 0.25 : 0.05);
  }

  function write() {
    title.textContent = `${data.title} · ${queries.length.toLocaleString("en")} × ${keys.length.toLocaleString("en")}`;
    stage.setAttribute("aria-label", `Attention map, ${data.title}. Arrow keys move from weight to weight,${data.pickable ? " Enter picks the row," : ""} plus and minus zoom, 0 shows the whole map.`);
    const touch = matchMedia("(hover: none)").matches;
    hint.textContent = touch
      ? `Pinch to zoom, drag to move${data.pickable ? ", tap to pick a row" : ""}.`
      : `${/Mac|iP/.test(navigator.platform) ? "⌘" : "Ctrl"} + wheel zooms, after a click in the map the wheel alone. Drag moves${data.pickable ? "; a click picks the row" : ""}.`;
    remarks.textContent = [
      data.note ? `${data.note[0].toUpperCase()}${data.note.slice(1)}${data.note.endsWith(".") ? "" : "."}` : "",
      data.levels ? `Drawn in ${data.levels} steps of weight to keep the page light; the figures are as coarse.` : "",
    ].filter(Boolean).join(" ");
    remarks.hidden = !remarks.textContent;
  }

  function paint() {
    if (!greys.length) return;
    const style = getComputedStyle(root), of = (name) => style.getPropertyValue(name).trim();
    theme = { text: of("--st-text-color"), page: of("--st-background-color"), line: of("--st-border-color"),
      quiet: getComputedStyle(hint).color, accent: of("--st-link-color"), font: of("--st-font") || "sans-serif" };
    const stops = scaleOf(root), top = Number(tops.value), wanted = `${stops} ${top}`;
    if (wanted !== painted) {
      const colours = palette(stops);
      scale.show(colours, data.full, top);
      levels = greys.map((grey, halvings) => ({ canvas: coloured(grey, colours, top), factor: 2 ** halvings }));
      painted = wanted;
    }
    read();
    draw();
  }

  // ── where things are ──

  function layOut() {
    const width = root.clientWidth;
    if (!width) return;
    const narrow = width < 480;
    const pen = canvas.getContext("2d");
    pen.font = `${FONT}px sans-serif`;
    const widest = (pieces) => pieces.slice(0, 2000).reduce((most, piece) => Math.max(most, pen.measureText(labelOf(piece)).width), 0);
    const left = clamp(widest(queries) + 12, 58, narrow ? 60 : 92), top = clamp(widest(keys) + 12, 42, narrow ? 58 : 76);
    const side = Math.min(LARGEST_PLOT, width - left - 1);
    const [rows, columns] = [queries.length, keys.length];
    // Square cells, unless the map is so long that they would make a thread of it.
    const share = clamp(rows / columns, 0.3, 1 / 0.3);
    const across = Math.min(share > 1 ? side / share : side, columns * LARGEST_CELL);
    const down = Math.min(share > 1 ? side : side * share, rows * LARGEST_CELL);
    const centre = { x: origin.x + plot.width / (2 * base.x * zoom), y: origin.y + plot.height / (2 * base.y * zoom) };
    plot = { left, top, width: across, height: down };
    base = { x: across / columns, y: down / rows };
    const [fullWidth, fullHeight] = [left + across + 1, top + down + BELOW];
    const sharp = devicePixelRatio || 1;
    canvas.width = Math.round(fullWidth * sharp);
    canvas.height = Math.round(fullHeight * sharp);
    canvas.style.width = stage.style.width = `${fullWidth}px`;
    canvas.style.height = stage.style.height = `${fullHeight}px`;
    zoomTo(Math.min(zoom, most()), centre);
    drawNow(); // a canvas that was resized is empty until then
  }

  const most = () => Math.max(1, 48 / Math.max(base.x, base.y));
  const cell = () => ({ x: base.x * zoom, y: base.y * zoom });

  // The cell at a place of the stage, in fractions; null outside of the plot.
  function at(x, y) {
    if (x < plot.left || y < plot.top || x >= plot.left + plot.width || y >= plot.top + plot.height) return null;
    return { x: origin.x + (x - plot.left) / cell().x, y: origin.y + (y - plot.top) / cell().y };
  }

  function moveTo(x, y) {
    const { x: wide, y: high } = cell();
    origin = { x: clamp(x, 0, keys.length - plot.width / wide), y: clamp(y, 0, queries.length - plot.height / high) };
    draw();
  }

  function zoomTo(next, centre) {
    zoom = clamp(next, 1, most());
    moveTo(centre.x - plot.width / (2 * cell().x), centre.y - plot.height / (2 * cell().y));
    smaller.disabled = all.disabled = zoom <= 1.0001;
    larger.disabled = zoom >= most() - 0.0001;
    stage.classList.toggle("zoomed", zoom > 1.0001);
  }

  // Zoom so that what lies at this place of the stage stays there.
  function zoomAround(factor, x, y) {
    const before = at(clamp(x, plot.left, plot.left + plot.width - 1), clamp(y, plot.top, plot.top + plot.height - 1));
    const next = clamp(zoom * factor, 1, most());
    const shift = { x: plot.left + plot.width / 2 - x, y: plot.top + plot.height / 2 - y };
    zoomTo(next, { x: before.x + shift.x / (base.x * next), y: before.y + shift.y / (base.y * next) });
  }

  // Of the buttons and keys: around what is pointed at by keyboard, else the focus row, else the middle of what is seen.
  function zoomBy(factor) {
    const middle = { x: origin.x + plot.width / (2 * cell().x), y: origin.y + plot.height / (2 * cell().y) };
    const target = pointed ? { x: pointed.column + 0.5, y: pointed.row + 0.5 }
      : data.focus !== null && zoom <= 1.0001 ? { x: Math.min(data.focus, keys.length) + 0.5, y: data.focus + 0.5 } : middle;
    zoomTo(zoom * factor, target);
  }

  function whole() {
    zoomTo(1, { x: keys.length / 2, y: queries.length / 2 });
  }

  // ── drawing ──

  function draw() {
    frame ||= requestAnimationFrame(drawNow);
  }

  function drawNow() {
    cancelAnimationFrame(frame);
    frame = 0;
    if (!greys.length || !levels.length) return;
    const sharp = devicePixelRatio || 1;
    const pen = canvas.getContext("2d");
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    drawWeights(pen, sharp);
    pen.save();
    pen.beginPath();
    pen.rect(plot.left, plot.top, plot.width, plot.height);
    pen.clip();
    if (pointed) drawCross(pen);
    if (data.focus !== null) outline(pen, data.focus);
    pen.restore();
    pen.strokeStyle = theme.line;
    pen.lineWidth = 1;
    pen.strokeRect(plot.left - 0.5, plot.top - 0.5, plot.width + 1, plot.height + 1);
    drawLabels(pen, "y");
    drawLabels(pen, "x");
    pen.font = `${FONT}px ${theme.font}`;
    pen.textAlign = "right";
    pen.textBaseline = "alphabetic";
    pen.fillStyle = theme.quiet;
    pen.fillText("is read →", plot.left - 5, plot.top - 27);
    if (!data.row_words) pen.fillText("reads ↓", plot.left - 5, plot.top - 13);
  }

  function drawWeights(pen, sharp) {
    const { x: wide, y: high } = cell();
    const dot = Math.min(wide, high) * sharp; // device pixels of a cell
    const level = levels.findLast(({ factor }) => factor === 1 || factor * dot <= 1.01) ?? levels[0];
    pen.imageSmoothingEnabled = dot < 1;
    pen.imageSmoothingQuality = "medium";
    const { factor } = level;
    pen.drawImage(level.canvas, origin.x / factor, origin.y / factor, plot.width / wide / factor, plot.height / high / factor,
      plot.left, plot.top, plot.width, plot.height);
  }

  const topOf = (row) => plot.top + (row - origin.y) * cell().y;
  const leftOf = (column) => plot.left + (column - origin.x) * cell().x;

  // A frame around the focus row: in the text's colour, on a seam of the page's so that it is seen on every weight.
  function outline(pen, row) {
    const height = Math.max(cell().y, 3), middle = topOf(row + 0.5);
    const y = Math.max(middle - height / 2 - 1, Math.min(plot.top + 1, middle));  // at an edge of the plot inside of it
    const end = Math.min(middle + height / 2 + 1, Math.max(plot.top + plot.height - 1, middle));
    for (const [line, stroke] of [[3, theme.page], [1.5, theme.text]]) {
      pen.lineWidth = line;
      pen.strokeStyle = stroke;
      pen.strokeRect(plot.left - 3, y, plot.width + 6, end - y);
    }
  }

  function drawCross(pen) {
    const { x: wide, y: high } = cell();
    const [x, y] = [leftOf(pointed.column), topOf(pointed.row)];
    pen.fillStyle = theme.text;
    pen.globalAlpha = 0.13;
    const [w, h] = [Math.max(wide, 1), Math.max(high, 1)];
    pen.fillRect(plot.left, y, plot.width, h);
    pen.fillRect(x, plot.top, w, y - plot.top);
    pen.fillRect(x, y + h, w, plot.height);
    pen.globalAlpha = 1;
    const [side, tall] = [Math.max(wide, 5), Math.max(high, 5)];
    pen.lineWidth = 1.5;
    pen.strokeStyle = theme.text;
    pen.strokeRect(x + wide / 2 - side / 2, y + high / 2 - tall / 2, side, tall);
  }

  // Pieces where they have room, else numbers at round places; the pointed and the focus label are always there.
  function drawLabels(pen, axis) {
    const pieces = axis === "y" ? queries : keys, size = cell()[axis], start = origin[axis];
    const length = axis === "y" ? plot.height : plot.width;
    const last = Math.min(pieces.length - 1, Math.floor(start + length / size - 0.01));
    const strong = [axis === "y" ? data.focus : null, pointed && (axis === "y" ? pointed.row : pointed.column)]
      .filter((place) => place !== null && place >= Math.floor(start) && place <= last);
    pen.save();
    pen.textBaseline = "middle";
    const labelled = size >= LABELLED;
    const step = labelled ? 1 : roundStep((axis === "y" ? 28 : 40) / size);
    const apart = (axis === "y" ? FONT + 2 : 24) / size; // cells that a strong label keeps free of numbers on either side
    pen.font = `${FONT}px ${theme.font}`;
    const shift = axis === "y" ? data.first_row : 0; // round numbers are those of the text
    for (let place = Math.ceil((Math.floor(start) + shift) / step) * step - shift; place <= last; place += step) {
      if (strong.every((other) => labelled ? other !== place : Math.abs(other - place) > apart)) label(pen, axis, place, labelled ? labelOf(pieces[place]) : String(place + (axis === "y" ? data.first_row : 0)), !labelled);
    }
    pen.font = `600 ${FONT}px ${theme.font}`;
    for (const place of strong) label(pen, axis, place, labelOf(pieces[place]), false, true);
    pen.restore();
  }

  function label(pen, axis, place, text, flat, strong = false) {
    const middle = axis === "y" ? topOf(place + 0.5) : leftOf(place + 0.5);
    const [low, high] = axis === "y" ? [plot.top, plot.top + plot.height] : [plot.left, plot.left + plot.width];
    const room = (axis === "y" ? plot.left : plot.top) - 8;
    const upright = axis === "x" && flat;
    const inset = strong ? FONT / 2 + 1 : 0;
    if (middle < low - 1 || middle > high + 1) return;
    pen.save();
    if (upright) {
      pen.translate(clamp(middle, low + 4, high - pen.measureText(text).width / 2), plot.top - 5);
      pen.textBaseline = "alphabetic";
      pen.textAlign = "center";
    } else if (axis === "x") {
      pen.translate(clamp(middle, low + inset, high - inset), plot.top - 5);
      pen.rotate(-Math.PI / 2);
      pen.textAlign = "left";
    } else {
      pen.translate(plot.left - 5, clamp(middle, low + inset, high - inset));
      pen.textAlign = "right";
    }
    const shown = fitted(pen, text, room);
    if (strong) {
      // On a seam of the page's colour, since it may lie over the labels beside it.
      const width = pen.measureText(shown).width + 4;
      pen.fillStyle = theme.page;
      pen.fillRect(axis === "x" ? -3 : -width + 2, -FONT / 2 - 2, room + 3 > width ? width + 1 : room + 3, FONT + 4);
    }
    pen.fillStyle = strong ? theme.text : theme.quiet;
    pen.fillText(shown, 0, 0);
    pen.restore();
  }

  function fitted(pen, text, room) {
    if (pen.measureText(text).width <= room) return text;
    const signs = Array.from(text);
    while (signs.length > 1 && pen.measureText(`${signs.join("")}…`).width > room) signs.pop();
    return `${signs.join("")}…`;
  }

  // 1, 2 or 5 times a power of ten, at least `least`.
  function roundStep(least) {
    const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
    return Math.max(1, [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least));
  }

  // ── saying what is pointed at ──

  const greyOf = (row, column) => greys[0].values[row * greys[0].width + column];

  // Two digits; one where eight bits, or fewer steps, give no more.
  function weight(value) {
    const share = value / 255, amount = data.full * share * share;
    if (value === 0) return "0";
    if (amount >= 0.995 && data.full === 1) return value === 255 && !data.levels ? "1.0" : "0.99";
    const coarse = value < 20 || data.levels;
    return `${coarse ? "≈\u202f" : ""}${amount >= 10 ? amount.toFixed(0) : amount.toPrecision(coarse ? 1 : 2)}`;
  }

  const named = (pieces, place, first) => `${quoted(pieces[place])} (${first + place})`;
  const verb = () => (data.row_words ? ":" : " reads"); // a row may be no token that reads

  function sentence({ row, column }) {
    const read = named(keys, column, 0), later = data.causal && queries.length === keys.length && column > row;
    if (later) return `${named(queries, row, data.first_row)} cannot read ${read}: it comes later`;
    return `${named(queries, row, data.first_row)}${verb()} ${read}: ${weight(greyOf(row, column))}`;
  }

  const stopped = (words) => (words.endsWith(".") ? words : `${words}.`);

  // What the row reads most, for the time that nothing is pointed at.
  function reads(row) {
    const best = keys.map((_, column) => [greyOf(row, column), column]).filter(([value]) => value > 0)
      .sort((one, other) => other[0] - one[0] || one[1] - other[1]).slice(0, 3);
    const list = best.map(([value, column]) => `${quoted(keys[column])} (${column}) ${weight(value)}`);
    const name = `${named(queries, row, data.first_row)}${verb()}`;
    return list.length ? `${name}${data.row_words ? "" : " most:"} ${list.join(" · ")}` : `${name} nothing that shows`;
  }

  function read() {
    if (!greys.length) return;
    readout.textContent = pointed ? sentence(pointed)
      : data.focus !== null ? reads(data.focus) : `${data.row_words ? stopped(data.row_words) : "A row is a token that reads, a column one that is read."} Point at a cell to see its weight.`;
  }

  function point(next, { spoken = false } = {}) {
    if (next?.row === pointed?.row && next?.column === pointed?.column) return;
    pointed = next;
    read();
    draw();
    clearTimeout(speaking);
    if (spoken && next) speaking = setTimeout(() => (announce.textContent = sentence(next)), 150);
  }

  // ── keyboard, wheel, pointers ──

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !greys.length) return;
    const from = pointed ?? { row: data.focus ?? Math.floor(origin.y), column: Math.floor(origin.x) };
    const far = Math.max(1, Math.round((plot.width / cell().x) / 10));
    const step = event.shiftKey ? far : 1;
    const go = (down, right) => () => goTo(pointed ? from.row + down : from.row, pointed ? from.column + right : from.column);
    const moves = {
      ArrowLeft: go(0, -step), ArrowRight: go(0, step), ArrowUp: go(-step, 0), ArrowDown: go(step, 0),
      PageUp: go(-far, 0), PageDown: go(far, 0),
      Home: () => goTo(from.row, 0), End: () => goTo(from.row, data.causal ? from.row : keys.length - 1),
      "+": () => zoomBy(PER_CLICK), "=": () => zoomBy(PER_CLICK), "-": () => zoomBy(1 / PER_CLICK), "−": () => zoomBy(1 / PER_CLICK),
      0: whole, Enter: () => choose(from.row), " ": () => choose(from.row),
      Escape: () => stage.blur(),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    moves[event.key]();
  }

  function goTo(row, column) {
    const next = { row: clamp(row, 0, queries.length - 1), column: clamp(column, 0, keys.length - 1) };
    const wide = plot.width / cell().x, high = plot.height / cell().y;
    moveTo(clamp(origin.x, next.column + 1 - wide, next.column), clamp(origin.y, next.row + 1 - high, next.row));
    point(next, { spoken: true });
  }

  function choose(row) {
    if (!data.pickable) return;
    announce.textContent = `Row ${row + data.first_row} picked.`;
    pick(row);
  }

  // A wheel belongs to the page, unless the reader says otherwise, and again when there is nothing left to zoom.
  function onWheel(event) {
    const asked = event.ctrlKey || event.metaKey;
    const mine = asked || root.getRootNode().activeElement === stage;
    const turn = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1);
    const factor = Math.exp(-clamp(turn, -120, 120) * (event.ctrlKey && Math.abs(turn) < 20 ? 0.012 : 0.0025));
    const useless = factor < 1 ? smaller.disabled : larger.disabled;
    if (!mine || (useless && !asked)) return;
    event.preventDefault();
    const place = within(event);
    zoomAround(factor, place.x, place.y);
    pointAt(place);
  }

  function within(event) {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  function pointAt({ x, y }) {
    const found = greys.length && at(x, y);
    point(found ? { row: clamp(Math.floor(found.y), 0, queries.length - 1), column: clamp(Math.floor(found.x), 0, keys.length - 1) } : null);
  }

  // One pointer drags, two pinch; a pointer that stayed still has clicked.
  function trackPointers() {
    const held = new Map();
    let still = null, pinch = 0;
    const middle = () => {
      const [one, other] = [...held.values()];
      return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2, apart: Math.hypot(one.x - other.x, one.y - other.y) };
    };
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      held.set(event.pointerId, within(event));
      still = held.size === 1 ? within(event) : null;
      if (held.size === 2) pinch = middle().apart;
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener("pointermove", (event) => {
      const place = within(event), before = held.get(event.pointerId);
      if (!before) return pointAt(place);
      if (still && Math.hypot(place.x - still.x, place.y - still.y) > STILL) still = null;
      const from = held.size === 2 ? middle() : null;
      held.set(event.pointerId, place);
      if (from) {
        const to = middle();
        moveTo(origin.x - (to.x - from.x) / cell().x, origin.y - (to.y - from.y) / cell().y);
        if (pinch > 0) zoomAround(to.apart / pinch, to.x, to.y);
        pinch = to.apart;
      } else if (!still && held.size === 1) {
        moveTo(origin.x - (place.x - before.x) / cell().x, origin.y - (place.y - before.y) / cell().y);
        point(null);
        stage.classList.add("dragged");
      }
    });
    const release = (event) => {
      const clicked = event.type === "pointerup" && still && held.size === 1 ? at(still.x, still.y) : null;
      held.delete(event.pointerId);
      still = null;
      stage.classList.remove("dragged");
      if (!clicked || !greys.length) return;
      pointAt(within(event));
      choose(clamp(Math.floor(clicked.y), 0, queries.length - 1));
    };
    stage.addEventListener("pointerup", release);
    stage.addEventListener("pointercancel", release);
    stage.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && !held.size && point(null));
  }

  return { update, close: () => resized.disconnect() };
}
