const svgNamespace = "http://www.w3.org/2000/svg";
const width = 640;
const height = 200;
const margin = { top: 8, right: 12, bottom: 24, left: 64 };

export function make(name, attributes = {}, text = "") {
  const element = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/** The density of Beta(a, b) at x, but for a factor: its logarithm. */
export function logDensity(a, b, x) {
  return (a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x);
}

/** Places and heights (0 to 1) of a Beta density between two rates. */
export function densityCurve({ a, b }, from, to, numPlaces = 160) {
  const places = Array.from({ length: numPlaces }, (_, i) => from + ((to - from) * (i + 0.5)) / numPlaces);
  const logs = places.map((x) => logDensity(a, b, x));
  const highest = Math.max(...logs);
  return places.map((x, i) => [x, Math.exp(logs[i] - highest)]);
}

/** A small bar: the interval, and the value where there is one. `most`: the end of its scale. */
export function intervalBar([low, high], value, most) {
  const x = (rate) => 2 + (116 * Math.min(rate, most)) / most;
  const svg = make("svg", { viewBox: "0 0 120 12", height: 12, "aria-hidden": "true" });
  svg.append(make("line", { x1: 2, x2: 118, y1: 6, y2: 6, class: "axis" }));
  svg.append(make("line", { x1: x(low), x2: x(high), y1: 6, y2: 6, class: "interval" }));
  if (value !== null) svg.append(make("circle", { cx: x(value), cy: 6, r: 4, class: "value" }));
  return svg;
}

/** Lines over a common scale. `lines`: {name, points: [[x, y]]}; texts of the ends of both axes. */
export function lineChart({ label, lines, x, y }) {
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  const right = width - margin.right;
  const bottom = height - margin.bottom;
  const px = (value) => margin.left + ((right - margin.left) * (value - x.from)) / (x.to - x.from || 1);
  const py = (value) => bottom - ((bottom - margin.top) * (value - y.from)) / (y.to - y.from || 1);
  svg.append(make("line", { x1: margin.left, x2: right, y1: bottom, y2: bottom, class: "axis" }));
  svg.append(make("line", { x1: margin.left, x2: margin.left, y1: margin.top, y2: bottom, class: "axis" }));
  svg.append(make("text", { x: margin.left, y: height - 6 }, x.text(x.from)));
  svg.append(make("text", { x: right, y: height - 6, "text-anchor": "end" }, x.text(x.to)));
  if (y.text) {
    svg.append(make("text", { x: margin.left - 6, y: bottom, "text-anchor": "end" }, y.text(y.from)));
    svg.append(make("text", { x: margin.left - 6, y: margin.top + 10, "text-anchor": "end" }, y.text(y.to)));
  }
  lines.forEach((line, i) => {
    const points = line.points.map(([a, b]) => `${px(a).toFixed(1)},${py(b).toFixed(1)}`).join(" ");
    svg.append(make("polyline", { points, class: `curve series-${i}` }));
  });
  return svg;
}

/** Names beside the colours of `lineChart`. */
export function legend(texts) {
  const list = document.createElement("ul");
  list.className = "legend";
  texts.forEach((text, i) => {
    const item = document.createElement("li");
    const mark = make("svg", { viewBox: "0 0 24 8", height: 8, "aria-hidden": "true" });
    mark.append(make("line", { x1: 0, x2: 24, y1: 4, y2: 4, class: `curve series-${i}` }));
    item.append(mark, ` ${text}`);
    list.append(item);
  });
  return list;
}
