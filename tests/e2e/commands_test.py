"""What every command shows: help with examples, JSON that parses, figures that agree with each other."""

import csv
import io
import json
import tempfile
import unittest
from pathlib import Path

import binary
import tiny_model
from workshop import CARD_TEMPLATE, ROWS, SPLIT, Workshop, jsonl


class Commands(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))

    def good(self, *arguments, **options):
        """Standard output of a command that must succeed."""
        result = binary.run(*arguments, cwd=self.w.folder, **options)
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        return result.stdout

    def test_help_lists_the_commands_and_each_has_examples(self):
        listing = self.good("--help")
        commands = [line.split()[0] for line in listing.splitlines() if line.startswith("  ")]
        self.assertLessEqual({"demo", "inspect", "data", "sft", "generate", "eval", "runs", "bench"}, set(commands))
        for command in commands:
            with self.subTest(command):
                text = self.good(command, "--help")
                self.assertTrue(text.startswith("usage: onggi " + command), text)
                self.assertIn(f"\n  onggi {command}", text[text.index("\nexamples:\n") :])
                self.assertEqual(self.good(command, "-h"), text)

    def test_version_names_commit_compiler_and_instruction_sets(self):
        text = self.good("--version")
        for word in ("onggi ", "commit ", "compiler: ", "instruction sets: "):
            self.assertIn(word, text)

    def test_without_a_command_the_help_is_shown_and_the_status_is_not_0(self):
        result = binary.run()
        self.assertEqual((result.returncode, result.stdout), (2, self.good("--help")))

    def test_inspect_says_the_same_of_a_folder_and_of_a_gguf_file(self):
        gguf = self.w.write("model.gguf", tiny_model.gguf(tiny_model.gguf_metadata(), tiny_model.gguf_tensors()))
        folder, file = (json.loads(self.good("inspect", path, "--json")) for path in (self.w.base, gguf))
        for key in ("architecture", "parameters", "layers", "hidden_size", "heads", "kv_heads", "vocab_size", "context", "memory"):
            self.assertEqual(folder[key], file[key], key)
        self.assertEqual(folder["architecture"], "llama")
        self.assertEqual(folder["parameters"], sum(len(values) for _, values in tiny_model.tensors().values()))
        self.assertEqual(folder["tokenizer"]["vocab_size"], tiny_model.vocab_size())
        text = self.good("inspect", self.w.base)
        for word in ("llama", "2 layers", "byte-bpe", "chat template", "memory"):
            self.assertIn(word, text)

    def test_a_consensus_of_samples_belongs_to_the_guide(self):
        template = self.w.write("cards.txt", CARD_TEMPLATE)
        guide = self.w.write("one-card.json", {"regex": r"""\["[a-c] 'x' : [yz]"\]"""})  # Never none, never two.
        for share in (0.01, 1):
            output = self.w.folder / f"{share}.jsonl"
            self.good(*self.w.generate("--samples", 8, "--temperature", 1, "--least-share", share, "--show-samples", "--max-new-tokens", 40,
                                       template=template, guide=guide, output=output))  # fmt: skip
            lines = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
            self.assertEqual([line["id"] for line in lines], [row["id"] for row in ROWS])
            for line in lines:
                self.assertEqual(len(line["samples"]), 8)
                self.assertRegex(line["text"], r"""^\["[a-c] 'x' : [yz]"\]$""")
            self.assertGreater(len({sample["text"] for line in lines for sample in line["samples"]}), 3)

    def test_a_rule_extractor_has_a_say_in_the_consensus(self):
        template = self.w.write("cards.txt", CARD_TEMPLATE)
        guide = self.w.write("cards.json", {"regex": r"""\["a 'x' : (보습력|향)"\]"""})
        themes = [{"entity": "x", "expression": "a", "name": "보습력"}]
        rows = [{"id": str(i), "product": f"상품 {i}", "review": "촉촉하고 좋아요", "themes": themes} for i in range(8)]
        labelled = self.w.write("labelled.jsonl", jsonl(rows))
        unseen = self.w.write("unseen.jsonl", jsonl([{"id": "u", "product": "새 상품", "review": "촉촉하고 좋아요"}]))
        for weight, text in ((0.999, """["a 'x' : 보습력"]"""), (0, None)):
            output = self.w.folder / f"{weight}.jsonl"
            self.good(*self.w.generate("--samples", 16, "--temperature", 1, "--least-share", 0.5, "--extractor-weight", weight, "--max-new-tokens", 60,
                                       "--extractor-rows", labelled, rows=unseen, template=template, guide=guide, output=output))  # fmt: skip
            answer = json.loads(output.read_text(encoding="utf-8"))["text"]
            self.assertIn(answer, [text] if text else ["[]", """["a 'x' : 보습력"]""", """["a 'x' : 향"]"""])

    def test_several_adapters_answer_together(self):
        template = self.w.write("cards.txt", CARD_TEMPLATE)
        guide = self.w.write("cards.json", {"regex": r"""\["[a-c] 'x' : [yz]"\]"""})
        adapters = []
        for seed in (0, 1):
            self.good(*self.w.sft("--seed", seed, template=template, run=self.w.folder / f"run{seed}"))
            adapters += ["--adapter", self.w.folder / f"run{seed}" / "adapter"]
        flags = ("--samples", 4, "--temperature", 1, "--show-samples", "--max-new-tokens", 40)
        outputs = []
        for name, chosen in (("both", adapters), ("first", adapters[:2]), ("second", adapters[2:])):
            output = self.w.folder / f"{name}.jsonl"
            self.good(*self.w.generate(*flags, *chosen, template=template, guide=guide, output=output))
            outputs.append([json.loads(line)["samples"] for line in output.read_text(encoding="utf-8").splitlines()])
        both, first, second = outputs
        self.assertEqual([samples[:4] for samples in both], first)
        self.assertEqual({len(samples) for samples in both}, {8})
        self.assertNotEqual([samples[4:] for samples in both], second)  # other draws: the samples' numbers go on

    def test_both_forms_of_a_model_answer_alike(self):
        # The file's query and key rows are in another order, so only the form of the answers is compared.
        gguf = self.w.write("model.gguf", tiny_model.gguf(tiny_model.gguf_metadata(), tiny_model.gguf_tensors()))
        for base in (self.w.base, gguf):
            output = self.w.folder / f"{base.name}.jsonl"
            self.good(*self.w.generate(base=base, guide=self.w.guide, output=output))
            lines = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
            self.assertEqual([line["id"] for line in lines], [row["id"] for row in ROWS])
            self.assertLessEqual({line["text"] for line in lines}, {"good", "bad"})

    def test_data_checks_splits_and_describes(self):
        w = self.w
        self.assertIn("12 rows, 0 errors", self.good(*w.data("check", "--template", w.template)))
        self.good(*w.data("split", "--split", w.split, "--output", w.folder / "parts"))
        parts = {name: (w.folder / "parts" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines() for name in ("train", "validation", "test")}
        self.assertEqual(sorted(line for part in parts.values() for line in part), sorted(json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in ROWS))
        self.assertEqual(len(parts["test"]), len(ROWS) * SPLIT["test_share"])
        card = json.loads(self.good(*w.data("card", "--json", "--label", "label")))
        self.assertEqual((card["rows"], card["labels"]), (12, {"bad": 6, "good": 6}))
        self.assertIn("rows        12", self.good(*w.data("card")))

    def test_data_check_fails_where_a_row_can_not_be_used(self):
        result = binary.run(*self.w.data("check", "--template", self.w.template, rows=self.w.write("bad.jsonl", jsonl([ROWS[0] | {"label": ""}]))))
        self.assertEqual(result.returncode, 1)
        self.assertIn("bad.jsonl:1", result.stdout)
        self.assertIn("1 rows, 1 errors", result.stdout)

    def test_csv_and_jsonl_with_a_column_map_give_the_same_answers(self):
        w = self.w
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(["id", "title", "text"])
        writer.writerows([row["id"], row["product"], row["review"] + '\n"quoted", twice'] for row in ROWS)
        rows = jsonl([{"id": row["id"], "product": row["product"], "review": row["review"] + '\n"quoted", twice'} for row in ROWS])
        answers = []
        for name, content, flags in (("a.csv", table.getvalue(), ("--columns", "product=title,review=text")), ("a.jsonl", rows, ())):
            output = w.folder / f"{name}.answers"
            self.good(*w.generate(*flags, rows=w.write(name, content), output=output, guide=w.guide))
            answers.append(output.read_bytes())
        self.assertEqual(answers[0], answers[1])

    def test_the_main_job_from_rows_to_report(self):
        w = self.w
        template = w.write("cards.txt", CARD_TEMPLATE)
        guide = w.write("cards.json", {"cards": {"names": ["보습력", "맛"], "expression_length": [1, 20]}})
        self.good(*w.sft("--plan", template=template))
        self.assertFalse(w.run.exists())
        self.good(*w.sft("--guide-loss", template=template, guide=guide, validation=w.write("held.jsonl", jsonl([ROWS[0] | {"id": "x", "review": "다른 후기"}]))))
        output = w.folder / "predictions.jsonl"
        self.good(*w.generate("--max-new-tokens", 300, template=template, guide=guide, adapter=w.run / "adapter", output=output))
        text = self.good(*w.eval("--json", "result.json", "--report", "report.html", "--cards", "cards.html", "--run", w.run, "--name", "tuned"))
        self.assertIn("tuned", text)
        result = json.loads((w.folder / "result.json").read_text(encoding="utf-8"))
        self.assertEqual(result["rows"], len(ROWS))
        for page in ("report.html", "cards.html"):
            content = (w.folder / page).read_text(encoding="utf-8")
            self.assertIn("</html>", content)
            self.assertNotIn("http://", content.replace("http://www.w3.org", ""))
        listing = self.good("runs", w.folder)
        self.assertRegex(listing, r"run +finished +4 ")
        self.good(*w.sft("--alpha", 8, run=w.folder / "second"))
        comparison = self.good("runs", "compare", w.run, w.folder / "second")
        self.assertRegex(comparison, r"alpha +32.0 +8.0")

    def test_a_merged_model_answers_as_its_base_with_the_adapter(self):
        w = self.w
        self.good(*w.sft("--learning-rate", 0.01))
        self.good(*w.merge("--type", "F32"))
        answers = []
        for name, files in (("parts", {"adapter": w.run / "adapter"}), ("merged", {"base": w.folder / "merged"})):
            output = w.folder / f"{name}.jsonl"
            self.good(*w.generate("--exact", **files, guide=w.guide, output=output))
            answers.append([json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()])
        for parts, merged in zip(*answers):
            self.assertEqual(parts["text"], merged["text"])
            self.assertAlmostEqual(parts["log_probability"], merged["log_probability"], places=3)

    def test_the_prompt_study_compares_templates_and_goes_on(self):
        w = self.w
        rows = [row | {"id": f"{row['id']}-{i}", "product": f"{row['product']} {i}"} for i in range(4) for row in ROWS]
        command = w.experiment(rows=w.write("many.jsonl", jsonl(rows)), template=w.write("long.txt", "머리말입니다. " * 9 + CARD_TEMPLATE))
        command += ["--template", w.write("short.txt", CARD_TEMPLATE), "--max-new-tokens", 60]
        self.good(*command)
        result = json.loads((w.folder / "study" / "result.json").read_text(encoding="utf-8"))
        self.assertIn("short", json.dumps(result))
        before = (w.folder / "study" / "result.json").read_bytes()
        self.good(*command)
        self.assertEqual((w.folder / "study" / "result.json").read_bytes(), before)

    def test_the_same_command_again_changes_nothing(self):
        w = self.w
        self.good(*w.sft())
        self.good(*w.generate())
        before = {name: content for name, content in binary.files_in(w.folder).items() if "result.json" not in name and "events" not in name}
        self.good(*w.sft())
        self.good(*w.generate())
        after = binary.files_in(w.folder)
        self.assertEqual([name for name in before if after[name] != before[name]], [])


if __name__ == "__main__":
    unittest.main()
