/** What keys do, by where the page is. `code` is the key's place on the keyboard: with a Korean IME on, the key of A gives
 *  a jamo. */
export const commands = {
  judging: [
    { name: "accept", codes: ["KeyA"] },
    { name: "edit", codes: ["KeyE"] },
    { name: "reject", codes: ["KeyR"] },
    { name: "skip", codes: ["KeyS"] },
    { name: "undo", codes: ["KeyU"] },
    { name: "next", codes: ["KeyJ", "ArrowRight"] },
    { name: "previous", codes: ["KeyK", "ArrowLeft"] },
    { name: "guideline", codes: ["KeyG"] },
    { name: "help", codes: ["Slash"], shift: true },
    { name: "submit", codes: ["Enter", "NumpadEnter"], control: true },
  ],
  editing: [
    { name: "submit", codes: ["Enter", "NumpadEnter"], control: true },
    { name: "leave", codes: ["Escape"] },
  ],
  rejecting: [
    ...Array.from({ length: 9 }, (_, i) => ({ name: `reason_${i + 1}`, codes: [`Digit${i + 1}`, `Numpad${i + 1}`] })),
    { name: "leave", codes: ["Escape"] },
  ],
  settling: [
    ...Array.from({ length: 9 }, (_, i) => ({ name: `take_${i + 1}`, codes: [`Digit${i + 1}`, `Numpad${i + 1}`] })),
    { name: "edit", codes: ["KeyE"] },
    { name: "reject", codes: ["KeyR"] },
    { name: "next", codes: ["KeyJ", "ArrowRight"] },
    { name: "previous", codes: ["KeyK", "ArrowLeft"] },
    { name: "undo", codes: ["KeyU"] },
    { name: "guideline", codes: ["KeyG"] },
    { name: "help", codes: ["Slash"], shift: true },
  ],
};

const signature = (command, code) => `${command.control ? "Ctrl+" : ""}${command.shift ? "Shift+" : ""}${code}`;

/** Throws where one key would do two things. */
export function requireNoCollisions(table) {
  for (const [place, list] of Object.entries(table)) {
    const seen = new Map();
    for (const command of list) {
      for (const code of command.codes) {
        const key = signature(command, code);
        if (seen.has(key)) throw new Error(`${place}: ${key} is for ${seen.get(key)} and ${command.name}`);
        seen.set(key, command.name);
      }
    }
  }
}
requireNoCollisions(commands);

/** True while a syllable is being put together: such a key belongs to the IME. */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** The command of a key in this place; null where it is none, or the IME's. Keys without Ctrl are letters in a field, so
 *  there only Escape counts. `areLettersOff`: keys with Ctrl and Escape alone, for people whose input speaks letters. */
export function commandOf(event, place, { isInField = false, areLettersOff = false } = {}) {
  if (isComposing(event) || event.altKey || event.repeat) return null;
  const control = event.ctrlKey || event.metaKey;
  if (!control && event.code !== "Escape" && (isInField || areLettersOff)) return null;
  const found = commands[place].find(
    (command) =>
      command.codes.includes(event.code) &&
      Boolean(command.control) === control &&
      Boolean(command.shift) === event.shiftKey,
  );
  return found?.name ?? null;
}
