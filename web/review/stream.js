import { get, send } from "./api.js";

/** How far the review is, told by the server as it goes. A browser has few connections to one server, so one tab alone
 *  listens and tells the others. */

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function listen(tell, state) {
  const response = await send("stream");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    state.failures = 0;
    buffer += value;
    const lines = buffer.split("\n");
    buffer = lines.pop();
    for (const line of lines) if (line.startsWith("data: ")) tell(JSON.parse(line.slice("data: ".length)));
  }
}

/** Calls `hear(progress)` now and whenever there is news, for good. */
export async function follow(channelName, hear) {
  const channel = new BroadcastChannel(channelName);
  channel.onmessage = (event) => hear(event.data);
  const lead = async () => {
    const state = { failures: 0 };
    for (;;) {
      try {
        await listen((progress) => {
          hear(progress);
          channel.postMessage(progress);
        }, state);
      } catch {
        // The server is gone; it may come back.
      }
      await pause(Math.min(5000, 500 * 2 ** state.failures++));
    }
  };
  get("progress").then(hear, () => {});
  if (navigator.locks) navigator.locks.request(`${channelName}-stream`, lead);
  else lead();
}
