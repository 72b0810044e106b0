import { hideAlternatives, hideAlternativesSoon, showAlternatives } from "./alternatives.js";
import { formatNumber, percent, t } from "./i18n.js";
import { stepOf, textBytes, TokenText, visibleText } from "./tokens.js";

const make = (name, properties = {}) => Object.assign(document.createElement(name), properties);

/** One answer: its tokens, coloured, with a line that says how it goes and how it ended. */
export class Answer {
  /** `commands` {copy(text), keepSeed(seed)} do what the buttons say. */
  constructor(commands) {
    this.root = make("article", { className: "answer" });
    this.heading = make("h3");
    this.state = make("p", { className: "state" });
    this.body = make("div", { className: "tokens" });
    this.body.setAttribute("role", "listbox");
    this.body.setAttribute("aria-orientation", "horizontal");
    this.error = make("div", { className: "error", hidden: true });
    this.error.setAttribute("role", "alert");
    this.facts = make("ul", { className: "facts" });
    this.copyButton = make("button", { type: "button", hidden: true, onclick: () => commands.copy(this.text) });
    this.seedButton = make("button", { type: "button", hidden: true, onclick: () => commands.keepSeed(this.seed) });
    const buttons = make("div", { className: "buttons" });
    buttons.append(this.copyButton, this.seedButton);
    this.root.append(this.heading, this.state, this.body, this.error, this.facts, buttons);
    this.#listen();
    this.clear("", null);
  }

  clear(model, seed) {
    hideAlternatives();
    Object.assign(this, {
      model,
      seed,
      tokens: [],
      text: "",
      usage: null,
      end: null,
      firstMs: null,
      totalMs: null,
      problem: null,
    });
    this.tokenText = new TokenText();
    this.body.replaceChildren();
    this.#drawn = 0;
    this.#drawnBytes = 0;
    this.draw();
  }

  /** Tokens and the text that came with them. */
  add(tokens, text) {
    this.tokens.push(...tokens);
    this.text += text;
    this.#drawSoon();
  }

  /** `problem` {message, hint}: what went wrong, in the server's words, and what to do. */
  finish(end, problem = null) {
    Object.assign(this, { end, problem });
    this.draw();
  }

  /** What a reload brings back; null while there is nothing or it is not done. */
  record() {
    if (this.end === null) return null;
    const { model, seed, text, usage, end, firstMs, totalMs } = this;
    const plain = ({ bytes, logprob }) => ({ bytes: [...bytes], logprob });
    const tokens = this.tokens.map((token) => ({ ...plain(token), alternatives: token.alternatives.map(plain) }));
    return { model, seed, text, usage, end, firstMs, totalMs, tokens };
  }

  restore(record) {
    this.clear(record.model, record.seed);
    const rich = ({ bytes, logprob }) => ({ bytes: Uint8Array.from(bytes), logprob });
    const tokens = record.tokens.map((token) => ({ ...rich(token), alternatives: token.alternatives.map(rich) }));
    Object.assign(this, record, { tokens });
    this.draw();
  }

  /** Marks the token from which on this answer is another one; null for none. */
  markParting(index) {
    this.body.querySelector(".parting")?.classList.remove("parting");
    if (index !== null) this.body.children[index]?.classList.add("parting");
  }

  draw() {
    this.#isWaiting = false;
    this.heading.textContent = this.model ? t("answer_of", { model: this.model }) : t("answer_none");
    this.body.setAttribute("aria-label", t("tokens_of", { model: this.model }));
    this.#appendTokens();
    this.body.hidden = this.tokens.length === 0;
    this.state.textContent = this.#stateText();
    this.root.setAttribute("aria-busy", String(this.model !== "" && this.end === null));
    this.error.hidden = this.problem === null;
    this.error.replaceChildren(
      ...(this.problem
        ? [make("p", { textContent: this.problem.message }), make("p", { textContent: this.problem.hint })]
        : []),
    );
    this.facts.replaceChildren(...this.#factTexts().map((textContent) => make("li", { textContent })));
    this.copyButton.textContent = t("copy_text");
    this.copyButton.hidden = this.end === null || this.text === "";
    this.seedButton.textContent = t("keep_seed");
    this.seedButton.hidden = this.copyButton.hidden;
  }

  #drawn = 0; // Tokens that have their element, and their bytes.
  #drawnBytes = 0;
  #isWaiting = false;

  #drawSoon() {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    requestAnimationFrame(() => this.#isWaiting && this.draw());
  }

  #appendTokens() {
    if (this.#drawn === this.tokens.length) return;
    const numTextBytes = textBytes(this.text).length;
    for (; this.#drawn < this.tokens.length; ++this.#drawn) {
      const token = this.tokens[this.#drawn];
      const isAfterText = this.#drawnBytes >= numTextBytes; // What ends an answer is no part of its text.
      this.#drawnBytes += token.bytes.length;
      const text = isAfterText ? "" : this.tokenText.next(token.bytes);
      const element = make("span", {
        className: `token step-${stepOf(token.logprob)}`,
        tabIndex: this.#drawn === 0 ? 0 : -1,
      });
      element.setAttribute("role", "option");
      element.setAttribute(
        "aria-label",
        t("token_option", { token: visibleText(token.bytes), percent: percent(Math.exp(token.logprob)) }),
      );
      if (text === "") {
        element.classList.add("part");
        element.dataset.bytes = visibleText(token.bytes);
      } else {
        element.textContent = text;
        if (/^\s*\n/.test(text)) element.classList.add("break");
      }
      this.body.append(element);
    }
  }

  #stateText() {
    if (this.model === "") return "";
    if (this.end !== null) return t(`end_${this.end}`);
    return this.tokens.length === 0 ? t("waiting") : t("writing", { tokens: formatNumber(this.tokens.length) });
  }

  #factTexts() {
    if (this.end === null || this.tokens.length === 0) return [];
    const facts = [t("fact_tokens", { tokens: formatNumber(this.tokens.length) })];
    const writingMs = this.totalMs - this.firstMs;
    if (this.tokens.length > 1 && writingMs > 0)
      facts.push(t("fact_rate", { rate: formatNumber(((this.tokens.length - 1) * 1000) / writingMs, 1) }));
    facts.push(t("fact_first", { ms: formatNumber(this.firstMs) }));
    if (this.usage) {
      facts.push(
        t("fact_prompt", {
          tokens: formatNumber(this.usage.prompt_tokens),
          cached: formatNumber(this.usage.prompt_tokens_details?.cached_tokens ?? 0),
        }),
      );
    }
    facts.push(t("fact_seed", { seed: this.seed }));
    return facts;
  }

  #show(element) {
    const index = [...this.body.children].indexOf(element);
    if (index >= 0) showAlternatives(element, this.tokens[index], index + 1);
  }

  #focus(element) {
    if (!element) return;
    this.body.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
    element.tabIndex = 0;
    element.focus();
  }

  #listen() {
    const tokenAt = (event) => event.target.closest?.(".token");
    this.body.addEventListener("pointerover", (event) => tokenAt(event) && this.#show(tokenAt(event)));
    this.body.addEventListener("pointerout", (event) => tokenAt(event) && hideAlternativesSoon());
    this.body.addEventListener("focusin", (event) => tokenAt(event) && this.#show(tokenAt(event)));
    this.body.addEventListener("focusout", hideAlternatives);
    this.body.addEventListener("keydown", (event) => {
      const token = tokenAt(event);
      if (!token || event.ctrlKey || event.metaKey || event.altKey) return;
      const steps = {
        ArrowRight: token.nextElementSibling,
        ArrowDown: token.nextElementSibling,
        ArrowLeft: token.previousElementSibling,
        ArrowUp: token.previousElementSibling,
        Home: this.body.firstElementChild,
        End: this.body.lastElementChild,
      };
      if (!(event.code in steps)) return;
      event.preventDefault();
      this.#focus(steps[event.code]);
    });
  }
}
