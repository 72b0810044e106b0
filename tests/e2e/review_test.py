"""`review`: its API as pages and strangers meet it, import and export around it."""

import json
import tempfile
import threading
import unittest
from pathlib import Path

import binary
from review_server import EXAMPLE, ReviewServer, example_rows, jsonl
from workshop import CARD_TEMPLATE, Workshop


class Review(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def serve(self, rows, *arguments):
        path = self.folder / "labels.jsonl"
        path.write_text(jsonl(rows), encoding="utf-8")
        server = ReviewServer(self.folder, "--input", path, "--guide", EXAMPLE / "guide.json", *arguments)
        self.addCleanup(server.stop)
        return server

    def decide(self, server, key, number, person="hana", **more):
        event = {"id": f"event-{person.encode().hex()}-{number}", "kind": "decide", "item": key, "action": "accept"} | more
        return server.post("/api/events", {"events": [event]}, person)["results"][0]

    def test_decisions_of_three_people_become_rows_that_sft_takes(self):
        rows = example_rows(40)
        guidelines = EXAMPLE / "data" / "GUIDELINES.md"
        server = self.serve(rows, "--overlap", "0.5", "--guidelines", guidelines)
        session = server.get("/api/session")
        self.assertEqual((session["kind"], session["columns"]), ("themes", ["category", "product", "rating", "review"]))
        self.assertEqual(len(session["names"]), 40)
        self.assertEqual(server.get(f"/api/guidelines/{session['guideline']}")["text"], guidelines.read_text(encoding="utf-8"))
        answers = {row["review"]: row["themes"] for row in rows}
        for person in ("hana", "민수", "third"):
            items = server.post("/api/lease", {"count": 100, "have": []}, person)["items"]
            for i, item in enumerate(items):
                self.assertEqual(item["answer"], answers[item["fields"]["review"]])
                more = {"action": "reject", "reason": 1} if i % 9 == 8 else {}
                self.assertEqual(self.decide(server, item["key"], i, person, version=0, **more)["outcome"], "ok")
        progress = server.get("/api/progress")
        self.assertEqual(progress["done"] + progress["disputed"], 40)
        self.assertEqual(progress["agreement"][0]["field"], "verdict")
        for dispute in server.get("/api/disputes")["items"]:
            item = server.get(f"/api/disputes/{dispute['key']}")
            event = {"id": "settle-" + item["key"], "kind": "settle", "item": item["key"], "version": item["version"], "action": "edit", "answer": item["answer"]}
            self.assertEqual(server.post("/api/events", {"events": [event]})["results"][0]["outcome"], "ok")
        exported, rejected, manifest = server.export("--with-faulty")
        self.assertEqual(len(exported) + len(rejected), 40)
        self.assertEqual(manifest["rows"], len(exported))
        by_id = {row["id"]: row for row in rows}
        for row in exported:
            self.assertEqual({name: row[name] for name in by_id[row["id"]]}, by_id[row["id"]])
            self.assertEqual(row["review_of"]["guideline"], session["guideline"])
        status = binary.run("review", "status", "--store", server.store)
        self.assertEqual(binary.faults_of(status), [], status.stderr)
        for word in ("items     40", "agreement verdict", "민수"):
            self.assertIn(word, status.stdout)
        w = Workshop(self.folder)
        template = w.write("cards.txt", CARD_TEMPLATE)
        tuned = binary.run(*w.sft("--max-steps", 1, rows=self.folder / "export.jsonl", template=template))
        self.assertEqual(binary.faults_of(tuned), [], tuned.stderr)

    def test_the_production_rules_are_asked_while_somebody_types(self):
        server = self.serve(example_rows(3))
        item = server.post("/api/lease", {"count": 1})["items"][0]
        check = lambda answer: server.post("/api/check", {"item": item["key"], "answer": answer})  # noqa: E731
        wrong = check([{"entity": "없는것", "expression": "좋아요", "name": "맛있음"}])["faults"]
        self.assertEqual([(fault["code"], fault["field"]) for fault in wrong][:2], [("entity", "entity"), ("ending", "expression")])
        self.assertIn("malformed", check({"not": "a list"}))
        self.assertEqual(check([])["faults"], [])

    def test_a_kill_loses_nothing_that_was_answered(self):
        server = self.serve(example_rows(30))
        port = server.port
        items = server.post("/api/lease", {"count": 30})["items"]
        for i, item in enumerate(items[:20]):
            self.decide(server, item["key"], i)
            if i % 7 == 3:
                server.kill()
                server.port = port
                server.start()
                self.assertEqual(self.decide(server, item["key"], i)["outcome"], "again")
        self.assertEqual([event["id"] for event in server.events()], [f"event-68616e61-{i}" for i in range(20)])
        again = server.post("/api/lease", {"count": 30})["items"]
        self.assertEqual({item["key"] for item in again}, {item["key"] for item in items[20:]})

    def test_many_at_once_keep_apart(self):
        server = self.serve(example_rows(200), "--overlap", "0")
        taken, lock = [], threading.Lock()

        def work(person):
            for turn in range(5):
                items = server.post("/api/lease", {"count": 10}, person)["items"]
                for i, item in enumerate(items):
                    self.decide(server, item["key"], turn * 100 + i, person)
                with lock:
                    taken.extend(item["key"] for item in items)

        people = [threading.Thread(target=work, args=(f"p{i}",)) for i in range(4)]
        for person in people:
            person.start()
        for person in people:
            person.join()
        self.assertEqual(len(taken), 200)
        self.assertEqual(len(set(taken)), 200)

    def test_strangers_and_pages_of_other_sites_are_kept_out(self):
        server = self.serve(example_rows(3))
        own = f"http://127.0.0.1:{server.port}"
        self.assertEqual(server.ask("GET", "/api/session", person="")[0], 401)
        self.assertEqual(server.ask("GET", "/api/session", host="evil.example")[0], 421)
        self.assertEqual(server.ask("GET", "/", host="evil.example")[0], 421)
        self.assertEqual(server.ask("GET", "/api/session", host=f"localhost:{server.port}")[0], 200)
        for headers, status in (
            ({"origin": "http://evil.example"}, 403),
            ({"origin": "null"}, 403),
            ({"sec_fetch_site": "cross-site"}, 403),
            ({"sec_fetch_site": "same-site"}, 403),
            ({"origin": own, "sec_fetch_site": "same-origin"}, 200),
            ({"content_type": "text/plain"}, 415),
            ({"content_type": "application/json; charset=utf-8"}, 200),
        ):
            self.assertEqual(server.ask("POST", "/api/events", {"events": []}, **headers)[0], status, headers)
        for body, status in ((b"{", 400), (b"[]", 400), (b'{"events": 1}', 400), (b"\xff", 400), (b"x" * (2 << 20), 413)):
            self.assertEqual(server.ask("POST", "/api/events", body)[0], status, body[:20])
        for path in ("/api/none", "/page/../review.db", "/page/%2e%2e/index.html", "/review.db", "/api/guidelines/../session"):
            self.assertEqual(server.ask("GET", path)[0], 404, path)
        self.assertEqual(server.ask("POST", "/api/session", {})[0], 405)
        self.assertEqual(server.ask("DELETE", "/")[0], 405)

    def test_tokens_say_who_may_do_what(self):
        people = self.folder / "people.yaml"
        tokens = {}
        for name, role in (("하나", ()), ("boss", ("--adjudicator",))):
            result = binary.run("review", "person", name, "--file", people, *role)
            self.assertEqual(binary.faults_of(result), [], result.stderr)
            tokens[name] = result.stdout.strip()
            self.assertNotIn(tokens[name], people.read_text(encoding="utf-8"))
        server = self.serve(example_rows(3), "--people", people)
        ask = lambda path, token: server.ask("GET", path, person="boss", authorization=f"Bearer {token}")  # noqa: E731
        self.assertEqual(server.ask("GET", "/api/session", person="boss")[0], 401)
        self.assertEqual(ask("/api/session", "wrong")[0], 401)
        self.assertEqual(ask("/api/session", tokens["하나"])[2]["person"], "하나")
        self.assertEqual(ask("/api/disputes", tokens["하나"])[0], 403)
        self.assertEqual(ask("/api/disputes", tokens["boss"])[0], 200)
        self.assertNotIn("people", ask("/api/progress", tokens["하나"])[2])
        self.assertIn("people", ask("/api/progress", tokens["boss"])[2])

    def test_a_new_version_of_the_guidelines_is_noticed(self):
        path = self.folder / "guidelines.md"
        path.write_text("# one\n", encoding="utf-8")
        server = self.serve(example_rows(3), "--guidelines", path)
        first = server.get("/api/session")["guideline"]
        path.write_text("# two\n", encoding="utf-8")
        for _ in range(100):
            second = server.get("/api/session")["guideline"]
            if second != first:
                break
            threading.Event().wait(0.1)
        self.assertEqual(server.get(f"/api/guidelines/{second}")["text"], "# two\n")
        self.assertEqual(server.get(f"/api/guidelines/{first}")["text"], "# one\n")

    def test_the_server_ends_when_it_is_told_to_also_while_somebody_listens(self):
        server = self.serve(example_rows(3))
        listener = threading.Thread(target=lambda: server.ask("GET", "/api/stream"))
        listener.start()
        threading.Event().wait(0.3)
        status, errors = server.stop()
        listener.join(timeout=20)
        self.assertEqual((status, errors), (0, ""))
        self.assertFalse(listener.is_alive())


if __name__ == "__main__":
    unittest.main()
