"""`experiment prompts`: table, JSON and page; killed and called again it ends with the same adapters and answers."""

import json
import tempfile
import time
import unittest
from pathlib import Path

import binary
from workshop import CARD_TEMPLATE, Workshop

LONG_TEMPLATE = CARD_TEMPLATE.replace("상품: {{product}}", "후기를 읽고 상품의 장점을 카드로 쓰세요. 없으면 [].\n상품: {{product}}", 1)
CARDS = {
    "cards": {
        "entity_slot": "product",
        "expression_slots": ["product", "review"],
        "expression_class": "[가-힣0-9 .,%]",
        "expression_length": [5, 30],
        "max_cards": 3,
        "names": ["보습력", "흡수력"],
    }
}


class Experiment(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))
        self.w.write("cards.json", CARDS)
        self.templates = [self.w.write("long.txt", LONG_TEMPLATE), self.w.write("short.txt", CARD_TEMPLATE)]

    def study(self, output, *more):
        w = self.w
        flags = {"--base": w.base, "--rows": w.rows, "--split": w.split, "--guide": w.folder / "cards.json", "--output": w.folder / output}
        given = [part for flag, value in flags.items() for part in (flag, value)]
        for template in self.templates:
            given += ["--template", template]
        return ["experiment", "prompts", *given, "--rank", 2, "--batch-rows", 4, "--checkpoint-steps", 2, *more]

    def good(self, arguments):
        result = binary.run(*arguments)
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        return result.stdout

    def kept(self, output):
        """What must not depend on a kill."""
        wanted = ("adapter_model.safetensors", "rows.jsonl")
        files = binary.files_in(self.w.folder / output)
        return {name: content for name, content in files.items() if name.endswith(wanted) or "answers-" in name}

    def test_every_prompt_is_trained_answered_and_judged(self):
        text = self.good(self.study("study", "--max-steps", 3, "--guide-loss", "--price-per-hour", "0.2"))
        folder = self.w.folder / "study"
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        self.assertEqual([prompt["name"] for prompt in result["prompts"]], ["long", "short"])
        self.assertEqual((result["rows"], result["price_per_hour"]), (3, 0.2))
        long, short = result["prompts"]
        self.assertGreater(long["prefix_tokens"], short["prefix_tokens"])
        self.assertAlmostEqual(long["prompt_tokens"] - short["prompt_tokens"], long["prefix_tokens"] - short["prefix_tokens"])
        for prompt in result["prompts"]:
            self.assertEqual((prompt["updates"], prompt["num_failed"], prompt["valid"]["value"]), (3, 0, 1.0))
            self.assertAlmostEqual(prompt["cost_per_million_rows"], 1e6 / prompt["rows_per_s"] / 3600 * 0.2)
            self.assertIn(f"{prompt['eval_loss']:.4f}", text)
        page = (folder / "report.html").read_text(encoding="utf-8")
        self.assertIn("Cost of a million rows", page)
        self.assertIn("long", self.good(["runs", folder]))

        again = self.good(self.study("study", "--max-steps", 3, "--guide-loss", "--price-per-hour", "0.2"))
        self.assertEqual(again.count("trained already"), 2)
        self.assertEqual(json.loads((folder / "result.json").read_text(encoding="utf-8")), result)
        # Fewer rows need new answers, no new training.
        fewer = self.good(self.study("study", "--max-steps", 3, "--guide-loss", "--limit", 2))
        self.assertEqual(fewer.count("trained already"), 2)
        self.assertEqual(json.loads((folder / "result.json").read_text(encoding="utf-8"))["rows"], 2)

        refusal = binary.run(*self.study("study", "--max-steps", 4, "--guide-loss"))
        self.assertEqual(binary.faults_of_refusal(refusal, ["other settings", "max_steps"]), [], refusal.stderr)
        self.templates[1].write_text(CARD_TEMPLATE.replace("답", "카드"), encoding="utf-8")
        refusal = binary.run(*self.study("study", "--max-steps", 3, "--guide-loss"))
        self.assertEqual(binary.faults_of_refusal(refusal, ["short.txt", "changed"]), [], refusal.stderr)

    def test_killed_and_called_again_it_ends_the_same(self):
        more = ("--max-steps", 24)
        self.good(self.study("whole", *more))
        want = self.kept("whole")
        begin = time.monotonic()
        self.good(self.study("timed", *more))
        whole_s = time.monotonic() - begin
        kills = 0
        for share in (0.15, 0.3, 0.45, 0.6, 0.75, 0.9):
            process = binary.start(*self.study("killed", *more))
            time.sleep(share * whole_s)
            kills += process.poll() is None
            process.kill()
            process.communicate()
        self.good(self.study("killed", *more))
        self.assertGreater(kills, 0)
        self.assertEqual(self.kept("killed"), want)

    def test_ways_to_join_samples_are_compared(self):
        w = self.w
        samples, table = w.folder / "samples.jsonl", w.folder / "table.json"
        split = ("--split", w.split)
        self.good(w.generate(*split, "--samples", 4, "--temperature", 1, "--show-samples", "--max-new-tokens", 120,
                             template=self.templates[1], guide=w.folder / "cards.json", output=samples))  # fmt: skip
        study = ["experiment", "consensus", "--rows", w.rows, *split, "--part", "test", "--samples"]
        text = self.good([*study, samples, "--json", table])
        result = json.loads(table.read_text(encoding="utf-8"))
        self.assertIn(f"--extractor-weight {result['extractor_weight']:.1f} --least-share {result['least_share']:.2f}", text)
        # What the table says of a setting is what `generate` then reaches with it.
        cell = next(c for c in result["cells"] if (c["extractor_weight"], c["least_share"]) == (0.7, 0.3))
        answers, judged = w.folder / "answers.jsonl", w.folder / "judged.json"
        self.good(w.generate(*split, "--samples", 4, "--temperature", 1, "--extractor-weight", 0.7, "--max-new-tokens", 120,
                             template=self.templates[1], guide=w.folder / "cards.json", output=answers))  # fmt: skip
        self.good(w.eval(*split, "--no-baselines", "--json", judged, predictions=answers))
        joined = w.folder / "joined.jsonl"
        self.good([*study, samples, "--output", joined, "--extractor-weight", 0.7, "--least-share", 0.3])
        texts = [[json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()] for file in (joined, answers)]
        self.assertEqual(texts[0], texts[1])
        figures = json.loads(judged.read_text(encoding="utf-8"))["systems"][0]["figures"]
        self.assertEqual(figures["f1"]["value"], cell["f1"])

        for file, names in ((answers, ["answers.jsonl:1", "--show-samples"]), (w.rows, ["rows.jsonl", "expected 3 rows"])):
            result = binary.run(*study, file)
            self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)

    def test_what_is_missing_is_named(self):
        for arguments, names in (
            (["experiment"], ["prompts", "consensus"]),
            (["experiment", "consensus", "--rows", self.w.rows], ["--split"]),
            (["experiment", "prompts", "--rows", self.w.rows], ["--split"]),
            (self.study("study", "--part", "train"), ["--part", "validation"]),
            (self.study("study", "--template", self.templates[0], "--template", self.templates[0]), ["two templates", "long"]),
            (["experiment", "prompts", "--example", self.w.folder / "none"], ["example", "none"]),
        ):
            result = binary.run(*arguments, cwd=self.w.folder)
            self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)
        self.assertFalse((self.w.folder / "study").exists())


if __name__ == "__main__":
    unittest.main()
