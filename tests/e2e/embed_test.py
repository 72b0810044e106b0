"""`embed`, /v1/embeddings, /v1/score and the log-probabilities of prompts: the same bits by every way."""

import ast
import base64
import concurrent.futures
import json
import math
import shutil
import struct
import tempfile
import unittest
from pathlib import Path

import binary
from serve_test import Server
from workshop import Workshop, jsonl, trained_adapter

TEXTS = [f"{i}번째 구매예요. {'촉촉하고 ' * (i * 7 % 40)}좋아요" for i in range(1, 30)]


def floats(data):
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def read_npy(path):
    """Rows of a little-endian f32 NumPy file."""
    content = path.read_bytes()
    assert content[:8] == b"\x93NUMPY\x01\x00"
    end = 10 + struct.unpack("<H", content[8:10])[0]
    header = ast.literal_eval(content[10:end].decode())
    rows, columns = header["shape"]
    assert (header["descr"], header["fortran_order"], end % 64) == ("<f4", False, 0)
    assert len(content) == end + 4 * rows * columns, (len(content), header)
    return [floats(content[end + 4 * columns * i : end + 4 * columns * (i + 1)]) for i in range(rows)]


def length(vector):
    return math.sqrt(sum(x * x for x in vector))


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / length(a) / length(b)


class Embed(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.w = Workshop(self.folder)
        self.rows = self.w.write("texts.jsonl", jsonl([{"id": f"t{i}", "review": text} for i, text in enumerate(TEXTS)]))
        self.output = self.folder / "vectors.npy"

    def command(self, *more, **files):
        flags = {"base": self.w.base, "rows": self.rows, "text": "review", "output": self.output} | files
        return Workshop._command("embed", flags, *more)

    def good(self, *more, **files):
        result = binary.run(*self.command(*more, **files))
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        return result.stdout

    def test_threads_batches_and_formats_change_no_bit(self):
        self.assertIn(f"{len(TEXTS)} rows embedded in 32 dimensions, 0 failed", self.good("--threads", 2))
        vectors = read_npy(self.output)
        self.assertEqual(len(vectors), len(TEXTS))
        for vector in vectors:
            self.assertAlmostEqual(length(vector), 1, 5)
        ids = [json.loads(line) for line in Path(f"{self.output}.ids.jsonl").read_text().splitlines()]
        self.assertEqual(ids, [{"id": f"t{i}"} for i in range(len(TEXTS))])
        other = self.folder / "other.jsonl"
        self.good("--threads", 1, "--batch-rows", 1, output=other)
        lines = [json.loads(line) for line in other.read_text().splitlines()]
        self.assertEqual([line["id"] for line in lines], [f"t{i}" for i in range(len(TEXTS))])
        for line, vector in zip(lines, vectors):
            self.assertEqual(floats(struct.pack("<32f", *line["embedding"])), vector)

    def test_a_template_is_embedded_as_its_text(self):
        self.w.write("whole.jsonl", jsonl([{"whole": "후기: " + text} for text in TEXTS]))
        fixed = self.w.write("fixed.txt", "후기: {{review}}")
        for pooling in ("mean", "last"):
            whole, parts = self.folder / f"whole-{pooling}.npy", self.folder / f"parts-{pooling}.npy"
            self.good("--pooling", pooling, output=whole, rows=self.folder / "whole.jsonl", text="whole")
            self.good("--pooling", pooling, output=parts, text=None, template=fixed)
            for a, b in zip(read_npy(whole), read_npy(parts)):
                self.assertGreater(cosine(a, b), 0.9)  # Tokens may join across the border where the text is one piece.

    def test_fewer_dimensions_are_the_first_brought_to_length_one(self):
        self.good()
        short = self.folder / "short.npy"
        self.good("--dimensions", 8, output=short)
        for whole, cut in zip(read_npy(self.output), read_npy(short)):
            size = length(whole[:8])
            for a, b in zip(whole[:8], cut):
                self.assertAlmostEqual(a / size, b, 6)

    def test_what_was_torn_or_stopped_is_completed_to_the_same_bytes(self):
        for name in ("vectors.npy", "vectors.jsonl"):
            output = self.folder / name
            self.good(output=output)
            files = [path for path in (output, Path(f"{output}.ids.jsonl")) if path.exists()]
            wanted = [path.read_bytes() for path in files]
            for cuts in ((0, 0), (40, 3), (129, 20), (128 + 4 * 32 * 5 + 7, 90), (10**6, 33), (700, 10**6)):
                for path, content, cut in zip(files, wanted, cuts):
                    path.write_bytes(content[:cut])
                self.good("--batch-rows", 5, output=output)
                self.assertEqual([path.read_bytes() for path in files], wanted, cuts)
            self.assertIn("0 rows embedded", self.good(output=output))
            result = binary.run(*self.command("--pooling", "last", output=output))
            self.assertEqual(binary.faults_of_refusal(result, ["other settings", '"options"."pooling"']), [])

    def test_killed_at_any_time_the_same_command_completes_it(self):
        self.w.write("many.jsonl", jsonl([{"id": str(i), "review": f"{i} {TEXTS[i % len(TEXTS)]}"} for i in range(600)]))
        whole = self.folder / "whole.npy"
        self.good(rows=self.folder / "many.jsonl", output=whole)
        for wait in (0.05, 0.15, 0.3):
            process = binary.start(*self.command(rows=self.folder / "many.jsonl"))
            try:
                process.communicate(timeout=wait)
            except Exception:  # noqa: BLE001 - still running: that is the point
                process.kill()
                process.communicate()
        self.good(rows=self.folder / "many.jsonl")
        self.assertEqual(self.output.read_bytes(), whole.read_bytes())

    def test_a_row_that_is_too_long_fails_alone(self):
        self.w.write("long.jsonl", jsonl([{"id": "a", "review": "좋아요"}, {"id": "b", "review": "x" * 2000}, {"id": "c", "review": "맛"}]))
        self.assertIn("2 rows embedded in 32 dimensions, 1 failed", self.good(rows=self.folder / "long.jsonl"))
        vectors = read_npy(self.output)
        self.assertEqual([any(map(math.isnan, vector)) for vector in vectors], [False, True, False])
        line = json.loads(Path(f"{self.output}.ids.jsonl").read_text().splitlines()[1])
        self.assertEqual(line["id"], "b")
        self.assertIn("longer than the model's context", line["failure"])
        other = self.folder / "long-lines.jsonl"
        self.good(rows=self.folder / "long.jsonl", output=other)
        self.assertEqual([json.loads(line)["embedding"] is None for line in other.read_text().splitlines()], [False, True, False])

    def test_bad_input_is_refused_and_leaves_nothing(self):
        template = self.w.write("p.txt", "{{review}}")
        foreign = self.w.write("foreign.npy", b"something else")
        before = set(binary.files_in(self.folder))
        for more, files, names in (
            ((), {"text": "revew"}, ["revew", "review"]),
            ((), {"text": None}, ["--text"]),
            ((), {"template": template}, ["--text and --template"]),
            ((), {"rows": None}, ["--rows"]),
            ((), {"output": None}, ["--output"]),
            ((), {"output": self.folder / "vectors.txt"}, ["vectors.txt", ".npy or .jsonl"]),
            ((), {"output": foreign}, ["foreign.npy", "onggi embed"]),
            ((), {"adapter": self.folder / "none"}, ["none"]),
            (("--pooling", "max"), {}, ["max", "mean or last"]),
            (("--dimensions", "33"), {}, ["--dimensions is 33", "32"]),
            (("--dimensions", "-1"), {}, ["--dimensions is -1"]),
            (("--batch-rows", "0"), {}, ["batch rows is 0"]),
            (("--dimension", "3"), {}, ["--dimensions"]),
            (("extra",), {}, ["no positional"]),
        ):
            with self.subTest(names):
                result = binary.run(*self.command(*more, **files))
                self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)
                self.assertEqual(set(binary.files_in(self.folder)), before)


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = Path(scratch.name)
        cls.w = Workshop(cls.folder)
        shutil.copytree(trained_adapter(), cls.folder / "adapter")
        cls.flags = ["--base", cls.w.base, "--adapter", f"tuned={cls.folder / 'adapter'}"]
        cls.server = Server(*cls.flags, "--chunk-tokens", 40)
        cls.addClassCleanup(cls.stop)

    @classmethod
    def stop(cls):
        status, _, errors = cls.server.stop()
        faults = [fault for fault in binary.FAULTS if fault in errors]
        if status != 0 or faults:
            raise AssertionError(f"the server ended with {status}, {faults}: {errors[-2000:]}")

    def embeddings(self, texts, **more):
        """As OpenAI's client asks for them."""
        answer = self.server.post("/v1/embeddings", {"model": "model", "input": texts, "encoding_format": "base64"} | more)
        self.assertEqual((answer["object"], [item["index"] for item in answer["data"]]), ("list", list(range(len(answer["data"])))))
        return [floats(base64.b64decode(item["embedding"])) for item in answer["data"]]

    def refused(self, path, body, *names):
        status, _, text = self.server.request("POST", path, body)
        self.assertEqual(status, 400, text)
        error = json.loads(text)["error"]
        for name in names:
            self.assertIn(name, error["message"])
        return error

    def test_the_same_vector_alone_in_a_crowd_and_by_the_command(self):
        alone = [self.embeddings(text)[0] for text in TEXTS]
        self.assertEqual(self.embeddings(TEXTS), alone)

        def ask(i):
            if i % 3 == 0:
                self.server.post("/v1/completions", {"prompt": TEXTS[i % len(TEXTS)], "max_tokens": 9, "seed": i})
            return self.embeddings(TEXTS[i % len(TEXTS)])[0]

        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            self.assertEqual(list(pool.map(ask, range(2 * len(TEXTS)))), alone * 2)
        other = Server(*self.flags, "--batch-rows", 1, "--threads", 1, "--cache-tokens", 0)
        answer = other.post("/v1/embeddings", {"input": TEXTS, "encoding_format": "float"})
        self.assertEqual(other.stop()[0], 0)
        self.assertEqual([floats(struct.pack("<32f", *item["embedding"])) for item in answer["data"]], alone)
        rows = self.w.write("texts.jsonl", jsonl([{"review": text} for text in TEXTS]))
        for flags, wanted in (((), alone), (("--adapter", self.folder / "adapter"), self.embeddings(TEXTS, model="tuned"))):
            output = self.folder / f"vectors-{len(flags)}.npy"
            result = binary.run("embed", "--base", self.w.base, "--rows", rows, "--text", "review", "--output", output, *flags)
            self.assertEqual(binary.faults_of(result), [], result.stderr)
            self.assertEqual(read_npy(output), wanted)
        self.assertNotEqual(self.embeddings(TEXTS, model="tuned"), alone)

    def test_a_beginning_in_the_cache_changes_no_bit(self):
        text = "같은 말로 시작합니다. " * 20
        cold = self.server.post("/v1/embeddings", {"input": text + "하나"})
        warm = self.server.post("/v1/embeddings", {"input": text + "하나"})
        self.assertEqual(warm["data"], cold["data"])
        self.assertEqual(cold["usage"]["prompt_tokens_details"]["cached_tokens"], 0)
        self.assertGreater(warm["usage"]["prompt_tokens_details"]["cached_tokens"], 100)
        self.assertEqual(warm["usage"]["prompt_tokens"], warm["usage"]["total_tokens"])
        self.server.post("/v1/completions", {"prompt": text + "둘", "max_tokens": 1})
        self.assertNotEqual(self.embeddings(text + "셋", pooling="last"), self.embeddings(text + "셋"))

    def test_ids_dimensions_and_pooling(self):
        ids = [self.server.post("/tokenize", {"prompt": text})["tokens"] for text in TEXTS[:3]]
        whole = self.embeddings(TEXTS[:3])
        self.assertEqual(self.embeddings(ids), whole)
        self.assertEqual(self.embeddings(ids[0]), whole[:1])
        for vector, cut in zip(whole, self.embeddings(TEXTS[:3], dimensions=8)):
            size = length(vector[:8])
            self.assertAlmostEqual(length(cut), 1, 6)
            for a, b in zip(vector[:8], cut):
                self.assertAlmostEqual(a / size, b, 6)
        self.assertNotAlmostEqual(length(self.embeddings(TEXTS[:1], normalize=False)[0]), 1, 2)
        # The mean of one token is its own state.
        self.assertEqual(self.embeddings([ids[0][:1]]), self.embeddings([ids[0][:1]], pooling="last"))

    def test_bad_embedding_requests_name_the_member(self):
        for change, param in (
            ({"input": None}, "input"),
            ({"input": ""}, "input"),
            ({"input": []}, "input"),
            ({"input": ["a", ""]}, "input[1]"),
            ({"input": ["a", [1]]}, "input[1]"),
            ({"input": [1, "a"]}, "input"),
            ({"input": [[1, -1]]}, "input[0]"),
            ({"input": [100_000]}, "input"),
            ({"input": {"text": "a"}}, "input"),
            ({"input": ["a"] * 2049}, "input"),
            ({"encoding_format": "hex"}, "encoding_format"),
            ({"dimensions": 0}, "dimensions"),
            ({"dimensions": 33}, "dimensions"),
            ({"pooling": "max"}, "pooling"),
        ):
            with self.subTest(change):
                error = self.refused("/v1/embeddings", {"input": "a"} | change)
                self.assertEqual(error["param"], param)
        error = self.refused("/v1/embeddings", {"input": ["a", "x" * 3000]}, "3000")
        self.assertEqual((error["code"], error["param"]), ("context_length_exceeded", "input"))
        self.assertEqual(self.server.request("POST", "/v1/embeddings", {"model": "none", "input": "a"})[0], 404)
        self.assertEqual(self.server.request("POST", "/v1/embeddings", "{")[0], 400)
        self.assertEqual(self.server.request("GET", "/v1/embeddings")[0], 405)

    def test_scores_of_texts_are_cosines(self):
        vectors = self.embeddings(TEXTS[:4])
        answer = self.server.post("/v1/score", {"text_1": TEXTS[0], "text_2": TEXTS[:4]})
        self.assertEqual([item["index"] for item in answer["data"]], [0, 1, 2, 3])
        for item, vector in zip(answer["data"], vectors):
            self.assertAlmostEqual(item["score"], cosine(vectors[0], vector), 6)
        self.assertAlmostEqual(answer["data"][0]["score"], 1, 12)
        pairs = self.server.post("/v1/score", {"text_1": TEXTS[:2], "text_2": TEXTS[2:4]})["data"]
        self.assertAlmostEqual(pairs[1]["score"], cosine(vectors[1], vectors[3]), 6)
        for body, param in (
            ({"text_1": TEXTS[:2], "text_2": TEXTS[:3]}, "text_2"),
            ({"text_1": "a"}, "text_2"),
            ({"text_1": "a", "text_2": "b", "query": "c"}, "query"),
            ({}, "text_1"),
            ({"query": "a", "items": ["b"]}, "label_token_ids"),
            ({"query": "a", "items": ["b"], "label_token_ids": []}, "label_token_ids"),
            ({"query": "a", "items": ["b"], "label_token_ids": [100_000]}, "label_token_ids"),
            ({"query": "a", "items": [[1]], "label_token_ids": [1]}, "items"),
            ({"query": ["a", "b"], "items": ["c"], "label_token_ids": [1]}, "query"),
        ):
            with self.subTest(body):
                self.assertEqual(self.refused("/v1/score", body)["param"], param)

    def test_scores_of_labels_are_their_probabilities(self):
        query, items = "상품은 ", ["크림", "맛 좋은 크림", "이"]
        body = {"model": "tuned", "query": query, "items": items, "label_token_ids": [65, 66, 7]}
        answer = self.server.post("/v1/score", body)
        for item, text in zip(answer["data"], items):
            ids = self.server.post("/tokenize", {"prompt": query + text})["tokens"]
            self.assertEqual(item["score"], item["label_scores"][0])
            for label, score in zip((65, 66, 7), item["label_scores"]):
                echo = {"model": "tuned", "prompt": [*ids, label], "max_tokens": 0, "echo": True, "logprobs": 0}
                lists = self.server.post("/v1/completions", echo)["choices"][0]["logprobs"]
                self.assertAlmostEqual(math.exp(lists["token_logprobs"][-1]), score, 9)
        among = self.server.post("/v1/score", body | {"apply_softmax": True})["data"]
        for item, all_of in zip(among, answer["data"]):
            self.assertAlmostEqual(sum(item["label_scores"]), 1, 9)
            self.assertAlmostEqual(item["score"], all_of["score"] / sum(all_of["label_scores"]), 9)
        turned = self.server.post("/v1/score", body | {"item_first": True})["data"]
        self.assertNotEqual(turned[0]["score"], answer["data"][0]["score"])

    def test_an_echoed_prompt_has_its_log_probabilities(self):
        body = {"model": "tuned", "prompt": "상품: 크림", "max_tokens": 20, "seed": 4, "logprobs": 2}
        drawn = self.server.post("/v1/completions", body)["choices"][0]["logprobs"]
        ids = self.server.post("/tokenize", {"prompt": "상품: 크림"})["tokens"]
        whole = self.server.post("/v1/completions", body | {"echo": True})["choices"][0]
        lists = whole["logprobs"]
        self.assertEqual({len(values) for values in lists.values()}, {len(ids) + len(drawn["tokens"])})
        self.assertEqual(lists["token_logprobs"][len(ids) :], drawn["token_logprobs"])
        self.assertEqual(lists["top_logprobs"][len(ids) :], drawn["top_logprobs"])
        self.assertEqual((lists["token_logprobs"][0], lists["top_logprobs"][0]), (None, None))
        for token, value, top in zip(lists["tokens"][1:], lists["token_logprobs"][1:], lists["top_logprobs"][1:]):
            self.assertLessEqual(value, 0)
            self.assertLessEqual(len(top), 3)
            self.assertGreaterEqual(max(top.values()), value)
        # Offsets count characters of the text.
        for token, offset in zip(lists["tokens"], lists["text_offset"]):
            if "\ufffd" not in token:
                self.assertTrue(whole["text"][offset:].startswith(token), (token, offset))
        # A prompt's values do not depend on what follows, in it or after it.
        for more in ({"max_tokens": 0}, {"max_tokens": 1, "temperature": 0}, {"max_tokens": 3, "n": 2}):
            for prompt in (ids, [*ids, 65, 66, 67]):
                for choice in self.server.post("/v1/completions", body | more | {"prompt": prompt, "echo": True})["choices"]:
                    self.assertEqual(choice["logprobs"]["token_logprobs"][: len(ids)], lists["token_logprobs"][: len(ids)])
                    self.assertEqual(choice["logprobs"]["top_logprobs"][: len(ids)], lists["top_logprobs"][: len(ids)])
                    self.assertTrue(choice["text"].startswith("상품: 크림"))
        long = {"model": "tuned", "prompt": TEXTS, "max_tokens": 0, "echo": True, "logprobs": 3}
        together = self.server.post("/v1/completions", long)["choices"]
        for choice, text in zip(together, TEXTS):
            self.assertEqual(self.server.post("/v1/completions", long | {"prompt": text})["choices"][0]["logprobs"], choice["logprobs"])

    def test_evaluation_harnesses_can_judge_continuations(self):
        # As lm-eval asks: ids of context and continuation, one token more, greedy.
        context, continuation = ([*self.server.post("/tokenize", {"prompt": text})["tokens"]] for text in ("상품: ", "크림이"))
        body = {"model": "model", "prompt": [[*context, *continuation]], "temperature": 0, "max_tokens": 1, "logprobs": 1, "seed": 1234, "echo": True}
        lists = self.server.post("/v1/completions", body)["choices"][0]["logprobs"]
        values = lists["token_logprobs"][len(context) : -1]
        tops = lists["top_logprobs"][len(context) : -1]
        self.assertEqual(len(values), len(continuation))
        greedy = self.server.post("/v1/completions", body | {"prompt": context, "max_tokens": 3, "echo": False})["choices"][0]
        for value, top in zip(values, tops):
            self.assertGreaterEqual(max(top.values()), value)
        best = greedy["logprobs"]
        self.assertEqual(best["token_logprobs"], [max(top.values()) for top in best["top_logprobs"]])
        self.assertEqual(max(tops[0].values()), best["token_logprobs"][0])

    def test_a_stream_echoes_the_same(self):
        body = {"model": "tuned", "prompt": "상품: 크림", "max_tokens": 12, "seed": 9, "logprobs": 1, "echo": True}
        for more in ({}, {"max_tokens": 0}):
            whole = self.server.post("/v1/completions", body | more)["choices"][0]
            pieces = [event["choices"][0] for event in self.server.events("/v1/completions", body | more)]
            for name, values in whole["logprobs"].items():
                self.assertEqual([value for piece in pieces if piece["logprobs"] for value in piece["logprobs"][name]], values, name)
            self.assertEqual("".join(piece["text"] for piece in pieces), whole["text"])
            self.assertEqual(pieces[-1]["finish_reason"], whole["finish_reason"])

    def test_without_echo_there_is_nothing_to_do_for_no_tokens(self):
        self.assertEqual(self.refused("/v1/completions", {"prompt": "a", "max_tokens": 0}, "echo")["param"], "max_tokens")
        answer = self.server.post("/v1/completions", {"prompt": "상품", "max_tokens": 0, "echo": True})
        self.assertEqual((answer["choices"][0]["text"], answer["choices"][0]["finish_reason"], answer["usage"]["completion_tokens"]), ("상품", "length", 0))


if __name__ == "__main__":
    unittest.main()
