"""`serve`: OpenAI's chat and completions over real sockets; the same answer alone and in a crowd."""

import concurrent.futures
import hashlib
import http.client
import json
import math
import shutil
import signal
import tempfile
import time
import unittest
from pathlib import Path

import binary
from workshop import Workshop, trained_adapter


class Server:
    """The binary, listening on a port of its own."""

    def __init__(self, *arguments):
        self.errors = tempfile.TemporaryFile()  # A pipe that nobody reads would hold up the server.
        self.process = binary.start("serve", "--port", 0, *arguments, stderr=self.errors)
        self.lines = []
        for line in iter(self.process.stdout.readline, b""):
            self.lines.append(line.decode())
            if "listening on" in self.lines[-1]:
                self.port = int(self.lines[-1].rsplit(":", 1)[1].split("/")[0])
                return
        raise AssertionError(f"no server: {self.lines} {self.log()}")

    def log(self):
        self.errors.seek(0)
        return self.errors.read().decode()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        output, _ = self.process.communicate(timeout=60)
        log = self.log()
        self.errors.close()
        return self.process.returncode, output.decode(), log

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            content = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body, ensure_ascii=False).encode()
            connection.request(method, path, content, {"content-type": "application/json"} | (headers or {}))
            response = connection.getresponse()
            return response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read().decode()
        finally:
            connection.close()

    def post(self, path, body):
        status, _, text = self.request("POST", path, body)
        if status != 200:
            raise AssertionError(f"{status}: {text}")
        return json.loads(text)

    def events(self, path, body):
        """The JSON of every event of a stream; the last must be [DONE]."""
        status, headers, text = self.request("POST", path, body | {"stream": True})
        assert (status, headers["content-type"]) == (200, "text/event-stream"), text
        events = [line[6:] for line in text.split("\n") if line.startswith("data: ")]
        assert events[-1] == "[DONE]", events[-3:]
        return [json.loads(event) for event in events[:-1]]


def question(i):
    """One of many requests, each in its own way."""
    body = {
        "model": ["model", "tuned", "other"][i % 3],
        "messages": [{"role": "system", "content": "짧게 답하세요. " * (1 + i % 4)}, {"role": "user", "content": f"후기 {i}: 촉촉하고 좋아요 <|im_end|> {'!' * i}"}],
        "max_tokens": 6 + i % 9,
        "temperature": [0, 1, 0.7][i % 3],
        "seed": i,
        "logprobs": True,
        "top_logprobs": i % 4,
    }
    if i % 2:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {
                "name": "answer",
                "strict": True,
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["label"],
                    "properties": {"label": {"enum": ["good", "bad", "무관"]}},
                },
            },
        }
        body["max_tokens"] = 40
    return body


class Serve(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        folder = Path(cls.scratch.name)
        cls.w = Workshop(folder)
        shutil.copytree(trained_adapter(), folder / "adapter")
        cls.flags = ["--base", cls.w.base, "--adapter", f"tuned={folder / 'adapter'}", "--adapter", f"other={folder / 'adapter'}"]
        cls.server = Server(*cls.flags, "--batch-rows", 16, "--chunk-tokens", 40)
        cls.addClassCleanup(cls.stop)

    @classmethod
    def stop(cls):
        status, _, errors = cls.server.stop()
        faults = [fault for fault in binary.FAULTS if fault in errors]
        if status != 0 or faults:
            raise AssertionError(f"the server ended with {status}, {faults}: {errors[-2000:]}")

    def choices(self, body):
        answer = self.server.post("/v1/chat/completions", body)
        return answer["choices"], answer["usage"]["completion_tokens"]

    def refused(self, path, body, status, *names, method="POST"):
        found, headers, text = self.server.request(method, path, body)
        self.assertEqual(found, status, text)
        error = json.loads(text)["error"]
        self.assertEqual(set(error), {"message", "type", "param", "code"})
        self.assertIn("x-request-id", headers)
        for name in names:
            self.assertIn(name, text)
        return error, headers

    def test_the_same_answer_alone_and_in_a_crowd(self):
        alone = [self.choices(question(i)) for i in range(24)]
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            together = list(pool.map(lambda i: self.choices(question(i)), list(range(24)) * 2))
        for i, answer in enumerate(together):
            self.assertEqual(answer, alone[i % 24], f"question {i % 24}")
        other = Server(*self.flags, "--batch-rows", 1, "--threads", 1, "--cache-tokens", 0)
        again = [other.post("/v1/chat/completions", question(i)) for i in range(24)]
        self.assertEqual(other.stop()[0], 0)
        self.assertEqual([(a["choices"], a["usage"]["completion_tokens"]) for a in again], alone)

    def test_a_stream_holds_what_the_whole_answer_holds(self):
        # The last one's answer has the beginning of a character that never comes.
        broken = {"messages": [{"role": "user", "content": "크림"}], "max_tokens": 40, "temperature": 0.7, "seed": 5, "logprobs": True}
        for body in [*map(question, range(8)), broken]:
            whole = self.server.post("/v1/chat/completions", body)
            events = self.server.events("/v1/chat/completions", body | {"stream_options": {"include_usage": True}})
            self.assertEqual(len({event["id"] for event in events}), 1)
            self.assertEqual(events[0]["choices"][0]["delta"], {"role": "assistant", "content": ""})
            self.assertEqual(events[-1]["choices"], [])
            self.assertEqual(events[-1]["usage"]["completion_tokens"], whole["usage"]["completion_tokens"])
            pieces = [event["choices"][0] for event in events[:-1]]
            text = "".join(piece["delta"].get("content", "") for piece in pieces)
            self.assertEqual(text, whole["choices"][0]["message"]["content"])
            probabilities = [item for piece in pieces if piece["logprobs"] for item in piece["logprobs"]["content"]]
            self.assertEqual(probabilities, whole["choices"][0]["logprobs"]["content"])
            self.assertEqual([p["finish_reason"] for p in pieces if p["finish_reason"]], [whole["choices"][0]["finish_reason"]])

    def test_guided_answers_are_valid(self):
        for form in (
            {"structured_outputs": {"choice": ["good", "bad"]}},
            {"guided_choice": ["good", "bad"]},
            {"guided_regex": "(good|bad)"},
            {"structured_outputs": {"json": {"enum": ["good", "bad"]}}},
        ):
            for seed in range(5):
                choices, _ = self.choices({"messages": [{"role": "user", "content": "?"}], "seed": seed, "max_tokens": 20} | form)
                self.assertIn(choices[0]["message"]["content"].strip('"'), ("good", "bad"))
                self.assertEqual(choices[0]["finish_reason"], "stop")

    def test_each_field_of_an_answer_has_its_probability(self):
        schema = {"type": "object", "properties": {"mood": {"enum": ["good", "bad"]}, "stars": {"enum": [1, 2]}}, "required": ["mood", "stars"], "additionalProperties": False}
        body = {"messages": [{"role": "user", "content": "?"}], "seed": 3, "max_tokens": 40, "guided_json": schema, "logprobs": True, "field_probabilities": True}
        choice = self.server.post("/v1/chat/completions", body)["choices"][0]
        fields = choice["field_probabilities"]
        answer = json.loads(choice["message"]["content"])
        self.assertEqual([(f["field"], f["text"]) for f in fields], [("/mood", answer["mood"]), ("/stars", str(answer["stars"]))])
        text = choice["message"]["content"].encode()
        for field in fields:
            begin = text.index(field["text"].encode())
            end, at, log_probability = begin + len(field["text"].encode()), 0, 0.0
            for token in choice["logprobs"]["content"]:
                if at < end and at + len(token["bytes"]) > begin:
                    log_probability += token["logprob"]
                at += len(token["bytes"])
            self.assertAlmostEqual(field["probability"], math.exp(log_probability), places=6)
            self.assertLess(field["probability"], 1)
        last = [event["choices"][0] for event in self.server.events("/v1/chat/completions", body)][-1]
        self.assertEqual(last["field_probabilities"], fields)
        free = self.server.post("/v1/chat/completions", body | {"guided_json": None, "max_tokens": 3})["choices"][0]
        self.assertEqual(free["field_probabilities"], [])

    def test_completions_echo_stop_and_give_log_probabilities(self):
        body = {"model": "tuned", "prompt": ["상품: 크림", "the"], "max_tokens": 12, "temperature": 0, "logprobs": 2, "echo": True}
        answer = self.server.post("/v1/completions", body)
        self.assertEqual([choice["index"] for choice in answer["choices"]], [0, 1])
        first = answer["choices"][0]
        self.assertTrue(first["text"].startswith("상품: 크림"))
        self.assertEqual(len(first["logprobs"]["tokens"]), len(first["logprobs"]["top_logprobs"]))
        num_tokens = len(self.server.post("/tokenize", {"prompt": "상품: 크림"})["tokens"])
        self.assertEqual(first["logprobs"]["text_offset"][num_tokens], len("상품: 크림"))
        plain = self.server.post("/v1/completions", body | {"echo": False})["choices"][1]["text"]
        ids = self.server.post("/tokenize", {"prompt": "the"})["tokens"]
        self.assertEqual(self.server.post("/v1/completions", body | {"echo": False, "prompt": ids})["choices"][0]["text"], plain)
        self.assertEqual(self.server.post("/detokenize", {"tokens": ids})["prompt"], "the")
        readable = [c for c in plain if c.isascii() and c.isprintable()]
        if readable:
            stopped = self.server.post("/v1/completions", body | {"echo": False, "stop": readable[0]})["choices"][1]
            self.assertEqual((stopped["text"], stopped["finish_reason"]), (plain.split(readable[0])[0], "stop"))

    def test_several_choices_are_a_choice_each(self):
        body = question(1) | {"n": 5, "temperature": 1}
        choices, _ = self.choices(body)
        self.assertEqual([choice["index"] for choice in choices], [0, 1, 2, 3, 4])
        self.assertEqual(self.choices(body)[0], choices)
        events = self.server.events("/v1/chat/completions", body)
        for index in range(5):
            text = "".join(e["choices"][0]["delta"].get("content", "") for e in events if e["choices"][0]["index"] == index)
            self.assertEqual(text, choices[index]["message"]["content"])

    def test_the_beginning_that_prompts_share_is_computed_once(self):
        messages = [{"role": "system", "content": "같은 말로 시작합니다. " * 30}, {"role": "user", "content": "하나"}]
        body = {"messages": messages, "max_tokens": 4, "temperature": 0, "logprobs": True}
        cold = self.server.post("/v1/chat/completions", body)
        warm = self.server.post("/v1/chat/completions", body)
        self.assertEqual(warm["choices"], cold["choices"])
        cached = warm["usage"]["prompt_tokens_details"]["cached_tokens"]
        self.assertGreater(cached, 0.7 * warm["usage"]["prompt_tokens"])
        self.assertEqual(self.server.post("/v1/chat/completions", body | {"model": "tuned"})["usage"]["prompt_tokens_details"]["cached_tokens"], 0)

    def test_what_is_wrong_is_named(self):
        chat, text = "/v1/chat/completions", "/v1/completions"
        good = {"messages": [{"role": "user", "content": "?"}], "max_tokens": 4}
        self.refused(chat, "{", 400, "invalid_json")
        self.refused(chat, "[1]", 400, "invalid_json")
        self.refused(chat, '{"model": "a", "model": "b"}', 400, "invalid_json")
        self.refused(chat, {}, 400, "messages")
        for change, name in (
            ({"messages": []}, "messages"),
            ({"messages": [{"role": "king", "content": "?"}]}, "messages[0].role"),
            ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]"),
            ({"temperature": "hot"}, "temperature"),
            ({"temperature": 3}, "temperature"),
            ({"top_p": 0}, "top_p"),
            ({"n": 0}, "n"),
            ({"max_tokens": 0}, "max_tokens"),
            ({"stop": [""]}, "stop"),
            ({"top_logprobs": 3}, "top_logprobs"),
            ({"seed": 0.5}, "seed"),
            ({"stream": "yes"}, "stream"),
            ({"response_format": {"type": "xml"}}, "response_format.type"),
            ({"guided_regex": "("}, "guided_regex"),
            ({"guided_choice": ["a"], "guided_regex": "b"}, "guided_choice"),
            ({"response_format": {"type": "json_schema", "json_schema": {"schema": {"not": {}}}}}, "response_format.json_schema.schema"),
            ({"logit_bias": {"five": 1}}, "logit_bias"),
            ({"logit_bias": {"5": 101}}, "logit_bias"),
            ({"presence_penalty": 3}, "presence_penalty"),
            ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ):
            error, _ = self.refused(chat, good | change, 400)
            self.assertEqual(error["param"], name, error)
        self.refused(chat, good | {"model": "absent"}, 404, "absent", "tuned")
        self.refused(chat, good | {"messages": [{"role": "user", "content": "긴 말 " * 2000}]}, 400, "context_length_exceeded")
        self.refused(text, {"prompt": [[999_999]]}, 400, "999999")
        self.refused(text, {"prompt": []}, 400, "prompt")
        self.refused("/v1/nothing", {}, 404)
        self.refused(chat, None, 405, method="GET")
        self.refused("/v1/load_lora_adapter", {"lora_name": "x", "lora_path": "/"}, 404)
        status, _, _ = self.server.request("POST", chat, json.dumps(good), {"content-type": "text/xml"})
        self.assertEqual(status, 415)
        status, headers, _ = self.server.request("POST", chat, "x" * (9 << 20), {"x-request-id": "mine"})
        self.assertEqual((status, headers["x-request-id"]), (413, "mine"))
        self.assertEqual(self.server.post(chat, good | {"unknown": 1, "user": "u", "logit_bias": {}, "metadata": None})["object"], "chat.completion")

    def test_bias_and_penalties(self):
        the = self.server.post("/tokenize", {"prompt": "the", "add_special_tokens": False})["tokens"]
        self.assertEqual(len(the), 1)
        body = {"prompt": "a", "max_tokens": 4, "temperature": 0}
        self.assertEqual(self.server.post("/v1/completions", body | {"logit_bias": {str(the[0]): 100}})["choices"][0]["text"], "thethethethe")
        plain = self.server.post("/v1/completions", body | {"max_tokens": 30})["choices"][0]["text"]
        self.assertNotEqual(self.server.post("/v1/completions", body | {"max_tokens": 30, "presence_penalty": 2, "frequency_penalty": 2, "repetition_penalty": 3})["choices"][0]["text"], plain)

    def test_what_comes_too_late_is_not_computed(self):
        body = {"prompt": "the", "max_tokens": 900, "n": 100, "seed": 3, "guided_regex": "[a-z]{900,4000}"}
        status, headers, text = self.server.request("POST", "/v1/completions", body, {"x-request-timeout-ms": "20"})
        self.assertEqual((status, headers["x-should-retry"], json.loads(text)["error"]["code"]), (408, "false", "deadline_exceeded"))
        status, _, text = self.server.request("POST", "/v1/completions", body, {"x-request-timeout-ms": "soon"})
        self.assertEqual((status, "soon" in text), (400, True))

    def test_it_says_what_it_serves_and_counts(self):
        models = json.loads(self.server.request("GET", "/v1/models")[2])["data"]
        self.assertEqual([(m["id"], m["parent"]) for m in models], [("model", None), ("other", "model"), ("tuned", "model")])
        for path in ("/health", "/ready", "/version"):
            self.assertEqual(self.server.request("GET", path)[0], 200)
        self.server.post("/v1/chat/completions", question(0))
        metrics = self.server.request("GET", "/metrics")[2]
        for name in ("vllm:num_requests_running{", "vllm:generation_tokens_total{", "vllm:request_success_total{"):
            self.assertIn(name, metrics)

    def test_a_client_that_leaves_frees_its_place(self):
        def cancelled():
            text = self.server.request("GET", "/metrics")[2]
            return float(next(line for line in text.split("\n") if line.startswith("onggi_cancelled_total")).split()[-1])

        before = cancelled()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        body = {"prompt": "the", "max_tokens": 900, "n": 100, "temperature": 1, "seed": 3, "stream": True, "guided_regex": "[a-z]{900,4000}"}
        connection.request("POST", "/v1/completions", json.dumps(body), {"content-type": "application/json"})
        response = connection.getresponse()
        response.read(100)
        response.close()
        connection.close()
        deadline = time.monotonic() + 30
        while cancelled() == before and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertGreater(cancelled(), before)


class Lifecycle(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))

    def test_at_sigterm_what_runs_is_finished(self):
        server = Server("--base", self.w.base)
        body = {"prompt": "the", "max_tokens": 400, "seed": 3, "guided_regex": "[a-z]{400,4000}"}
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = [pool.submit(server.request, "POST", "/v1/completions", body) for _ in range(4)]
            deadline = time.monotonic() + 30
            while "num_requests_running{" not in (text := server.request("GET", "/metrics")[2]) or 'num_requests_running{model_name="model",engine="0"} 4' not in text:
                self.assertLess(time.monotonic(), deadline, text)
            status, output, _ = server.stop()
            self.assertEqual(status, 0)
            self.assertIn("stopping", output)
            for answer in answers:
                self.assertEqual(answer.result()[0], 200)

    def test_adapters_come_and_go_while_it_serves(self):
        shutil.copytree(trained_adapter(), self.w.folder / "adapter")
        server = Server("--base", self.w.base, "--load-adapters")
        body = {"model": "late", "prompt": "the", "max_tokens": 8, "temperature": 0}
        self.assertEqual(server.request("POST", "/v1/completions", body)[0], 404)
        load = {"lora_name": "late", "lora_path": str(self.w.folder / "adapter")}
        self.assertEqual(server.request("POST", "/v1/load_lora_adapter", load)[0], 200)
        self.assertEqual(server.post("/v1/completions", body)["model"], "late")
        status, _, text = server.request("POST", "/v1/load_lora_adapter", load | {"lora_path": "/nowhere"})
        self.assertEqual((status, "/nowhere" in text), (404, True))
        self.assertEqual(server.request("POST", "/v1/unload_lora_adapter", load)[0], 200)
        self.assertEqual(server.request("POST", "/v1/unload_lora_adapter", load)[0], 404)
        self.assertEqual(server.request("POST", "/v1/completions", body)[0], 404)
        self.assertEqual(server.stop()[0], 0)

    def test_keys_open_the_api(self):
        keys = self.w.write("keys.txt", "# ours\nfirst-key\nsha256:" + hashlib.sha256(b"second-key").hexdigest() + "\n")
        keys.chmod(0o600)
        server = Server("--base", self.w.base, "--keys", keys)
        body = {"prompt": "the", "max_tokens": 2}
        for key, wanted in ((None, 401), ("Bearer wrong", 401), ("first-key", 401), ("Bearer first-key", 200), ("bearer second-key", 200)):
            status, _, text = server.request("POST", "/v1/completions", body, {"authorization": key} if key else {})
            self.assertEqual(status, wanted, text)
        self.assertEqual(server.request("GET", "/v1/models")[0], 401)
        self.assertEqual(server.request("GET", "/health")[0], 200)
        status, _, errors = server.stop()
        self.assertEqual(status, 0)
        self.assertNotIn("first-key", errors)

    def test_too_much_work_is_refused_with_the_time_to_come_back(self):
        server = Server("--base", self.w.base, "--max-waiting-tokens", 500)
        body = {"prompt": "the", "max_tokens": 900, "seed": 3, "guided_regex": "[a-z]{900,4000}"}
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            results = list(pool.map(lambda _: server.request("POST", "/v1/completions", body), range(6)))
        statuses = sorted(status for status, _, _ in results)
        self.assertIn(200, statuses)
        for status, headers, _ in results:
            if status == 429:
                self.assertGreaterEqual(int(headers["retry-after-ms"]), 1)
                self.assertGreaterEqual(int(headers["retry-after"]), 1)
        self.assertEqual(server.stop()[0], 0)

    def test_wrong_flags_are_refused(self):
        for flags, names in (
            (("--adapter", "no-folder"), ("no-folder", "name=FOLDER")),
            (("--adapter", "a=/nowhere"), ("/nowhere",)),
            (("--host", "not an address"), ("not an address",)),
            (("--batch-rows", 0), ("batch rows",)),
            (("word",), ("positional",)),
            (("--keys", "/nowhere"), ("/nowhere",)),
            (("--keys", self.w.write("empty.txt", "# none\n")), ("empty.txt", "no key")),
            (("--keys", self.w.write("odd.txt", "sha256:12\n")), ("odd.txt", "sha256")),
        ):
            result = binary.run("serve", "--base", self.w.base, "--port", 0, *flags)
            self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)
        result = binary.run("serve", "--base", self.w.base, "--check")
        self.assertEqual(binary.faults_of(result), [])
        self.assertIn("serving model", result.stdout)


if __name__ == "__main__":
    unittest.main()
