// @langchain/openai, as it is.
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { z } from "zod";
import { answers, check, metric, part, refused, report, same, servers, until } from "./checks.mjs";

const { hermes, plain, bytes, limited } = servers;
const made = (server, options = {}) => new ChatOpenAI({ model: "model", apiKey: "unused", maxRetries: 0, maxTokens: 200, configuration: { baseURL: server.url }, ...options });
const withSeed = (options) => ({ modelKwargs: { seed: 5, ...options } });
const getWeather = tool(async ({ days }) => `sunny for ${days}`, { name: "get_weather", description: "Weather.", schema: z.object({ days: z.number().int().min(1).max(9), exact: z.boolean() }) });

await part("invoke", async () => {
  const model = made(plain, { maxTokens: 8, temperature: 0 });
  const answer = await model.invoke([new SystemMessage("짧게"), new HumanMessage("안녕")]);
  check("invoke: content", typeof answer.content === "string");
  check("invoke: usage", answer.usage_metadata.total_tokens === answer.usage_metadata.input_tokens + answer.usage_metadata.output_tokens);
  check("invoke: cached tokens", Number.isInteger(answer.usage_metadata.input_token_details?.cache_read));
  check("invoke: finish_reason", ["stop", "length"].includes(answer.response_metadata.finish_reason));
  same("invoke: again", (await model.invoke([new SystemMessage("짧게"), new HumanMessage("안녕")])).content, answer.content);
  const several = await model.batch(["a", "b", "c"]);
  same("batch", several.length, 3);
  same("batch: as alone", several[1].content, (await model.invoke("b")).content);
  const generated = await made(plain, { maxTokens: 6, n: 2, temperature: 1, ...withSeed({}) }).generate([[new HumanMessage("?")]]);
  same("generate: n", generated.generations[0].length, 2);
  const tuned = await made(plain, { model: "tuned", maxTokens: 4 }).invoke("?");
  same("invoke: an adapter", tuned.response_metadata.model_name, "tuned");
  const probable = await made(plain, { maxTokens: 4, logprobs: true, topLogprobs: 2 }).invoke("?");
  same("invoke: logprobs", probable.response_metadata.logprobs.content.length, probable.usage_metadata.output_tokens);
});

for (const [how, server] of [["plain", hermes], ["byte by byte", bytes]]) {
  await part(`stream ${how}`, async () => {
    const model = made(server, { maxTokens: 20, temperature: 1, ...withSeed({}) });
    let whole;
    for await (const chunk of await model.stream("한국어")) whole = whole === undefined ? chunk : whole.concat(chunk);
    same(`stream ${how}: content`, whole.content, (await model.invoke("한국어")).content);
    check(`stream ${how}: usage`, whole.usage_metadata?.total_tokens > 0, whole.usage_metadata);
    check(`stream ${how}: finish_reason`, ["stop", "length"].includes(whole.response_metadata.finish_reason));
    const bound = made(server, withSeed({})).bindTools([getWeather], { tool_choice: "get_weather", parallel_tool_calls: false });
    let calls;
    for await (const chunk of await bound.stream("날씨")) calls = calls === undefined ? chunk : calls.concat(chunk);
    const alone = await bound.invoke("날씨");
    same(`stream ${how}: a call`, calls.tool_calls[0].args, alone.tool_calls[0].args);
    same(`stream ${how}: its name`, calls.tool_calls[0].name, "get_weather");
    same(`stream ${how}: its id`, calls.tool_calls[0].id, alone.tool_calls[0].id);
    same(`stream ${how}: ends with`, calls.response_metadata.finish_reason, "tool_calls");
  });
}

await part("tools", async () => {
  for (const [where, server] of [["hermes", hermes], ["plain", plain]]) {
    for (const choice of ["any", "required", "get_weather"]) {
      const model = made(server, withSeed({})).bindTools([getWeather], { tool_choice: choice, parallel_tool_calls: false });
      const asked = new HumanMessage("날씨");
      const answer = await model.invoke([asked]);
      same(`tools ${where} ${choice}: calls`, answer.tool_calls.map((c) => c.name), ["get_weather"]);
      same(`tools ${where} ${choice}: none invalid`, answer.invalid_tool_calls, []);
      const { args, id } = answer.tool_calls[0];
      check(`tools ${where} ${choice}: arguments`, args.days >= 1 && args.days <= 9 && typeof args.exact === "boolean", args);
      const result = await getWeather.invoke(answer.tool_calls[0]);
      check(`tools ${where} ${choice}: the tool takes them`, result instanceof ToolMessage && result.tool_call_id === id);
      const after = await made(server, { maxTokens: 5 }).invoke([asked, answer, result]);
      check(`tools ${where} ${choice}: after the result`, typeof after.content === "string" && after instanceof AIMessage);
    }
  }
  const strict = await made(hermes, withSeed({})).bindTools([getWeather], { tool_choice: "required", strict: true, parallel_tool_calls: false }).invoke("?");
  same("tools: strict", strict.tool_calls.length, 1);
});

await part("structured output", async () => {
  const shape = z.object({ label: z.enum(["good", "bad"]), stars: z.number().int().min(1).max(5) });
  for (const [method, strict] of [["functionCalling", undefined], ["functionCalling", true], ["jsonSchema", undefined], ["jsonSchema", true], [undefined, undefined]]) {
    const model = made(hermes, withSeed({})).withStructuredOutput(shape, { name: "card", method, strict });
    const card = await model.invoke("?");
    check(`structured ${method} ${strict}`, ["good", "bad"].includes(card.label) && card.stars >= 1 && card.stars <= 5, card);
  }
  const raw = await made(hermes, withSeed({})).withStructuredOutput(shape, { name: "card", includeRaw: true }).invoke("?");
  check("structured: raw beside it", raw.raw instanceof AIMessage && ["good", "bad"].includes(raw.parsed.label));
  const streamed = made(bytes, withSeed({})).withStructuredOutput(shape, { name: "card", method: "jsonSchema" });
  let last;
  for await (const piece of await streamed.stream("?")) last = piece;
  check("structured: streamed", ["good", "bad"].includes(last.label), last);
});

await part("text model", async () => {
  const model = new OpenAI({ model: "model", apiKey: "unused", maxRetries: 0, maxTokens: 6, temperature: 0, configuration: { baseURL: plain.url } });
  const answer = await model.invoke("the");
  check("text: invoke", typeof answer === "string");
  let pieces = "";
  for await (const piece of await model.stream("the")) pieces += piece;
  same("text: stream", pieces, answer);
});

await part("embeddings", async () => {
  if (!(await answers(plain, "/v1/embeddings"))) return;
  const model = new OpenAIEmbeddings({ model: "model", apiKey: "unused", maxRetries: 0, configuration: { baseURL: plain.url } });
  const two = await model.embedDocuments(["the", "크림"]);
  same("embeddings: two", two.length, 2);
  same("embeddings: one alone", await model.embedQuery("the"), two[0]);
});

await part("errors", async () => {
  await refused("404", () => made(plain, { model: "absent" }).invoke("?"), Error, (e) => same("404: status", e.status, 404));
  await refused("401", () => made(limited).invoke("?"), Error, (e) => same("401: status", e.status, 401));
  await refused("400", () => made(plain, { temperature: 9 }).invoke("?"), Error, (e) => same("400: status", e.status, 400));
  same("a key opens", typeof (await made(limited, { apiKey: limited.key, maxTokens: 2 }).invoke("?")).content, "string");
  const before = await metric(plain, "onggi_cancelled_total");
  const aborter = new AbortController();
  const long = made(plain, { maxTokens: 500, n: 20, temperature: 1, modelKwargs: { guided_regex: "[a-z]{500,4000}" } });
  until(async () => (await metric(plain, "vllm:num_requests_running")) > 0).then(() => aborter.abort());
  await refused("cancel", () => long.invoke("?", { signal: aborter.signal }), Error);
  check("cancel: counted", await until(async () => (await metric(plain, "onggi_cancelled_total")) > before));
});

report();
