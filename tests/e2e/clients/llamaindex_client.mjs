// @llamaindex/openai, as it is.
import { tool } from "@llamaindex/core/tools";
import { OpenAI, OpenAIEmbedding } from "@llamaindex/openai";
import { z } from "zod";
import { answers, check, part, refused, report, same, servers } from "./checks.mjs";

const { hermes, plain, bytes, limited } = servers;
const made = (server, options = {}) => new OpenAI({ model: "model", apiKey: "unused", baseURL: server.url, maxRetries: 0, maxTokens: 150, temperature: 0, ...options });
const messages = [{ role: "system", content: "짧게" }, { role: "user", content: "안녕" }];
const getTime = tool({ name: "get_time", description: "The time.", parameters: z.object({ zone: z.enum(["KST", "UTC"]) }), execute: ({ zone }) => `12:00 ${zone}` });

await part("chat", async () => {
  const model = made(plain, { maxTokens: 8 });
  const answer = await model.chat({ messages });
  same("chat: role", answer.message.role, "assistant");
  check("chat: content", typeof answer.message.content === "string");
  same("chat: again", (await model.chat({ messages })).message.content, answer.message.content);
  same("chat: raw", answer.raw.object, "chat.completion");
  check("chat: usage", answer.raw.usage.total_tokens > 0);
  check("complete", typeof (await model.complete({ prompt: "the" })).text === "string");
  const formed = await made(plain).chat({ messages, responseFormat: z.object({ label: z.enum(["good", "bad"]) }) });
  check("chat: a form", ["good", "bad"].includes(JSON.parse(formed.message.content).label), formed.message.content);
  const more = made(plain, { additionalChatOptions: { seed: 3, stop: ["beta"], guided_choice: ["alpha beta"] } });
  same("chat: more options", (await more.chat({ messages })).message.content.trim(), "alpha");
});

for (const [how, server] of [["plain", hermes], ["byte by byte", bytes]]) {
  await part(`stream ${how}`, async () => {
    const model = made(server, { maxTokens: 20 });
    let text = "";
    for await (const chunk of await model.chat({ messages, stream: true })) text += chunk.delta;
    same(`stream ${how}: text`, text, (await model.chat({ messages })).message.content);
    const calling = made(server, { additionalChatOptions: { tool_choice: "required", parallel_tool_calls: false, seed: 4 } });
    const whole = await calling.chat({ messages, tools: [getTime] });
    const call = whole.message.options.toolCall[0];
    same(`stream ${how}: the call`, call.name, "get_time");
    check(`stream ${how}: its id`, /^call_/.test(call.id), call);
    const input = typeof call.input === "string" ? JSON.parse(call.input) : call.input;
    check(`stream ${how}: its arguments`, ["KST", "UTC"].includes(input.zone), call);
    let last;
    for await (const chunk of await calling.chat({ messages, tools: [getTime], stream: true })) {
      if (chunk.options?.toolCall) last = chunk.options.toolCall;
    }
    const streamed = typeof last[0].input === "string" ? JSON.parse(last[0].input) : last[0].input;
    same(`stream ${how}: streamed arguments`, streamed, input);
    same(`stream ${how}: streamed id`, last[0].id, call.id);
    const result = { role: "user", content: "12:00", options: { toolResult: { result: "12:00", isError: false, id: call.id } } };
    const after = await made(server, { maxTokens: 5 }).chat({ messages: [...messages, whole.message, result] });
    check(`stream ${how}: after the result`, typeof after.message.content === "string");
  });
}

await part("embeddings", async () => {
  if (!(await answers(plain, "/v1/embeddings"))) return;
  const model = new OpenAIEmbedding({ model: "model", apiKey: "unused", baseURL: plain.url, maxRetries: 0 });
  const one = await model.getTextEmbedding("the");
  check("embeddings: a vector", one.length > 8 && one.every(Number.isFinite));
  same("embeddings: several", (await model.getTextEmbeddings(["크림", "the"]))[1], one);
});

await part("errors", async () => {
  await refused("404", () => made(plain, { model: "absent" }).chat({ messages }), Error, (e) => same("404: status", e.status, 404));
  await refused("401", () => made(limited).chat({ messages }), Error, (e) => same("401: status", e.status, 401));
  await refused("400", () => made(plain, { temperature: 9 }).chat({ messages }), Error, (e) => same("400: status", e.status, 400));
  check("a key opens", typeof (await made(limited, { apiKey: limited.key, maxTokens: 2 }).chat({ messages })).message.content === "string");
});

report();
