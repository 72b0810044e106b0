"""`onggi label`: a teacher that fails in every way, kills at any point, money, and labels that can be told apart."""

import collections
import json
import os
import random
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import binary
from fake_teacher import Teacher
from serve_test import Server
from workshop import ROWS, Workshop, jsonl

SEED = 5
PROMPT = "---\nformat: cards\n---\n당신은 편집자입니다.\n규칙을 지킵니다.\n\n상품: {{product}}\n후기: {{review}}\n답:\n\n---answer---\n{{themes|cards}}\n"
KEY = "sk-secret-1234"


def rows_of(count, first=0):
    return [{"id": f"n{i}", "product": f"크림 {i % 7}호", "review": f"{i}번째 후기. 촉촉하고 향이 {'좋아요' if i % 3 else '별로예요'}"} for i in range(first, first + count)]


LABELLED = [row | {"themes": [{"entity": "크림", "expression": "촉촉하고 좋은", "name": "보습력"}]} for row in rows_of(30, 1000)]


class Labels(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.prompt = self.write("prompt.txt", PROMPT)
        self.input = self.write("rows.jsonl", jsonl(rows_of(40)))
        self.output = self.folder / "labels.jsonl"
        self.env = {**os.environ, "no_proxy": "*"}
        self.env.pop("ONGGI_TEACHER_KEY", None)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def teacher(self, *arguments, **options):
        teacher = Teacher(*arguments, **options)
        self.addCleanup(teacher.close)
        return teacher

    def command(self, server, *more, **files):
        flags = {"teacher": server.url, "model": "big", "prompt": self.prompt, "input": self.input, "output": self.output} | files
        return ["label", *[part for name, value in flags.items() if value is not None for part in (f"--{name}", value)], *more]

    def run_label(self, teacher, *more, **files):
        return binary.run(*self.command(teacher, *more, **files), env=self.env)

    def labelled(self, teacher, *more, **files):
        result = self.run_label(teacher, *more, **files)
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        path = files.get("output", self.output)
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def refused(self, result, *names):
        self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)

    # --- what comes out ---

    def test_labels_have_their_columns_confidence_and_origin(self):
        teacher = self.teacher()
        guidelines = self.write("guide.md", "지침 1판\n")
        lines = self.labelled(teacher, "--answers", 4, "--temperature", 0.7, "--guidelines", guidelines, "--guideline-version", "v1")
        self.assertEqual([line["id"] for line in lines], [row["id"] for row in rows_of(40)])
        self.assertEqual(teacher.num_calls, 160)
        for line, row in zip(lines, rows_of(40)):
            origin = line["teacher"]
            self.assertEqual((line["review"], line["product"]), (row["review"], row["product"]))
            self.assertEqual((origin["model"], origin["guidelines"], origin["answers"], len(origin["keys"])), ("big", "v1", 4, 4))
            self.assertTrue(0 < origin["confidence"] <= 1 and 0 <= origin["disagreement"] <= 1)
            for theme, detail in zip(line["themes"], origin["details"]["themes"]):
                self.assertEqual(theme["name"], detail["name"])
                self.assertGreaterEqual(detail["share"], 0.5)
                # Three values of two-byte tokens at -0.125 each.
                self.assertTrue(-6 < detail["log_probability"] <= -2, detail)
        self.assertGreater(len({line["teacher"]["confidence"] for line in lines}), 2)
        self.assertTrue(any(line["teacher"]["disagreement"] > 0 for line in lines))
        body = teacher.bodies[0]
        self.assertEqual([message["role"] for message in body["messages"]], ["system", "user"])
        self.assertEqual(body["messages"][0]["content"], "지침 1판\n\n당신은 편집자입니다.\n규칙을 지킵니다.")
        self.assertTrue(body["messages"][1]["content"].startswith("상품: 크림 0호\n후기: 0번째"))
        self.assertEqual({body["seed"] for body in teacher.bodies}, {0, 1, 2, 3})
        # Training takes the labels as they are.
        w = Workshop(self.folder / "workshop")
        result = binary.run(*w.sft(rows=self.output, template=self.prompt))
        self.assertEqual(binary.faults_of(result), [], result.stderr)

    def test_examples_are_the_nearest_and_never_the_row_itself(self):
        own = rows_of(40)[5] | {"themes": [], "id": "other"}  # the same text under another id
        examples = self.write("labelled.jsonl", jsonl([*LABELLED, own, rows_of(40)[6] | {"themes": [], "review": "다른 말"}]))
        teacher = self.teacher()
        self.labelled(teacher, "--examples", examples, "--nearest", 3, "--group", "product")
        for body in teacher.bodies:
            messages = body["messages"]
            self.assertEqual([m["role"] for m in messages], ["system", *["user", "assistant"] * 3, "user"])
            product = messages[-1]["content"].split("\n")[0]
            for message in messages[1:-1:2]:
                self.assertNotEqual(message["content"].split("\n")[0], product)
                self.assertNotEqual(message["content"], messages[-1]["content"])
            for message in messages[2:-1:2]:
                self.assertEqual(json.loads(message["content"]), ["촉촉하고 좋은 '크림' : 보습력"] if message["content"] != "[]" else [])
        # The last example is the nearest: it mostly ends as the row's review does.
        ends = [(b["messages"][-1]["content"].split(" ")[-1], b["messages"][-3]["content"].split(" ")[-1]) for b in teacher.bodies]
        self.assertGreater(sum(a == b for a, b in ends), 30)

    def test_json_objects_by_a_schema_become_columns(self):
        schema = self.write("schema.json", json.dumps({"type": "object", "required": ["themes", "tone"], "properties": {}}))
        prompt = self.write("json.txt", "---\nformat: json\n---\n말투를 봅니다.\n후기: {{review}}\n")
        theme = {"entity": "크림", "expression": "촉촉하고 좋은", "name": "향"}

        def answer(body, _):
            if len(body["messages"]) == 2 and "3번째" in body["messages"][-1]["content"]:
                return '{"themes": []}'
            return "```json\n" + json.dumps({"themes": [theme], "tone": "warm" if body["seed"] % 3 else "cold"}, ensure_ascii=False) + "\n```"

        teacher = self.teacher(answer=answer)
        lines = self.labelled(teacher, "--answers", 3, "--temperature", 1, prompt=prompt, schema=schema)
        for line in lines:
            self.assertEqual((line["tone"], line["themes"]), ("warm", [theme]))
            self.assertAlmostEqual(line["teacher"]["details"]["tone"]["share"], 2 / 3)
            self.assertAlmostEqual(line["teacher"]["confidence"], 2 / 3)
        self.assertEqual(teacher.bodies[0]["response_format"]["json_schema"]["schema"]["required"], ["themes", "tone"])
        repairs = [body for body in teacher.bodies if len(body["messages"]) == 4]
        self.assertEqual(len(repairs), 3 * sum("3번째" in row["review"] for row in rows_of(40)))
        self.assertIn('"tone" is missing', repairs[0]["messages"][-1]["content"])

    # --- faults ---

    def test_faults_in_passing_change_nothing_but_time(self):
        whole = self.labelled(self.teacher(), output=self.folder / "whole.jsonl")
        rng = random.Random(SEED)
        kinds = ["429", "500", "503", "close", "html", "slow", "hang"] + [None] * 7
        draws = [rng.choice(kinds) for _ in range(2000)]
        draws[:6] = ["500", "429", "close", "slow", "html", "hang"]
        teacher = self.teacher(lambda n, _: draws[n] if n < 60 or draws[n] != "hang" else None)
        lines = self.labelled(teacher, "--timeout-s", 1, "--max-retries", 30)
        origins = [line.pop("teacher") for line in whole], [line.pop("teacher") for line in lines]
        self.assertEqual(lines, whole)
        # The endpoint is another, so the keys are.
        self.assertEqual(*([{k: v for k, v in o.items() if k not in ("endpoint", "keys")} for o in side] for side in origins))

    def test_answers_that_can_not_be_read_are_asked_for_again_and_then_marked(self):
        def answer(body, text):
            tries = len(body["messages"]) // 2  # 1, and one more with each repair
            if "1번째" in body["messages"][1]["content"] and tries < 3:
                return text[: len(text) // 2] if tries == 1 else "미안합니다"
            return "{" if "2번째" in body["messages"][1]["content"] else text

        teacher = self.teacher(answer=answer)
        lines = self.labelled(teacher, "--name", "보습력", "--name", "흡수력", "--name", "향", "--name", "사용감")
        for line, row in zip(lines, rows_of(40)):
            is_bad = "2번째" in row["review"]
            self.assertEqual("failure" in line["teacher"], is_bad, line)
            self.assertEqual("themes" in line, not is_bad)
            if "1번째" in row["review"]:
                self.assertEqual(len(line["teacher"]["keys"]), 3)
        # Again, out of the journal alone, to the same bytes.
        before, calls = self.output.read_bytes(), teacher.num_calls
        self.output.unlink()
        self.labelled(teacher, "--name", "보습력", "--name", "흡수력", "--name", "향", "--name", "사용감")
        self.assertEqual((self.output.read_bytes(), teacher.num_calls), (before, calls))

    def test_a_refused_row_is_marked_with_the_reason(self):
        teacher = self.teacher(lambda n, body: "400" if "7번째" in body["messages"][-1]["content"] else None)
        lines = self.labelled(teacher)
        for line in lines:
            self.assertEqual(line["teacher"].get("failure", "").startswith("the teacher answered 400: fault 400"), "7번째" in line["review"])

    def test_what_no_call_can_pass_stops_at_once_and_loses_nothing(self):
        for fault, names in (("403", ["403", "fault 403"]), ("404", ["404"]), ("quota", ["429", "no money"]), ("redirect", ["redirect", "--teacher"])):
            with self.subTest(fault):
                teacher = self.teacher(lambda n, _, fault=fault: fault if n >= 20 else None)
                output = self.folder / f"{fault}.jsonl"
                self.refused(self.run_label(teacher, output=output), *names)
                self.assertLessEqual(teacher.num_calls, 20 + 16)
                teacher.faults = lambda n, _: None
                before = len(teacher.calls)
                self.assertEqual(len(self.labelled(teacher, output=output)), 40)
                self.assertEqual((before, len(teacher.calls)), (20, 40))
        with self.subTest("all refused"):
            teacher = self.teacher(lambda n, _: "400")
            self.refused(self.run_label(teacher, output=self.folder / "all.jsonl"), "400")
            self.assertEqual((self.folder / "all.jsonl").read_bytes(), b"")
        with self.subTest("gone"):
            teacher = self.teacher()
            url = teacher.url
            teacher.close()
            self.refused(binary.run(*self.command(teacher, "--max-retries", 1, teacher=url), env=self.env), "answers no call", url)

    def test_the_key_is_sent_and_never_shown(self):
        teacher = self.teacher(key=KEY)
        self.refused(self.run_label(teacher), "401")
        self.env["ONGGI_TEACHER_KEY"] = KEY + "-wrong"
        result = self.run_label(teacher)
        self.refused(result, "401", "***")
        self.assertNotIn(KEY, result.stderr)
        self.env["MY_KEY"] = KEY
        self.assertEqual(len(self.labelled(teacher, "--key-env", "MY_KEY")), 40)
        for name, content in binary.files_in(self.folder).items():
            self.assertNotIn(KEY.encode(), content, name)
        self.refused(binary.run(*self.command(teacher, "--key-env", "MY_KEY", teacher="http://example.com/v1"), env=self.env), "open connection", "https://")

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not there")
    def test_a_server_that_can_not_prove_itself_gets_nothing(self):
        pair = (self.folder / "cert.pem", self.folder / "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=teacher", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-out", pair[0], "-keyout", pair[1]], check=True, capture_output=True)  # fmt: skip
        teacher = self.teacher(tls=pair, key=KEY)
        self.env["ONGGI_TEACHER_KEY"] = KEY
        self.refused(self.run_label(teacher), "certificate")
        self.assertEqual(teacher.num_calls, 0)
        self.assertEqual(len(self.labelled(teacher, "--certificates", pair[0])), 40)

    def test_another_temperature_does_not_go_on_with_the_same_file(self):
        teacher = self.teacher()
        self.labelled(teacher)
        for flags, name in ((("--temperature", 0.5), "temperature"), (("--seed", 3), "seed"), (("--max-tokens", 9), "max_tokens"), (("--repairs", 1), "repairs")):
            before = self.output.read_bytes()
            self.refused(self.run_label(teacher, *flags), name, "labels.jsonl")
            self.assertEqual(self.output.read_bytes(), before)

    # --- limits ---

    def test_the_money_is_never_passed_and_the_rest_goes_on(self):
        # An answer costs 100 * 10 + 20 * 50 = 2,000 millionths of a dollar.
        prices = ("--input-price", "10", "--output-price", "50", "--max-tokens", 100)
        teacher = self.teacher()
        result = self.run_label(teacher, *prices, "--max-cost", "0.05")
        self.refused(result, "$0.05", "--max-cost")
        paid = len(teacher.calls)
        self.assertTrue(10 < paid <= 25, paid)
        lines = self.labelled(teacher, *prices, "--max-cost", "1")
        self.assertEqual((len(lines), len(teacher.calls)), (40, 40))
        result = self.run_label(teacher, *prices, "--max-cost", "1")
        self.assertIn("$0.08 spent", result.stdout)
        self.assertIn("40 rows labelled, 0 failed; 0 answers received", result.stdout)

    def test_calls_a_minute_are_kept_and_crowds_are_what_it_takes(self):
        teacher = self.teacher(delay_s=0.02)
        start = time.monotonic()
        self.labelled(teacher, "--requests-per-minute", 1200, "--parallel", 8)
        self.assertGreater(time.monotonic() - start, 40 / 20 - 1.2)  # a second's worth is free
        self.assertLessEqual(teacher.most_at_once, 8)
        crowded = self.teacher(delay_s=0.05)
        self.labelled(crowded, input=self.write("many.jsonl", jsonl(rows_of(150))), output=self.folder / "many-labels.jsonl")
        self.assertTrue(6 <= crowded.most_at_once <= 16, crowded.most_at_once)

    # --- kills ---

    def test_killed_anywhere_no_answer_is_paid_twice(self):
        rows = self.write("kill.jsonl", jsonl(rows_of(120)))
        more = ("--answers", 2, "--temperature", 1, "--parallel", 6)
        teacher = self.teacher(delay_s=0.01)
        self.labelled(teacher, *more, input=rows, output=self.folder / "whole.jsonl", journal=self.folder / "whole.journal")
        whole = (self.folder / "whole.jsonl").read_bytes()
        self.assertEqual(len(teacher.calls), 240)
        teacher.calls.clear()
        rng, kills = random.Random(SEED), []
        command = self.command(teacher, *more, input=rows)
        for _ in range(200):
            process = binary.start(*command, env=self.env)
            target = len(teacher.calls) + rng.randint(0, 16)
            while len(teacher.calls) < target and process.poll() is None:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.02))
            is_done = process.poll() is not None
            process.kill()
            kills.append(time.monotonic())
            process.communicate()
            if is_done:
                self.assertEqual(process.returncode, 0)
                break
        self.labelled(teacher, *more, input=rows)
        self.assertEqual(self.output.read_bytes(), whole)
        asked = collections.defaultdict(list)
        for body, begun, ended in teacher.calls:
            asked[body].append((begun, ended))
        self.assertEqual(len(asked), 240)
        num_again = sum(len(times) - 1 for times in asked.values())
        print(f"seed {SEED}: {len(kills)} kills, {num_again} answers asked for again, at most {6 * len(kills)} were under way")
        self.assertGreater(len(kills), 8)
        self.assertLessEqual(num_again, 6 * len(kills))
        for times in asked.values():
            for begun, ended in times[:-1]:  # each of these was under way, or not yet durable, when the process ended
                self.assertTrue(any(begun - 0.3 <= kill <= (ended or kill) + 0.3 for kill in kills), (begun, ended))

    def test_a_journal_in_use_is_refused(self):
        teacher = self.teacher(delay_s=0.5)
        first = binary.start(*self.command(teacher), env=self.env)
        try:
            while teacher.num_calls == 0 and first.poll() is None:
                time.sleep(0.01)
            self.refused(self.run_label(teacher, output=self.folder / "b.jsonl", journal=f"{self.output}.journal"), "journal", "in use")
        finally:
            first.kill()
            first.communicate()


class Teachers(unittest.TestCase):
    """A checkpoint, and a server of ours, as the teacher."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.w = Workshop(self.folder)
        self.prompt = self.w.write("json.txt", "---\nformat: json\n---\n판단합니다.\n\n상품: {{product}}\n후기: {{review}}\n\n---answer---\n{{label|json}}\n")
        self.schema = self.w.write("schema.json", {"enum": ["good", "bad"]})
        self.input = self.w.write("raw.jsonl", jsonl([{k: row[k] for k in ("id", "product", "review")} for row in ROWS]))
        self.env = {**os.environ, "no_proxy": "*"}
        self.env.pop("ONGGI_TEACHER_KEY", None)

    def labelled(self, name, *more, **files):
        output = self.folder / f"{name}.jsonl"
        flags = {"prompt": self.prompt, "input": self.input, "schema": self.schema, "examples": self.w.rows, "output": output} | files
        given = [part for flag, value in flags.items() for part in (f"--{flag}", value)]
        result = binary.run("label", *given, "--nearest", 2, "--max-tokens", 16, *more, env=self.env)
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()], result.stdout

    def test_a_checkpoint_gives_the_same_labels_in_any_batch_and_pays_none_twice(self):
        more = ("--answers", 5, "--temperature", 1)
        lines, _ = self.labelled("one", *more, teacher=self.w.base)
        self.assertEqual([line["id"] for line in lines], [row["id"] for row in ROWS])
        for line in lines:
            self.assertIn(line["label"], ("good", "bad"))
            self.assertEqual((len(line["teacher"]["keys"]), line["teacher"]["answers"]), (5, 5))
            self.assertIn("checkpoint", line["teacher"])
            self.assertLess(line["teacher"]["details"]["label"]["log_probability"], 0)
        self.assertGreater(len({line["teacher"]["confidence"] for line in lines}), 1)
        again, _ = self.labelled("two", *more, "--batch-rows", 3, "--threads", 1, teacher=self.w.base)
        self.assertEqual(again, lines)
        journal = {"journal": self.folder / "one.jsonl.journal"}
        (self.folder / "one.jsonl").unlink()
        found, printed = self.labelled("one", *more, teacher=self.w.base)
        self.assertEqual(found, lines)
        self.assertIn("0 answers received, 60 from the journal", printed)
        # More answers cost only the new ones.
        _, printed = self.labelled("three", "--answers", 7, "--temperature", 1, teacher=self.w.base, **journal)
        self.assertIn("24 answers received, 60 from the journal", printed)

    def test_a_server_of_ours_teaches(self):
        server = Server("--base", self.w.base)
        try:
            lines, _ = self.labelled("served", "--answers", 3, "--temperature", 1, "--model", "model", teacher=f"http://127.0.0.1:{server.port}")
        finally:
            server.stop()
        for line in lines:
            self.assertIn(line["label"], ("good", "bad"))
            self.assertLess(line["teacher"]["details"]["label"]["log_probability"], 0)
        self.assertEqual(len(lines), len(ROWS))

    def test_the_queue_holds_every_labelled_row_once_and_changes_nothing(self):
        rows = [row | {"teacher": {"confidence": 0.5, "disagreement": 0.4 if i == 3 else 0.0}} for i, row in enumerate(ROWS)]
        rows.append({"id": "f", "product": "a", "review": "b", "teacher": {"failure": "x"}})
        labels = self.w.write("labels.jsonl", jsonl(rows))
        before = labels.read_bytes()
        queues = []
        for threads in (1, 2):
            queue = self.folder / f"queue{threads}.jsonl"
            result = binary.run("label", "rank", "--input", labels, "--output", queue, "--folds", 3, "--threads", threads)
            self.assertEqual(binary.faults_of(result), [], result.stderr)
            self.assertIn("12 rows in the queue, 1 without a label left out", result.stdout)
            queues.append(queue.read_bytes())
        self.assertEqual(queues[0], queues[1])
        self.assertEqual(labels.read_bytes(), before)
        lines = [json.loads(line) for line in queues[0].decode().splitlines()]
        self.assertEqual(sorted(line["id"] for line in lines), sorted(row["id"] for row in ROWS))
        self.assertEqual([line["doubt"]["place"] for line in lines], [*range(1, 13)])
        suspicions = [line["doubt"]["suspicion"] for line in lines]
        self.assertEqual(suspicions, sorted(suspicions, reverse=True))
        by_id = {row["id"]: row for row in rows}
        for line in lines:
            self.assertEqual({k: v for k, v in line.items() if k != "doubt"}, by_id[line["id"]])


if __name__ == "__main__":
    unittest.main()
