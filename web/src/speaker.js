const pauseMs = 3000; // Between pieces: a screen reader needs that long for a sentence.

/** Says to screen readers how answers grow: in pieces that can be listened to, not token by token. */
export class Speaker {
  #said = new Map(); // Characters said of each answer.
  #timer = 0;

  /** `log` is a polite live region. */
  constructor(log) {
    this.log = log;
  }

  start(text) {
    this.#said.clear();
    this.log.replaceChildren();
    this.#say(text);
  }

  add(answer) {
    if (!this.#said.has(answer)) this.#said.set(answer, 0);
    this.#timer ||= setTimeout(() => this.#sayNews(false), pauseMs);
  }

  /** Says what is left, and how the answers ended. */
  end(answers) {
    this.#sayNews(true);
    for (const answer of answers) this.#say(`${answer.heading.textContent}: ${answer.state.textContent}`);
  }

  #sayNews(isLast) {
    clearTimeout(this.#timer);
    this.#timer = 0;
    for (const [answer, begin] of this.#said) {
      const news = answer.text.slice(begin);
      const end = isLast ? news.length : news.search(/\s\S*$/) + 1;
      if (end > 0) this.#say(news.slice(0, end));
      this.#said.set(answer, begin + end);
    }
  }

  #say(text) {
    if (text.trim() !== "") this.log.append(Object.assign(document.createElement("p"), { textContent: text }));
  }
}
