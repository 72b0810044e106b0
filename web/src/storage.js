/** What the browser keeps for this page. Storage may be switched off or full: then nothing is kept, and nothing fails. */

const prefix = "onggi.";

export function load(name, storage = "localStorage") {
  try {
    return globalThis[storage].getItem(prefix + name);
  } catch {
    return null;
  }
}

/** `value` null forgets. */
export function save(name, value, storage = "localStorage") {
  try {
    if (value === null) globalThis[storage].removeItem(prefix + name);
    else globalThis[storage].setItem(prefix + name, value);
  } catch {
    // As if it had not been asked for.
  }
}

/** A value that was saved as JSON; null where there is none or it can't be read any more. */
export function loadJson(name, storage) {
  try {
    return JSON.parse(load(name, storage) ?? "null");
  } catch {
    return null;
  }
}
