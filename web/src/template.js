/** Prompt templates as docs/formats/dataset.md has them: {{column}}, {{column|json}}, \{{ for a literal {{. */

const slotPattern = /\\\{\{|\{\{\s*([^{}|]+?)\s*(?:\|\s*(\w+)\s*)?\}\}/g;

/** The prompt of a template file: without its front section and its answer. */
export function promptPart(source) {
  let text = source.replaceAll("\r", "");
  if (text.startsWith("---\n")) {
    const end = text.indexOf("\n---\n");
    if (end >= 0) text = text.slice(end + "\n---\n".length);
  }
  const answer = ("\n" + text).indexOf("\n---answer---\n");
  return answer < 0 ? text : text.slice(0, Math.max(0, answer - 1));
}

/** Names of the slots in order of first use. */
export function slotsOf(...sources) {
  const names = new Set();
  for (const source of sources) {
    for (const [, name] of promptPart(source).matchAll(slotPattern)) {
      if (name !== undefined) names.add(name);
    }
  }
  return [...names];
}

/** The prompt with its slots filled in. */
export function render(source, values) {
  return promptPart(source).replace(slotPattern, (whole, name, converter) => {
    if (name === undefined) return "{{";
    const value = values[name] ?? "";
    return converter === "json" ? JSON.stringify(value) : value;
  });
}
