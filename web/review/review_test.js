import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

import { diffText, diffThemes } from "./diff.js";
import { evidenceOf } from "./evidence.js";
import { commandOf, commands, requireNoCollisions } from "./keys.js";
import { blocksOf } from "./markdown.js";
import { strings } from "./strings.js";

const key = (code, more = {}) => ({ code, key: "", keyCode: 0, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false, repeat: false, ...more });

test("keys are known by their place, whatever letter the IME makes of them", () => {
  assert.equal(commandOf(key("KeyA", { key: "ㅁ" }), "judging"), "accept");
  assert.equal(commandOf(key("KeyA", { key: "a" }), "judging"), "accept");
  assert.equal(commandOf(key("Slash", { key: "?", shiftKey: true }), "judging"), "help");
  assert.equal(commandOf(key("Slash", { key: "/" }), "judging"), null);
  assert.equal(commandOf(key("Digit3"), "rejecting"), "reason_3");
  assert.equal(commandOf(key("KeyA"), "rejecting"), null);
});

test("a key that belongs to a syllable does nothing", () => {
  assert.equal(commandOf(key("Enter", { ctrlKey: true, isComposing: true }), "editing"), null);
  assert.equal(commandOf(key("Enter", { ctrlKey: true, keyCode: 229 }), "editing"), null);
  assert.equal(commandOf(key("KeyA", { keyCode: 229, key: "Process" }), "judging"), null);
});

test("in a field letters are letters, and they can be switched off altogether", () => {
  for (const options of [{ isInField: true }, { areLettersOff: true }]) {
    assert.equal(commandOf(key("KeyA"), "judging", options), null);
    assert.equal(commandOf(key("Enter", { ctrlKey: true }), "judging", options), "submit");
    assert.equal(commandOf(key("Escape"), "editing", options), "leave");
  }
  assert.equal(commandOf(key("KeyA", { ctrlKey: true }), "judging"), null);
  assert.equal(commandOf(key("KeyA", { repeat: true }), "judging"), null);
});

test("a key for two things is refused when the page is loaded", () => {
  requireNoCollisions(commands);
  assert.throws(
    () => requireNoCollisions({ judging: [{ name: "a", codes: ["KeyA"] }, { name: "b", codes: ["KeyB", "KeyA"] }] }),
    /judging: KeyA is for a and b/,
  );
});

const join = (pieces, kind) => pieces.filter((piece) => piece.kind !== kind).map((piece) => piece.text).join("");

test("a difference gives back both texts and keeps what they share", () => {
  for (const [a, b] of [["", ""], ["가나다", "가다"], ["촉촉한 크림", "촉촉하고 순한 크림"], ["abc", "xyz"], ["👍🏽좋아요", "좋아요👍"], ["같다", "같다"]]) {
    const pieces = diffText(a, b);
    assert.equal(join(pieces, "new"), a);
    assert.equal(join(pieces, "gone"), b);
  }
  assert.deepEqual(diffText("가나다", "가다"), [{ kind: "same", text: "가" }, { kind: "gone", text: "나" }, { kind: "same", text: "다" }]);
});

test("a very long difference is shown whole instead of keeping the page busy", () => {
  const [a, b] = ["가나".repeat(4000), "다라".repeat(4000)];
  assert.deepEqual(diffText(a, b), [{ kind: "gone", text: a }, { kind: "new", text: b }]);
});

const theme = (expression, entity, name) => ({ expression, entity, name });

test("themes are compared with what they came from, not with what stands in their place", () => {
  const [a, b, c] = [theme("금방 흡수되는", "토너", "흡수력"), theme("순하게 발리는", "토너", "발림성"), theme("향이 은은한", "토너", "향")];
  assert.deepEqual(diffThemes([a, b], [b, a]).map((change) => change.kind), ["same", "same"]);
  const fixed = { ...b, expression: "순하게 잘 발리는" };
  assert.deepEqual(diffThemes([a, b], [fixed, c]).map(({ kind, before, after }) => [kind, before?.name, after?.name]), [
    ["gone", "흡수력", undefined],
    ["changed", "발림성", "발림성"],
    ["new", undefined, "향"],
  ].map((row) => row));
});

test("evidence is where the review has an expression's words, endings aside", () => {
  const text = "바르고 자면 아침까지 당김이 없어요. 향도 은은해요";
  const found = evidenceOf(text, [theme("아침까지 당김 없는", "크림", "보습력"), theme("향이 은은한", "크림", "향")]);
  assert.deepEqual(found.map(({ begin, end, card }) => [text.slice(begin, end), card]), [["아침까지", 0], ["당김", 0], ["은은", 1]]);
  assert.deepEqual(evidenceOf("짧다", [theme("아주 다른 말인", "크림", "향")]), []);
});

test("guidelines become blocks, and tags in them stay text", () => {
  const blocks = blocksOf("# 제목\n\n본문 <b>한 줄</b>\n이어서\n\n- 하나\n  더\n- 둘\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n    code\n\n1. 첫째\n");
  assert.deepEqual(blocks.map((block) => block.kind), ["heading", "text", "list", "table", "code", "list"]);
  assert.equal(blocks[1].text, "본문 <b>한 줄</b>\n이어서");
  assert.deepEqual(blocks[2].items, ["하나 더", "둘"]);
  assert.deepEqual(blocks[3].rows, [["a", "b"], ["1", "2"]]);
});

const folder = new URL("./", import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), "utf8");
const sources = readdirSync(folder)
  .filter((name) => name.endsWith(".js") && !name.endsWith("_test.js") && name !== "strings.js")
  .map(read)
  .join("\n");
const page = read("index.html");
const slots = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("both languages have the same texts with the same places", () => {
  assert.deepEqual(Object.keys(strings.ko), Object.keys(strings.en));
  for (const [name, text] of Object.entries(strings.en)) assert.deepEqual(slots(strings.ko[name]), slots(text), name);
});

test("every text that is asked for is there, and the other way round", () => {
  const asked = [...page.matchAll(/data-t(?:-\w+)?="(\w+)"/g), ...sources.matchAll(/"(\w+)"/g), ...sources.matchAll(/data-t="(\w+)"/g)].map(([, name]) => name);
  const direct = [...page.matchAll(/data-t(?:-\w+)?="(\w+)"/g), ...sources.matchAll(/\bt\("(\w+)"/g)].map(([, name]) => name);
  for (const name of direct) assert.ok(name in strings.en, name);
  const isMade = /^(reason|fault|decided|done|problem|column|of|place|key|field)_/; // From an id.
  for (const name of Object.keys(strings.en)) assert.ok(isMade.test(name) || asked.includes(name), `nobody asks for ${name}`);
});

test("the page's own English is that of the table", () => {
  for (const [, name, text] of page.matchAll(/data-t="(\w+)"[^>]*>([^<]*)</g)) assert.equal(text, strings.en[name], name);
});
