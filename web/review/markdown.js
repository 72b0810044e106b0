/** Guidelines as elements: the part of Markdown that they are written in. Whatever else stands there is shown as text. */

const make = (name, ...children) => {
  const element = document.createElement(name);
  element.append(...children);
  return element;
};

/** `code`, **strong** and *em*. */
export function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*)/).map((part) => {
    if (/^`.+`$/.test(part)) return make("code", part.slice(1, -1));
    if (/^\*\*.+\*\*$/.test(part)) return make("strong", part.slice(2, -2));
    if (/^\*.+\*$/.test(part)) return make("em", part.slice(1, -1));
    return part;
  });
}

/** Blocks: {kind: "heading", level, text} | {kind: "list", isOrdered, items} | {kind: "table", rows} | {kind: "code" |
 *  "text", text}. */
export function blocksOf(source) {
  const blocks = [];
  const isList = (line) => /^\s{0,3}([-*]|\d+\.) /.test(line);
  const isTable = (line) => /^\s*\|.*\|\s*$/.test(line);
  let isFenced = false;
  for (const line of source.split(/\r?\n/)) {
    const last = blocks.at(-1);
    const heading = /^(#{1,6}) (.*)$/.exec(line);
    const grow = (kind, text) => {
      if (last?.kind === kind && !last.isClosed) last.text += `\n${text}`;
      else blocks.push({ kind, text });
    };
    if (/^```/.test(line)) {
      isFenced = !isFenced;
      if (last) last.isClosed = true;
    } else if (isFenced) grow("code", line);
    else if (line.trim() === "") {
      if (last) last.isClosed = true;
    } else if (heading) blocks.push({ kind: "heading", level: heading[1].length, text: heading[2], isClosed: true });
    else if (isTable(line)) {
      const cells = line.trim().slice(1, -1).split("|").map((cell) => cell.trim());
      if (last?.kind !== "table" || last.isClosed) blocks.push({ kind: "table", rows: [cells] });
      else if (!cells.every((cell) => /^:?-+:?$/.test(cell))) last.rows.push(cells);
    } else if (isList(line)) {
      const text = line.replace(/^\s*([-*]|\d+\.) /, "");
      const isOrdered = /^\s*\d/.test(line);
      if (last?.kind === "list" && last.isOrdered === isOrdered) {
        last.items.push(text);
        last.isClosed = false;
      } else blocks.push({ kind: "list", isOrdered, items: [text] });
    } else if (last?.kind === "list" && !last.isClosed) last.items[last.items.length - 1] += ` ${line.trim()}`;
    else if (/^ {4}/.test(line)) grow("code", line.slice(4));
    else grow("text", line.trim());
  }
  return blocks;
}

/** `top`: the level of the highest heading on the page below which this stands. */
export function markdown(source, top = 2) {
  return blocksOf(source).map((block) => {
    switch (block.kind) {
      case "heading":
        return make(`h${Math.min(6, block.level + top)}`, ...inline(block.text));
      case "list":
        return make(block.isOrdered ? "ol" : "ul", ...block.items.map((item) => make("li", ...inline(item))));
      case "table": {
        const rows = block.rows.map((cells, i) =>
          make("tr", ...cells.map((cell) => make(i === 0 ? "th" : "td", ...inline(cell)))),
        );
        const scroller = make("div", make("table", ...rows));
        Object.assign(scroller, { className: "scroller", tabIndex: 0, role: "region" });
        return scroller;
      }
      case "code":
        return Object.assign(make("pre", block.text), { tabIndex: 0 });
      default:
        return make("p", ...inline(block.text));
    }
  });
}
