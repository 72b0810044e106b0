// openai of npm, as it is: openai_client.mjs PACKAGE, where PACKAGE is one of the names in package.json.
import { z } from "zod";
import { answers, check, metric, part, refused, report, same, servers, until } from "./checks.mjs";

const name = process.argv[2];
const { default: OpenAI, ...errors } = await import(name);
const { zodResponseFormat, zodTool, zodFunction } = await import(`${name}/helpers/zod`);
const { hermes, plain, bare, limited, bytes, pieces } = servers;

const client = (server, options = {}) => new OpenAI({ baseURL: server.url, apiKey: "unused", maxRetries: 0, ...options });
const user = (content) => [{ role: "user", content }];
const long = { prompt: "the", n: 20, max_tokens: 900, temperature: 1, seed: 3, guided_regex: "[a-z]{900,4000}" };
const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Weather of a city.",
    strict: true,
    parameters: {
      type: "object",
      additionalProperties: false,
      required: ["city", "days"],
      properties: { city: { enum: ["Seoul", "부산"] }, days: { type: "integer", minimum: 1, maximum: 9 } },
    },
  },
};
const clock = { type: "function", function: { name: "get_time", description: "The time now." } };

await part("models", async () => {
  const list = [];
  for await (const model of client(plain).models.list()) list.push(model);
  same("models: ids", list.map((m) => m.id), ["model", "tuned"]);
  same("models: objects", new Set(list.map((m) => m.object)), new Set(["model"]));
  check("models: created", list.every((m) => Number.isInteger(m.created)));
  check("models: owned_by", list.every((m) => typeof m.owned_by === "string"));
});

await part("chat", async () => {
  const body = { model: "model", messages: user("안녕?"), max_tokens: 8, temperature: 0 };
  const answer = await client(plain).chat.completions.create(body);
  same("chat: object", answer.object, "chat.completion");
  check("chat: id", answer.id.startsWith("chatcmpl-"), answer.id);
  same("chat: model", answer.model, "model");
  same("chat: role", answer.choices[0].message.role, "assistant");
  check("chat: content", typeof answer.choices[0].message.content === "string");
  same("chat: refusal", answer.choices[0].message.refusal, null);
  check("chat: finish_reason", ["stop", "length"].includes(answer.choices[0].finish_reason));
  same("chat: no logprobs", answer.choices[0].logprobs, null);
  same("chat: usage adds up", answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  check("chat: cached tokens", Number.isInteger(answer.usage.prompt_tokens_details.cached_tokens));
  check("chat: _request_id", typeof answer._request_id === "string" && answer._request_id.length > 0);
  const again = await client(plain).chat.completions.create(body);
  same("chat: temperature 0 repeats", again.choices, answer.choices);
  const tuned = await client(plain).chat.completions.create({ ...body, model: "tuned" });
  same("chat: an adapter by its name", tuned.model, "tuned");
  const odd = { ...body, user: "u", metadata: null, store: false, prompt_cache_key: "k", verbosity: null, service_tier: "auto", reasoning_effort: null, web_search_options: null, prediction: null, safety_identifier: "s" };
  same("chat: members that mean nothing here", (await client(plain).chat.completions.create(odd)).choices, answer.choices);
  const parts = { ...body, messages: [{ role: "user", content: [{ type: "text", text: "안녕" }, { type: "text", text: "?" }] }] };
  same("chat: content in parts", (await client(plain).chat.completions.create(parts)).choices, answer.choices);
  const both = await client(plain).chat.completions.create({ ...body, max_tokens: 9, max_completion_tokens: 3 });
  check("chat: the smaller limit wins", both.usage.completion_tokens <= 3, both.usage);
  const developer = { ...body, messages: [{ role: "developer", content: "짧게" }, ...user("?")] };
  const system = { ...body, messages: [{ role: "system", content: "짧게" }, ...user("?")] };
  same("chat: developer is system", (await client(plain).chat.completions.create(developer)).choices, (await client(plain).chat.completions.create(system)).choices);
  const { response, request_id } = await client(plain).chat.completions.create(body, { headers: { "x-request-id": "mine-1" } }).withResponse();
  same("chat: request id given", response.headers.get("x-request-id"), "mine-1");
  same("chat: request_id", request_id, "mine-1");
});

await part("sampling", async () => {
  const body = { model: "model", messages: user("?"), max_tokens: 10, temperature: 1, seed: 11 };
  const chat = client(plain).chat.completions;
  const first = await chat.create(body);
  same("seed: the same answer", (await chat.create(body)).choices, first.choices);
  const five = await chat.create({ ...body, n: 5 });
  same("n: indices", five.choices.map((c) => c.index), [0, 1, 2, 3, 4]);
  check("n: they differ", new Set(five.choices.map((c) => c.message.content)).size > 1);
  same("n: the first is the one alone", five.choices[0], first.choices[0]);
  check("n at temperature 0", (await chat.create({ ...body, temperature: 0, n: 2 })).choices.length === 2);
  const probable = await chat.create({ ...body, logprobs: true, top_logprobs: 3 });
  const tokens = probable.choices[0].logprobs.content;
  same("logprobs: one a token", tokens.length, probable.usage.completion_tokens);
  check("logprobs: three others", tokens.every((t) => t.top_logprobs.length === 3));
  check("logprobs: not above 0", tokens.every((t) => t.logprob <= 0 && t.top_logprobs.every((o) => o.logprob <= 0)));
  check("logprobs: descending", tokens.every((t) => t.top_logprobs.every((o, i, all) => i === 0 || all[i - 1].logprob >= o.logprob)));
  const heard = tokens.slice(0, probable.choices[0].finish_reason === "stop" ? -1 : undefined).flatMap((t) => t.bytes);
  same("logprobs: bytes are the text", Buffer.from(heard).toString(), probable.choices[0].message.content);
  const whole = await chat.create({ ...body, guided_choice: ["alpha beta"], max_tokens: 40 });
  same("stop: without", whole.choices[0].message.content, "alpha beta");
  for (const stop of ["beta", ["beta"], ["nothing", " be"]]) {
    const cut = await chat.create({ ...body, guided_choice: ["alpha beta"], max_tokens: 40, stop });
    same(`stop: ${stop}`, [cut.choices[0].message.content.trim(), cut.choices[0].finish_reason], ["alpha", "stop"]);
  }
  const biased = await chat.create({ ...body, max_tokens: 3, logit_bias: { [plain.the]: 100 } });
  same("logit_bias", biased.choices[0].message.content, "thethethe");
});

async function streamed(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  const text = (index) => chunks.flatMap((c) => c.choices).filter((c) => c.index === index).map((c) => c.delta?.content ?? c.text ?? "").join("");
  return { chunks, text, reasons: chunks.flatMap((c) => c.choices).map((c) => c.finish_reason).filter((r) => r !== null) };
}

for (const [how, server] of [["plain", plain], ["byte by byte", bytes], ["in pieces", pieces]]) {
  await part(`stream ${how}`, async () => {
    const body = { model: "model", messages: user("한국어로 답해 주세요"), max_tokens: 24, temperature: 1, seed: 5, logprobs: true, top_logprobs: 1 };
    const chat = client(server).chat.completions;
    const whole = await chat.create(body);
    const { chunks, text, reasons } = await streamed(await chat.create({ ...body, stream: true, stream_options: { include_usage: true } }));
    same(`stream ${how}: text`, text(0), whole.choices[0].message.content);
    same(`stream ${how}: one reason`, reasons, [whole.choices[0].finish_reason]);
    same(`stream ${how}: one id`, new Set(chunks.map((c) => c.id)).size, 1);
    same(`stream ${how}: one created`, new Set(chunks.map((c) => c.created)).size, 1);
    same(`stream ${how}: object`, chunks[0].object, "chat.completion.chunk");
    same(`stream ${how}: first delta`, chunks[0].choices[0].delta, { role: "assistant", content: "" });
    same(`stream ${how}: usage at the end`, chunks.at(-1).usage.completion_tokens, whole.usage.completion_tokens);
    same(`stream ${how}: no choices beside usage`, chunks.at(-1).choices, []);
    check(`stream ${how}: null usage before`, chunks.slice(0, -1).every((c) => c.usage === null));
    const probabilities = chunks.flatMap((c) => c.choices).flatMap((c) => c.logprobs?.content ?? []);
    same(`stream ${how}: logprobs`, probabilities, whole.choices[0].logprobs.content);
    const several = await streamed(await chat.create({ ...body, n: 3, stream: true }));
    const together = await chat.create({ ...body, n: 3 });
    same(`stream ${how}: n`, [0, 1, 2].map(several.text), together.choices.map((c) => c.message.content));
    same(`stream ${how}: n reasons`, several.reasons.length, 3);
    check(`stream ${how}: no usage unasked`, several.chunks.every((c) => c.usage === undefined || c.usage === null));
    const older = { model: "model", prompt: "the", max_tokens: 12, seed: 2, logprobs: 2 };
    const text1 = await client(server).completions.create(older);
    const pieces1 = await streamed(await client(server).completions.create({ ...older, stream: true }));
    same(`stream ${how}: completions`, pieces1.text(0), text1.choices[0].text);
    const runner = client(server).chat.completions.stream(body);
    let heard = "";
    runner.on("content", (delta) => (heard += delta));
    same(`stream ${how}: helper's content`, (await runner.finalContent()) ?? "", whole.choices[0].message.content);
    same(`stream ${how}: helper's events`, heard, whole.choices[0].message.content);
    const calls = await streamed(await client(how === "plain" ? hermes : server).chat.completions.create({ model: "model", messages: user("날씨"), tools: [weather], tool_choice: "required", parallel_tool_calls: false, max_tokens: 200, seed: 1, stream: true }));
    same(`stream ${how}: calls end with`, calls.reasons, ["tool_calls"]);
  });
}

await part("every split", async () => {
  // The same bytes cut in two at each place: read by the client itself, not by its socket.
  const calls = { model: "model", messages: user("?"), max_tokens: 120, seed: 8, tools: [clock], tool_choice: "required", parallel_tool_calls: false, stream: true };
  let recorded;
  const recording = async (url, init) => {
    const response = await fetch(url, init);
    recorded = new Uint8Array(await response.clone().arrayBuffer());
    return response;
  };
  const bodies = [{ model: "model", messages: user("?"), max_tokens: 6, seed: 8, stream: true }, calls];
  for (const [i, asked] of bodies.entries()) {
    const whole = await streamed(await client(hermes, { fetch: recording }).chat.completions.create(asked));
    let wrong = 0;
    for (let at = 1; at < recorded.length; at += 1) {
      const cut = async () =>
        new Response(new ReadableStream({ start(c) { c.enqueue(recorded.slice(0, at)); c.enqueue(recorded.slice(at)); c.close(); } }), { headers: { "content-type": "text/event-stream" } });
      const found = await streamed(await client(hermes, { fetch: cut }).chat.completions.create(asked));
      if (JSON.stringify(found.chunks) !== JSON.stringify(whole.chunks)) wrong += 1;
    }
    check(`every split ${i}: ${recorded.length} bytes`, recorded.length > 500);
    same(`every split ${i}`, wrong, 0);
    const single = async () =>
      new Response(new ReadableStream({ start(c) { for (const byte of recorded) c.enqueue(Uint8Array.of(byte)); c.close(); } }), { headers: { "content-type": "text/event-stream" } });
    same(`byte by byte ${i}`, (await streamed(await client(hermes, { fetch: single }).chat.completions.create(asked))).chunks, whole.chunks);
  }
});

await part("completions", async () => {
  const completions = client(plain).completions;
  const answer = await completions.create({ model: "tuned", prompt: ["the", "a"], max_tokens: 5, temperature: 0, logprobs: 2, echo: true });
  same("completions: object", answer.object, "text_completion");
  same("completions: indices", answer.choices.map((c) => c.index), [0, 1]);
  check("completions: echo", answer.choices[0].text.startsWith("the") && answer.choices[1].text.startsWith("a"));
  const p = answer.choices[0].logprobs;
  check("completions: logprobs", p.tokens.length === p.token_logprobs.length && p.tokens.length === p.top_logprobs.length && p.tokens.length === p.text_offset.length);
  const ids = await completions.create({ model: "model", prompt: [plain.the], max_tokens: 5, temperature: 0 });
  same("completions: ids", ids.choices[0].text, (await completions.create({ model: "model", prompt: "the", max_tokens: 5, temperature: 0 })).choices[0].text);
  same("completions: default of 16", (await completions.create({ model: "model", prompt: "the", guided_regex: "[a-z]{50}" })).usage.completion_tokens, 16);
});

await part("forms", async () => {
  const Card = z.object({ label: z.enum(["good", "bad"]), stars: z.number().int(), tags: z.array(z.enum(["a", "b"])), note: z.enum(["x"]).nullable() });
  const body = { model: "model", messages: user("?"), max_tokens: 300, seed: 4, response_format: zodResponseFormat(Card, "card") };
  const found = await client(plain).chat.completions.parse(body);
  const card = found.choices[0].message.parsed;
  check("parse: a card", card !== null && ["good", "bad"].includes(card.label) && Number.isInteger(card.stars) && Array.isArray(card.tags), found.choices[0]);
  same("parse: finish_reason", found.choices[0].finish_reason, "stop");
  const runner = client(bytes).chat.completions.stream(body);
  same("parse: streamed", (await runner.finalChatCompletion()).choices[0].message.parsed, card);
  await refused("parse: too short", () => client(plain).chat.completions.parse({ ...body, max_tokens: 4 }), errors.LengthFinishReasonError ?? Error);
  const union = z.object({ shape: z.union([z.object({ kind: z.literal("circle"), r: z.number() }), z.object({ kind: z.literal("box"), w: z.number() })]) });
  for (let seed = 0; seed < 4; seed += 1) {
    const shape = (await client(plain).chat.completions.parse({ ...body, seed, response_format: zodResponseFormat(union, "shape") })).choices[0].message.parsed.shape;
    check(`parse: a union ${seed}`, shape.kind === "circle" ? typeof shape.r === "number" : typeof shape.w === "number", shape);
  }
  for (const [form, pattern] of [[{ guided_choice: ["good", "bad"] }, /^(good|bad)$/], [{ guided_regex: "a{3}b?" }, /^aaab?$/], [{ guided_json: { enum: [1, 2] } }, /^[12]$/], [{ structured_outputs: { choice: ["x"] } }, /^x$/], [{ structured_outputs: { regex: "y+z" } }, /^y+z$/], [{ structured_outputs: { json: { const: "q" } } }, /^"q"$/], [{ json_schema: { const: 7 } }, /^7$/]]) {
    const content = (await client(plain).chat.completions.create({ model: "model", messages: user("?"), max_tokens: 60, seed: 1, ...form })).choices[0].message.content;
    check(`form ${JSON.stringify(form)}`, pattern.test(content), content);
  }
  const textual = await client(plain).chat.completions.create({ model: "model", messages: user("?"), max_tokens: 3, response_format: { type: "text" } });
  same("form: text", textual.choices.length, 1);
});

await part("tools", async () => {
  const body = { model: "model", messages: user("날씨는?"), tools: [weather, clock], max_tokens: 200, seed: 1, parallel_tool_calls: false };
  for (const [where, server] of [["hermes", hermes], ["bare", bare], ["plain", plain]]) {
    const chat = client(server).chat.completions;
    const answer = await chat.create({ ...body, tool_choice: "required" });
    const { message, finish_reason } = answer.choices[0];
    same(`tools ${where}: finish_reason`, finish_reason, "tool_calls");
    same(`tools ${where}: content`, message.content, null);
    same(`tools ${where}: one call`, message.tool_calls?.length, 1);
    const call = message.tool_calls[0];
    same(`tools ${where}: type`, call.type, "function");
    check(`tools ${where}: id`, /^call_[0-9a-f]{24}$/.test(call.id), call.id);
    check(`tools ${where}: name`, ["get_weather", "get_time"].includes(call.function.name));
    check(`tools ${where}: arguments`, typeof JSON.parse(call.function.arguments) === "object");
    same(`tools ${where}: again the same`, (await chat.create({ ...body, tool_choice: "required" })).choices, answer.choices);
    const named = await chat.create({ ...body, tool_choice: { type: "function", function: { name: "get_weather" } } });
    const given = JSON.parse(named.choices[0].message.tool_calls[0].function.arguments);
    same(`tools ${where}: the named one`, named.choices[0].message.tool_calls[0].function.name, "get_weather");
    check(`tools ${where}: by the schema`, ["Seoul", "부산"].includes(given.city) && given.days >= 1 && given.days <= 9, given);
    same(`tools ${where}: nothing else`, Object.keys(given).sort(), ["city", "days"]);
    const none = await chat.create({ ...body, tool_choice: "none", max_tokens: 5 });
    same(`tools ${where}: none`, none.choices[0].message.tool_calls, undefined);
    check(`tools ${where}: a text instead`, typeof none.choices[0].message.content === "string");
    const history = [...user("날씨는?"), named.choices[0].message, { role: "tool", tool_call_id: named.choices[0].message.tool_calls[0].id, content: "맑음" }];
    const last = await chat.create({ ...body, messages: history, tool_choice: "none", max_tokens: 5 });
    check(`tools ${where}: after the result`, last.choices[0].message.content !== null && last.choices[0].finish_reason !== "tool_calls");
    const { chunks, reasons } = await streamed(await chat.create({ ...body, tool_choice: "required", stream: true }));
    const deltas = chunks.flatMap((c) => c.choices).flatMap((c) => c.delta.tool_calls ?? []);
    same(`tools ${where}: streamed reason`, reasons, ["tool_calls"]);
    same(`tools ${where}: name once`, deltas.filter((d) => d.function.name !== undefined).map((d) => d.function.name), [call.function.name]);
    same(`tools ${where}: id once`, deltas.filter((d) => d.id !== undefined).map((d) => d.id), [call.id]);
    same(`tools ${where}: index`, new Set(deltas.map((d) => d.index)), new Set([0]));
    same(`tools ${where}: arguments in pieces`, deltas.map((d) => d.function.arguments).join(""), call.function.arguments);
    check(`tools ${where}: content null in the stream`, chunks.flatMap((c) => c.choices).every((c) => !c.delta.content));
  }
  for (const [where, server] of [["hermes", hermes], ["bare", bare]]) {
    const chat = client(server).chat.completions;
    const opened = await chat.create({ ...body, logit_bias: { [server.opening]: 100 } });
    same(`auto ${where}: once opened, a call`, opened.choices[0].finish_reason, "tool_calls");
    JSON.parse(opened.choices[0].message.tool_calls[0].function.arguments);
    const free = await chat.create({ ...body, logit_bias: { [server.opening]: -100 }, max_tokens: 12, seed: 3 });
    same(`auto ${where}: a text`, free.choices[0].message.tool_calls, undefined);
    check(`auto ${where}: its content`, typeof free.choices[0].message.content === "string");
  }
  const chat = client(hermes).chat.completions;
  const many = await chat.create({ ...body, parallel_tool_calls: true, tool_choice: "required", logit_bias: { [hermes.newline]: 100 }, max_tokens: 150 });
  check("parallel: several calls", many.choices[0].message.tool_calls.length > 1, many.choices[0]);
  same("parallel: ids differ", new Set(many.choices[0].message.tool_calls.map((c) => c.id)).size, many.choices[0].message.tool_calls.length);
  const { chunks } = await streamed(await chat.create({ ...body, parallel_tool_calls: true, tool_choice: "required", logit_bias: { [hermes.newline]: 100 }, max_tokens: 150, stream: true }));
  const indices = [...new Set(chunks.flatMap((c) => c.choices).flatMap((c) => c.delta.tool_calls ?? []).map((d) => d.index))];
  same("parallel: streamed indices", indices, many.choices[0].message.tool_calls.map((_, i) => i));
  const cut = await chat.create({ ...body, tool_choice: { type: "function", function: { name: "get_weather" } }, max_tokens: 30 });
  same("tools: cut", cut.choices[0].finish_reason, "length");
  const three = await chat.create({ ...body, tool_choice: "required", n: 3, temperature: 1 });
  same("tools: n", three.choices.map((c) => c.message.tool_calls.length), [1, 1, 1]);
  const probable = await chat.create({ ...body, tool_choice: "required", logprobs: true });
  same("tools: logprobs of all tokens", probable.choices[0].logprobs.content.length, probable.usage.completion_tokens);
  const allowed = await chat.create({ ...body, tool_choice: { type: "allowed_tools", allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "get_time" } }] } } });
  same("tools: allowed ones", allowed.choices[0].message.tool_calls[0].function, { name: "get_time", arguments: "{}" });
  const older = await chat.create({ model: "model", messages: user("?"), functions: [clock.function], function_call: { name: "get_time" }, max_tokens: 120 });
  same("functions: function_call", [older.choices[0].message.function_call, older.choices[0].finish_reason], [{ name: "get_time", arguments: "{}" }, "function_call"]);
  const loose = await chat.create({ ...body, tools: [{ type: "function", function: { name: "loose", parameters: { type: "object", properties: { a: { type: "integer" }, b: { type: "boolean" } } } } }], tool_choice: "required" });
  check("tools: not strict, still by the schema", Object.keys(JSON.parse(loose.choices[0].message.tool_calls[0].function.arguments)).every((k) => ["a", "b"].includes(k)));
  const formed = await chat.create({ ...body, response_format: { type: "json_schema", json_schema: { name: "a", schema: { enum: ["yes", "no"] } } }, logit_bias: { [hermes.opening]: -100, [hermes.less]: -100 } });
  check("tools beside a form", ['"yes"', '"no"'].includes(formed.choices[0].message.content), formed.choices[0]);
  const parsed = await chat.parse({ ...body, tools: [zodFunction({ name: "pick", parameters: z.object({ n: z.number().int() }) })], tool_choice: "required" });
  check("tools: parsed arguments", Number.isInteger(parsed.choices[0].message.tool_calls[0].function.parsed_arguments.n));
});

await part("runTools", async () => {
  const asked = [];
  const tool = { type: "function", function: { name: "get_time", description: "The time.", parameters: { type: "object", properties: {} }, parse: JSON.parse, function: (given) => { asked.push(given); return "12:00"; } } };
  for (const stream of [false, true]) {
    asked.length = 0;
    const runner = client(hermes).chat.completions.runTools({ model: "model", messages: user("몇 시?"), tools: [tool], tool_choice: { type: "function", function: { name: "get_time" } }, max_tokens: 120, stream });
    const calls = [];
    runner.on("functionToolCall", (call) => calls.push(call.name));
    runner.on("functionToolCallResult", (content) => calls.push(content));
    await runner.done();
    same(`runTools ${stream}: the function was called`, asked.slice(0, 1), [{}]);
    same(`runTools ${stream}: events`, calls.slice(0, 2), ["get_time", "12:00"]);
    same(`runTools ${stream}: messages`, runner.messages.slice(0, 3).map((m) => m.role), ["user", "assistant", "tool"]);
  }
});

await part("embeddings", async () => {
  if (!(await answers(plain, "/v1/embeddings"))) return;
  const { embeddings } = client(plain);
  const found = await embeddings.create({ model: "model", input: ["the", "크림"] });
  same("embeddings: indices", found.data.map((d) => d.index), [0, 1]);
  check("embeddings: of length 1", found.data.every((d) => Math.abs(Math.hypot(...d.embedding) - 1) < 1e-4));
  check("embeddings: usage", found.usage.prompt_tokens === found.usage.total_tokens && found.usage.total_tokens > 0);
  const plainly = await embeddings.create({ model: "model", input: "크림", encoding_format: "float" });
  check("embeddings: base64 holds the same", plainly.data[0].embedding.every((x, i) => Math.abs(x - found.data[1].embedding[i]) < 1e-6));
  same("embeddings: dimensions", (await embeddings.create({ model: "model", input: "a", dimensions: 8 })).data[0].embedding.length, 8);
  await refused("embeddings: no such model", () => embeddings.create({ model: "absent", input: "a" }), errors.NotFoundError);
});

await part("batches", async () => {
  if (!(await answers(plain, "/v1/batches"))) return;
  const { files, batches } = client(plain);
  const body = { model: "model", messages: user("?"), max_tokens: 4, temperature: 0 };
  const lines = [0, 1, 2].map((i) => JSON.stringify({ custom_id: `row-${i}`, method: "POST", url: "/v1/chat/completions", body }) + "\n");
  const file = await files.create({ file: await errors.toFile(Buffer.from(lines.join("")), "rows.jsonl"), purpose: "batch" });
  same("files: object", file.object, "file");
  same("files: content", await (await files.content(file.id)).text(), lines.join(""));
  let batch = await batches.create({ input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h" });
  await until(async () => ["completed", "failed"].includes((batch = await batches.retrieve(batch.id)).status), 60000);
  same("batches: status", batch.status, "completed");
  same("batches: counts", { ...batch.request_counts }, { total: 3, completed: 3, failed: 0 });
  const answered = (await (await files.content(batch.output_file_id)).text()).trim().split("\n").map((line) => JSON.parse(line));
  same("batches: in order", answered.map((line) => line.custom_id), ["row-0", "row-1", "row-2"]);
  const alone = (await client(plain).chat.completions.create(body)).choices[0].message.content;
  same("batches: the same answer", answered[0].response.body.choices[0].message.content, alone);
  const listed = [];
  for await (const one of batches.list()) listed.push(one.id);
  check("batches: list", listed.includes(batch.id));
});

await part("errors", async () => {
  const chat = client(plain).chat.completions;
  const good = { model: "model", messages: user("?"), max_tokens: 4 };
  for (const [change, param] of [
    [{ temperature: 3 }, "temperature"],
    [{ messages: [] }, "messages"],
    [{ messages: [{ role: "king", content: "?" }] }, "messages[0].role"],
    [{ top_logprobs: 2 }, "top_logprobs"],
    [{ response_format: { type: "xml" } }, "response_format.type"],
    [{ response_format: { type: "json_schema", json_schema: { name: "a", schema: { not: {} } } } }, "response_format.json_schema.schema"],
    [{ tools: [{ type: "function" }] }, "tools[0].function"],
    [{ tools: [{ type: "custom", custom: { name: "a" } }] }, "tools[0].type"],
    [{ tools: [{ type: "function", function: { name: "a b" } }] }, "tools[0].function.name"],
    [{ tools: [clock, clock] }, "tools[1]"],
    [{ tools: [clock], tool_choice: { type: "function", function: { name: "absent" } } }, "tool_choice"],
    [{ tools: [clock], tool_choice: "sometimes" }, "tool_choice"],
    [{ tool_choice: "required" }, "tool_choice"],
    [{ tools: [{ type: "function", function: { name: "a", strict: true, parameters: { type: "object", additionalProperties: false, required: ["x"], properties: { x: { type: "array", uniqueItems: true } } } } }] }, "/tools/0/function/parameters/properties/x/uniqueItems"],
  ]) {
    await refused(`400 ${param}`, () => chat.create({ ...good, ...change }), errors.BadRequestError, (e) => {
      same(`400 ${param}: status`, e.status, 400);
      same(`400 ${param}: param`, e.param, param);
      same(`400 ${param}: type`, e.type, "invalid_request_error");
    });
  }
  await refused("400 context", () => chat.create({ ...good, messages: user("긴 말 ".repeat(900)) }), errors.BadRequestError, (e) => same("400 context: code", e.code, "context_length_exceeded"));
  await refused("404 model", () => chat.create({ ...good, model: "absent" }), errors.NotFoundError, (e) => {
    same("404 model: status", e.status, 404);
    same("404 model: type", e.type, "not_found_error");
    check("404 model: request id", typeof e.requestID === "string" && e.requestID.length > 0);
  });
  await refused("401", () => client(limited).chat.completions.create(good), errors.AuthenticationError, (e) => same("401: code", e.code, "invalid_api_key"));
  same("a key opens", (await client(limited, { apiKey: limited.key }).chat.completions.create(good)).object, "chat.completion");
  await refused("408", () => client(plain).completions.create({ model: "model", ...long }, { headers: { "x-request-timeout-ms": "20" } }), errors.APIError, (e) => same("408: status", e.status, 408));
  await refused("an error in a stream's place", () => chat.create({ ...good, stream: true, temperature: 3 }), errors.BadRequestError);
});

await part("retries", async () => {
  const times = [];
  const waits = [];
  const counted = async (url, init) => {
    times.push(Date.now());
    const response = await fetch(url, init);
    if (response.status === 429) waits.push(Number(response.headers.get("retry-after-ms")));
    return response;
  };
  const body = { model: "model", messages: user("?"), max_tokens: 4 };
  const hog = await client(limited, { apiKey: limited.key }).completions.create({ model: "model", ...long, stream: true });
  const iterator = hog[Symbol.asyncIterator]();
  await iterator.next();
  await refused("429", () => client(limited, { apiKey: limited.key, fetch: counted }).chat.completions.create(body), errors.RateLimitError, (e) => {
    same("429: status", e.status, 429);
    same("429: code", e.code, "overloaded");
    check("429: retry-after-ms", Number(e.headers.get("retry-after-ms")) >= 1);
    check("429: retry-after", Number(e.headers.get("retry-after")) >= 1);
  });
  same("429: asked once", times.length, 1);
  setTimeout(() => hog.controller.abort(), 150);
  const answer = await client(limited, { apiKey: limited.key, fetch: counted, maxRetries: 8 }).chat.completions.create(body);
  same("retries: answered in the end", answer.object, "chat.completion");
  check("retries: more than one", times.length > 2, String(times.length));
  check("retries: waited as told", times.slice(2).every((t, i) => t - times[i + 1] >= waits[i + 1] * 0.9 - 20), { times, waits });
});

await part("cancellation", async () => {
  const cancelled = await metric(plain, "onggi_cancelled_total");
  const stream = await client(plain).completions.create({ model: "model", ...long, stream: true });
  for await (const chunk of stream) {
    check("cancel: it ran", chunk.choices.length === 1);
    break; // leaving the loop aborts
  }
  check("cancel: by leaving the loop", await until(async () => (await metric(plain, "onggi_cancelled_total")) > cancelled));
  const aborter = new AbortController();
  const pending = client(plain).completions.create({ model: "model", ...long }, { signal: aborter.signal });
  until(async () => (await metric(plain, "vllm:num_requests_running")) > 0).then(() => aborter.abort());
  await refused("cancel: by a signal", () => pending, errors.APIUserAbortError);
  check("cancel: the place is free", await until(async () => (await metric(plain, "vllm:num_requests_running")) === 0));
  check("cancel: counted", (await metric(plain, "onggi_cancelled_total")) >= cancelled + 2);
  await refused("timeout", () => client(plain, { timeout: 100 }).completions.create({ model: "model", ...long }), errors.APIConnectionTimeoutError);
  check("timeout: the place is free", await until(async () => (await metric(plain, "vllm:num_requests_running")) === 0));
});

report();
