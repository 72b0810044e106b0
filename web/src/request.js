import { t } from "./i18n.js";
import { render, slotsOf } from "./template.js";

/** How many likelier tokens are asked for beside each one of an answer. */
const numAlternatives = 5;

/** A field of the form that can't be sent as it is. */
export class FieldError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

function numberOf(values, name, isWhole = false) {
  const text = values[name].trim();
  const value = Number(text);
  if (text === "" || !Number.isFinite(value)) throw new FieldError(name, t("field_number"));
  if (isWhole && !Number.isSafeInteger(value)) throw new FieldError(name, t("field_whole"));
  return value;
}

const linesOf = (text) => text.split("\n").filter((line) => line !== "");

function guideOf(values) {
  const text = values[`guide_${values.guide}`];
  if (values.guide !== "none" && text.trim() === "") throw new FieldError(`guide_${values.guide}`, t("field_empty"));
  switch (values.guide) {
    case "json":
      try {
        return {
          response_format: {
            type: "json_schema",
            json_schema: { name: "answer", strict: true, schema: JSON.parse(text) },
          },
        };
      } catch (error) {
        throw new FieldError("guide_json", t("field_json", { message: error.message }));
      }
    case "regex":
      return { structured_outputs: { regex: text } };
    case "choice":
      return { structured_outputs: { choice: linesOf(text) } };
    default:
      return {};
  }
}

export function slotValues(values) {
  return Object.fromEntries(slotsOf(values.system, values.prompt).map((name) => [name, values[`slot:${name}`] ?? ""]));
}

/** The seed of a run: the form's, else one drawn. */
export function seedOf(values) {
  if (values.seed.trim() !== "") return numberOf(values, "seed", true);
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

/** Path and body of the request that the form's values are. Throws FieldError. */
export function requestOf(values, model, seed) {
  const isChat = values.mode === "chat";
  const slots = slotValues(values);
  const prompt = render(values.prompt, slots);
  if (prompt.trim() === "") throw new FieldError("prompt", t("field_empty"));
  const body = { model };
  if (isChat) {
    const system = render(values.system, slots);
    body.messages = [
      ...(system.trim() === "" ? [] : [{ role: "system", content: system }]),
      { role: "user", content: prompt },
    ];
  } else {
    body.prompt = prompt;
  }
  Object.assign(body, { temperature: numberOf(values, "temperature"), top_p: numberOf(values, "top_p") });
  for (const name of ["top_k", "min_p"]) {
    const value = numberOf(values, name, name === "top_k");
    if (value !== 0) body[name] = value;
  }
  Object.assign(body, { max_tokens: numberOf(values, "max_tokens", true), seed }, guideOf(values));
  const stops = linesOf(values.stop);
  if (stops.length > 0) body.stop = stops;
  Object.assign(body, isChat ? { logprobs: true, top_logprobs: numAlternatives } : { logprobs: numAlternatives });
  Object.assign(body, { stream: true, stream_options: { include_usage: true } });
  return { path: isChat ? "v1/chat/completions" : "v1/completions", body };
}

/** The same request as a shell's command line. The key stays out of it. */
export function curlOf({ path, body }, hasKey) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const key = hasKey ? ' \\\n  -H "authorization: Bearer $ONGGI_KEY"' : "";
  return `curl -N ${quoted(new URL(path, document.baseURI).href)} \\\n  -H 'content-type: application/json'${key} \\\n  -d ${quoted(JSON.stringify(body, null, 2))}\n`;
}

/** The field of the form that a member of the request came from. */
export function fieldOf(param, values) {
  if (!param) return null;
  if (/^(response_format|structured_outputs)/.test(param)) return `guide_${values.guide}`;
  if (param.startsWith("messages")) return "prompt";
  return param in values ? param : null;
}
