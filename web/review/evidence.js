/** Where the review says what a theme says. */

const leastLength = 2; // Characters; one syllable alone is found everywhere.

/** The longest beginning of a word that the text has, of at least two characters: endings change, stems stay. */
function findWord(text, word) {
  const letters = Array.from(word.replace(/[.,%!?~'"]/g, ""));
  for (let length = letters.length; length >= leastLength; --length) {
    const piece = letters.slice(0, length).join("");
    const at = text.indexOf(piece);
    if (at >= 0) return { begin: at, end: at + piece.length };
  }
  return null;
}

/** [{begin, end, card}] in order, none over another: stretches of `text` that the expressions of `themes` come from. */
export function evidenceOf(text, themes) {
  const found = themes.flatMap((theme, card) =>
    theme.expression
      .split(/\s+/)
      .map((word) => findWord(text, word))
      .filter((span) => span !== null)
      .map((span) => ({ ...span, card })),
  );
  found.sort((a, b) => a.begin - b.begin || b.end - a.end);
  const spans = [];
  for (const span of found) {
    const last = spans.at(-1);
    if (last && span.begin < last.end) {
      if (span.card === last.card) last.end = Math.max(last.end, span.end);
    } else {
      spans.push({ ...span });
    }
  }
  return spans;
}

/** The text as nodes, evidence marked. */
export function markedText(text, themes) {
  const nodes = [];
  let at = 0;
  for (const { begin, end, card } of evidenceOf(text, themes)) {
    nodes.push(text.slice(at, begin));
    nodes.push(
      Object.assign(document.createElement("mark"), { className: `card-${card % 3}`, textContent: text.slice(begin, end) }),
    );
    at = end;
  }
  nodes.push(text.slice(at));
  return nodes;
}
