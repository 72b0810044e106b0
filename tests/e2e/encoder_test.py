"""`embed` with text encoders and `convert`: the same bits by every way, and one clear error for what is wrong."""

import base64
import json
import os
import signal
import struct
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import binary
import tiny_encoder
from embed_test import cosine, length, read_npy
from workshop import Workshop, jsonl

TEXTS = [f"{i}번째 구매 {'좋아요 ' * (i * 3 % 11)}abc!" for i in range(1, 40)]


def models_folder():
    return Path(os.environ.get("ONGGI_HOME") or Path.home() / ".cache" / "onggi") / "models"


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.output = self.folder / "vectors.npy"
        self.rows = self.write("texts.jsonl", jsonl([{"id": f"t{i}", "review": text} for i, text in enumerate(TEXTS)]))

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def good(self, *arguments):
        result = binary.run(*arguments)
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        return result.stdout

    def embed(self, base, *more, output=None, rows=None):
        output = output or self.output
        flags = {"base": base, "rows": rows or self.rows, "text": "review", "output": output}
        said = self.good(*Workshop._command("embed", flags, *more))
        vectors = read_npy(output)
        for path in self.folder.glob(f"{output.name}*"):
            path.unlink()
        return vectors, said

    def converted(self, content=None):
        source = self.write("e5.bin", content or tiny_encoder.container())
        target = self.folder / "e5.gguf"
        self.good("convert", "--from", source, "--output", target)
        return target


class Encoder(Case):
    def setUp(self):
        super().setUp()
        self.base = tiny_encoder.write_folder(self.folder / "bert")

    def test_threads_company_and_order_change_no_bit(self):
        for exact in ((), ("--exact",)):
            whole, said = self.embed(self.base, "--threads", 2, *exact)
            self.assertIn(f"{len(TEXTS)} rows embedded in {tiny_encoder.WIDTH} dimensions, 0 failed", said)
            for vector in whole:
                self.assertAlmostEqual(length(vector), 1, 5)
            self.assertEqual(self.embed(self.base, "--threads", 1, *exact)[0], whole)
            backwards = self.write("backwards.jsonl", jsonl([{"id": str(i), "review": text} for i, text in enumerate(reversed(TEXTS))]))
            self.assertEqual(self.embed(self.base, *exact, rows=backwards)[0], whole[::-1])
            alone = self.write("alone.jsonl", jsonl([{"id": "a", "review": TEXTS[7]}] * 3))
            self.assertEqual(self.embed(self.base, *exact, rows=alone)[0], [whole[7]] * 3)

    def test_int8_is_near_f32(self):
        for a, b in zip(self.embed(self.base)[0], self.embed(self.base, "--exact")[0]):
            self.assertGreater(cosine(a, b), 0.99)

    def test_prefix_is_text_before_each_row(self):
        joined = self.write("joined.jsonl", jsonl([{"id": "a", "review": "query: " + text} for text in TEXTS]))
        plain = self.embed(self.base, rows=joined)[0]
        self.assertEqual(self.embed(self.base, "--prefix", "query: ")[0], plain)
        self.assertNotEqual(self.embed(self.base)[0], plain)

    def test_dimensions_pooling_and_limit(self):
        whole, said = self.embed(self.base, "--no-normalize")
        self.assertIn("longer than the limit of tokens", said)  # The longest have more than the model's 48.
        for vector, cut in zip(whole, self.embed(self.base, "--dimensions", 8)[0]):
            for a, b in zip(vector, cut):
                self.assertAlmostEqual(a / length(vector[:8]), b, 5)
        self.assertNotEqual(self.embed(self.base, "--pooling", "first", "--no-normalize")[0], whole)
        self.assertEqual(self.embed(self.base, "--pooling", "mean", "--no-normalize")[0], whole)
        short, said = self.embed(self.base, "--max-tokens", 2)  # No more than what stands around each text.
        self.assertEqual(short, short[:1] * len(TEXTS))
        self.assertIn(f"{len(TEXTS)} rows were longer", said)
        self.write("bert/sentence_bert_config.json", '{"max_seq_length": 2}')
        self.assertEqual(self.embed(self.base)[0], short)

    def test_a_killed_job_goes_on_to_the_same_bytes(self):
        rows = self.write("many.jsonl", jsonl([{"id": f"m{i}", "review": f"{i} {TEXTS[i % len(TEXTS)]}"} for i in range(6000)]))
        arguments = ["embed", "--base", self.base, "--rows", rows, "--text", "review", "--threads", 1]
        self.good(*arguments, "--output", self.folder / "whole.npy")
        command = [os.environ["ONGGI_BINARY"], *map(str, arguments), "--output", str(self.output)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ids = Path(f"{self.output}.ids.jsonl")
        deadline = time.time() + 60
        while process.poll() is None and time.time() < deadline and (not ids.exists() or ids.stat().st_size == 0):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.good(*arguments, "--output", self.output)
        self.assertEqual(self.output.read_bytes(), (self.folder / "whole.npy").read_bytes())

    def test_wrong_uses_are_refused_and_leave_nothing(self):
        before = set(binary.files_in(self.folder))
        flags = {"base": self.base, "rows": self.rows, "text": "review", "output": self.output}
        for more, names in (
            (("--pooling", "last"), ["last", "mean or first"]),
            (("--dimensions", 33), ["--dimensions is 33", "32"]),
            (("--max-tokens", 49), ["--max-tokens is 49", "2 to 48"]),
            (("--max-tokens", 1), ["--max-tokens is 1"]),
            (("--adapter", self.folder), ["no adapter"]),
        ):
            with self.subTest(names):
                result = binary.run(*Workshop._command("embed", flags, *more))
                self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)
        for command in (["serve", "--base", self.base], ["generate", "--base", self.base, "--rows", self.rows, "--template", self.write("p.txt", "{{review}}"), "--output", self.folder / "a.jsonl"]):
            result = binary.run(*command)
            self.assertEqual(binary.faults_of_refusal(result, ["text encoder", "onggi embed"]), [], result.stderr)
        self.assertEqual(set(binary.files_in(self.folder)) - before, {"p.txt"} & set(binary.files_in(self.folder)))

    def test_broken_folders_are_refused_by_name(self):
        flags = {"base": self.base, "rows": self.rows, "text": "review", "output": self.output}
        config = json.loads((self.base / "config.json").read_text())
        vocab = (self.base / "vocab.txt").read_bytes()
        weights = (self.base / "model.safetensors").read_bytes()
        for name, content, names in (
            ("config.json", json.dumps(config | {"num_attention_heads": 5}), ["5 heads"]),
            ("config.json", json.dumps(config | {"hidden_act": "relu"}), ["relu", "gelu"]),
            ("config.json", json.dumps(config | {"vocab_size": 7}), ["word_embeddings", "[7, 32]"]),
            ("config.json", json.dumps({k: v for k, v in config.items() if k != "hidden_size"}), ["hidden_size", "missing"]),
            ("vocab.txt", vocab.replace(b"[CLS]\n", b"CLS\n"), ["[CLS]"]),
            ("vocab.txt", vocab.replace(b"[UNK]\n", b"UNK\n"), ["vocab.txt"]),
            ("vocab.txt", vocab + b"extra\n", ["tokens", "do not belong together"]),
            ("model.safetensors", weights[:-100], ["model.safetensors"]),
        ):
            with self.subTest(names):
                path = self.base / name
                good = path.read_bytes()
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
                result = binary.run(*Workshop._command("embed", flags))
                self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)
                path.write_bytes(good)
        self.assertFalse(self.output.exists())


class Convert(Case):
    def test_a_container_becomes_a_gguf_that_embeds(self):
        base = self.converted()
        said = self.good("convert", "--from", self.folder / "e5.bin", "--output", self.folder / "again.gguf")
        self.assertIn("again.gguf: 37 tensors", said)
        self.assertEqual((self.folder / "again.gguf").read_bytes(), base.read_bytes())
        vectors, _ = self.embed(base, "--exact", "--prefix", "query: ")
        # The same weights as a folder give the same vectors for the same ids: here the container's own q4 rows are exact.
        self.assertEqual(self.embed(base, "--exact", "--prefix", "query: ", "--threads", 1)[0], vectors)
        same = self.write("same.jsonl", jsonl([{"id": str(i), "review": text} for i, text in enumerate(["Ａ 좋아요", "a\u3000좋아요", "a \n좋아요", "a\u0001 좋아요"])]))
        first, *others = self.embed(base, rows=same)[0]
        self.assertEqual(others, [first] * 3)

    def test_jamo_are_the_syllable(self):
        import unicodedata

        rows = self.write("forms.jsonl", jsonl([{"id": form, "review": unicodedata.normalize(form, "촉촉하고 좋아요")} for form in ("NFC", "NFD")]))
        composed, decomposed = self.embed(self.converted(), rows=rows)[0]
        self.assertEqual(composed, decomposed)

    def test_containers_that_are_wrong_are_refused_and_write_nothing(self):
        good = tiny_encoder.container()
        target = self.folder / "out.gguf"

        def without(name):
            return tiny_encoder.container(spoil=lambda d: d.remove(next(entry for entry in d if entry[0] == name)))

        def renamed(d):
            d[7][0] = "l9.zz.w"

        def wider(d):
            d[3][3].extend(d[3][3])

        def infinite(d):
            d[3][3][4] = float("inf")

        cases = [
            (b"E5S2" + good[4:], ["E5S1"]),
            (good[:4] + struct.pack("<i", 2) + good[8:], ["version", "2"]),
            (good[:8] + struct.pack("<i", 33) + good[12:], ["e5.bin"]),
            (without("l1.fi.b"), ["l1.fi.b", "missing"]),
            (tiny_encoder.container(spoil=renamed), ["l9.zz.w"]),
            (tiny_encoder.container(spoil=wider), ["emb.ln.w"]),
            (tiny_encoder.container(spoil=infinite), ["emb.ln.w", "not finite"]),
            (tiny_encoder.container(spoil=lambda d: d.append(d[-1])), ["twice"]),
            *((good[:size], ["e5.bin"]) for size in (5, 20, 47, 60, 200, 700, 1500, 2000, len(good) // 2, len(good) - 1)),
        ]
        for content, names in cases:
            with self.subTest(names, size=len(content)):
                result = binary.run("convert", "--from", self.write("e5.bin", content), "--output", target)
                self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)
                self.assertFalse(target.exists())
        self.write("e5.bin", good)
        for arguments, names in (
            (("--output", target), ["--from"]),
            (("--from", self.folder / "e5.bin"), ["--output"]),
            (("--from", self.folder / "none.bin", "--output", target), ["none.bin"]),
            (("--from", self.folder / "e5.bin", "--output", self.folder / "out.bin"), [".gguf"]),
            (("extra",), ["no positional"]),
        ):
            with self.subTest(names):
                self.assertEqual(binary.faults_of_refusal(binary.run("convert", *arguments), names), [])


class RealModels(Case):
    """On what scripts/bring_model.py brings; skipped without."""

    def test_e5_is_near_its_own_reader(self):
        container = models_folder() / "e5-small-q4.bin"
        if not container.is_file():
            self.skipTest(f"needs {container}, which is not here")
        golden = json.loads((Path(__file__).parent.parent / "golden" / "models" / "e5_small_q4.json").read_text())
        base = self.folder / "e5.gguf"
        self.good("convert", "--from", container, "--output", base)
        rows = self.write("rows.jsonl", jsonl([{"id": str(i), "review": row["text"]} for i, row in enumerate(golden["rows"])]))
        for exact in ((), ("--exact",)):
            vectors, _ = self.embed(base, "--prefix", golden["prefix"], *exact, rows=rows)
            for vector, row in zip(vectors, golden["rows"]):
                theirs = struct.unpack("<384h", base64.b64decode(row["vector"]))
                self.assertGreater(cosine(vector, theirs), 0.999, row["text"])


if __name__ == "__main__":
    unittest.main()
