"""openai of PyPI, as it is."""

import asyncio
import json
import os
import signal
import threading
import time
from typing import Literal, Optional

import openai
from checks import SERVERS, answers, check, metric, part, refused, report, same, until
from pydantic import BaseModel

HERMES, PLAIN, BARE, LIMITED = (SERVERS[name] for name in ("hermes", "plain", "bare", "limited"))
LONG = {"model": "model", "prompt": "the", "n": 20, "max_tokens": 900, "temperature": 1, "seed": 3, "extra_body": {"guided_regex": "[a-z]{900,4000}"}}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city.",
        "strict": True,
        "parameters": {
            "type": "object",
            "additionalProperties": False,
            "required": ["city", "days"],
            "properties": {"city": {"enum": ["Seoul", "부산"]}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "get_time", "description": "The time now."}}


def client(server, **options):
    return openai.OpenAI(base_url=server["url"], **({"api_key": "unused", "max_retries": 0} | options))


def user(content):
    return [{"role": "user", "content": content}]


def texts(chunks):
    pieces = {}
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        text = choice.delta.content if hasattr(choice, "delta") else choice.text
        pieces[choice.index] = pieces.get(choice.index, "") + (text or "")
    return pieces


def reasons(chunks):
    return [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]


with part("models"):
    found = list(client(PLAIN).models.list())
    same("models", [model.id for model in found], ["model", "tuned"])
    check("models: members", all(model.object == "model" and isinstance(model.created, int) and model.owned_by for model in found))

with part("chat"):
    chat = client(PLAIN).chat.completions
    body = {"model": "tuned", "messages": user("안녕?"), "max_tokens": 8, "temperature": 0}
    answer = chat.create(**body)
    same("chat: object", answer.object, "chat.completion")
    same("chat: model", answer.model, "tuned")
    same("chat: role", answer.choices[0].message.role, "assistant")
    check("chat: content", isinstance(answer.choices[0].message.content, str))
    check("chat: request id", bool(answer._request_id))
    same("chat: usage", answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)
    check("chat: cached", answer.usage.prompt_tokens_details.cached_tokens >= 0)
    same("chat: again", chat.create(**body).choices, answer.choices)
    same("chat: members that mean nothing", chat.create(**body, user="u", store=False, metadata=None, verbosity=None, extra_body={"odd": 1}).choices, answer.choices)
    same("chat: several at once", chat.create(**body, n=3).choices[2].message, answer.choices[0].message)
    raw = chat.with_raw_response.create(**body, extra_headers={"x-request-id": "mine-2"})
    same("chat: request id given", raw.headers["x-request-id"], "mine-2")
    same("chat: raw, parsed", raw.parse().choices, answer.choices)
    same("seed", chat.create(**body | {"temperature": 1, "seed": 6}).choices, chat.create(**body | {"temperature": 1, "seed": 6}).choices)
    check("no seed", len({chat.create(**body | {"temperature": 1}).choices[0].message.content for _ in range(6)}) > 1)
    big = 2**63 + 5
    same("a seed of 64 bits", chat.create(**body | {"temperature": 1, "seed": big}).choices, chat.create(**body | {"temperature": 1, "seed": big}).choices)
    tokens = chat.create(**body, logprobs=True, top_logprobs=5).choices[0].logprobs.content
    check("logprobs", all(len(token.top_logprobs) == 5 and token.logprob <= 0 for token in tokens) and tokens)
    check("logprobs: greedy takes the best", all(token.top_logprobs[0].token == token.token for token in tokens))
    chunks = list(chat.create(**body | {"temperature": 1, "seed": 9, "n": 2}, stream=True, stream_options={"include_usage": True}))
    whole = chat.create(**body | {"temperature": 1, "seed": 9, "n": 2})
    same("stream: texts", texts(chunks), {choice.index: choice.message.content for choice in whole.choices})
    same("stream: reasons", len(reasons(chunks)), 2)
    same("stream: usage", chunks[-1].usage, whole.usage.model_copy(update={"prompt_tokens_details": chunks[-1].usage.prompt_tokens_details}))
    same("stream: last choices", chunks[-1].choices, [])
    with chat.stream(**body | {"temperature": 1, "seed": 9}) as stream:
        events = list(stream)
        same("stream helper: content", stream.get_final_completion().choices[0].message.content, whole.choices[0].message.content)
        check("stream helper: events", {"chunk", "content.delta"} <= {event.type for event in events})

for how in ("bytes", "pieces"):
    with part(f"stream {how}"):
        body = {"model": "model", "messages": user("한국어"), "max_tokens": 30, "seed": 12, "temperature": 1, "logprobs": True}
        whole = client(SERVERS[how]).chat.completions.create(**body)
        chunks = list(client(SERVERS[how]).chat.completions.create(**body, stream=True))
        same(f"stream {how}: text", texts(chunks)[0], whole.choices[0].message.content)
        same(f"stream {how}: reason", reasons(chunks), [whole.choices[0].finish_reason])
        found = [token for chunk in chunks for choice in chunk.choices if choice.logprobs for token in choice.logprobs.content]
        same(f"stream {how}: logprobs", found, whole.choices[0].logprobs.content)
        call = {"model": "model", "messages": user("날씨"), "tools": [WEATHER], "tool_choice": "required", "parallel_tool_calls": False, "max_tokens": 200, "seed": 2}
        whole = client(SERVERS[how]).chat.completions.create(**call).choices[0].message.tool_calls[0]
        deltas = [d for c in client(SERVERS[how]).chat.completions.create(**call, stream=True) for choice in c.choices for d in choice.delta.tool_calls or []]
        same(f"stream {how}: arguments", "".join(d.function.arguments for d in deltas), whole.function.arguments)
        same(f"stream {how}: id", [d.id for d in deltas if d.id], [whole.id])
        with client(SERVERS[how]).chat.completions.stream(**call) as stream:
            kinds = {event.type for event in stream}
            same(f"stream {how}: helper", stream.get_final_completion().choices[0].message.tool_calls[0].function.arguments, whole.function.arguments)
        check(f"stream {how}: helper's events", "tool_calls.function.arguments.done" in kinds, kinds)

with part("completions"):
    completions = client(PLAIN).completions
    answer = completions.create(model="model", prompt=["the", "a"], max_tokens=5, temperature=0, logprobs=2, echo=True)
    same("completions: indices", [choice.index for choice in answer.choices], [0, 1])
    check("completions: echo", answer.choices[0].text.startswith("the"))
    probabilities = answer.choices[0].logprobs
    lengths = {len(probabilities.tokens), len(probabilities.token_logprobs), len(probabilities.top_logprobs), len(probabilities.text_offset)}
    check("completions: logprobs", len(lengths) == 1 and lengths.pop() >= 5)
    ids = completions.create(model="model", prompt=[[PLAIN["the"]], [PLAIN["the"]]], max_tokens=5, temperature=0)
    same("completions: lists of ids", ids.choices[0].text, ids.choices[1].text)
    chunks = list(completions.create(model="model", prompt=["the", "a"], max_tokens=5, temperature=0, stream=True))
    plain = completions.create(model="model", prompt=["the", "a"], max_tokens=5, temperature=0)
    same("completions: streamed", texts(chunks), {choice.index: choice.text for choice in plain.choices})
    two = completions.create(model="model", prompt=["the", "a"], n=2, max_tokens=5, seed=3)
    same("completions: n a prompt", [choice.index for choice in two.choices], [0, 1, 2, 3])


class Card(BaseModel):
    label: Literal["good", "bad"]
    stars: int
    tags: list[Literal["a", "b"]]
    note: Optional[Literal["x"]]


class Boxed(BaseModel):
    card: Card


with part("forms"):
    body = {"model": "model", "messages": user("?"), "max_tokens": 900, "response_format": Boxed}
    for seed in range(4):
        answer = client(PLAIN).chat.completions.parse(**body, seed=seed)
        check(f"parse: a card {seed}", isinstance(answer.choices[0].message.parsed, Boxed), answer.choices[0])
    same("parse: the text is what was parsed", json.loads(answer.choices[0].message.content), answer.choices[0].message.parsed.model_dump())
    with client(PLAIN).chat.completions.stream(**body, seed=3) as stream:
        same("parse: streamed", stream.get_final_completion().choices[0].message.parsed, answer.choices[0].message.parsed)
    refused("parse: too short", lambda: client(PLAIN).chat.completions.parse(**body | {"max_tokens": 3}), openai.LengthFinishReasonError)
    for form, allowed in (
        ({"guided_choice": ["good", "bad"]}, {"good", "bad"}),
        ({"guided_regex": "(x|y)z"}, {"xz", "yz"}),
        ({"guided_json": {"enum": [1, None]}}, {"1", "null"}),
        ({"structured_outputs": {"choices": ["one"]}}, {"one"}),
        ({"structured_outputs": {"regex": "abc", "json": None}}, {"abc"}),
        ({"structured_outputs": {"json": '{"const": [1, 2]}'}}, {"[1, 2]"}),
    ):
        content = client(PLAIN).chat.completions.create(model="model", messages=user("?"), max_tokens=60, extra_body=form).choices[0].message.content
        check(f"form {form}", content in allowed, content)

with part("tools"):
    body = {"model": "model", "messages": user("날씨는?"), "tools": [WEATHER, CLOCK], "max_tokens": 200, "seed": 1, "parallel_tool_calls": False}
    for where, server in (("hermes", HERMES), ("bare", BARE), ("plain", PLAIN)):
        chat = client(server).chat.completions
        choice = chat.create(**body, tool_choice="required").choices[0]
        same(f"tools {where}: reason", choice.finish_reason, "tool_calls")
        same(f"tools {where}: content", choice.message.content, None)
        same(f"tools {where}: calls", len(choice.message.tool_calls), 1)
        check(f"tools {where}: name", choice.message.tool_calls[0].function.name in ("get_weather", "get_time"))
        named = chat.create(**body, tool_choice={"type": "function", "function": {"name": "get_weather"}}).choices[0].message
        given = json.loads(named.tool_calls[0].function.arguments)
        check(f"tools {where}: arguments", given["city"] in ("Seoul", "부산") and 1 <= given["days"] <= 9 and len(given) == 2, given)
        result = {"role": "tool", "tool_call_id": named.tool_calls[0].id, "content": "21"}
        after = chat.create(**body | {"messages": [*user("날씨는?"), named, result]}, tool_choice="required").choices[0].message.tool_calls[0]
        check(f"tools {where}: the next call's id differs", after.id != named.tool_calls[0].id)
        stream = list(chat.create(**body, tool_choice="required", stream=True))
        same(f"tools {where}: streamed reason", reasons(stream), ["tool_calls"])
    two = [*user("?"), {"role": "assistant", "content": None, "tool_calls": [{"id": f"c{i}", "type": "function", "function": {"name": "get_time", "arguments": "{}"}} for i in range(2)]}]
    two += [{"role": "tool", "tool_call_id": f"c{i}", "content": str(i)} for i in range(2)]
    for where, server in (("hermes", HERMES), ("plain", PLAIN)):
        check(f"tools {where}: two results", client(server).chat.completions.create(**body | {"messages": two}, tool_choice="none").choices[0].finish_reason in ("stop", "length"))
    pick = openai.pydantic_function_tool(Card, name="pick")
    parsed = client(HERMES).chat.completions.parse(**body | {"tools": [pick]}, tool_choice="required")
    check("tools: parsed", isinstance(parsed.choices[0].message.tool_calls[0].function.parsed_arguments, Card))
    opened = client(HERMES).chat.completions.create(**body, logit_bias={str(HERMES["opening"]): 100})
    same("tools: auto, once opened", opened.choices[0].finish_reason, "tool_calls")
    free = client(HERMES).chat.completions.create(**body | {"max_tokens": 9}, logit_bias={str(HERMES["opening"]): -100})
    same("tools: auto, a text", free.choices[0].message.tool_calls, None)

with part("embeddings"):
    if answers(PLAIN, "/v1/embeddings"):
        embeddings = client(PLAIN).embeddings
        found = embeddings.create(model="tuned", input=["the", "크림"])
        same("embeddings: objects", {item.object for item in found.data}, {"embedding"})
        same("embeddings: indices", [item.index for item in found.data], [0, 1])
        check("embeddings: of length 1", all(abs(sum(x * x for x in item.embedding) - 1) < 1e-4 for item in found.data))
        check("embeddings: usage", found.usage.prompt_tokens == found.usage.total_tokens > 0)
        plain = embeddings.create(model="tuned", input="the", encoding_format="float").data[0].embedding
        check("embeddings: base64 holds the same", max(abs(a - b) for a, b in zip(plain, found.data[0].embedding, strict=True)) < 1e-6)
        short = embeddings.create(model="tuned", input=[[PLAIN["the"]]], dimensions=8).data[0].embedding
        same("embeddings: dimensions", len(short), 8)
        refused("embeddings: empty", lambda: embeddings.create(model="tuned", input=[]), openai.BadRequestError)
        refused("embeddings: no such model", lambda: embeddings.create(model="absent", input="a"), openai.NotFoundError)

with part("batches"):
    if answers(PLAIN, "/v1/batches"):
        files, batches = client(PLAIN).files, client(PLAIN).batches
        request = {"model": "model", "messages": user("?"), "max_tokens": 4, "temperature": 0}
        rows = [{"custom_id": f"row-{i}", "method": "POST", "url": "/v1/chat/completions", "body": request | {"model": ("model", "absent")[i == 3]}} for i in range(6)]
        file = files.create(file=("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode()), purpose="batch")
        same("files: purpose", (file.object, file.purpose, file.filename), ("file", "batch", "rows.jsonl"))
        check("files: list", file.id in [f.id for f in files.list()])
        same("files: retrieve", files.retrieve(file.id).bytes, file.bytes)
        same("files: content", len(files.content(file.id).content), file.bytes)
        batch = batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"a": "b"})
        same("batches: object", (batch.object, batch.metadata), ("batch", {"a": "b"}))
        until(lambda: batches.retrieve(batch.id).status in ("completed", "failed", "expired"), 60)
        batch = batches.retrieve(batch.id)
        same("batches: status", batch.status, "completed")
        same("batches: counts", (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed), (6, 5, 1))
        lines = [json.loads(line) for line in files.content(batch.output_file_id).text.splitlines()]
        same("batches: in order", [line["custom_id"] for line in lines], [f"row-{i}" for i in (0, 1, 2, 4, 5)])
        alone = client(PLAIN).chat.completions.create(**request).choices[0].message.content
        same("batches: the same answers", {line["response"]["body"]["choices"][0]["message"]["content"] for line in lines}, {alone})
        same("batches: errors", [json.loads(line)["custom_id"] for line in files.content(batch.error_file_id).text.splitlines()], ["row-3"])
        check("batches: list", batch.id in [b.id for b in batches.list()])
        bad = files.create(file=("bad.jsonl", b"{}\n"), purpose="batch")
        failed = batches.create(input_file_id=bad.id, endpoint="/v1/chat/completions", completion_window="24h")
        until(lambda: batches.retrieve(failed.id).status == "failed")
        failed = batches.retrieve(failed.id)
        same("batches: a bad line", (failed.status, failed.errors.data[0].line), ("failed", 1))
        check("files: delete", files.delete(bad.id).deleted)
        refused("files: gone", lambda: files.retrieve(bad.id), openai.NotFoundError)
        refused("batches: no such batch", lambda: batches.retrieve("batch_absent"), openai.NotFoundError)
        refused("batches: no such file", lambda: batches.create(input_file_id="file-absent", endpoint="/v1/chat/completions", completion_window="24h"), openai.APIStatusError)

with part("errors"):
    good = {"model": "model", "messages": user("?"), "max_tokens": 4}
    create = client(PLAIN).chat.completions.create
    for change, param in (
        ({"temperature": 3}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"stop": [""]}, "stop"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"extra_body": {"guided_grammar": 3}}, "guided_grammar"),
        ({"extra_body": {"structured_outputs": {"structural_tag": "x"}}}, "structured_outputs.structural_tag"),
        ({"extra_body": {"guided_choice": ["a"], "guided_regex": "b"}}, "guided_choice"),
        ({"messages": [{"role": "assistant", "tool_calls": "x"}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {}}]}]}, "messages[0].tool_calls[0].function.name"),
    ):

        def judge(error, param=param):
            same(f"400 {param}: param", error.param, param)
            same(f"400 {param}: status", error.status_code, 400)
            check(f"400 {param}: message", param.split(".")[0].split("[")[0] in error.message, error.message)

        refused(f"400 {param}", lambda change=change: create(**good | change), openai.BadRequestError, judge)
    refused("404", lambda: create(**good | {"model": "absent"}), openai.NotFoundError, lambda e: same("404: code", e.code, "model_not_found"))
    refused("404: its id", lambda: create(**good | {"model": "absent"}), openai.NotFoundError, lambda e: check("404: request id", bool(e.request_id)))
    refused("404: no such address", lambda: client({"url": PLAIN["origin"] + "/v9"}).models.list(), openai.NotFoundError)
    refused("401", lambda: client(LIMITED).models.list(), openai.AuthenticationError, lambda e: same("401: type", e.type, "authentication_error"))
    same("a key opens", [m.id for m in client(LIMITED, api_key=LIMITED["key"]).models.list()], ["model"])
    refused("408", lambda: client(PLAIN, max_retries=2).completions.create(**LONG, extra_headers={"x-request-timeout-ms": "20"}), openai.APIStatusError, lambda e: same("408: not tried again", (e.status_code, e.response.headers["x-should-retry"]), (408, "false")))
    refused("nobody there", lambda: client({"url": "http://127.0.0.1:9"}).models.list(), openai.APIConnectionError)

with part("retries"):
    keyed = client(LIMITED, api_key=LIMITED["key"])
    hog = keyed.completions.create(**LONG, stream=True)
    next(iter(hog))
    good = {"model": "model", "messages": user("?"), "max_tokens": 4}

    def judge(error):
        same("429: status", error.status_code, 429)
        same("429: type", error.type, "rate_limit_error")
        check("429: when to come back", int(error.response.headers["retry-after-ms"]) >= 1 and int(error.response.headers["retry-after"]) >= 1)

    refused("429", lambda: keyed.chat.completions.create(**good), openai.RateLimitError, judge)
    threading.Timer(0.2, hog.close).start()
    began = time.monotonic()
    same("retries: answered in the end", keyed.with_options(max_retries=8).chat.completions.create(**good).object, "chat.completion")
    check("retries: not before", time.monotonic() - began > 0.15)

with part("cancellation"):
    before = metric(PLAIN, "onggi_cancelled_total")
    with client(PLAIN).completions.create(**LONG, stream=True) as stream:
        next(iter(stream))
    check("cancel: counted", until(lambda: metric(PLAIN, "onggi_cancelled_total") > before))
    refused("timeout", lambda: client(PLAIN, timeout=0.2).completions.create(**LONG), openai.APITimeoutError)
    check("cancel: the place is free", until(lambda: metric(PLAIN, "vllm:num_requests_running") == 0))

with part("many at once"):

    async def ask():
        asking = openai.AsyncOpenAI(base_url=PLAIN["url"], api_key="unused", max_retries=0)
        one = lambda i: asking.chat.completions.create(model=("model", "tuned")[i % 2], messages=user(f"{i}"), max_tokens=6, seed=i)  # noqa: E731
        alone = [await one(i) for i in range(8)]
        together = await asyncio.gather(*(one(i) for i in range(8)))
        await asking.close()
        return [a.choices for a in alone], [a.choices for a in together]

    alone, together = asyncio.run(ask())
    for i in range(8):
        same(f"many at once: {i}", together[i], alone[i])

with part("the end"):
    keyed = client(LIMITED, api_key=LIMITED["key"])
    same("before the end", keyed.chat.completions.create(model="model", messages=user("?"), max_tokens=2).object, "chat.completion")
    hog = keyed.completions.create(**LONG, stream=True)
    chunks = iter(hog)
    next(chunks)
    os.kill(LIMITED["pid"], signal.SIGTERM)
    statuses = set()
    try:
        until(lambda: metric(LIMITED, "vllm:num_requests_running") is None, 2)
    except OSError:
        pass  # it takes no new connections
    try:
        keyed.chat.completions.create(model="model", messages=user("?"), max_tokens=2)
    except openai.InternalServerError as error:
        same("503: status", error.status_code, 503)
        check("503: when to come back", int(error.response.headers["retry-after-ms"]) >= 1)
    except openai.APIConnectionError:
        check("the end: no connection is taken", True)
    check("the end: what runs may end", [c.finish_reason for chunk in chunks for c in chunk.choices][-1] in ("stop", "length"))

report()
