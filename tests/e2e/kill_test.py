"""`sft` and `generate`, killed without warning at many points and called again until done, end with the same bytes."""

import json
import os
import random
import shutil
import tempfile
import time
import unittest
from pathlib import Path

import binary
from workshop import ROWS, Workshop, jsonl

SEED = 20
NUM_KILLS = 20


def kill_when(arguments, is_time, pause_s=0.0):
    """Starts a command and kills it `pause_s` after `is_time()`. False if it was done before."""
    process = binary.start(*arguments)
    while not is_time():
        if process.poll() is not None:
            break
    end = time.monotonic() + pause_s
    while time.monotonic() < end and process.poll() is None:
        pass
    was_running = process.poll() is None
    process.kill()
    _, errors = process.communicate()  # Waits until it is gone.
    if not was_running and process.returncode != 0:
        raise AssertionError(errors.decode())
    return was_running


def names_in(folder):
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()


def num_lines(path):
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


class Killed(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))
        self.rng = random.Random(SEED)
        print(f"seed {SEED}")

    def finish(self, arguments):
        result = binary.run(*arguments)
        self.assertEqual(binary.faults_of(result), [], result.stderr)

    def assert_no_leftovers(self, folder):
        leftovers = [name for name in binary.files_in(folder) if ".tmp" in name or ".old" in name]
        self.assertEqual(leftovers, [])


class KilledTraining(Killed):
    """64 updates, a checkpoint every 3, an evaluation (and perhaps a new best adapter) every 5."""

    STEPS = 64
    FLAGS = ("--max-steps", STEPS, "--epochs", 64, "--checkpoint-steps", 3, "--eval-steps", 5, "--learning-rate", 0.003)

    def setUp(self):
        super().setUp()
        w = self.w
        held = w.write("held.jsonl", jsonl(ROWS[9:]))
        files = {"rows": w.write("rows.jsonl", jsonl(ROWS[:9])), "validation": held, "guide": w.guide}
        self.command = w.sft(*self.FLAGS, "--guide-loss", "--threads", 2, **files)
        whole = w.folder / "whole"
        self.finish(w.sft(*self.FLAGS, "--guide-loss", "--threads", 1, **files, run=whole))
        self.whole = self.results_of(whole)
        self.assertEqual(num_lines(whole / "metrics.jsonl"), self.STEPS)

    @staticmethod
    def results_of(run):
        return binary.files_in(run / "adapter") | {"metrics": (run / "metrics.jsonl").read_bytes()}

    def assert_same_as_undisturbed(self):
        self.finish(self.command)
        self.assertEqual(self.results_of(self.w.run), self.whole)
        self.assert_no_leftovers(self.w.run)

    def test_at_steps_spread_over_the_run(self):
        metrics = self.w.run / "metrics.jsonl"
        targets = sorted(self.rng.sample(range(self.STEPS), NUM_KILLS))
        for target in targets:
            pause_s = self.rng.uniform(0.0, 0.005)
            self.assertTrue(kill_when(self.command, lambda: num_lines(metrics) > target, pause_s), f"done before step {target}")
        self.assert_same_as_undisturbed()

    def kill_many(self, watch, most_pause_s):
        """Kills until it has happened NUM_KILLS times, each `most_pause_s` at most after `watch(number)()` is true. A run
        that gets to its end is compared and begun anew."""
        num_kills, num_calls = 0, 0
        while num_kills < NUM_KILLS and num_calls < 10 * NUM_KILLS:
            num_calls += 1
            if kill_when(self.command, watch(num_kills), self.rng.uniform(0.0, most_pause_s)):
                num_kills += 1
            else:
                self.assertEqual(self.results_of(self.w.run), self.whole)
                shutil.rmtree(self.w.run)
        print(f"killed {num_kills} times in {num_calls} calls")
        self.assert_same_as_undisturbed()
        return num_kills

    def test_at_any_time(self):
        begin = time.monotonic()
        self.finish(self.w.sft(*self.FLAGS, run=self.w.folder / "timed", rows=self.w.rows))
        whole_s = time.monotonic() - begin
        self.assertEqual(self.kill_many(lambda number: lambda: True, 0.8 * whole_s), NUM_KILLS)

    def test_while_a_checkpoint_or_an_adapter_is_written(self):
        def watch(number):
            folder, mark = ((self.w.run / "checkpoints", ".tmp"), (self.w.run, "adapter.tmp."))[number % 2]
            before = names_in(folder)
            return lambda: any(mark in name for name in names_in(folder) - before)

        self.assertGreater(self.kill_many(watch, 0.002), 0)

    def test_a_torn_last_line_of_metrics_is_written_again(self):
        self.assertTrue(kill_when(self.command, lambda: num_lines(self.w.run / "metrics.jsonl") > 20))
        with open(self.w.run / "metrics.jsonl", "ab") as file:
            file.write(b'{"step": 21, "lo')
        self.assert_same_as_undisturbed()


class KilledGeneration(Killed):
    NUM_ROWS = 240

    def setUp(self):
        super().setUp()
        w = self.w
        rows = [row | {"id": f"{row['id']}-{i}", "review": row["review"] * (i % 4 + 1)} for i in range(self.NUM_ROWS // len(ROWS)) for row in ROWS]
        self.ids = [row["id"] for row in rows]
        files = {"rows": w.write("rows.jsonl", jsonl(rows)), "guide": w.write("guide.json", {"regex": "[가-힣 ]{4,30}|{review:piece}"})}
        flags = ("--max-new-tokens", 64, "--temperature", 1, "--fields")
        self.command = w.generate(*flags, "--threads", 2, **files)
        whole = w.folder / "whole.jsonl"
        self.finish(w.generate(*flags, "--threads", 1, "--batch-rows", 5, **files, output=whole))
        self.whole = whole.read_bytes()
        self.manifest = whole.with_name("whole.jsonl.manifest.json").read_bytes()

    def assert_same_as_undisturbed(self):
        self.finish(self.command)
        lines = self.w.output.read_text(encoding="utf-8").splitlines()
        self.assertEqual([json.loads(line)["id"] for line in lines], self.ids)
        self.assertEqual(self.w.output.read_bytes(), self.whole)
        self.assertEqual(self.w.output.with_name("answers.jsonl.manifest.json").read_bytes(), self.manifest)

    def test_at_rows_spread_over_the_file(self):
        size = lambda: self.w.output.stat().st_size if self.w.output.exists() else 0  # noqa: E731
        num_kills = 0
        for target in sorted(self.rng.sample(range(len(self.whole) * 9 // 10), NUM_KILLS)):
            num_kills += kill_when(self.command, lambda: size() >= target, self.rng.uniform(0.0, 0.002))
            self.assertTrue(self.whole.startswith(self.w.output.read_bytes()))
        self.assertEqual(num_kills, NUM_KILLS)
        self.assert_same_as_undisturbed()

    def test_at_any_time(self):
        for _ in range(NUM_KILLS):
            kill_when(self.command, lambda: True, self.rng.uniform(0.0, 0.3))
        self.assert_same_as_undisturbed()

    def test_a_torn_last_line_is_written_again(self):
        self.assertTrue(kill_when(self.command, lambda: num_lines(self.w.output) > 30))
        content = self.w.output.read_bytes()
        for cut in (1, 5, 30):
            self.w.output.write_bytes(content[:-cut])
            self.assert_same_as_undisturbed()
            self.w.output.write_bytes(content)


if __name__ == "__main__":
    unittest.main()
