// Draws the tokens once; the slider only changes their classes. One listener for all tokens, one tab stop, and every piece
// reaches the page through textContent.

const STEP_MS = 400; // between two bands while it plays; it never starts by itself
const TOLD = 5;
const ODD = "\ufffd"; // what a tokenizer shows for half a character

const views = new WeakMap(); // root → view; Streamlit calls again with the same root when the data changes

export default function ({ data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  if (!view) views.set(parentElement, (view = createView(parentElement.querySelector(".attention-tokens"))));
  view.update(data, setTriggerValue);
  return () => {
    view.end();
    views.delete(parentElement);
  };
}

const seen = (text) => text.replaceAll("\n", "↵").replaceAll("\t", "⇥") || "∅";
const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);
const clipped = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// Three digits; what would need many noughts is written with a power of ten.
function figure(value, signed) {
  if (!Number.isFinite(value)) return "—";
  const size = Math.abs(value), sign = value < 0 ? "−" : signed && value > 0 ? "+" : "";
  if (size === 0) return "0";
  if (size >= 100) return sign + size.toLocaleString("en", { maximumFractionDigits: 0 });
  if (size >= 0.0001) return sign + String(Number(size.toPrecision(3)));
  const [digits, power] = size.toExponential(2).split("e-");
  return `${sign}${digits}·10⁻${[...power].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("")}`;
}

// Bands of float16 shares of each band's scale → Float32Array a band.
function unpack({ scales, halves }, count) {
  const bytes = Uint8Array.from(atob(halves), (sign) => sign.charCodeAt(0)), view = new DataView(bytes.buffer);
  return scales.map((scale, band) =>
    Float32Array.from({ length: count }, (_, place) => half(view.getUint16(2 * (band * count + place), true)) * scale));
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, power = (bits >> 10) & 31, rest = bits & 1023;
  if (power === 31) return NaN;
  return sign * (power ? (1 + rest / 1024) * 2 ** (power - 15) : rest * 2 ** -24);
}

// ── colours of the theme, each with an ink that can be read on it ──

const probe = document.createElement("canvas").getContext("2d");

function luminance(colour) {
  probe.fillStyle = "#000";
  probe.fillStyle = colour; // whatever the notation, it reads back as #rrggbb
  const parts = [1, 3, 5].map((from) => parseInt(String(probe.fillStyle).slice(from, from + 2), 16) / 255);
  const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function ink(ground, page) {
  const inks = [page.getPropertyValue("--st-text-color").trim(), "#000000", "#ffffff"];
  return inks.find((one) => contrast(one, ground) >= 4.6) ?? inks.sort((a, b) => contrast(b, ground) - contrast(a, ground))[0];
}

function createView(root) {
  let data = null, choose = () => {};
  let spans = [], values = [], band = 0;
  let current = 0;    // the token that holds the tab stop
  let picked = null;  // the focus token, or null
  let pointed = null; // under the pointer, or focused
  let due = null;     // the token that shall come into sight as soon as there is a window
  let timer = 0;

  const title = element("span", "title"), scale = element("div", "scale", undefined, { role: "img" });
  const head = element("div", "head");
  const play = element("button", "play", "Play", { type: "button" });
  const slider = element("input", "slider", undefined, { type: "range", min: "0", step: "1" });
  const name = element("output", "name"), bar = element("div", "bar");
  const text = element("div", "text", undefined, { role: "listbox", "aria-label": "The text, token by token", "aria-orientation": "horizontal" });
  const one = element("p", "one"), most = element("p", "most"), status = element("div", "status");
  head.append(title, scale);
  bar.append(play, slider, name);
  status.append(one, most);
  root.replaceChildren(head, bar, text, status);
  const observer = new ResizeObserver(settle);
  observer.observe(text);

  const at = (event) => {
    const span = event.target.closest?.(".token");
    return span ? Number(span.dataset.place) : null;
  };
  text.addEventListener("click", (event) => at(event) !== null && (focus(at(event)), pick(at(event))));
  text.addEventListener("pointermove", (event) => event.pointerType !== "touch" && at(event) !== null && point(at(event)));
  text.addEventListener("pointerleave", () => point(null));
  text.addEventListener("focusin", (event) => point(at(event)));
  text.addEventListener("focusout", () => point(null));
  text.addEventListener("keydown", onKey);
  text.addEventListener("transitionend", (event) => event.target === text && recolour()); // the theme has changed
  slider.addEventListener("input", () => (stop(), show(Number(slider.value))));
  play.addEventListener("click", () => (timer ? stop() : start()));

  // ── what Python sends ──

  function update(fresh, trigger) {
    choose = (place) => trigger("pick", place);
    const before = data;
    data = fresh;
    if (fresh.text !== before?.text) drawText();
    if (fresh.digest !== before?.digest) {
      values = fresh.values ? unpack(fresh.values, fresh.pieces.length) : [];
      drawBar();
    }
    const kept = before && fresh.band === before.band && fresh.bands.length === before.bands.length;
    if (!kept) (stop(), (band = fresh.band));
    const other = fresh.text !== before?.text;
    outline(fresh.focus);
    recolour();
    if (other || fresh.focus !== before.focus) due = fresh.focus;
    if (other && due === null && values.length) due = largest(values[band])[0]?.place ?? null;
    settle();
  }

  function drawText() {
    spans = data.pieces.map((piece, place) => tokenSpan(piece, place, data.special.includes(place)));
    const start = data.answer_start;
    const parts = start === null ? [["", spans]] : [["Prompt", spans.slice(0, start)], ["Answer", spans.slice(start)]];
    text.replaceChildren(...parts.filter(([, part]) => part.length).map(([heading, part]) => {
      const group = element("div", "part", undefined, heading ? { role: "group", "aria-label": heading } : { role: "presentation" });
      if (heading) group.append(element("p", "heading", heading, { "aria-hidden": "true" }));
      group.append(...part);
      return group;
    }));
    pointed = picked = null;
    current = Math.min(data.focus ?? current, Math.max(spans.length - 1, 0));
    if (spans[current]) spans[current].tabIndex = 0;
  }

  function tokenSpan(piece, place, special) {
    const span = element("span", "token", undefined, { role: "option", "aria-selected": "false", tabindex: "-1" });
    span.dataset.place = place;
    if (special || !piece || piece.includes(ODD)) {
      span.classList.add("chip");
      span.textContent = special && piece ? seen(piece) : piece ? "…" : "∅";
      return span;
    }
    piece.split("\n").forEach((line, number) => {
      if (number) span.append(element("span", "mark", "↵", { "aria-hidden": "true" }), document.createTextNode("\n"));
      if (line) span.append(document.createTextNode(line));
    });
    return span;
  }

  function drawBar() {
    head.hidden = !values.length;
    bar.hidden = values.length < 2;
    most.hidden = !values.length;
    root.classList.toggle("plain", !values.length);
    root.classList.toggle("pickable", data.pickable);
    title.textContent = capital(data.legend);
    slider.max = String(Math.max(values.length - 1, 0));
    slider.setAttribute("aria-label", capital(data.legend) || "Which numbers");
    name.style.minWidth = `${Math.max(0, ...data.bands.map((one) => one.length)) * 0.6}em`;
  }

  // ── bands ──

  function show(next) {
    band = next;
    recolour();
  }

  function start() {
    if (band >= values.length - 1) show(0);
    timer = setInterval(() => (band < values.length - 1 ? show(band + 1) : stop()), STEP_MS);
    play.textContent = "Stop";
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  }

  // ── tints ──

  const colours = () => {
    const page = getComputedStyle(root);
    const list = page.getPropertyValue(data.signed ? "--st-chart-diverging-colors" : "--st-chart-sequential-colors");
    const known = list.split(",").map((colour) => colour.trim()).filter((colour) => CSS.supports("color", colour));
    return { page, known };
  };

  function recolour() {
    if (!data) return;
    const row = values[band], { page, known } = colours();
    known.forEach((colour, place) => {
      root.style.setProperty(`--c${place}`, colour);
      root.style.setProperty(`--i${place}`, ink(colour, page));
    });
    const top = largestOf(row), half = Math.floor(known.length / 2);
    spans.forEach((span, place) => dye(span, row ? tint(row[place] / top, known.length, half) : -1));
    slider.value = String(band);
    name.textContent = data.bands[band] ?? "";
    const list = row ? largest(row) : [];
    slider.setAttribute("aria-valuetext", `${data.bands[band] ?? ""}${list[0] ? `; largest ${list[0].told}` : ""}`);
    const opening = list.length ? `Largest${values.length > 1 ? `, ${data.bands[band]}` : ""}: ` : "No numbers.";
    most.replaceChildren(element("span", "whole", opening), ...list.map((part, number) => {
      const whole = element("span", "whole");
      whole.append(goTo(part), number < list.length - 1 ? " · " : "");
      return whole;
    }));
    drawScale(row, top, known.length, half);
    tell();
  }

  const largestOf = (row) => (row ? row.reduce((best, value) => Math.max(best, Math.abs(value) || 0), 0) || 1 : 1);

  // Which colour of the palette; -1 for next to nothing. Diverging: below the middle against, above it for.
  function tint(share, count, half) {
    if (!Number.isFinite(share) || !count) return -1;
    if (!data.signed) return Math.min(count, Math.round(Math.max(share, 0) * count)) - 1;
    const step = Math.min(half, Math.round(Math.abs(share) * half));
    return step === 0 ? -1 : share > 0 ? half - 1 + step : half - step;
  }

  function dye(span, colour) {
    if (span.colour === colour) return;
    span.colour = colour;
    span.style.background = colour < 0 ? "" : `var(--c${colour})`;
    span.style.color = colour < 0 ? "" : `var(--i${colour})`;
  }

  function largest(row) {
    const order = Array.from(row.keys()).filter((place) => row[place]);
    order.sort((a, b) => (data.signed ? Math.abs(row[b]) - Math.abs(row[a]) : row[b] - row[a]));
    return order.slice(0, TOLD).map((place) => ({ place, told: `${quoted(place, 14)} ${figure(row[place], data.signed)}` }));
  }

  // In a long text it may be out of sight.
  function goTo({ place, told }) {
    const button = element("button", "go", told, { type: "button", title: `Show token ${place}` });
    button.addEventListener("click", () => (focus(place, true), point(place)));
    return button;
  }

  function drawScale(row, top, count, half) {
    const steps = element("span", "steps");
    for (let colour = 0; colour < count; colour++) {
      if (data.signed && colour === half) steps.append(element("span", "step none"));
      steps.appendChild(element("span", "step")).style.background = `var(--c${colour})`;
    }
    const high = figure(row ? top : 0, data.signed), low = data.signed ? figure(row ? -top : 0, true) : "0";
    scale.setAttribute("aria-label", `${data.unit} from ${low} to ${high}`);
    scale.replaceChildren(element("span", "unit", data.unit), element("span", "end low", low), steps, element("span", "end", high));
  }

  // ── in words ──

  const quoted = (place, length) => `‘${clipped(seen(data.pieces[place]), length)}’`;

  function point(place) {
    if (place === pointed) return;
    pointed = place;
    tell();
  }

  function words(place) {
    const row = values[band];
    const value = row ? ` · ${data.unit} ${figure(row[place], data.signed)}` : "";
    return `${quoted(place, 60)} · token ${place}${value}${place === picked ? " · picked" : ""}`;
  }

  function tell() {
    const place = pointed ?? picked;
    one.classList.toggle("quiet", place === null);
    one.textContent = place !== null && spans[place] ? words(place)
      : data.pickable ? "Pick a token to ask about it." : "Point at a token to see its number.";
    if (pointed !== null) spans[pointed]?.setAttribute("aria-label", words(pointed));
  }

  // ── moving and picking ──

  function outline(place) {
    if (spans[picked]) spans[picked].setAttribute("aria-selected", "false");
    picked = place;
    if (spans[picked]) spans[picked].setAttribute("aria-selected", "true");
  }

  function pick(place) {
    if (!data.pickable || !spans[place]) return;
    outline(place);
    choose(place);
    tell();
  }

  function focus(place, middle = false) {
    const span = spans[place];
    if (!span) return;
    if (spans[current]) spans[current].tabIndex = -1;
    current = place;
    span.tabIndex = 0;
    span.setAttribute("aria-label", words(place));
    span.focus({ preventScroll: true });
    bring(span, middle);
  }

  // Scrolls the box alone, never the page.
  function bring(span, middle) {
    const frame = text.getBoundingClientRect(), rect = span.getBoundingClientRect();
    if (rect.top >= frame.top && rect.bottom <= frame.bottom) return;
    const up = rect.top - frame.top, down = rect.bottom - frame.bottom;
    text.scrollTop += middle ? (up + down) / 2 : up < 0 ? up - 8 : down + 8;
  }

  function settle() {
    if (due === null || !text.clientHeight) return;
    if (spans[due]) bring(spans[due], true);
    due = null;
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = moveOf(event.key, spans, current, focus, pick);
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    move();
  }

  function end() {
    stop();
    observer.disconnect();
  }

  return { update, end };
}
