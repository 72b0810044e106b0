/** What changed between two texts, and between two lists of themes. */

const characters = (text) => Array.from(text);
const largestTable = 4_000_000; // Cells; beyond it the middle is shown as one change.

/** Pieces [{kind: "same" | "gone" | "new", text}] from a to b, by characters, as few changed as can be (the longest common
 *  subsequence between equal ends). */
export function diffText(a, b) {
  const [x, y] = [characters(a), characters(b)];
  let begin = 0;
  while (begin < x.length && begin < y.length && x[begin] === y[begin]) ++begin;
  let end = 0;
  while (end < x.length - begin && end < y.length - begin && x[x.length - 1 - end] === y[y.length - 1 - end]) ++end;
  const pieces = [];
  const add = (kind, text) => {
    if (text === "") return;
    if (pieces.at(-1)?.kind === kind) pieces.at(-1).text += text;
    else pieces.push({ kind, text });
  };
  add("same", x.slice(0, begin).join(""));
  middle(x.slice(begin, x.length - end), y.slice(begin, y.length - end), add);
  add("same", x.slice(x.length - end).join(""));
  return pieces;
}

function middle(x, y, add) {
  const width = y.length + 1;
  if ((x.length + 1) * width > largestTable) {
    add("gone", x.join(""));
    add("new", y.join(""));
    return;
  }
  // longest[i, j]: of what is left from x[i] and y[j] on.
  const longest = new Uint32Array((x.length + 1) * width);
  for (let i = x.length - 1; i >= 0; --i) {
    for (let j = y.length - 1; j >= 0; --j) {
      longest[i * width + j] =
        x[i] === y[j]
          ? longest[(i + 1) * width + j + 1] + 1
          : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      add("same", x[i++]);
      ++j;
    } else if (j >= y.length || (i < x.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      add("gone", x[i++]);
    } else {
      add("new", y[j++]);
    }
  }
}

const leastAlike = 2.5; // Of 7: the same entity and half of the expression, or the same in two fields.
export const themeFields = ["expression", "entity", "name"];

const similarity = (a, b) => themeFields.reduce((sum, field) => sum + (a[field] === b[field] ? 2 : 0), 0) + overlap(a.expression, b.expression);

function overlap(a, b) {
  const same = diffText(a, b).reduce((sum, piece) => sum + (piece.kind === "same" ? piece.text.length : 0), 0);
  return (2 * same) / Math.max(1, a.length + b.length);
}

/** [{kind: "same" | "changed" | "gone" | "new", before, after}]: themes of `a` in their order, each beside the theme of `b`
 *  that is most like it, then those that are new. */
export function diffThemes(a, b) {
  const pairs = a.flatMap((before, i) => b.map((after, j) => ({ i, j, score: similarity(before, after) })));
  pairs.sort((p, q) => q.score - p.score || p.i - q.i || p.j - q.j);
  const [ofA, ofB] = [new Map(), new Map()];
  for (const { i, j, score } of pairs) {
    if (score < leastAlike || ofA.has(i) || ofB.has(j)) continue;
    ofA.set(i, j);
    ofB.set(j, i);
  }
  const isSame = (before, after) => themeFields.every((field) => before[field] === after[field]);
  return [
    ...a.map((before, i) => {
      if (!ofA.has(i)) return { kind: "gone", before };
      const after = b[ofA.get(i)];
      return { kind: isSame(before, after) ? "same" : "changed", before, after };
    }),
    ...b.filter((_, j) => !ofB.has(j)).map((after) => ({ kind: "new", after })),
  ];
}
