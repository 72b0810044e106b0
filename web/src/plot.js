import { t } from "./i18n.js";

const svgNamespace = "http://www.w3.org/2000/svg";
const height = 150;
const margin = { top: 8, right: 10, bottom: 22, left: 56 };

function make(name, attributes = {}, text = "") {
  const element = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/** A number at or above `value` that a scale may end at: it and its half are round. */
export function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= value * (1 - 1e-9));
}

/**
 * Lines over time, as many seconds as `numSamples`, with a cross line that pointer and arrow keys move, and a table.
 * `lines` are {name, values: numbers or null for gaps, oldest first}; `format` makes a text of a value.
 */
export class Plot {
  constructor({ title, lineNames, format, least, numSamples }) {
    Object.assign(this, { title, lineNames, format, least, numSamples, lines: [], cursor: null });
    this.root = document.createElement("figure");
    this.root.className = "plot";
    this.caption = document.createElement("figcaption");
    this.svg = make("svg", { tabindex: 0, role: "img", height });
    this.readout = document.createElement("p");
    this.readout.className = "readout";
    this.spoken = document.createElement("p");
    this.spoken.className = "hidden";
    this.spoken.setAttribute("aria-live", "polite");
    this.table = document.createElement("div");
    this.table.className = "table";
    this.table.tabIndex = 0;
    this.table.hidden = true;
    this.root.append(this.caption, this.readout, this.svg, this.spoken, this.table);
    this.#listen();
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  /** `note` stands in the place of the lines, where there are none. */
  show(lines, note = "") {
    this.lines = lines;
    this.note = note;
    this.draw();
  }

  set isTable(value) {
    this.table.hidden = !value;
    this.svg.style.display = value ? "none" : "";
    this.draw();
  }

  draw() {
    this.caption.textContent = t(this.title);
    this.svg.setAttribute("aria-label", t("plot_help", { title: t(this.title) }));
    this.#drawReadout();
    if (!this.table.hidden) this.#drawTable();
    else this.#drawLines();
  }

  #x(index) {
    return margin.left + (index / (this.numSamples - 1)) * (this.svg.clientWidth - margin.left - margin.right);
  }

  #drawLines() {
    const width = this.svg.clientWidth;
    if (width === 0) return;
    const values = this.lines.flatMap((line) => line.values).filter((value) => value !== null);
    const top = roundUp(Math.max(this.least, ...values));
    const y = (value) => margin.top + (1 - value / top) * (height - margin.top - margin.bottom);
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      parts.push(
        make("line", {
          class: "grid",
          x1: margin.left,
          x2: width - margin.right,
          y1: y(top * share),
          y2: y(top * share),
        }),
      );
      parts.push(
        make("text", { x: margin.left - 6, y: y(top * share) + 4, "text-anchor": "end" }, this.format(top * share)),
      );
    }
    const minutes = Math.round(this.numSamples / 60);
    parts.push(make("text", { x: margin.left, y: height - 4 }, t("time_ago", { minutes })));
    parts.push(make("text", { x: width - margin.right, y: height - 4, "text-anchor": "end" }, t("time_now")));
    if (values.length === 0) {
      parts.push(
        make(
          "text",
          { class: "note", x: (width + margin.left) / 2, y: height / 2, "text-anchor": "middle" },
          this.note || t("plot_empty"),
        ),
      );
    }
    this.lines.forEach((line, i) =>
      parts.push(make("path", { class: `line line-${i}`, d: this.#path(line.values, y) })),
    );
    if (this.cursor !== null) {
      parts.push(
        make("line", {
          class: "cursor",
          x1: this.#x(this.cursor),
          x2: this.#x(this.cursor),
          y1: margin.top,
          y2: height - margin.bottom,
        }),
      );
      this.lines.forEach((line, i) => {
        const value = line.values[this.cursor];
        if (value !== null)
          parts.push(make("circle", { class: `dot line-${i}`, r: 4, cx: this.#x(this.cursor), cy: y(value) }));
      });
    }
    this.svg.replaceChildren(...parts);
  }

  /** A line through the values that are there; one alone is a short dash. */
  #path(values, y) {
    let path = "";
    values.forEach((value, i) => {
      if (value === null) return;
      const point = `${this.#x(i).toFixed(1)} ${y(value).toFixed(1)}`;
      path += i > 0 && values[i - 1] !== null ? `L${point}` : `M${point}h1`;
    });
    return path;
  }

  #textAt(index) {
    return this.lines.map((line, i) => {
      const value = line.values[index] ?? null;
      return `${t(this.lineNames[i])} ${value === null ? "\u2013" : this.format(value)}`;
    });
  }

  #drawReadout() {
    const index = this.cursor ?? this.numSamples - 1;
    const parts = this.#textAt(index).map((text, i) =>
      Object.assign(document.createElement("span"), { className: `key line-${i}`, textContent: text }),
    );
    if (this.cursor !== null)
      parts.push(Object.assign(document.createElement("span"), { textContent: this.#ago(index) }));
    this.readout.replaceChildren(...parts);
  }

  #ago(index) {
    const seconds = this.numSamples - 1 - index;
    return seconds === 0 ? t("time_now") : t("seconds_ago", { seconds });
  }

  #drawTable() {
    const table = document.createElement("table");
    const row = (cells, name) => {
      const line = table.insertRow();
      cells.forEach((text, i) => {
        const cell = document.createElement(i === 0 || name === "col" ? "th" : "td");
        cell.textContent = text;
        if (cell.tagName === "TH") cell.scope = name;
        line.append(cell);
      });
    };
    table.createCaption().textContent = t(this.title);
    row([t("time_column"), ...this.lineNames.map((name) => t(name))], "col");
    const stepSeconds = 5;
    for (let index = this.numSamples - 1; index >= 0; index -= stepSeconds) {
      const values = this.lines.map((line) => line.values[index] ?? null);
      if (values.every((value) => value === null)) continue;
      row([this.#ago(index), ...values.map((value) => (value === null ? "\u2013" : this.format(value)))], "row");
    }
    if (this.note) table.insertRow().insertCell().textContent = this.note;
    const scrolled = this.table.scrollTop;
    this.table.replaceChildren(table);
    this.table.scrollTop = scrolled;
    this.table.setAttribute("aria-label", t(this.title));
    this.table.setAttribute("role", "region");
  }

  #moveTo(index) {
    this.cursor = index === null ? null : Math.min(Math.max(0, index), this.numSamples - 1);
    this.draw();
  }

  #listen() {
    this.svg.addEventListener("pointermove", (event) => {
      const left = this.svg.getBoundingClientRect().left;
      const width = this.svg.clientWidth - margin.left - margin.right;
      this.#moveTo(Math.round(((event.clientX - left - margin.left) / width) * (this.numSamples - 1)));
    });
    this.svg.addEventListener("pointerleave", () => this.#moveTo(null));
    this.svg.addEventListener("blur", () => this.#moveTo(null));
    this.svg.addEventListener("keydown", (event) => {
      const last = this.numSamples - 1;
      const at = this.cursor ?? last;
      const steps = {
        ArrowLeft: at - 1,
        ArrowRight: at + 1,
        PageUp: at - 30,
        PageDown: at + 30,
        Home: 0,
        End: last,
        Escape: null,
      };
      if (!(event.code in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.#moveTo(steps[event.code]);
      this.spoken.textContent =
        this.cursor === null ? "" : [this.#ago(this.cursor), ...this.#textAt(this.cursor)].join(", ");
    });
  }
}
