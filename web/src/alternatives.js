import { percent, t } from "./i18n.js";
import { visibleText } from "./tokens.js";

const box = document.getElementById("alternatives");
const closeDelayMs = 150; // Long enough to move the pointer from the token into the box.
let shown = null;
let closing = 0;

function row(token, probability, isChosen) {
  const line = document.createElement("li");
  line.classList.toggle("chosen", isChosen);
  const name = document.createElement("code");
  name.textContent = visibleText(token.bytes);
  const bar = document.createElement("span");
  bar.className = "bar";
  bar.style.setProperty("--share", probability);
  const number = document.createElement("span");
  number.textContent = `${percent(probability)} %`;
  line.append(name, bar, number);
  return line;
}

const isSame = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

function place(element) {
  const token = element.getBoundingClientRect();
  const margin = 8;
  const width = document.documentElement.clientWidth;
  const left = Math.min(Math.max(margin, token.left), width - box.offsetWidth - margin);
  const isRoomBelow = token.bottom + box.offsetHeight + margin < document.documentElement.clientHeight;
  const top = isRoomBelow ? token.bottom + 4 : Math.max(margin, token.top - box.offsetHeight - 4);
  box.style.left = `${left + scrollX}px`;
  box.style.top = `${top + scrollY}px`;
}

/** Shows what else a token could have been, beside it. */
export function showAlternatives(element, token, number) {
  clearTimeout(closing);
  if (shown === element) return;
  hideAlternatives();
  shown = element;
  const title = document.createElement("p");
  title.textContent = t("token_nth", { number });
  const list = document.createElement("ol");
  const others = token.alternatives.some((other) => isSame(other.bytes, token.bytes))
    ? token.alternatives
    : [token, ...token.alternatives];
  for (const other of others) list.append(row(other, Math.exp(other.logprob), isSame(other.bytes, token.bytes)));
  box.replaceChildren(title, list);
  box.hidden = false;
  place(element);
  element.setAttribute("aria-describedby", box.id);
  element.classList.add("shown");
}

export function hideAlternatives() {
  clearTimeout(closing);
  shown?.removeAttribute("aria-describedby");
  shown?.classList.remove("shown");
  shown = null;
  box.hidden = true;
}

export function hideAlternativesSoon() {
  clearTimeout(closing);
  closing = setTimeout(hideAlternatives, closeDelayMs);
}

box.addEventListener("pointerenter", () => clearTimeout(closing));
box.addEventListener("pointerleave", hideAlternativesSoon);
document.addEventListener("keydown", (event) => {
  if (event.code === "Escape" && shown) {
    hideAlternatives();
    event.stopImmediatePropagation();
  }
});
addEventListener("resize", hideAlternatives);
