// Lines on one canvas as tall as the window on the text, rows only for the tokens in sight. A line is drawn when one of
// its ends is in sight; an end out of sight pulls it towards the edge. Every piece reaches the page through textContent.

const ROW = 24;    // px; also in the style sheet
const TALL = 520;  // px of the window on a long text
const SPARE = 8;   // rows kept above and below the window
const PULL = 400;  // px by which an end infinitely far away lies beyond the edge
const LEVELS = 12; // lines are drawn from the lightest to the heaviest
const FAN = 30;    // lines from one token to the unseen rest of the text; more of them are fainter each
const READS = 0, READ = 1; // the two sides: queries, keys
const TOLD = 5;
const HINT = "Point at a token to see its lines alone. Pick one on the left to keep it, and to ask the other pictures about it.";

const views = new WeakMap(); // root → view; Streamlit calls again with the same root when the data changes

export default function ({ data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  if (!view) views.set(parentElement, (view = createView(parentElement.querySelector(".attention-lines"))));
  view.update(data, setTriggerValue);
  return () => {
    view.end();
    views.delete(parentElement);
  };
}

const seen = (text) => text.replaceAll("\n", "↵").replaceAll("\t", "⇥") || "∅";
const label = (text) => seen(text).trim() || "␣".repeat(text.length);
const clipped = (text) => (text.length > 24 ? `${text.slice(0, 23)}…` : text);

// ── the lines of one head, found by either end ──

function unpack(base64, counts) {
  const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
  const count = bytes.length / 5, view = new DataView(bytes.buffer);
  const ends = [new Uint16Array(count), new Uint16Array(count)];
  for (let line = 0; line < count; line++) {
    ends[READS][line] = view.getUint16(2 * line, true);
    ends[READ][line] = view.getUint16(2 * (count + line), true);
  }
  return { ends, roots: bytes.subarray(4 * count), by: [grouped(ends[READS], counts[READS]), grouped(ends[READ], counts[READ])] };
}

// order: lines sorted by this end; those of a token are order[starts[token]] up to order[starts[token + 1]].
function grouped(end, count) {
  const starts = new Uint32Array(count + 1);
  for (const place of end) starts[place + 1]++;
  for (let place = 0; place < count; place++) starts[place + 1] += starts[place];
  const next = starts.slice(), order = new Uint32Array(end.length);
  end.forEach((place, line) => (order[next[place]++] = line));
  return { starts, order };
}

function* linesOf(head, side, place) {
  const { starts, order } = head.by[side];
  for (let at = starts[place]; at < starts[place + 1]; at++) yield order[at];
}

function createView(root) {
  let data = null, choose = () => {};
  let heads = [], pieces = [[], []];
  let pinned = null, pointed = null, cursor = null; // { side, place } or null
  let due = null;      // a token to bring into sight as soon as there is a window
  let frame = 0;
  let hues = [];       // the theme's categorical palette, a colour a head
  const rows = [new Map(), new Map()];
  const off = new Set(); // titles of the heads that the reader switched off

  const legend = element("div", "legend", undefined, { role: "group", "aria-label": "Heads shown" });
  const clear = element("button", "clear", "Show all lines", { type: "button" });
  const box = element("div", "box", undefined, { role: "listbox", tabindex: "0", "aria-label": "Tokens and what they read" });
  const room = element("div", "room", undefined, { role: "presentation" });
  const canvas = element("canvas", "", undefined, { "aria-hidden": "true" });
  const columns = [element("div", "side reads", undefined, { role: "presentation" }),
    element("div", "side read", undefined, { role: "presentation" })];
  const told = element("p", "told"), caption = element("p", "caption");
  const head = element("div", "head"), names = element("div", "names", undefined, { "aria-hidden": "true" });
  head.append(legend, clear);
  names.append(element("span", "", "Token that reads"), element("span", "", "Token that is read"));
  room.append(canvas, ...columns);
  box.append(room);
  root.replaceChildren(head, names, box, told, caption);
  const observer = new ResizeObserver(() => (settle(), refresh()));
  observer.observe(box);

  box.addEventListener("scroll", refresh, { passive: true });
  canvas.addEventListener("transitionend", refresh); // its colour follows the theme: draw with the new one
  room.addEventListener("pointermove", (event) => event.pointerType !== "touch" && point(at(event)));
  room.addEventListener("pointerleave", () => point(null));
  room.addEventListener("click", (event) => at(event) && pick(at(event)));
  box.addEventListener("keydown", onKey);
  box.addEventListener("focus", () => box.matches(":focus-visible") && move(cursor ?? pinned ?? firstInSight()));
  box.addEventListener("blur", () => point(null));
  clear.addEventListener("click", () => (box.focus(), showAll()));
  legend.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) toggle(button);
  });

  // ── what Python sends ──

  function update(fresh, trigger) {
    choose = (place) => trigger("pick", place);
    const before = data;
    data = fresh;
    if (fresh.digest !== before?.digest) fill();
    if (!before || fresh.focus !== before.focus) {
      pinned = fresh.focus === null ? null : { side: READS, place: fresh.focus };
      cursor = pinned;
      due = pinned;
    }
    settle();
    refresh();
  }

  function fill() {
    pieces = [data.queries, data.keys ?? data.queries];
    const counts = pieces.map((side) => side.length);
    heads = data.heads.map((one, number) => ({ ...unpack(one.lines, counts), title: one.title, number }));
    shorten();
    for (const side of [READS, READ]) {
      for (const row of rows[side].values()) row.remove();
      rows[side].clear();
    }
    const outside = (spot) => spot && spot.place >= counts[spot.side];
    if (outside(pinned)) pinned = null;
    if (outside(cursor)) cursor = null;
    pointed = null;
    const height = Math.max(...counts) * ROW;
    room.style.height = `${height}px`;
    box.style.height = `${Math.min(height, TALL) + 2}px`; // and its border
    caption.textContent = data.caption;
    readHues();
    drawLegend();
  }

  // “Layer 12, head 4”, “Layer 12, head 5” → “Layer 12” once, then the heads.
  function shorten() {
    const layers = new Set(heads.map(({ title }) => title.split(", ")[0]));
    for (const one of heads) one.name = layers.size > 1 ? one.title : one.title.split(", ").slice(1).join(", ") || one.title;
  }

  function drawLegend() {
    if (heads.length === 1) return legend.replaceChildren(element("span", "title", heads[0].title));
    const common = heads[0].name === heads[0].title ? [] : [element("span", "title", heads[0].title.split(", ")[0])];
    legend.replaceChildren(...common, ...heads.map((one) => {
      const button = element("button", "swatched", undefined, { type: "button", "aria-pressed": String(!off.has(one.title)) });
      const swatch = element("span", one.number >= hues.length ? "swatch dashed" : "swatch", undefined, { "aria-hidden": "true" });
      swatch.style.setProperty("--hue", `var(--head-${one.number % hues.length})`);
      button.append(swatch, element("span", "", one.name));
      button.dataset.head = one.number;
      return button;
    }));
  }

  function toggle(button) {
    const { title } = heads[button.dataset.head];
    if (!off.delete(title)) off.add(title);
    button.setAttribute("aria-pressed", String(!off.has(title)));
    refresh();
  }

  // ── moving and picking ──

  const inSight = () => Math.ceil(box.scrollTop / ROW);
  const firstInSight = () => ({ side: READS, place: Math.min(inSight(), pieces[READS].length - 1) });

  function at(event) {
    const row = event.target.closest(".row");
    return row && { side: Number(row.dataset.side), place: Number(row.dataset.place) };
  }

  const same = (one, other) => one?.side === other?.side && one?.place === other?.place;

  function point(spot) {
    if (same(spot, pointed)) return;
    pointed = spot;
    refresh();
  }

  function move(spot) {
    cursor = spot;
    due = spot;
    settle();
    point(spot);
    refresh();
  }

  function pick(spot) {
    pinned = cursor = spot;
    pointed = null;
    if (spot.side === READS) choose(spot.place);
    refresh();
  }

  function showAll() {
    pinned = pointed = null;
    refresh();
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { side, place } = cursor ?? firstInSight();
    const last = pieces[side].length - 1, page = Math.floor(box.clientHeight / ROW) - 1;
    const to = (next) => () => move({ side, place: Math.min(Math.max(next, 0), last) });
    const actions = {
      ArrowUp: to(place - 1), ArrowDown: to(place + 1), PageUp: to(place - page), PageDown: to(place + page),
      Home: to(0), End: to(last), ArrowRight: () => cross(READ), ArrowLeft: () => cross(READS),
      Enter: () => pick({ side, place }), " ": () => pick({ side, place }),
    };
    if (pinned || pointed) actions.Escape = showAll;
    if (!actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  }

  // Along the heaviest line to the other side.
  function cross(side) {
    const from = cursor ?? firstInSight();
    if (from.side === side) return;
    const [strongest] = partners(from);
    move({ side, place: strongest?.place ?? Math.min(from.place, pieces[side].length - 1) });
  }

  function settle() {
    if (!due || !box.clientHeight) return;
    const top = due.place * ROW;
    if (top < box.scrollTop || top + ROW > box.scrollTop + box.clientHeight) {
      const nearby = box.getRootNode().activeElement === box && Math.abs(top - box.scrollTop - box.clientHeight / 2) < box.clientHeight;
      if (!nearby) box.scrollTop = top + ROW / 2 - box.clientHeight / 2;
      else box.scrollTop = top < box.scrollTop ? top : top + ROW - box.clientHeight;
    }
    due = null;
  }

  // ── weights in words ──

  const shown = () => heads.filter(({ title }) => !off.has(title));
  const weight = (root) => (root / 255) ** 2 * data.scale;

  function figure(root) {
    const value = weight(root);
    if (data.scale > 1) return value.toPrecision(2);
    const percent = value * 100;
    return `${percent >= 9.95 ? percent.toFixed(0) : Number(percent.toPrecision(2))}\u202f%`;
  }

  // The tokens on the other side, the heaviest first, each with its heaviest head.
  function partners({ side, place }) {
    const found = new Map();
    for (const one of shown()) {
      for (const line of linesOf(one, side, place)) {
        const other = one.ends[1 - side][line], root = one.roots[line];
        if (!(found.get(other)?.root >= root)) found.set(other, { place: other, root, head: one });
      }
    }
    return [...found.values()].sort((a, b) => b.root - a.root || a.place - b.place);
  }

  const quoted = (side, place) => `‘${clipped(seen(pieces[side][place]))}’ (${place})`;

  // In parts that a line break should not tear.
  function sentence(spot) {
    const found = partners(spot);
    const who = quoted(spot.side, spot.place), verb = spot.side === READS ? "reads" : "is read by";
    if (!found.length) return [`${who} has no line: `, "its weights are below the threshold."];
    const list = found.slice(0, TOLD).map(({ place, root, head: one }) =>
      `${quoted(1 - spot.side, place)} ${figure(root)}${shown().length > 1 ? ` ${one.name}` : ""}`);
    const rest = found.length - list.length;
    if (rest > 0) list.push(`and ${rest.toLocaleString("en")} more`);
    return [`${who} ${verb}: `, ...list.map((part, number) => (number < list.length - 1 ? `${part}, ` : part))];
  }

  // ── drawing ──

  function refresh() {
    if (!frame) frame = requestAnimationFrame(() => ((frame = 0), paint()));
  }

  function readHues() {
    const page = getComputedStyle(root);
    const colours = page.getPropertyValue("--st-chart-categorical-colors").split(",").map((one) => one.trim());
    const known = colours.filter((one) => CSS.supports("color", one));
    const fresh = known.length ? known : [page.color];
    if (fresh.join() === hues.join()) return;
    hues = fresh;
    hues.forEach((hue, number) => root.style.setProperty(`--head-${number}`, hue));
  }

  function paint() {
    if (!data || !box.clientHeight) return;
    readHues();
    const alone = pointed ?? pinned;
    const found = alone ? partners(alone) : [];
    names.style.paddingRight = `${box.offsetWidth - box.clientWidth - 1}px`; // the scroll bar's width
    drawRows(alone, found);
    drawLines(alone);
    clear.disabled = !pinned;
    told.classList.toggle("quiet", !alone);
    told.classList.toggle("several", heads.length > 1);
    told.replaceChildren(...(alone ? sentence(alone) : [HINT]).map((part) => element("span", alone ? "whole" : "", part)));
  }

  function drawRows(alone, found) {
    const first = Math.floor(box.scrollTop / ROW) - SPARE, last = first + Math.ceil(box.clientHeight / ROW) + 2 * SPARE;
    const tints = new Map(found.map((one) => [one.place, one]));
    for (const side of [READS, READ]) {
      const live = rows[side];
      for (const [place, row] of live) if (place < first || place > last) (row.remove(), live.delete(place));
      for (let place = Math.max(first, 0); place <= Math.min(last, pieces[side].length - 1); place++) {
        if (!live.has(place)) live.set(place, columns[side].appendChild(newRow(side, place)));
        const spot = { side, place };
        dress(live.get(place), spot, alone, alone && alone.side !== side ? tints.get(place) : undefined);
      }
    }
    if (cursor) box.setAttribute("aria-activedescendant", `t${cursor.side}-${cursor.place}`);
    else box.removeAttribute("aria-activedescendant");
  }

  function newRow(side, place) {
    const row = element("div", "row", undefined, {
      role: "option", id: `t${side}-${place}`, title: `‘${seen(pieces[side][place])}’ (${place})`,
      "aria-setsize": pieces[side].length, "aria-posinset": place + 1,
    });
    Object.assign(row.dataset, { side, place });
    row.style.top = `${place * ROW}px`;
    row.append(element("span", "number", String(place)), element("span", "piece", label(pieces[side][place])), element("span", "share", ""));
    return row;
  }

  function dress(row, spot, alone, tint) {
    row.classList.toggle("alone", same(spot, alone));
    row.classList.toggle("picked", same(spot, pinned));
    row.classList.toggle("cursor", same(spot, cursor));
    row.classList.toggle("faint", Boolean(alone) && !tint && !same(spot, alone));
    row.setAttribute("aria-selected", String(same(spot, pinned)));
    row.lastChild.textContent = tint ? figure(tint.root) : "";
    row.style.setProperty("--part", tint ? `${Math.max(2, (weight(tint.root) / data.scale) * 100)}%` : "0%");
    if (tint) row.style.setProperty("--hue", `var(--head-${tint.head.number % hues.length})`);
    if (same(spot, cursor)) row.setAttribute("aria-label", sentence(spot).join(""));
    else row.removeAttribute("aria-label");
  }

  function drawLines(alone) {
    const width = canvas.clientWidth, height = box.clientHeight, ratio = window.devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const visible = shown();
    const levels = Array.from({ length: LEVELS }, () => []);
    visible.forEach((one, order) => {
      const shift = visible.length > 1 ? (order - (visible.length - 1) / 2) * Math.min(3, 12 / visible.length) : 0;
      for (const line of alone ? linesOf(one, alone.side, alone.place) : linesInSight(one, height)) {
        const root = one.roots[line] / 255, from = pulled(one.ends[READS][line], height), to = pulled(one.ends[READ][line], height);
        const strength = alone ? 0.25 + 0.75 * root : Math.max(0.06, root ** 1.3);
        const alpha = strength * calm(one, line, from, to, height, alone);
        levels[Math.floor(Math.min(alpha, 0.999) * LEVELS)].push({ one, alpha, root, from: from + shift, to: to + shift });
      }
    });
    for (const level of levels) {
      // Line by line, not head by head: no head lies over all others.
      for (const line of visible.length > 1 ? level.sort((a, b) => a.to - b.to || a.from - b.from) : level) stroke(pen, line, width);
    }
    pen.globalAlpha = 1;
  }

  function stroke(pen, { one, alpha, root, from, to }, width) {
    pen.strokeStyle = hues[one.number % hues.length];
    pen.setLineDash(one.number >= hues.length ? [6, 3] : []); // a palette used up starts again, dashed
    pen.globalAlpha = alpha;
    pen.lineWidth = 1 + 2.5 * alpha * root;
    pen.beginPath();
    pen.moveTo(0, from);
    pen.lineTo(width, to);
    pen.stroke();
  }

  // Of a line that leaves the window, how much of its strength is left: a first token that all others read would
  // otherwise cover the rest.
  function calm(one, line, from, to, height, alone) {
    const gone = (y) => y < 0 || y > height;
    if (!gone(from) && !gone(to)) return 1;
    const side = gone(from) ? READ : READS, place = one.ends[side][line], { starts } = one.by[side];
    return (alone ? 1 : 0.5) * Math.min(1, FAN / (starts[place + 1] - starts[place]));
  }

  // Lines with an end in sight; those that only pass by would tell nothing here.
  function* linesInSight(one, height) {
    const first = Math.max(0, Math.floor(box.scrollTop / ROW)), last = Math.floor((box.scrollTop + height - 1) / ROW);
    for (let place = first; place <= Math.min(last, pieces[READS].length - 1); place++) yield* linesOf(one, READS, place);
    for (let place = first; place <= Math.min(last, pieces[READ].length - 1); place++) {
      for (const line of linesOf(one, READ, place)) {
        const query = one.ends[READS][line];
        if (query < first || query > last) yield line;
      }
    }
  }

  // Where a token's middle is in the window; beyond the edge distances shrink, so that a line still tells its direction.
  function pulled(place, height) {
    const y = (place + 0.5) * ROW - box.scrollTop;
    const squeeze = (beyond) => (PULL * beyond) / (beyond + PULL);
    return y < 0 ? -squeeze(-y) : y > height ? height + squeeze(y - height) : y;
  }

  function end() {
    observer.disconnect();
    cancelAnimationFrame(frame);
  }

  return { update, end };
}
