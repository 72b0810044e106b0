"""`merge`: the merged model answers as base + adapter do, from a folder and from a GGUF file."""

import json
import tempfile
import unittest
from pathlib import Path

import binary
import tiny_model
from workshop import Workshop


class Merge(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))

    def good(self, *arguments):
        result = binary.run(*arguments)
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        return result.stdout

    def refused(self, *arguments, names):
        result = binary.run(*arguments)
        self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)

    def answers(self, name, **files):
        output = self.w.folder / name
        self.good(*self.w.generate("--exact", guide=self.w.guide, output=output, **files))
        return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]

    def train(self, base, *more):
        self.good(*self.w.sft("--learning-rate", "0.02", *more, base=base))
        return self.w.run / "adapter"

    def assert_alike(self, merged, tuned):
        self.assertEqual([line["text"] for line in merged], [line["text"] for line in tuned])
        for one, other in zip(merged, tuned):
            self.assertAlmostEqual(one["log_probability"], other["log_probability"], places=3)

    def test_a_folder_gives_a_folder_that_answers_alike(self):
        w = self.w
        adapter = self.train(w.base, "--method", "dora")
        output = w.folder / "merged"
        self.assertEqual(self.good("merge", "--base", w.base, "--adapter", adapter, "--output", output).strip(), str(output))
        tuned = self.answers("tuned.jsonl", adapter=adapter)
        plain = self.answers("plain.jsonl")
        self.assertNotEqual([line["log_probability"] for line in tuned], [line["log_probability"] for line in plain])
        self.assert_alike(self.answers("merged.jsonl", base=output), tuned)
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
            self.assertEqual((output / name).read_bytes(), (w.base / name).read_bytes())
        self.assertEqual(json.loads((output / "onggi.json").read_text())["base"], "model")

    def test_a_gguf_file_gives_a_gguf_file_and_a_folder_that_answer_alike(self):
        w = self.w
        base = w.write("base.gguf", tiny_model.gguf(tiny_model.gguf_metadata(), tiny_model.gguf_tensors()))
        adapter = self.train(base)
        tuned = self.answers("tuned.jsonl", base=base, adapter=adapter)
        file, folder = w.folder / "merged.gguf", w.folder / "merged"
        self.good("merge", "--base", base, "--adapter", adapter, "--output", file)
        self.assert_alike(self.answers("file.jsonl", base=file), tuned)
        # The vocabulary is no SentencePiece one, so its files come from elsewhere.
        self.good("merge", "--base", base, "--adapter", adapter, "--output", folder, "--tokenizer", w.base)
        self.assert_alike(self.answers("folder.jsonl", base=folder), tuned)
        small = w.folder / "small.gguf"
        self.good("merge", "--base", base, "--adapter", adapter, "--output", small, "--type", "Q8_0")
        self.assertLess(small.stat().st_size, file.stat().st_size)
        inspected = json.loads(self.good("inspect", small, "--json"))
        self.assertEqual(inspected["tensors"]["blk.*.attn_q.weight"], {"Q8_0": tiny_model.NUM_LAYERS})

    def test_an_adapter_trained_on_nf4_is_merged_into_what_it_was_trained_on(self):
        adapter = self.train(self.w.base, "--base-type", "nf4")
        output = self.w.folder / "merged"
        self.good("merge", "--base", self.w.base, "--adapter", adapter, "--output", output)
        self.assert_alike(self.answers("merged.jsonl", base=output), self.answers("tuned.jsonl", adapter=adapter))

    def test_what_does_not_fit_is_refused_and_nothing_is_lost(self):
        w = self.w
        adapter = self.train(w.base)
        other = tiny_model.write_folder(w.folder / "other", seed=2)
        self.refused("merge", "--base", other, "--adapter", adapter, "--output", w.folder / "a", names=["another base"])
        self.refused("merge", "--base", w.base, "--adapter", adapter, "--output", w.folder / "a.gguf", names=["GGUF base", "model"])
        self.refused("merge", "--base", w.base, "--adapter", adapter, "--output", w.base, "--force", names=["base itself"])
        self.refused("merge", "--base", w.base, "--adapter", adapter, "--output", w.folder / "a", "--type", "Q8_0", names=["Q8_0"])
        self.refused("merge", "--adapter", adapter, names=["--output"])
        self.refused("merge", "--base", w.base, "--output", w.folder / "a", names=["--adapter"])
        self.assertFalse((w.folder / "a").exists())
        taken = w.write("taken.gguf", "mine")
        gguf = w.write("base.gguf", tiny_model.gguf(tiny_model.gguf_metadata(), tiny_model.gguf_tensors()))
        self.refused("merge", "--base", gguf, "--adapter", adapter, "--output", taken, names=["another base"])
        self.assertEqual(taken.read_text(), "mine")
        self.assertEqual([name for name in binary.files_in(w.folder) if ".tmp" in name], [])


if __name__ == "__main__":
    unittest.main()
