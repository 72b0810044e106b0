"""`serve` when everything happens at once: clients that leave, deadlines, adapters that come and go, guides that nobody has
seen before, vectors and counts in between. Every answer that is given is the one that the request has alone.

ONGGI_STORM_SECONDS sets how long it lasts. Under the thread sanitizer: ONGGI_BINARY=build/tsan/bin/onggi.
"""

import collections
import http.client
import json
import os
import random
import shutil
import tempfile
import threading
import time
import unittest
from pathlib import Path

import binary
from serve_test import Server, question
from workshop import Workshop, trained_adapter

SECONDS = float(os.environ.get("ONGGI_STORM_SECONDS", "4"))
NUM_CLIENTS = 12
NUM_QUESTIONS = 24
LATE_NAMES = ["late-a", "late-b", "late-c"]


class Storm(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        w = Workshop(self.folder)
        shutil.copytree(trained_adapter(), self.folder / "adapter")
        self.server = Server("--base", w.base, "--load-adapters", "--adapter", f"tuned={self.folder / 'adapter'}",
                             "--adapter", f"other={self.folder / 'adapter'}", "--batch-rows", 8, "--chunk-tokens", 24,
                             "--cache-tokens", 3_000, "--threads", 2)  # fmt: skip
        self.addCleanup(self.server.process.kill)
        self.alone = [self.choices(self.server.post("/v1/chat/completions", question(i))) for i in range(NUM_QUESTIONS)]
        self.seen = collections.Counter()
        self.wrong = []

    @staticmethod
    def choices(answer):
        return json.dumps(answer["choices"], ensure_ascii=False, sort_keys=True)

    def expect(self, what, status, text, allowed):
        self.seen[what, status] += 1
        if status not in allowed:
            self.wrong.append(f"{what}: {status} {text[:300]}")

    def asks(self, rng):
        i = rng.randrange(NUM_QUESTIONS)
        status, _, text = self.server.request("POST", "/v1/chat/completions", question(i))
        self.expect("asks", status, text, {200})
        if status == 200 and self.choices(json.loads(text)) != self.alone[i]:
            self.wrong.append(f"question {i} has another answer: {text}")

    def leaves(self, rng):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        body = {"prompt": "the", "max_tokens": 300, "n": rng.randint(1, 6), "seed": rng.randrange(9), "stream": True, "guided_regex": "[a-z]{300,900}"}
        connection.request("POST", "/v1/completions", json.dumps(body), {"content-type": "application/json"})
        if rng.random() < 0.7:
            response = connection.getresponse()
            self.expect("leaves", response.status, "", {200})
            response.read(rng.randint(1, 3000))
            response.close()
        connection.close()

    def is_late(self, rng):
        body = {"prompt": "the", "max_tokens": 300, "seed": rng.randrange(9), "guided_regex": "[a-z]{300,900}", "stream": rng.random() < 0.3}
        status, _, text = self.server.request("POST", "/v1/completions", body, {"x-request-timeout-ms": str(rng.randint(1, 60))})
        self.expect("is late", status, text, {200, 408})

    def swaps(self, rng):
        load = {"lora_name": rng.choice(LATE_NAMES), "lora_path": str(self.folder / "adapter")}
        action, allowed = rng.choice([("load", {200, 400, 409}), ("unload", {200, 404, 409})])
        status, _, text = self.server.request("POST", f"/v1/{action}_lora_adapter", load)
        self.expect(action, status, text, allowed)

    def asks_what_may_be_gone(self, rng):
        i = rng.choice([i for i in range(NUM_QUESTIONS) if question(i)["model"] != "model"])
        status, _, text = self.server.request("POST", "/v1/chat/completions", question(i) | {"model": rng.choice(LATE_NAMES)})
        self.expect("may be gone", status, text, {200, 404})
        if status == 200 and self.choices(json.loads(text)) != self.alone[i]:
            self.wrong.append(f"question {i} has another answer of an adapter loaded late: {text}")

    def brings_a_new_guide(self, rng):
        schema = {"type": "array", "minItems": 1, "maxItems": 2, "items": {"enum": [f"{rng.random()}" for _ in range(rng.randint(1, 30))]}}
        status, _, text = self.server.request("POST", "/v1/completions", {"prompt": "the", "max_tokens": 80, "structured_outputs": {"json": schema}})
        self.expect("guide", status, text, {200})
        if status == 200 and (choice := json.loads(text)["choices"][0])["finish_reason"] == "stop":
            if not set(json.loads(choice["text"])) <= set(schema["items"]["enum"]):
                self.wrong.append(f"{choice['text']} does not keep to {schema}")

    def looks(self, rng):
        path, body = rng.choice([("/metrics", None), ("/v1/models", None), ("/health", None), ("/v1/embeddings", {"input": ["좋아요 " * rng.randint(1, 20)]}),
                                 ("/tokenize", {"prompt": "the 좋아요"})])  # fmt: skip
        status, _, text = self.server.request("POST" if body else "GET", path, body)
        self.expect("looks", status, text, {200})

    def client(self, seed, until):
        rng = random.Random(seed)
        actions = [self.asks, self.asks, self.leaves, self.is_late, self.swaps, self.asks_what_may_be_gone, self.brings_a_new_guide, self.looks]
        while time.monotonic() < until and not self.wrong:
            try:
                rng.choice(actions)(rng)
            except Exception as error:
                self.wrong.append(f"{error!r} of client {seed}")

    def test_every_answer_is_the_one_that_its_request_has_alone(self):
        until = time.monotonic() + SECONDS
        clients = [threading.Thread(target=self.client, args=(seed, until)) for seed in range(NUM_CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertEqual(self.wrong, [], self.server.log()[-3000:])
        deadline = time.monotonic() + 60
        while 'num_requests_running{model_name="model",engine="0"} 0' not in (text := self.server.request("GET", "/metrics")[2]):
            self.assertLess(time.monotonic(), deadline, text)
            time.sleep(0.05)
        status, _, log = self.server.stop()
        self.assertEqual((status, [fault for fault in (*binary.FAULTS, "ThreadSanitizer") if fault in log]), (0, []), log[-3000:])
        if SECONDS >= 4:
            self.assertTrue({("asks", 200), ("leaves", 200), ("load", 200), ("unload", 200), ("guide", 200)} <= set(self.seen), self.seen)
        print("of", sum(self.seen.values()), "actions:", dict(self.seen))


if __name__ == "__main__":
    unittest.main()
