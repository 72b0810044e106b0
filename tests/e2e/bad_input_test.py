"""What is wrong with the input is said once and clearly, the command fails, and nothing that was there is touched."""

import json
import os
import resource
import shutil
import tempfile
import unittest
from pathlib import Path

import bad_jobs
import bad_labels
import bad_models
import binary
import tiny_model
from workshop import PREDICTIONS, ROWS, Workshop, jsonl

CASES = [*bad_models.CASES, *bad_jobs.CASES, *bad_labels.CASES]


class BadInput(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def workshop(self, name):
        folder = self.folder / name
        folder.mkdir()
        return Workshop(folder)

    def test_every_case_gets_one_clear_error_and_touches_nothing(self):
        self.assertGreaterEqual(len({case.name for case in CASES}), 60)
        for number, case in enumerate(CASES):
            with self.subTest(case.name):
                w = self.workshop(str(number))
                arguments = case.command(w)
                before = binary.files_in(w.folder)
                result = binary.run(*arguments, cwd=w.folder)
                problems = binary.faults_of_refusal(result, case.names)
                after = binary.files_in(w.folder)
                problems += [f"{name} is lost or changed" for name in before if after.get(name) != before[name]]
                problems += [f"{name} was made" for name in after if name not in before and name not in case.makes]
                self.assertEqual(problems, [], result.stderr + result.stdout)
                shutil.rmtree(w.folder)

    def test_a_file_cut_anywhere_is_refused(self):
        w = self.workshop("cut")
        gguf = tiny_model.gguf(tiny_model.gguf_metadata(), tiny_model.gguf_tensors())
        weights = (w.base / "model.safetensors").read_bytes()
        for whole, path, argument in ((gguf, w.folder / "model.gguf", w.folder / "model.gguf"),
                                      (weights, w.base / "model.safetensors", w.base)):  # fmt: skip
            for cut in sorted({*range(1, 40, 3), *range(40, len(whole), len(whole) // 25), len(whole) - 1}):
                with self.subTest(path.name, cut=cut):
                    path.write_bytes(whole[:cut])
                    result = binary.run("inspect", argument)
                    self.assertEqual(binary.faults_of_refusal(result, (path.name,)), [], result.stderr)

    def test_a_byte_order_mark_changes_nothing(self):
        w = self.workshop("mark")
        self.assertEqual(binary.faults_of(binary.run(*w.generate(guide=w.guide))), [])
        mark = b"\xef\xbb\xbf"
        marked = {name: w.write(f"marked-{path.name}", mark + path.read_bytes())
                  for name, path in (("rows", w.rows), ("template", w.template), ("guide", w.guide))}  # fmt: skip
        result = binary.run(*w.generate(**marked, output=w.folder / "marked.jsonl"))
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        self.assertEqual((w.folder / "marked.jsonl").read_bytes(), w.output.read_bytes())

    def test_rows_longer_than_the_context_are_marked_and_their_neighbours_answered(self):
        w = self.workshop("long")
        rows = [ROWS[0], ROWS[1] | {"review": "가나" * 2000}, ROWS[2]]
        result = binary.run(*w.generate(rows=w.write("rows.jsonl", jsonl(rows)), guide=w.guide))
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        lines = [json.loads(line) for line in w.output.read_text(encoding="utf-8").splitlines()]
        self.assertEqual([line["id"] for line in lines], [row["id"] for row in rows])
        self.assertEqual([line["text"] is None for line in lines], [False, True, False])
        self.assertIn(f"context of {tiny_model.CONTEXT}", lines[1]["failure"])

    def test_sft_leaves_long_rows_out_and_counts_them(self):
        w = self.workshop("count")
        rows = [row | {"review": "가나" * 2000} if row["id"] == "r3" else row for row in ROWS]
        result = binary.run(*w.sft("--max-tokens", 100000, rows=w.write("rows.jsonl", jsonl(rows))))
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        self.assertIn(f"left out 1 row longer than {tiny_model.CONTEXT} tokens", result.stderr)

    def test_a_folder_that_can_not_be_written_is_named(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        w = self.workshop("read-only")
        closed = w.folder / "closed"
        closed.mkdir()
        closed.chmod(0o555)
        for arguments in (w.generate(output=closed / "answers.jsonl"), w.sft(run=closed / "run")):
            result = binary.run(*arguments)
            self.assertEqual(binary.faults_of_refusal(result, ("closed", "denied")), [], result.stderr)

    def test_a_run_in_use_is_refused(self):
        w = self.workshop("busy")
        first = binary.start(*w.sft("--max-steps", 100000, "--epochs", 100000))
        try:
            while not (w.run / "metrics.jsonl").exists() and first.poll() is None:
                pass
            result = binary.run(*w.sft("--max-steps", 100000, "--epochs", 100000))
            self.assertEqual(binary.faults_of_refusal(result, ("run", "in use")), [], result.stderr)
        finally:
            first.kill()
            first.communicate()

    def test_an_output_in_use_is_refused(self):
        w = self.workshop("busy-output")
        rows = w.write("many.jsonl", jsonl([row | {"id": f"{row['id']}-{i}"} for i in range(2000) for row in ROWS]))
        first = binary.start(*w.generate("--max-new-tokens", 64, rows=rows))
        try:
            while not (w.output.exists() and w.output.stat().st_size) and first.poll() is None:
                pass
            result = binary.run(*w.generate("--max-new-tokens", 64, rows=rows))
            self.assertEqual(binary.faults_of_refusal(result, ("answers.jsonl", "in use")), [], result.stderr)
        finally:
            first.kill()
            first.communicate()


def at_most(num_bytes):
    """Makes files that a child writes end at this size, as those on a full disk do."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, num_bytes))


class FullDisk(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))

    def assert_refused(self, result, *names):
        self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)

    def assert_good(self, result):
        self.assertEqual(binary.faults_of(result), [], result.stderr)

    def test_generate_keeps_what_it_has_and_goes_on(self):
        w = self.w
        rows = w.write("rows.jsonl", jsonl([row | {"id": f"{row['id']}-{i}"} for i in range(30) for row in ROWS]))
        self.assert_good(binary.run(*w.generate(rows=rows, output=w.folder / "whole.jsonl")))
        whole = (w.folder / "whole.jsonl").read_bytes()
        self.assertGreater(len(whole), 15000)
        self.assert_refused(binary.run(*w.generate(rows=rows), preexec_fn=at_most(9000)), "answers.jsonl", "too large")
        self.assertTrue(whole.startswith(w.output.read_bytes()))
        self.assertGreater(w.output.stat().st_size, 0)
        self.assert_good(binary.run(*w.generate(rows=rows)))
        self.assertEqual(w.output.read_bytes(), whole)

    def test_sft_goes_on_where_it_was(self):
        w, more = self.w, ("--max-steps", 12, "--epochs", 9, "--checkpoint-steps", 2)
        self.assert_good(binary.run(*w.sft(*more, run=w.folder / "whole")))
        whole = binary.files_in(w.folder / "whole" / "adapter")
        self.assert_refused(binary.run(*w.sft(*more), preexec_fn=at_most(5000)), "run", "too large")
        self.assertFalse((w.run / "adapter").exists())
        self.assert_good(binary.run(*w.sft(*more)))
        self.assertEqual(binary.files_in(w.run / "adapter"), whole)
        before = binary.files_in(w.run / "adapter")
        self.assert_refused(binary.run(*w.sft(*more), preexec_fn=at_most(5000)), "run", "too large")
        self.assertEqual(binary.files_in(w.run / "adapter"), before)

    def test_files_that_are_there_stay(self):
        w = self.w
        w.write("predictions.jsonl", jsonl(PREDICTIONS))
        split = w.data("split", "--split", w.split, "--output", w.folder / "parts")
        judge = w.eval("--json", w.folder / "result.json", "--report", w.folder / "report.html", "--cards", w.folder / "cards.html")
        for arguments, name in ((split, "parts"), (judge, "result.json")):
            self.assert_good(binary.run(*arguments))
            before = binary.files_in(w.folder)
            self.assert_refused(binary.run(*arguments, preexec_fn=at_most(100)), name, "too large")
            self.assertEqual(binary.files_in(w.folder), before)

    def test_merge_leaves_the_old_model_or_nothing(self):
        w = self.w
        self.assert_good(binary.run(*w.sft()))
        self.assert_refused(binary.run(*w.merge(), preexec_fn=at_most(20000)), "merged", "too large")
        self.assertEqual([name for name in binary.files_in(w.folder) if "merged" in name], [])
        self.assert_good(binary.run(*w.merge()))
        before = binary.files_in(w.folder)
        self.assert_refused(binary.run(*w.merge("--force", "--type", "BF16"), preexec_fn=at_most(20000)), "merged", "too large")
        self.assertEqual(binary.files_in(w.folder), before)

    def test_output_that_nobody_gets_is_an_error(self):
        w = self.w
        w.write("predictions.jsonl", jsonl(PREDICTIONS))
        for arguments in (["inspect", w.base, "--json"], ["--help"], ["sft", "--help"], w.data("card"), w.eval()):
            with open("/dev/full", "wb") as full:
                self.assert_refused(binary.run(*arguments, stdout=full), "standard output", "No space left")

    def test_a_device_is_written_to_and_not_replaced(self):
        w = self.w
        w.write("predictions.jsonl", jsonl(PREDICTIONS))
        full, nothing = w.folder / "full", w.folder / "nothing"
        full.symlink_to("/dev/full")
        nothing.symlink_to("/dev/null")
        self.assert_refused(binary.run(*w.eval("--json", full)), "full", "No space left")
        self.assert_good(binary.run(*w.eval("--json", nothing, "--report", nothing)))
        self.assertTrue(full.is_symlink() and nothing.is_symlink())
        self.assert_refused(binary.run(*w.generate(output=full)), "full", "regular file")


if __name__ == "__main__":
    unittest.main()
