import { accessKey, chunksOf, getJson, keepAccessKey } from "../api.js";
import { Answer } from "../answer.js";
import { AskForm } from "../form.js";
import { formatNumber, t } from "../i18n.js";
import { curlOf, FieldError, fieldOf, requestOf, seedOf } from "../request.js";
import { Speaker } from "../speaker.js";
import { loadJson, save } from "../storage.js";
import { chatTokens, CompletionTokens, scale } from "../tokens.js";

const find = (selector) => document.querySelector(selector);
const largestKept = 2_000_000; // Characters of answers that are kept for a reload.

export class Playground {
  constructor() {
    this.ask = new AskForm(find("#ask"));
    this.speaker = new Speaker(find("#spoken"));
    this.running = null; // AbortController of the run.
    this.models = [];
    const commands = { copy: (text) => this.#copy(text), keepSeed: (seed) => this.#keepSeed(seed) };
    this.answers = [new Answer(commands), new Answer(commands)];
    find("#answers .columns").append(...this.answers.map((answer) => answer.root));
    this.#listen();
  }

  /** `query`: what a link holds after its '?'; "" leaves the form as it was. It leaves the address, so that a reload keeps
   *  what was changed since. */
  start(query) {
    this.ask.restore(query);
    if (query) history.replaceState(null, "", "#playground");
    this.#drawLegend();
    this.#restoreAnswers();
    find("#key").value = accessKey();
    this.#readModels();
  }

  async #readModels() {
    try {
      this.models = (await getJson("v1/models")).data;
      this.#notify("");
    } catch (error) {
      this.models = [];
      const { message, hint } = this.#problemOf(error, this.ask.values());
      if (error.status === 401) find("#access").open = true;
      this.#notify(`${message} ${hint}`);
    }
    this.ask.offer(this.models);
  }

  #listen() {
    const form = this.ask.form;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#run();
    });
    form.addEventListener("keydown", (event) => this.#onKey(event));
    form.addEventListener("input", () => this.ask.accept());
    document.addEventListener("keydown", (event) => {
      if (event.code === "Escape" && !event.isComposing && this.running) this.#stop();
    });
    find("#stop-run").addEventListener("click", () => this.#stop());
    find("#copy-curl").addEventListener("click", () => this.#copyCurl());
    find("#copy-link").addEventListener("click", () => this.#copyLink());
    find("#start-over").addEventListener("click", () => this.#reset());
    find("#key").addEventListener("change", (event) => {
      keepAccessKey(event.target.value.trim());
      this.#readModels();
    });
    document.addEventListener("onggi:language", () => {
      this.#drawLegend();
      this.ask.offer(this.models);
      this.answers.forEach((answer) => answer.draw());
      this.#drawDifference();
    });
  }

  /** Enter that ends a composition of Hangul is no wish to run. */
  #onKey(event) {
    if (event.code !== "Enter" && event.code !== "NumpadEnter") return;
    if (event.isComposing || event.keyCode === 229) {
      if (event.target.matches("input")) event.preventDefault();
      return;
    }
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.#run();
  }

  async #run() {
    if (this.running) return;
    this.ask.accept();
    this.#notify("");
    const values = this.ask.values();
    let requests;
    try {
      const seed = seedOf(values);
      const names = [values.model, values.other].filter((name, i) => i === 0 || name !== "");
      requests = names.map((name) => requestOf(values, name, seed));
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      this.ask.reject(error.field, error.message);
      return;
    }
    this.running = new AbortController();
    this.#drawRunning();
    this.answers[1].root.hidden = requests.length < 2;
    this.answers[1].clear("", null);
    requests.forEach(({ body }, i) => this.answers[i].clear(body.model, body.seed));
    this.#drawDifference();
    this.speaker.start(t("spoken_start"));
    if (find("#answers").getBoundingClientRect().top > innerHeight * 0.7) find("#answers").scrollIntoView();
    await Promise.all(requests.map((request, i) => this.#answer(request, this.answers[i], values)));
    this.running = null;
    this.#drawRunning();
    this.speaker.end(this.answers.filter((answer) => answer.model !== ""));
    this.#keepAnswers();
  }

  async #answer({ path, body }, answer, values) {
    const begin = performance.now();
    const completion = values.mode === "chat" ? null : new CompletionTokens();
    let reason = "stop";
    try {
      for await (const chunk of chunksOf(path, body, this.running.signal)) {
        if (chunk.usage) answer.usage = chunk.usage;
        const choice = chunk.choices[0];
        if (!choice) continue;
        const tokens = completion ? completion.push(choice) : chatTokens(choice);
        if (tokens.length > 0) {
          answer.totalMs = performance.now() - begin;
          answer.firstMs ??= answer.totalMs;
        }
        reason = choice.finish_reason ?? reason;
        answer.add(tokens, completion ? choice.text : (choice.delta.content ?? ""));
        this.speaker.add(answer);
        this.#drawDifference();
      }
      if (completion) answer.add(completion.push(null, true), "");
      answer.finish(reason === "length" ? "length" : "stop");
    } catch (error) {
      if (error.name === "AbortError") answer.finish("user");
      else answer.finish("error", this.#problemOf(error, values));
    }
    this.#drawDifference();
  }

  /** What the server said, and what to do about it. */
  #problemOf(error, values) {
    const hint = (name, more) => ({ message: error.message, hint: t(name, more) });
    if (error.code === "broken") return hint("hint_broken");
    const field = fieldOf(error.param, values);
    switch (error.status) {
      case 0:
        return { message: "", hint: t("hint_unreachable") };
      case 401:
      case 403:
        find("#access").open = true;
        find("#key").focus();
        return hint("hint_key");
      case 404:
        if (error.code === "model_not_found") {
          this.#readModels();
          return hint("hint_model");
        }
        break;
      case 413:
        return hint("hint_length");
      case 429:
        return hint("hint_wait", { seconds: formatNumber(Math.max(1, Math.ceil(error.retryMs / 1000))) });
      case 503:
        return hint("hint_stopping");
      default:
    }
    if (error.code === "context_length_exceeded") return hint("hint_length");
    if (error.status < 500 && field && this.ask.reject(field))
      return hint("hint_field", { field: this.ask.labelOf(field) });
    return hint("hint_server", { id: error.requestId });
  }

  #stop() {
    this.running?.abort();
  }

  #drawRunning() {
    const isRunning = this.running !== null;
    // Focus would be lost with a button that is switched off under it.
    if (!isRunning && document.activeElement === find("#stop-run")) find("#run").focus();
    find("#stop-run").disabled = !isRunning;
    find("#run").setAttribute("aria-disabled", String(isRunning));
  }

  /** Index of the first token that differs; null while all that both have is the same. */
  #firstDifference() {
    const [a, b] = this.answers.map((answer) => answer.tokens);
    const isSame = (x, y) => x.bytes.length === y.bytes.length && x.bytes.every((byte, i) => byte === y.bytes[i]);
    const shorter = Math.min(a.length, b.length);
    for (let i = 0; i < shorter; ++i) if (!isSame(a[i], b[i])) return i;
    const [aEnd, bEnd] = this.answers.map((answer) => answer.end);
    const isOver = (end, own, others) => end !== null && end !== "user" && others.length > own.length;
    return isOver(aEnd, a, b) || isOver(bEnd, b, a) ? shorter : null;
  }

  #drawDifference() {
    const line = find("#difference");
    const isPair = this.answers.every((answer) => answer.model !== "" && answer.tokens.length > 0);
    const index = isPair ? this.#firstDifference() : null;
    this.answers.forEach((answer) => answer.markParting(index));
    const areDone = this.answers.every((answer) => answer.end === "stop" || answer.end === "length");
    const text = !isPair ? "" : index !== null ? t("differ", { number: index + 1 }) : areDone ? t("same") : "";
    if (line.textContent !== text) line.textContent = text;
  }

  #drawLegend() {
    const names = scale.map((low, i) => {
      const [least, high] = [Math.round(low * 100), i > 0 ? Math.round(scale[i - 1] * 100) : 100];
      return i === 0
        ? t("legend_least", { low: least })
        : i === scale.length - 1
          ? t("legend_most", { high })
          : t("legend_between", { low: least, high });
    });
    find("#legend ul").replaceChildren(
      ...names.map((name, i) => {
        const item = document.createElement("li");
        item.append(Object.assign(document.createElement("span"), { className: `token step-${i}`, textContent: name }));
        return item;
      }),
    );
  }

  #keepSeed(seed) {
    this.ask.set({ ...this.ask.values(), seed: String(seed) });
    this.#notify(t("seed_kept", { seed }));
  }

  #keepAnswers() {
    const text = JSON.stringify(this.answers.map((answer) => (answer.model === "" ? null : answer.record())));
    save("answers", text.length <= largestKept ? text : null, "sessionStorage");
  }

  #restoreAnswers() {
    const records = loadJson("answers", "sessionStorage");
    this.answers.forEach((answer, i) => records?.[i] && answer.restore(records[i]));
    this.answers[1].root.hidden = this.answers[1].model === "";
    this.#drawDifference();
  }

  #reset() {
    this.#stop();
    this.ask.accept();
    this.ask.set({});
    this.answers.forEach((answer) => answer.clear("", null));
    this.answers[1].root.hidden = true;
    save("answers", null, "sessionStorage");
    this.#drawDifference();
    this.#notify("");
    this.ask.form.elements.prompt.focus();
  }

  #copyCurl() {
    const values = this.ask.values();
    try {
      this.#copy(curlOf(requestOf(values, values.model, seedOf(values)), accessKey() !== ""));
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      this.ask.reject(error.field, error.message);
    }
  }

  #copyLink() {
    const query = new URLSearchParams(this.ask.changes());
    this.#copy(new URL(`#playground?${query}`, location.href).href);
  }

  async #copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.#notify(t("copied"));
    } catch {
      // No clipboard over plain HTTP from another machine.
      const dialog = find("#copy-dialog");
      dialog.querySelector("textarea").value = text;
      dialog.showModal();
      dialog.querySelector("textarea").select();
    }
  }

  #notify(text) {
    find("#notice").textContent = text;
  }
}
