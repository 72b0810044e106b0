import assert from "node:assert/strict";
import test from "node:test";

import { promptPart, render, slotsOf } from "./template.js";

const file =
  "---\nname: short\nformat: cards\n---\nProduct: {{product}}\nReview: {{ review | json }}\nThemes:\n\n---answer---\n{{themes|cards}}\n";

test("a template file gives its prompt, without front section and answer", () => {
  assert.equal(promptPart(file), "Product: {{product}}\nReview: {{ review | json }}\nThemes:\n");
  assert.equal(promptPart(file.replaceAll("\n", "\r\n")), promptPart(file));
  assert.equal(promptPart("---answer---\nx"), "");
  assert.equal(promptPart("plain"), "plain");
  assert.equal(promptPart("--- no front\n---\nx"), "--- no front\n---\nx");
});

test("slots are named once each, in order of first use", () => {
  assert.deepEqual(slotsOf(file), ["product", "review"]);
  assert.deepEqual(slotsOf("{{a}}", "{{b}} {{a}} \\{{c}} {d} {{}}"), ["a", "b"]);
});

test("slots are filled in literally", () => {
  assert.equal(
    render(file, { product: "$& {{review}}", review: 'a "b"\n' }),
    'Product: $& {{review}}\nReview: "a \\"b\\"\\n"\nThemes:\n',
  );
  assert.equal(render("\\{{a}} {{b}}|{{c}}", { b: 1 }), "{{a}} 1|");
});
