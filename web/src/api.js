import { load, save } from "./storage.js";

/** What the server, or the way to it, refused. `status` 0: it was not reached; `message` is the server's own sentence. */
export class ApiError extends Error {
  constructor(message, details = {}) {
    super(message);
    Object.assign(this, { status: 0, code: null, param: null, retryMs: 0, requestId: "" }, details);
  }
}

export const accessKey = () => load("key", "sessionStorage") ?? "";
export const keepAccessKey = (key) => save("key", key || null, "sessionStorage");

async function errorOf(response) {
  const text = await response.text();
  const details = {
    status: response.status,
    retryMs: Number(response.headers.get("retry-after-ms") ?? 0),
    requestId: response.headers.get("x-request-id") ?? "",
  };
  try {
    const { message, code, param } = JSON.parse(text).error;
    return new ApiError(message, { ...details, code, param });
  } catch {
    return new ApiError(text.slice(0, 300) || `HTTP ${response.status}`, details);
  }
}

/** A request to this server, whatever path it is served under. Throws ApiError, or AbortError where `signal` ended it. */
async function send(path, options = {}) {
  const headers = { ...options.headers };
  if (accessKey()) headers.authorization = `Bearer ${accessKey()}`;
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI), { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(error.message);
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

export const getJson = async (path) => (await send(path)).json();
export const getText = async (path) => (await send(path, { cache: "no-store" })).text();

/** The data of each event of a stream of server-sent events, as it comes. */
export async function* eventsOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      buffer += value;
      const lines = buffer.split("\n");
      buffer = lines.pop();
      for (const line of lines) {
        if (line.startsWith("data: ")) yield line.slice("data: ".length);
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** The chunks of a streamed answer. Throws ApiError for an error in the stream or an end before [DONE]. */
export async function* chunksOf(path, body, signal) {
  const response = await send(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const requestId = response.headers.get("x-request-id") ?? "";
  let isDone = false;
  try {
    for await (const data of eventsOf(response.body)) {
      if (data === "[DONE]") {
        isDone = true;
        return;
      }
      const chunk = JSON.parse(data);
      if (chunk.error) throw new ApiError(chunk.error.message, { status: 500, requestId, ...chunk.error });
      yield chunk;
    }
  } catch (error) {
    if (error instanceof ApiError || error.name === "AbortError") throw error;
    throw new ApiError(error.message, { code: "broken", requestId });
  } finally {
    if (signal.aborted) isDone = true;
  }
  if (!isDone) throw new ApiError("", { code: "broken", requestId });
}
