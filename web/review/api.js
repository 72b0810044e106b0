import { load, save } from "../src/storage.js";

/** What the server refused; `status` 0: it was not reached. */
export class ApiError extends Error {
  constructor(message, status = 0, code = null) {
    super(message);
    Object.assign(this, { status, code });
  }
}

export const who = {
  get name() {
    return load("review.person") ?? "";
  },
  set name(value) {
    save("review.person", value || null);
  },
  get token() {
    return load("review.token", "sessionStorage") ?? "";
  },
  set token(value) {
    save("review.token", value || null, "sessionStorage");
  },
};

async function errorOf(response) {
  const text = await response.text();
  try {
    const { message, code } = JSON.parse(text).error;
    return new ApiError(message, response.status, code);
  } catch {
    return new ApiError(text.slice(0, 300) || `HTTP ${response.status}`, response.status);
  }
}

/** A request to this server as the person that the browser knows. Throws ApiError. */
export async function send(path, { body, signal } = {}) {
  const headers = { "x-onggi-person": encodeURIComponent(who.name) };
  if (who.token) headers.authorization = `Bearer ${who.token}`;
  const options = { headers, signal, cache: "no-store" };
  if (body !== undefined) {
    Object.assign(options, { method: "POST", body: JSON.stringify(body) });
    headers["content-type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(new URL(`api/${path}`, document.baseURI), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(error.message);
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

async function jsonOf(response) {
  try {
    return await response.json();
  } catch (error) {
    throw new ApiError(error.message); // Cut off: as if it had not been reached.
  }
}

export const get = async (path) => jsonOf(await send(path));
export const post = async (path, body, signal) => jsonOf(await send(path, { body, signal }));

/** 128 random bits. `randomUUID` is only there over HTTPS and on this machine. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
