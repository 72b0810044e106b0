"""curl, as it is: statuses, header fields and bytes on the wire."""

import json
import subprocess

from checks import SERVERS, check, part, report, same

PLAIN, HERMES, LIMITED = SERVERS["plain"], SERVERS["hermes"], SERVERS["limited"]
GOOD = {"model": "model", "messages": [{"role": "user", "content": "?"}], "max_tokens": 4, "temperature": 0}


def curl(url, *flags, body=None):
    """Status, header fields (lower-case names) and body."""
    command = ["curl", "-s", "-i", "--max-time", "60", *flags, url]
    if body is not None:
        command += ["--data-binary", "@-"]
        if "-H" not in flags or not any(flag.lower().startswith("content-type") for flag in flags):
            command += ["-H", "content-type: application/json"]
    content = body if isinstance(body, (str, type(None))) else json.dumps(body)
    output = subprocess.run(command, input=content, capture_output=True, text=True, check=False).stdout
    while output.startswith("HTTP/1.1 100"):
        output = output.split("\n\n", 1)[1]
    head, _, text = output.partition("\n\n")
    lines = [line.rstrip("\r") for line in head.split("\n")]
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]) if lines[0] else 0, fields, text


CHAT = PLAIN["url"] + "/chat/completions"

with part("plain"):
    status, fields, text = curl(CHAT, body=GOOD)
    same("chat: status", status, 200)
    same("chat: type", fields["content-type"].split(";")[0], "application/json")
    check("chat: request id", bool(fields.get("x-request-id")))
    same("chat: object", json.loads(text)["object"], "chat.completion")
    status, fields, _ = curl(CHAT, "-H", "x-request-id: mine-3", body=GOOD)
    same("chat: request id given", fields["x-request-id"], "mine-3")
    status, fields, _ = curl(CHAT, "-H", "x-request-id: " + "x" * 4000, body=GOOD)
    check("chat: a request id that is too long", status in (200, 400, 431) and len(fields.get("x-request-id", "")) < 4000)
    same("chat: chunked body", curl(CHAT, "-H", "transfer-encoding: chunked", "-H", "content-type: application/json", body=GOOD)[0], 200)
    same("chat: expect 100", curl(CHAT, "-H", "expect: 100-continue", "-H", "content-type: application/json", body=GOOD)[0], 200)
    same("chat: HTTP/1.0", curl(CHAT, "--http1.0", body=GOOD)[0], 200)

with part("stream"):
    status, fields, text = curl(CHAT, "-N", body=GOOD | {"stream": True, "stream_options": {"include_usage": True}})
    same("stream: status", status, 200)
    same("stream: type", fields["content-type"].split(";")[0], "text/event-stream")
    same("stream: cache-control", fields["cache-control"], "no-cache")
    same("stream: x-accel-buffering", fields["x-accel-buffering"], "no")
    lines = [line for line in text.split("\n") if line]
    check("stream: events and remarks only", all(line.startswith(("data: ", ":")) for line in lines), lines[:3])
    same("stream: the end", lines[-1], "data: [DONE]")
    events = [json.loads(line[6:]) for line in lines[:-1] if line.startswith("data: ")]
    same("stream: first", events[0]["choices"][0]["delta"], {"role": "assistant", "content": ""})
    same("stream: last choice", events[-2]["choices"][0]["delta"], {})
    check("stream: its reason", events[-2]["choices"][0]["finish_reason"] in ("stop", "length"))
    same("stream: usage", events[-1]["choices"], [])
    same("stream: members", set(events[0]), {"id", "object", "created", "model", "system_fingerprint", "choices", "usage"})

with part("errors"):
    for name, url, flags, body, wanted in (
        ("not JSON", CHAT, (), "{", 400),
        ("no object", CHAT, (), "[]", 400),
        ("empty", CHAT, (), "", 400),
        ("a wrong type", CHAT, ("-H", "content-type: text/plain"), "x", 415),
        ("a wrong method", CHAT, ("-X", "GET"), None, 405),
        ("no such address", PLAIN["url"] + "/nothing", (), "{}", 404),
        ("too large", CHAT, (), "x" * (9 << 20), 413),
        ("no such model", CHAT, (), GOOD | {"model": "absent"}, 404),
        ("no key", LIMITED["url"] + "/models", (), None, 401),
        ("a wrong key", LIMITED["url"] + "/models", ("-H", "authorization: Bearer no"), None, 401),
        ("two lengths", CHAT, ("-H", "transfer-encoding: chunked", "-H", "content-length: 3", "-H", "content-type: application/json"), "{}", 400),
        ("a late answer", CHAT, ("-H", "x-request-timeout-ms: 1"), GOOD | {"max_tokens": 500, "n": 9, "temperature": 1, "guided_regex": "[a-z]{500}"}, 408),
    ):
        status, fields, text = curl(url, *flags, body=body)
        same(f"{name}: status", status, wanted)
        error = json.loads(text)["error"] if text else {}
        same(f"{name}: members", set(error), {"message", "type", "param", "code"})
        check(f"{name}: request id", bool(fields.get("x-request-id")), fields)
    same("a key", curl(LIMITED["url"] + "/models", "-H", "authorization: Bearer " + LIMITED["key"])[0], 200)

with part("tools"):
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}}}]
    body = GOOD | {"tools": tools, "tool_choice": "required", "parallel_tool_calls": False, "max_tokens": 90}
    status, _, text = curl(HERMES["url"] + "/chat/completions", body=body)
    choice = json.loads(text)["choices"][0]
    same("tools: reason", choice["finish_reason"], "tool_calls")
    same("tools: members", set(choice["message"]), {"role", "content", "refusal", "tool_calls"})
    call = choice["message"]["tool_calls"][0]
    same("tools: a call's members", (set(call), set(call["function"])), ({"id", "type", "function"}, {"name", "arguments"}))
    check("tools: arguments", call["function"]["arguments"] in ('{"a": true}', '{"a": false}'), call)
    _, _, text = curl(HERMES["url"] + "/chat/completions", "-N", body=body | {"stream": True})
    deltas = [json.loads(line[6:])["choices"][0]["delta"] for line in text.split("\n") if line.startswith("data: {")]
    same("tools: first delta", deltas[0], {"role": "assistant", "content": None})
    same("tools: second delta", deltas[1], {"tool_calls": [{"index": 0, "id": call["id"], "type": "function", "function": {"name": "f", "arguments": ""}}]})
    rest = [delta["tool_calls"][0] for delta in deltas[2:-1]]
    same("tools: the others' members", {tuple(sorted(d)) for d in rest}, {("function", "index")})
    same("tools: arguments in pieces", "".join(d["function"]["arguments"] for d in rest), call["function"]["arguments"])
    same("tools: last delta", deltas[-1], {})

with part("around it"):
    for path in ("/health", "/ready", "/version", "/metrics"):
        same(path, curl(PLAIN["origin"] + path)[0], 200)
    same("HEAD", curl(PLAIN["origin"] + "/health", "--head")[0], 200)
    ids = json.loads(curl(PLAIN["origin"] + "/tokenize", body={"prompt": "the"})[2])["tokens"]
    same("detokenize", json.loads(curl(PLAIN["origin"] + "/detokenize", body={"tokens": ids})[2])["prompt"], "the")

report()
