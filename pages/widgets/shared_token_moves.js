// Moving among tokens that stand in lines of running text.

// The token on the line above or below (direction −1 or 1) whose middle is nearest.
function nextLine(spans, current, direction) {
  const from = spans[current].getClientRects()[0];
  if (!from) return current;
  const middle = (rect) => (rect.left + rect.right) / 2;
  let best = current, line = null, distance = Infinity;
  for (let place = current + direction; spans[place]; place += direction) {
    const rect = spans[place].getClientRects()[0];
    if (!rect || Math.abs(rect.top - from.top) < from.height / 2) continue;
    line ??= rect.top;
    if (Math.abs(rect.top - line) > from.height / 2) break;
    const off = Math.abs(middle(rect) - middle(from));
    if (off < distance) [best, distance] = [place, off];
  }
  return best;
}

// What a key does, undefined for none: moves of the current token through `focus(place)`, and `pick(place)`.
function moveOf(key, spans, current, focus, pick) {
  const last = spans.length - 1;
  return {
    ArrowLeft: () => focus(Math.max(current - 1, 0)), ArrowRight: () => focus(Math.min(current + 1, last)),
    ArrowUp: () => focus(nextLine(spans, current, -1)), ArrowDown: () => focus(nextLine(spans, current, 1)),
    Home: () => focus(0), End: () => focus(last), Enter: () => pick(current), " ": () => pick(current),
  }[key];
}
