"""`verify` and `themes run`: from reviews to cards with the real binary, killed and changed on the way."""

import json
import random
import shutil
import signal
import tempfile
import time
import unittest
from pathlib import Path

import binary
from workshop import CARD_TEMPLATE, Workshop, jsonl, trained_adapter

NAMES = ["보습력", "향", "가성비"]
GUIDE = {"cards": {"entity_slot": "product", "entity": "noun", "expression_slots": ["product", "review"], "expression_class": "[가-힣 ]",
                   "expression_length": [5, 12], "expression_words": 2, "expression_ending": "adnominal", "max_cards": 2, "names": NAMES}}  # fmt: skip


def reviews(count, seed=0):
    rng = random.Random(seed)
    openings = "겨울마다 두번째 처음 선물로 동생이 엄마가 여름에 매일 아침에 밤마다".split()
    middles = "아주 정말 꽤 무척 그럭저럭 조금 굉장히".split()
    endings = "촉촉한 편이에요 향이 은은한 제품 가격이 착한 물건 순하게 스며드는 느낌 오래 가는 향기 끈적임 없는 마무리".split()
    rows = []
    for i in range(count):
        text = " ".join(rng.choice(words) for words in (openings, middles, endings, openings, middles, endings, endings))
        rows.append({"id": f"v{i}", "product": f"수분 크림 {i % 5}", "review": text, "rating": rng.randint(1, 5)})
    return rows


def card(expression, name="보습력", entity="크림"):
    return f"{expression} '{entity}' : {name}"


def answer(row_id, cards, log_name=-0.1):
    """A line as `generate --fields` writes it."""
    fields = []
    for i, _ in enumerate(cards):
        fields += [{"field": f"/{i}#{part}", "text": "x", "log_probability": value} for part, value in (("expression", -4.0), ("entity", -0.2), ("name", log_name))]
    return {"id": row_id, "text": json.dumps(cards, ensure_ascii=False), "log_probability": -5.0, "tokens": 9, "fields": fields}


class Verify(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))
        rng = random.Random(4)
        rows, answers = [], []
        for i in range(400):
            sure = rng.random()
            name = "보습력" if rng.random() < sure else "향"
            rows.append({"id": f"g{i}", "product": f"수분 크림 {i // 2}", "review": "정말 촉촉한 크림이에요", "themes": [{"entity": "크림", "expression": "정말 촉촉한", "name": name}]})
            answers.append(answer(f"g{i}", [card("정말 촉촉한")], log_name=-3 * (1 - sure)))
        self.rows = self.w.write("gold.jsonl", jsonl(rows))
        self.answers = self.w.write("answers.jsonl", jsonl(answers))
        self.verifier = self.w.folder / "verifier.json"

    def fit(self, *more):
        return binary.run("verify", "fit", "--rows", self.rows, "--answers", self.answers, "--output", self.verifier, *more)

    def test_what_is_accepted_has_the_precision_that_was_asked_for(self):
        result = self.fit("--target", 0.75)
        self.assertEqual(binary.faults_of(result), [])
        self.assertIn("threshold", result.stdout)
        curve = self.w.folder / "curve.json"
        result = binary.run("verify", "curve", "--verifier", self.verifier, "--rows", self.rows, "--answers", self.answers, "--output", curve, "--picture", self.w.folder / "curve.svg")
        self.assertEqual(binary.faults_of(result), [])
        figures = json.loads(curve.read_text())
        self.assertGreaterEqual(figures["right"] / figures["accepted"], 0.75)
        self.assertGreater(figures["accepted"], 50)
        self.assertIn("<svg", (self.w.folder / "curve.svg").read_text())

    def test_the_doubtful_go_to_people_nearest_to_the_threshold_first(self):
        self.assertEqual(binary.faults_of(self.fit("--target", 0.75)), [])
        people = self.w.folder / "people.jsonl"
        result = binary.run("verify", "apply", "--verifier", self.verifier, "--rows", self.rows, "--answers", self.answers, "--output", self.w.folder / "v.jsonl", "--people", people)
        self.assertEqual(binary.faults_of(result), [])
        verdicts = [json.loads(line) for line in (self.w.folder / "v.jsonl").read_text().splitlines()]
        self.assertEqual([v["id"] for v in verdicts], [f"g{i}" for i in range(400)])
        queue = [json.loads(line) for line in people.read_text().splitlines()]
        self.assertEqual({r["id"] for r in queue}, {v["id"] for v in verdicts if v["cards"][0]["verdict"] == "doubtful"})
        priorities = [r["priority"] for r in queue]
        self.assertEqual(priorities, sorted(priorities, reverse=True))

    def test_a_promise_that_the_data_can_not_carry_is_not_made(self):
        result = self.fit("--target", 0.999)
        self.assertEqual(result.returncode, 0)
        self.assertIn("no threshold can be vouched for", result.stdout)
        self.assertIsNone(json.loads(self.verifier.read_text())["threshold"])

    def test_wrong_uses_are_refused(self):
        self.assertEqual(self.fit().returncode, 0)
        good = ["--rows", self.rows, "--answers", self.answers]
        apply = ["verify", "apply", *good, "--output", self.w.folder / "v.jsonl"]
        broken = self.w.write("broken.json", {"version": 1})
        other = self.w.write("other.jsonl", jsonl([answer("x", [])]))
        plain = self.w.write("plain.jsonl", jsonl([{"id": f"g{i}", "text": json.dumps([card("정말 촉촉한")], ensure_ascii=False)} for i in range(400)]))
        for arguments, names in (
            (["verify"], ["usage"]),
            (["verify", "guess", *good], ["fit, apply and curve"]),
            (["verify", "fit", *good], ["--output"]),
            (["verify", "fit", "--rows", self.rows, "--answers", self.answers, "--output", self.verifier, "--target", 1.5], ["target"]),
            (apply, ["--verifier"]),
            ([*apply, "--verifier", broken], ["broken.json"]),
            ([*apply, "--verifier", self.verifier, "--answers", other], ["400 rows", "1 answers"]),
            ([*apply, "--verifier", self.verifier, "--answers", plain], ["g0", "probabilities"]),
        ):
            result = binary.run(*arguments)
            if arguments == ["verify"]:
                self.assertEqual((result.returncode, "usage" in result.stdout), (2, True))
            else:
                self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)


class Themes(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))
        shutil.copytree(trained_adapter(), self.w.folder / "adapter")
        self.template = self.w.write("cards.txt", CARD_TEMPLATE)
        self.guide = self.w.write("cards.json", GUIDE)
        rows = reviews(60)
        rows += [rows[0] | {"id": "again"}, {"id": "none", "product": "a", "review": " "}, {"id": "short", "product": "a", "review": "ㅎ"}]
        self.reviews = self.w.write("reviews.jsonl", jsonl(rows))

    def flow(self, folder, *more):
        return ["themes", "run", self.reviews, "--base", self.w.base, "--adapter", self.w.folder / "adapter", "--template", self.template, "--guide", self.guide,
                "--folder", self.w.folder / folder, "--max-new-tokens", 120, "--least-reviews", 1, *more]  # fmt: skip

    def lines(self, folder, name):
        return [json.loads(line) for line in (self.w.folder / folder / name).read_text().splitlines()]

    def content(self, folder):
        files = binary.files_in(self.w.folder / folder)
        return {name: files[name] for name in files if name not in ("state.json", "monitor.html")}

    def test_from_reviews_to_cards(self):
        result = binary.run(*self.flow("shop"))
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        self.assertEqual({(o["id"], o["reason"]) for o in self.lines("shop", "left_out.jsonl")} - {(o["id"], "duplicate") for o in self.lines("shop", "left_out.jsonl")},
                         {("none", "no_review"), ("short", "short")})  # fmt: skip
        self.assertIn({"id": "again", "reason": "duplicate", "kept": "v0"}, self.lines("shop", "left_out.jsonl"))
        cards = self.lines("shop", "cards.jsonl")
        self.assertGreater(len(cards), 0)
        verdicts = {v["id"]: v["cards"] for v in self.lines("shop", "verdicts.jsonl")}
        shown = {(c["entity"], c["name"], c["expression"]) for cards_ in verdicts.values() for c in cards_ if c["verdict"] == "accepted"}
        for theme in cards:
            for expression in theme["expressions"]:
                self.assertIn((theme["entity"], theme["aspect"], expression), shown)
            self.assertEqual(theme["reviews"], sum(theme["product_reviews"]))
        page = (self.w.folder / "shop" / "monitor.html").read_text()
        self.assertIn(cards[0]["expressions"][0], page)
        self.assertNotIn("http-equiv", page)
        again = binary.run(*self.flow("shop"))
        self.assertEqual(again.stderr.count("done before"), 4, again.stderr)

    def test_killed_anywhere_it_ends_with_the_same_bytes(self):
        quiet = binary.run(*self.flow("quiet"))
        self.assertEqual(quiet.returncode, 0, quiet.stderr)
        rng = random.Random(1)
        for _ in range(12):
            process = binary.start(*self.flow("killed", "--threads", rng.randint(1, 2)))
            time.sleep(rng.uniform(0.02, 0.6))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        self.assertEqual(binary.run(*self.flow("killed")).returncode, 0)
        self.assertEqual(self.content("killed"), self.content("quiet"))

    def test_people_have_the_last_word_and_answers_are_not_asked_again(self):
        self.assertEqual(binary.run(*self.flow("shop")).returncode, 0)
        answers = (self.w.folder / "shop" / "answers.jsonl").read_bytes()
        said = [{"entity": "수분 크림", "expression": "사람이 고른", "name": "향"}]
        decisions = self.w.write("decisions.jsonl", jsonl([{"id": row["id"], "themes": said if row["id"] == "v3" else []} for row in reviews(60)]))
        result = binary.run(*self.flow("shop", "--decisions", decisions))
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        self.assertEqual(result.stderr.count("done before"), 3, result.stderr)
        self.assertEqual((self.w.folder / "shop" / "answers.jsonl").read_bytes(), answers)
        cards = self.lines("shop", "cards.jsonl")
        self.assertEqual([(c["entity"], c["aspect"], c["expressions"], c["reviews"]) for c in cards], [("수분 크림", "향", ["사람이 고른"], 1)])

    def test_wrong_uses_are_refused(self):
        twice = self.w.write("twice.jsonl", jsonl([{"id": "a", "product": "b", "review": "좋은 크림이에요"}] * 2))
        for arguments, names in (
            (["themes", "go"], ["run"]),
            (["themes", "run"], ["reviews"]),
            (["themes", "run", self.reviews], ["--template"]),
            (["themes", "run", twice, *self.flow("x")[3:]], ["twice.jsonl:2", '"a"']),
            (self.flow("x", "--least-reviews", 0), ["--least-reviews"]),
            (self.flow("x", "--verifier", self.w.folder / "nothing.json"), ["nothing.json"]),
        ):
            self.assertEqual(binary.faults_of_refusal(binary.run(*arguments), names), [])


if __name__ == "__main__":
    unittest.main()
