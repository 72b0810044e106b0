"""`display`: cards chosen, recorded and learnt from over real sockets; kills; versions; what it refuses."""

import concurrent.futures
import json
import random
import signal
import tempfile
import time
import unittest
from pathlib import Path

import binary
from display_server import DisplayServer, card_lines

WORDS = ("evaluate", "log", "policy", "promote", "rollback", "serve", "simulate", "verify")


class Display(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.state = self.folder / "shop"
        self.cards = self.folder / "cards.jsonl"
        self.cards.write_text(card_lines(12), encoding="utf-8")

    def start(self, *arguments):
        server = DisplayServer(self.state, self.cards, *arguments)
        self.addCleanup(server.stop, signal.SIGKILL)
        return server

    def good(self, *arguments, timeout=120):
        result = binary.run("display", *arguments, timeout=timeout)
        self.assertEqual(binary.faults_of(result), [], result.stderr)
        return result.stdout

    def log_lines(self):
        return [json.loads(line) for line in self.good("log", "--state", self.state).splitlines()]

    def test_every_word_has_help_with_examples(self):
        for word in WORDS:
            with self.subTest(word):
                text = self.good(word, "--help")
                self.assertTrue(text.startswith(f"usage: onggi display {word}"), text)
                self.assertIn("\nexamples:\n  onggi display ", text)
                self.assertIn(word, self.good("--help"))

    def test_a_slate_is_chosen_clicked_and_learnt_from(self):
        server = self.start("--window-seconds", 0.3, "--batch-seconds", 0.1)
        for i in range(60):
            slate = server.post("/v1/slates", {"unit": f"u{i % 9}", "slots": 4})
            self.assertEqual(len({card["theme_id"] for card in slate["cards"]}), 4)
            clicked = [card["impression_id"] for card in slate["cards"] if card["theme_id"] == "t5"]
            if clicked:
                answer = server.post("/v1/outcomes", {"outcomes": [{"impression_id": clicked[0], "reward": 1}]})
                self.assertEqual(answer["outcomes"][0]["status"], "recorded")
        deadline = time.monotonic() + 20
        while server.get("/v1/stats")["open"] > 0 and time.monotonic() < deadline:
            time.sleep(0.1)
        stats = server.get("/v1/stats")
        self.assertEqual(stats["shown"], 240)
        best = max(stats["cards"], key=lambda card: card["chance"])
        self.assertEqual(best["theme_id"], "t5")
        self.assertAlmostEqual(sum(card["chance"] for card in stats["cards"]), 1, places=5)
        low, high = best["interval"]
        self.assertLess(low, best["click_rate"])
        self.assertLessEqual(best["click_rate"], high)
        self.assertEqual(server.stop(), 0)
        lines = self.log_lines()
        self.assertEqual(sum(line["reward"] for line in lines), stats["clicks"])
        for line in lines:
            self.assertIn(line["arm"], line["candidates"])
            self.assertEqual(len(line["candidates"]), 13 - line["slot"])
        self.assertIn("240 impressions", self.good("verify", "--state", self.state))
        # What the log says of its own policy's cousin, through the estimators.
        log = self.folder / "shown.jsonl"
        log.write_text(self.good("log", "--state", self.state), encoding="utf-8")
        result = binary.run("display", "evaluate", "--log", log, "--policy", "uniform", "--resamples", 200, "--min-effective-sample", 10, "--max-unsupported", 0.5)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("snipw", result.stdout)

    def test_filters_and_entities(self):
        server = self.start()
        slate = server.post("/v1/slates", {"unit": "u", "entity": "코트", "slots": 9})
        self.assertEqual({card["entity"] for card in slate["cards"]}, {"코트"})
        self.assertEqual(len(slate["cards"]), 4)
        slate = server.post("/v1/slates", {"unit": "u", "product": "p1", "slots": 9})
        self.assertEqual({card["theme_id"] for card in slate["cards"]}, {"t1", "t5", "t9"})
        slate = server.post("/v1/slates", {"unit": "u", "candidates": ["t3", "t4"]})
        self.assertEqual({card["theme_id"] for card in slate["cards"]}, {"t3", "t4"})

    def test_kills_lose_and_double_nothing_that_was_acknowledged(self):
        """Clients that send again what was not answered, and a server that is killed again and again."""
        rng = random.Random(11)
        shown, clicked = {}, set()
        server = self.start("--window-seconds", 3600, "--batch-seconds", 0.05)
        jobs = [f"job{i}" for i in range(400)]

        def one(job):
            """A visitor: a slate and perhaps a click, each sent until answered, as a client does that may not lose any."""
            while True:
                try:
                    slate = current[0].post("/v1/slates", {"unit": job, "request_id": job, "slots": 3})
                    break
                except Exception:  # Killed, or not there yet.
                    time.sleep(0.02)
            ids = {card["impression_id"]: card["theme_id"] for card in slate["cards"]}
            pick = min(ids)
            while hash(job) % 3 == 0:
                try:
                    current[0].post("/v1/outcomes", {"impression_id": pick})
                    return ids, pick
                except Exception:
                    time.sleep(0.02)
            return ids, None

        current = [server]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(one, job) for job in jobs]
            for _ in range(8):
                time.sleep(rng.uniform(0.02, 0.25))
                current[0].stop(signal.SIGKILL)
                current[0] = self.start("--window-seconds", 3600, "--batch-seconds", 0.05)
            for future in futures:
                ids, pick = future.result(timeout=120)
                shown.update(ids)
                if pick:
                    clicked.add(pick)
        self.assertEqual(current[0].stop(), 0)
        self.assertEqual(len(shown), 3 * len(jobs))
        lines = self.log_lines()
        self.assertEqual(len(lines), 3 * len(jobs))
        self.assertEqual({line["impression_id"]: line["arm"] for line in lines}, shown)
        # With the windows closed: each click is there, once.
        last = self.start("--batch-seconds", 0.05)
        again = last.post("/v1/outcomes", {"outcomes": [{"impression_id": i} for i in sorted(clicked)]})
        self.assertEqual({one["status"] for one in again["outcomes"]}, {"known"})
        last.stop()
        self.assertIn("1200 impressions", self.good("verify", "--state", self.state))

    def test_versions_go_live_and_back_while_it_serves(self):
        server = self.start()
        self.assertEqual(server.post("/v1/slates", {"unit": "u"})["policy_version"], 1)
        version = self.good("policy", "--state", self.state, "--kind", "uniform", "--note", "even").strip()
        self.assertEqual(version, "2")
        self.assertEqual(server.post("/v1/slates", {"unit": "u"})["policy_version"], 1)

        def becomes(wanted):
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                if server.post("/v1/slates", {"unit": "u"})["policy_version"] == wanted:
                    return
                time.sleep(0.05)
            self.fail(f"version {wanted} is not live after 10 s")

        self.good("promote", "2", "--state", self.state)
        becomes(2)
        self.assertIn("version 1", self.good("rollback", "--state", self.state))
        becomes(1)
        listing = self.good("policy", "--state", self.state)
        self.assertIn("* 1 ", listing)
        self.assertIn("even", listing)
        self.assertIn("rolled back to 1", listing)
        versions = server.get("/v1/policies")
        self.assertEqual([p["action"] for p in versions["promotions"]], ["promote", "promote", "rollback"])
        self.assertIn("impressions: cards and propensities", self.good("verify", "--state", self.state))

    def test_wrong_requests_are_refused_by_name_and_change_nothing(self):
        server = self.start()
        first = server.post("/v1/slates", {"unit": "u", "request_id": "r1"})
        for path, body, status, names in (
            ("/v1/slates", b"{", 400, "line 1"),
            ("/v1/slates", {}, 400, "unit"),
            ("/v1/slates", {"unit": "u", "candidate": ["t1"]}, 400, "candidates"),
            ("/v1/slates", {"unit": "u", "candidates": ["nothing"]}, 400, "nothing"),
            ("/v1/slates", {"unit": "u", "candidates": ["t1", "t1"]}, 400, "twice"),
            ("/v1/slates", {"unit": "u", "entity": "모자"}, 404, "no card"),
            ("/v1/slates", {"unit": "u", "slots": 1000}, 400, "slots"),
            ("/v1/slates", {"unit": "v", "request_id": "r1"}, 400, "r1"),
            ("/v1/outcomes", {"impression_id": "r1.1", "reward": 0.5}, 400, "reward"),
            ("/v1/outcomes", {"outcomes": [{}]}, 400, "outcomes[0].impression_id"),
            ("/v1/nothing", {}, 404, "nothing"),
            ("/v1/stats", {}, 405, "POST"),
        ):
            with self.subTest(path=path, body=body):
                found, answer = server.request("POST", path, body)
                self.assertEqual(found, status, answer)
                self.assertIn(names, answer["error"]["message"])
        status, _ = server.request("POST", "/v1/slates", b"unit=u", {"content-type": "text/plain"})
        self.assertEqual(status, 415)
        self.assertEqual(server.post("/v1/outcomes", {"impression_id": "none"})["outcomes"][0]["status"], "unknown")
        self.assertEqual(server.post("/v1/slates", {"unit": "u", "request_id": "r1"}), first)
        self.assertEqual(server.get("/v1/stats")["open"], 3)

    def test_wrong_uses_are_refused_by_name(self):
        broken = self.folder / "broken.jsonl"
        broken.write_text('{"id": "a", "entity": "b"}\n', encoding="utf-8")
        policy = self.folder / "policy.json"
        policy.write_text('{"probabilities": {"t1": 0.5}}', encoding="utf-8")
        log = self.folder / "log.csv"
        log.write_text("arm,slot,reward,propensity\na,1,0,0.5\nb,1,1,0\n", encoding="utf-8")
        fair = self.folder / "fair.csv"
        fair.write_text("arm,slot,reward,propensity\n" + "a,1,0,0.5\nb,1,1,0.5\n" * 80, encoding="utf-8")
        state = self.folder / "other"
        for arguments, names in (
            ([], ("display --help",)),
            (["serv"], ('"serve"',)),
            (["serve"], ("--state",)),
            (["serve", "--state", state], ("--cards",)),
            (["serve", "--state", state, "--cards", broken], ("broken.jsonl:1", "aspect")),
            (["serve", "--state", state, "--cards", self.folder / "none"], ("none",)),
            (["serve", "--state", state, "--cards", self.cards, "--slots", "0"], ("--slots",)),
            (["serve", "--state", state, "--cards", self.cards, "--window-seconds", "-1"], ("--window-seconds",)),
            (["policy", "--state", state, "--kind", "uniform"], ("display.sqlite",)),
            (["promote", "1"], ("--state",)),
            (["promote", "one", "--state", state], ("VERSION",)),
            (["rollback", "--state", state], ("display.sqlite",)),
            (["log", "--state", state], ("display.sqlite",)),
            (["verify", "--state", state], ("display.sqlite",)),
            (["simulate", "--runs", "0"], ("--runs",)),
            (["simulate", "--steps", "1"], ("--steps",)),
            (["evaluate"], ("--log",)),
            (["evaluate", "--log", fair], ("--policy",)),
            (["evaluate", "--log", log, "--policy", "uniform"], ("log.csv:3", "propensity")),
            (["evaluate", "--log", fair, "--policy", policy], ("policy.json", "0.5")),
            (["evaluate", "--log", fair, "--policy", "uniform", "--model", "forest"], ("forest", "logistic")),
            (["evaluate", "--log", fair, "--policy", "uniform", "--columns", "arm=card"], ("card",)),
            (["evaluate", "--log", fair, "--policy", "uniform", "--min-effective-sample", "1000"], ("effective sample", "1000")),
        ):
            with self.subTest(arguments):
                result = binary.run("display", *arguments)
                self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)
        self.start()
        for arguments, names in (
            (["promote", "7", "--state", self.state], ("7",)),
            (["promote", "1", "--state", self.state], ("live already",)),
            (["rollback", "--state", self.state], ("nothing to go back to",)),
            (["policy", "--state", self.state, "--kind", "thomson"], ("thompson",)),
            (["policy", "--state", self.state, "--kind", "thompson", "--floor", "2"], ("floor",)),
            (["policy", "--state", self.state, "--prior-strength", "50"], ("--prior-strength",)),
            (["serve", "--state", self.state, "--cards", self.cards], ("shop",)),
        ):
            with self.subTest(arguments):
                result = binary.run("display", *arguments)
                self.assertEqual(binary.faults_of_refusal(result, names), [], result.stderr)

    def test_a_pooled_prior_is_that_of_the_log(self):
        server = self.start("--window-seconds", 2, "--batch-seconds", 0.05)
        slate = server.post("/v1/slates", {"unit": "u", "slots": 10})
        server.post("/v1/outcomes", {"impression_id": slate["cards"][0]["impression_id"]})
        deadline = time.monotonic() + 20
        while server.get("/v1/stats")["shown"] < 10 and time.monotonic() < deadline:
            time.sleep(0.05)
        stats = server.get("/v1/stats")
        self.good("policy", "--state", self.state, "--kind", "thompson", "--prior-strength", "50")
        spec = server.get("/v1/policies")["versions"][1]["spec"]
        self.assertAlmostEqual(spec["prior_clicks"], 50 * stats["clicks"] / 10)
        self.assertAlmostEqual(spec["prior_clicks"] + spec["prior_misses"], 50)

    def test_a_short_simulation_runs(self):
        result = binary.run("display", "simulate", "--runs", 2, "--steps", 2000, "--json", self.folder / "regret.json", timeout=300)
        self.assertIn("thompson, batches of 1,000", result.stdout)
        self.assertEqual(len(json.loads((self.folder / "regret.json").read_text())), 5)


if __name__ == "__main__":
    unittest.main()
