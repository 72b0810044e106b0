"""`serve`: tokens and log-probabilities do not depend on batch, chunks, cache, threads, neighbours or restarts.

Random requests are asked one by one of a server that computes one row at a time, and then all at once, in another order,
of servers of other shapes. ONGGI_EXACTNESS_REQUESTS sets how many there are.
"""

import concurrent.futures
import json
import os
import random
import shutil
import tempfile
import unittest
from pathlib import Path

import binary
from serve_test import Server
from workshop import Workshop, trained_adapter

NUM_REQUESTS = int(os.environ.get("ONGGI_EXACTNESS_REQUESTS", "160"))
ALONE = ["--batch-rows", 1, "--threads", 1, "--cache-tokens", 0, "--chunk-tokens", 4096]
SHAPES = [
    ["--batch-rows", 32, "--threads", 2, "--cache-tokens", 100_000, "--chunk-tokens", 64],
    ["--batch-rows", 7, "--threads", 1, "--cache-tokens", 2_000, "--chunk-tokens", 33],
    ["--batch-rows", 3, "--threads", 2, "--cache-tokens", 0, "--chunk-tokens", 7],
]
WORDS = "촉촉하고 좋아요 아쉬워요 the cream 보습 순하게 스며드는 향 very good 배송 빨라요 😀 {\"a\": 1} <b> \\n".split()
FORMS = [
    {},
    {},
    {"guided_choice": ["good", "bad", "무관", "good enough"]},
    {"guided_regex": "[a-z가-힣 ]{3,20}"},
    {"structured_outputs": {"json": {"type": "array", "maxItems": 2, "items": {"enum": ["보습", "향", "배송"]}}}},
    {"structured_outputs": {"json": {"type": "object", "properties": {"n": {"type": "integer"}, "ok": {"type": "boolean"}}, "required": ["n", "ok"], "additionalProperties": False}}},
]


def words(rng, low, high):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(low, high)))


def request(rng, beginnings):
    """Path and body of one request, each in its own way."""
    body = {
        "model": rng.choice(["model", "tuned", "other"]),
        "max_tokens": rng.randint(1, 24),
        "temperature": rng.choice([0, 0, 0.7, 1, 1.5]),
        "seed": rng.randint(0, 2**63 - 1),
        "top_k": rng.choice([0, 0, 5, 40]),
        "top_p": rng.choice([1, 1, 0.9, 0.5]),
        "min_p": rng.choice([0, 0, 0.05]),
        "presence_penalty": rng.choice([0, 0, 0, 1]),
        "repetition_penalty": rng.choice([1, 1, 1, 1.3]),
        "priority": rng.choice([0, 0, 5]),
    }
    if rng.random() < 0.2:
        body["stop"] = [rng.choice(WORDS), "e"]
    if rng.random() < 0.2:
        body["logit_bias"] = {str(rng.randint(10, 200)): rng.choice([-5, 3])}
    if body["temperature"] > 0:
        body["n"] = rng.choice([1, 1, 1, 3])
    beginning = rng.choice(beginnings)
    if rng.random() < 0.5:
        body |= rng.choice(FORMS)
        body |= {"messages": [{"role": "system", "content": beginning}, {"role": "user", "content": words(rng, 0, 30)}]}
        return "/v1/chat/completions", body | {"logprobs": True, "top_logprobs": rng.choice([0, 3])}
    prompt = f"{beginning} {words(rng, 0, 30)}"
    return "/v1/completions", body | {"prompt": rng.choice([prompt, [prompt, words(rng, 1, 5)]]), "logprobs": rng.choice([0, 3])}


class Exactness(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.w = Workshop(Path(scratch.name))
        shutil.copytree(trained_adapter(), cls.w.folder / "tuned")
        result = binary.run(*cls.w.sft("--seed", 5, "--learning-rate", 0.05))
        assert not binary.faults_of(result), result.stderr
        cls.flags = ["--base", cls.w.base, "--adapter", f"tuned={cls.w.folder / 'tuned'}", "--adapter", f"other={cls.w.run / 'adapter'}"]
        rng = random.Random(20261127)
        beginnings = ["", "짧게 답하세요. ", "같은 말로 시작합니다. " * 12, words(rng, 60, 90)]
        cls.requests = [request(rng, beginnings) for _ in range(NUM_REQUESTS)]

    def answers(self, server, order, num_clients):
        def ask(i):
            path, body = self.requests[i]
            status, _, text = server.request("POST", path, body)
            self.assertEqual(status, 200, f"request {i}: {body}: {text}")
            return i, json.loads(text)["choices"]

        with concurrent.futures.ThreadPoolExecutor(num_clients) as pool:
            return dict(pool.map(ask, order))

    def compare(self, flags):
        order = list(range(NUM_REQUESTS))
        alone = Server(*self.flags, *flags, *ALONE, "--quiet")
        want = self.answers(alone, order, 1)
        self.assertEqual(alone.stop()[0], 0)
        self.assertGreater(len({json.dumps(choices) for choices in want.values()}), NUM_REQUESTS // 2)
        for number, shape in enumerate(SHAPES):
            server = Server(*self.flags, *flags, *shape, "--quiet")
            for turn in range(2):  # cold, then warm
                random.Random(number * 2 + turn).shuffle(order)
                found = self.answers(server, order, 48)
                differing = [i for i in order if found[i] != want[i]]
                self.assertEqual(differing, [], f"{flags} {shape}, turn {turn}: {self.requests[differing[0]] if differing else ''}")
            self.assertEqual(server.stop()[0], 0)

    def test_an_answer_depends_on_its_request_alone(self):
        self.compare([])

    def test_so_it_does_with_adapters_in_int8(self):
        self.compare(["--adapter-type", "int8"])


if __name__ == "__main__":
    unittest.main()
