import assert from "node:assert/strict";
import test from "node:test";

import { chatTokens, CompletionTokens, stepOf, textBytes, TokenText, visibleText } from "./tokens.js";

const bytesOf = (text) => [...new TextEncoder().encode(text)];
const plain = (tokens) => tokens.map((token) => [...token.bytes]);

function piece(text, tokens, offsets) {
  return {
    text,
    logprobs: {
      tokens,
      text_offset: offsets,
      token_logprobs: tokens.map(() => -1),
      top_logprobs: tokens.map(() => ({ a: -2, b: -1 })),
    },
  };
}

test("chat tokens have the bytes that the server gave", () => {
  const [token] = chatTokens({
    logprobs: {
      content: [
        { token: "\ufffd", bytes: [0xec], logprob: -0.5, top_logprobs: [{ token: "x", bytes: null, logprob: -1 }] },
      ],
    },
  });
  assert.deepEqual([[...token.bytes], token.logprob, plain(token.alternatives)], [[0xec], -0.5, [[0x78]]]);
  assert.deepEqual(chatTokens({ delta: {}, logprobs: null }), []);
});

test("parts of a character are found again in a completion's text", () => {
  const whole = bytesOf("좋");
  const tokens = new CompletionTokens();
  const first = tokens.push(piece("a좋", ["a", "\ufffd", "\ufffd"], [0, 1, 2]));
  assert.deepEqual(plain(first), [[0x61], whole.slice(0, 1)]);
  assert.deepEqual(plain(tokens.push(piece("b", ["b"], [4]))), [whole.slice(1), [0x62]]);
  assert.deepEqual(plain(tokens.push(null, true)), []);
});

test("the last part ends with the text", () => {
  const tokens = new CompletionTokens();
  assert.deepEqual(plain(tokens.push(piece("좋", ["\ufffd", "\ufffd"], [0, 2]))), [bytesOf("좋").slice(0, 2)]);
  assert.deepEqual(plain(tokens.push(null, true)), [bytesOf("좋").slice(2)]);
});

test("bytes of no character count as one each, so that offsets hold after them", () => {
  assert.deepEqual([...textBytes("a\ufffd\ufffdb")], [0x61, 0xff, 0xff, 0x62]);
  assert.deepEqual([...textBytes("")], []);
  const tokens = new CompletionTokens();
  const known = tokens.push(piece("\ufffd좋a", ["\ufffd", "\ufffd", "\ufffd", "a"], [0, 1, 2, 4]));
  assert.deepEqual(plain(known), [[0xff], bytesOf("좋").slice(0, 1), bytesOf("좋").slice(1), [0x61]]);
});

test("alternatives of a completion come likeliest first", () => {
  const [token] = new CompletionTokens().push(piece("b", ["b"], [0]));
  assert.deepEqual(plain(token.alternatives), [[0x62], [0x61]]);
});

test("a character stands at the token that completes it", () => {
  const text = new TokenText();
  const bytes = bytesOf("좋아");
  const cuts = [bytes.slice(0, 1), bytes.slice(1, 4), bytes.slice(4)];
  assert.deepEqual(
    cuts.map((cut) => text.next(Uint8Array.from(cut))),
    ["", "좋", "아"],
  );
});

test("what can't be seen is made visible", () => {
  const shown = (text) => visibleText(Uint8Array.from(bytesOf(text)));
  assert.equal(shown(" a b"), "␣a b");
  assert.equal(shown("\n\t"), "↵⇥");
  assert.equal(shown(""), "∅");
  assert.equal(visibleText(Uint8Array.of(0xec, 0xff)), "EC ??");
});

test("the scale has five steps", () => {
  assert.deepEqual(
    [1, 0.9, 0.89, 0.4, 0.2, 0.15, 0.01, 0].map((p) => stepOf(Math.log(p))),
    [0, 0, 1, 2, 3, 3, 4, 4],
  );
});
