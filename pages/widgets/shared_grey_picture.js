// Pictures of weights that travel as greys, and are given the theme's colours here.

// The grey values of a base64 PNG. No colour management: a grey is a number here.
async function decode(text) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at);
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }), { colorSpaceConversion: "none" });
  const { width, height } = bitmap;
  const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
  pen.drawImage(bitmap, 0, 0);
  const pixels = new Uint32Array(pen.getImageData(0, 0, width, height).data.buffer);
  return { width, height, values: Uint8Array.from(pixels, (pixel) => pixel & 255) };
}

// The theme's sequential scale, from the page's own colour on.
function scaleOf(node) {
  const style = getComputedStyle(node);
  return [style.getPropertyValue("--st-background-color"), ...style.getPropertyValue("--st-chart-sequential-colors").split(/,(?![^(]*\))/)];
}

// 256 colours of it. Nothing is the page itself: it shines through.
function palette(stops) {
  const pen = Object.assign(document.createElement("canvas"), { width: 256, height: 1 }).getContext("2d");
  pen.fillStyle = pen.createLinearGradient(0.5, 0, 255.5, 0);
  stops.forEach((colour, place) => pen.fillStyle.addColorStop(place / (stops.length - 1), colour.trim()));
  pen.fillRect(0, 0, 256, 1);
  const colours = new Uint32Array(pen.getImageData(0, 0, 256, 1).data.buffer);
  colours[0] = 0;
  return colours;
}

// Half as wide and high, by the largest of four: a thin line of large weights must not fade where it is drawn small.
function halved({ width, height, values }) {
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const fewer = new Uint8Array(w * h);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = (y >> 1) * w + (x >> 1), value = values[y * width + x];
      if (value > fewer[to]) fewer[to] = value;
    }
  }
  return { width: w, height: h, values: fewer };
}

// `top`, a share of the full weight: its root gets the last colour, and so does what is more.
function coloured({ width, height, values }, colours, top = 1) {
  const table = colours.map((_, value) => colours[value ? Math.max(1, Math.min(255, Math.round(value / Math.sqrt(top)))) : 0]);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pixels = new Uint32Array(values.length);
  for (let at = 0; at < values.length; at++) pixels[at] = table[values[at]];
  canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width, height), 0, 0);
  return canvas;
}

// The scale as CSS, from the faintest colour on.
function gradient(colours) {
  const stops = Array.from({ length: 17 }, (_, place) => {
    const colour = colours[Math.max(1, Math.min(255, place * 16))];
    return `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
  });
  return `linear-gradient(to right, ${stops})`;
}
