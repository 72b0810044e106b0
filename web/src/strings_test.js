import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

import { strings } from "./strings.js";

const folder = new URL("./", import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), "utf8");
const sources = readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith(".js") && !name.endsWith("_test.js") && name !== "strings.js")
  .map(read)
  .join("\n");
const page = read("../index.html");
const slots = (text) =>
  [...text.matchAll(/\{(\w+)\}/g)]
    .map(([, name]) => name)
    .filter((name) => name !== "name" || !text.includes("{{"))
    .sort();

test("both languages have the same texts with the same places", () => {
  assert.deepEqual(Object.keys(strings.ko), Object.keys(strings.en));
  for (const [name, text] of Object.entries(strings.en)) assert.deepEqual(slots(strings.ko[name]), slots(text), name);
});

test("every text that is asked for is there, and the other way round", () => {
  const asked = [...page.matchAll(/data-t(?:-\w+)?="(\w+)"/g), ...sources.matchAll(/(?:\bt|hint|#say)\("(\w+)"/g)].map(
    ([, name]) => name,
  );
  for (const name of asked) assert.ok(name in strings.en, name);
  for (const name of Object.keys(strings.en)) {
    const isMade = /^(end|plot|line)_/.test(name); // From an id.
    assert.ok(isMade || asked.includes(name), `nobody asks for ${name}`);
  }
});

test("the page's own English is that of the table", () => {
  for (const [, name, text] of page.matchAll(/data-t="(\w+)"[^>]*>([^<]*)</g))
    assert.equal(text, strings.en[name], name);
});
