// Counts what holds. A client's script ends with report(), which prints one JSON line for clients_test.py.
import { isDeepStrictEqual } from "node:util";

let passed = 0;
const failures = [];

export const servers = JSON.parse(process.env.ONGGI_CLIENT_SERVERS);

export function check(name, truth, detail = "") {
  if (truth) passed += 1;
  else failures.push(`${name} ${typeof detail === "string" ? detail : JSON.stringify(detail)}`);
}

export function same(name, found, expected) {
  check(name, isDeepStrictEqual(found, expected), `found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
}

/** `made` must be refused with an error of this class; what `judge` says of the error must hold too. */
export async function refused(name, made, kind, judge = () => {}) {
  try {
    await made();
  } catch (error) {
    check(`${name}: its class`, error instanceof kind, `${error?.constructor?.name}: ${error?.message}`);
    judge(error);
    return;
  }
  check(`${name}: refused`, false, "it was answered");
}

/** One part of a script: what it throws is a failure, and the parts after it still run. */
export async function part(name, run) {
  try {
    await run();
  } catch (error) {
    failures.push(`${name}: ${error?.stack ?? error}`);
  }
}

/** Whether the server has this address at all. */
export async function answers(server, path) {
  const { status } = await fetch(server.origin + path, { method: "POST", body: "{}", headers: { "content-type": "application/json" } });
  return ![404, 405, 501].includes(status);
}

export async function metric(server, name) {
  const text = await (await fetch(`${server.origin}/metrics`)).text();
  const line = text.split("\n").find((l) => l.startsWith(name));
  return line === undefined ? NaN : Number(line.split(" ").at(-1));
}

export async function until(truth, milliseconds = 20000) {
  const end = Date.now() + milliseconds;
  while (Date.now() < end) {
    if (await truth()) return true;
    await new Promise((done) => setTimeout(done, 10));
  }
  return false;
}

export function report() {
  console.log(JSON.stringify({ passed, failures }));
  process.exit(failures.length > 0 ? 1 : 0);
}
