/**
 * An answer's tokens as they come, from either form of log-probabilities:
 * {bytes, logprob, alternatives: [{bytes, logprob}]}.
 */

const encoder = new TextEncoder();
const replacement = "\ufffd";
const unknownByte = 0xff;

const bytesOf = (entry) => (entry.bytes ? Uint8Array.from(entry.bytes) : encoder.encode(entry.token));

/**
 * The bytes of an answer's text. The server puts U+FFFD in the place of each byte that is part of no character: such a
 * one is 0xFF here, which UTF-8 never has, so that bytes are counted as the model wrote them.
 */
export function textBytes(text) {
  const parts = text.split(replacement).map((part) => encoder.encode(part));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length + 1, -1)).fill(unknownByte);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length + 1;
  }
  return bytes;
}

/** Of a chat answer's choice: bytes are given. */
export function chatTokens(choice) {
  return (choice.logprobs?.content ?? []).map((entry) => ({
    bytes: bytesOf(entry),
    logprob: entry.logprob,
    alternatives: entry.top_logprobs.map((other) => ({ bytes: bytesOf(other), logprob: other.logprob })),
  }));
}

/**
 * Of a completion's choices. Tokens come there as texts, in which a part of a character is U+FFFD: what it stood for
 * follows from the whole text and the tokens' offsets in it, which count bytes.
 */
export class CompletionTokens {
  #text = new Uint8Array();
  #open = []; // Tokens whose end is not known yet, the first of which has no bytes.

  /** Tokens that are known after this piece; `isLast` where none follows. */
  push(choice, isLast = false) {
    const piece = textBytes(choice?.text ?? "");
    const text = new Uint8Array(this.#text.length + piece.length);
    text.set(this.#text);
    text.set(piece, this.#text.length);
    this.#text = text;
    const lists = choice?.logprobs;
    for (let i = 0; i < (lists?.tokens.length ?? 0); ++i) {
      this.#open.push({
        text: lists.tokens[i],
        begin: lists.text_offset[i],
        logprob: lists.token_logprobs[i],
        alternatives: Object.entries(lists.top_logprobs[i] ?? {})
          .map(([token, logprob]) => ({ bytes: encoder.encode(token), logprob }))
          .sort((a, b) => b.logprob - a.logprob),
      });
    }
    const known = [];
    while (this.#open.length > 0) {
      const [token, next] = this.#open;
      const isWhole = !token.text.includes(replacement);
      if (!isWhole && !next && !isLast) break;
      const slice = this.#text.slice(token.begin, next?.begin ?? this.#text.length);
      const bytes = isWhole || slice.length === 0 ? encoder.encode(token.text) : slice;
      known.push({ bytes, logprob: token.logprob, alternatives: token.alternatives });
      this.#open.shift();
    }
    return known;
  }
}

const hex = (bytes) =>
  [...bytes].map((byte) => (byte === unknownByte ? "??" : byte.toString(16).toUpperCase().padStart(2, "0"))).join(" ");

/** What can be read of bytes on their own: their text with spaces and breaks made visible, else their hex digits. */
export function visibleText(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text
      .replaceAll("\n", "\u21b5")
      .replaceAll("\t", "\u21e5")
      .replace(/^ | $/g, "\u2423")
      .replace(/^$/, "\u2205");
  } catch {
    return hex(bytes);
  }
}

/** Cuts a text that comes as bytes of tokens at characters: what each token completes. */
export class TokenText {
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** "" while a character is open. */
  next(bytes) {
    return this.#decoder.decode(bytes, { stream: true });
  }
}

/** Least probabilities of the five steps of the scale, from sure to unsure. */
export const scale = [0.9, 0.7, 0.4, 0.15, 0];
export const stepOf = (logprob) => scale.findIndex((least) => Math.exp(logprob) >= least);
