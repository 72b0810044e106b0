"""The options of `sft` on a tiny model: what they write, that no thread count or kill changes it, what they refuse; and
the memory plan on the real one."""

import json
import os
import random
import re
import tempfile
import unittest
from pathlib import Path

import binary
import tiny_model
from kill_test import kill_when, num_lines
from workshop import ROWS, Workshop, jsonl


class TrainingOptions(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))
        self.held = self.w.write("held.jsonl", jsonl(ROWS[9:]))
        self.train = self.w.write("train.jsonl", jsonl(ROWS[:9]))

    def sft(self, name, *flags, **files):
        """The kept adapter or model of a run that must succeed."""
        files = {"rows": self.train, "validation": self.held, "run": self.w.folder / name} | files
        result = binary.run(*self.w.sft(*flags, **files))
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        return Path(result.stdout.strip())

    def refusal(self, *flags, names, **files):
        result = binary.run(*self.w.sft(*flags, **files))
        self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)

    def answers(self, *flags, **files):
        output = self.w.folder / "answers.jsonl"
        for path in (output, output.with_name("answers.jsonl.manifest.json")):
            path.unlink(missing_ok=True)
        result = binary.run(*self.w.generate(*flags, guide=self.w.guide, **files))
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        lines = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
        self.assertEqual({line["text"] for line in lines} - {"good", "bad"}, set())
        return lines

    def contents(self, path):
        return binary.files_in(path) if path.is_dir() else {path.name: path.read_bytes()}

    def test_full_training_writes_a_model_in_the_form_of_its_base(self):
        gguf = self.w.write("model.gguf", tiny_model.gguf(tiny_model.gguf_metadata(), tiny_model.gguf_tensors()))
        for base, name in ((self.w.base, "model"), (gguf, "model.gguf")):
            model = self.sft(f"full-{name}", "--method", "full", "--learning-rate", 0.003, base=base)
            self.assertEqual(model.name, name)
            before = json.loads(binary.run("inspect", base, "--json").stdout)
            after = json.loads(binary.run("inspect", model, "--json").stdout)
            for key in ("architecture", "parameters", "layers", "vocab_size", "tokenizer"):
                self.assertEqual(after[key], before[key], key)
            trained = [line["log_probability"] for line in self.answers(base=model)]
            self.assertNotEqual(trained, [line["log_probability"] for line in self.answers(base=base)])
        self.assertIn("tokenizer.json", self.contents(self.w.folder / "full-model" / "model"))

    def test_full_training_is_the_same_with_any_threads_and_when_killed(self):
        flags = ("--method", "full", "--guide-loss", "--max-steps", 12, "--epochs", 12, "--checkpoint-steps", 2, "--eval-steps", 3)
        want = self.contents(self.sft("whole", *flags, "--threads", 1, guide=self.w.guide))
        rng = random.Random(1)
        run = self.w.folder / "killed"
        command = self.w.sft(*flags, "--threads", 2, rows=self.train, validation=self.held, guide=self.w.guide, run=run)
        for target in (0, 1, 3, 4, 6, 9):
            kill_when(command, lambda target=target: num_lines(run / "metrics.jsonl") > target, rng.uniform(0.0, 0.01))
        got = self.contents(self.sft("killed", *flags, "--threads", 2, guide=self.w.guide))
        self.assertEqual(got, want)

    def test_an_adapter_of_another_base_type_is_served_on_that_type(self):
        likelihoods = {}
        for base_type in ("keep", "f32", "bf16", "q8_0", "nf4"):
            adapter = self.sft(base_type, "--base-type", base_type)
            self.assertEqual(json.loads((adapter / "onggi.json").read_text())["base_type"], base_type)
            lines = self.answers("--exact", adapter=adapter)
            likelihoods[base_type] = [line["log_probability"] for line in lines]
        self.assertEqual(likelihoods["keep"], likelihoods["f32"], "the base is F32 already")
        self.assertEqual(len({str(v) for v in likelihoods.values()}), 4)

    def test_dropout_is_the_same_with_any_threads_and_when_resumed(self):
        flags = ("--lora-dropout", 0.2, "--max-steps", 9, "--epochs", 9, "--checkpoint-steps", 2, "--eval-steps", 3)
        adapter = self.sft("whole", *flags, "--threads", 1)
        self.assertEqual(json.loads((adapter / "adapter_config.json").read_text())["lora_dropout"], 0.2)
        run = self.w.folder / "killed"
        command = self.w.sft(*flags, "--threads", 2, rows=self.train, validation=self.held, run=run)
        kill_when(command, lambda: num_lines(run / "metrics.jsonl") > 4)
        self.assertEqual(self.contents(self.sft("killed", *flags, "--threads", 2)), self.contents(adapter))
        plain = self.sft("plain", *(flags[2:]))
        self.assertNotEqual((plain / "adapter_model.safetensors").read_bytes(), (adapter / "adapter_model.safetensors").read_bytes())

    def test_recomputation_changes_no_byte_and_takes_less_memory(self):
        for flags in ((), ("--method", "dora"), ("--method", "full"), ("--lora-dropout", 0.1)):
            name = "-".join(map(str, flags)) or "lora"
            plain = self.sft(name, *flags, "--max-steps", 3)
            recomputed = self.sft(name + "-recompute", *flags, "--max-steps", 3, "--recompute")
            self.assertEqual(self.contents(recomputed), self.contents(plain), name)

    def test_a_plan_that_does_not_fit_is_refused_with_advice(self):
        self.refusal("--memory-mb", 10, names=["needs", "most goes to"])
        self.assertFalse(self.w.run.exists())
        self.refusal("--method", "full", "--memory-mb", 10, names=["needs"])

    def test_options_that_do_not_go_together_are_refused(self):
        self.refusal("--method", "full", "--base-type", "nf4", names=["--base-type nf4", "method full"])
        self.refusal("--method", "full", "--targets", "q_proj", names=["--targets"])
        self.refusal("--method", "dora", "--lora-dropout", 0.1, names=["--lora-dropout", "dora"])
        self.refusal("--lora-dropout", 1, names=["--lora-dropout", "below 1"])
        self.refusal("--base-type", "int3", names=["int3", "nf4"])
        self.refusal("--method", "prefix", names=["prefix", "full"])

    def test_warnings_are_shown_and_kept(self):
        result = binary.run(*self.w.sft("--learning-rate", 0.01, rows=self.train))
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        kept = json.loads((self.w.run / "result.json").read_text())["warnings"]
        self.assertLessEqual({"learning_rate_high", "no_evaluation"}, {w["code"] for w in kept})
        for warning in kept:
            self.assertIn(f"warning: {warning['message']}", result.stderr)


class MemoryPlan(unittest.TestCase):
    """On Gemma 3 270M and the example's rows, two updates."""

    MODEL = Path(os.environ.get("ONGGI_HOME") or Path.home() / ".cache" / "onggi") / "models" / "gemma-3-270m-q4_k_m.gguf"
    EXAMPLE = binary.ROOT / "examples" / "review-themes"

    def setUp(self):
        if not self.MODEL.exists():
            self.skipTest(f"needs {self.MODEL}, which is not here")
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        rows = (self.EXAMPLE / "data" / "authored-plain.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        (self.folder / "rows.jsonl").write_text("".join(rows[:60]), encoding="utf-8")

    def planned_and_measured(self, *flags):
        """Bytes of the plan's table and of the process at its peak."""
        run = self.folder / "run"
        result = binary.run("sft", "--base", self.MODEL, "--rows", self.folder / "rows.jsonl", "--template", self.EXAMPLE / "prompts" / "2-task-format.txt",
                            "--run", run, "--max-steps", 2, *flags, timeout=500)  # fmt: skip
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        number, unit = re.search(r"^  total +([\d.]+) (\w+)$", result.stderr, re.MULTILINE).groups()
        return float(number) * 2.0 ** {"MiB": 20, "GiB": 30}[unit], json.loads((run / "result.json").read_text())["peak_memory_bytes"]

    def test_is_near_the_measured_peak_with_the_whole_vocabulary(self):
        planned, measured = self.planned_and_measured()
        self.assertLess(abs(planned / measured - 1), 0.2, f"planned {planned}, measured {measured}")

    def test_is_near_the_measured_peak_under_a_guide_with_recomputation(self):
        planned, measured = self.planned_and_measured("--guide", self.EXAMPLE / "guide.json", "--guide-loss", "--recompute")
        self.assertLess(abs(planned / measured - 1), 0.2, f"planned {planned}, measured {measured}")


if __name__ == "__main__":
    unittest.main()
