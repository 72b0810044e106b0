"""Batch files of a server with keys: to whom files and batches belong, who pays for lines, what a key may ask for."""

import json
import os
import shutil
import signal
import tempfile
import time
import unittest
from pathlib import Path

import binary
from batch_test import Client, embedding_line, line
from serve_keys_test import entry
from serve_log_test import eventually
from workshop import Workshop, trained_adapter

CHAT = "/v1/chat/completions"


class Holder(Client):
    """Whoever asks a server with a key."""

    def __init__(self, server, key):
        self.server, self.key = server, key

    def request(self, method, path, body=None, headers=None):
        return self.server.request(method, path, body, (headers or {}) | {"authorization": f"Bearer {self.key}"})

    def log(self):
        return self.server.log()

    def ids(self, path):
        status, page = self.get(path)
        assert status == 200, page
        return [item["id"] for item in page["data"]]


def slow_line(i, num_tokens):
    return line(1, max_tokens=num_tokens, guided_regex="[a-z]{400,}") | {"custom_id": str(i)}


def answered(batch):
    return batch["request_counts"]["completed"] + batch["request_counts"]["failed"]


def cpu_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Owners(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))
        self.keys = self.w.folder / "keys.yaml"
        self.state = self.w.folder / "state"

    def write_keys(self, *entries):
        self.w.write("keys.yaml", {"keys": list(entries)})  # JSON is YAML
        self.keys.chmod(0o600)

    def start(self, *flags, keys=True):
        client = Client(self.w.base, self.state, *(("--keys", self.keys) if keys else ()), *flags)
        self.addCleanup(lambda: client.process.poll() is None and client.stop(signal.SIGKILL))
        return client

    def end(self, client):
        status, _, log = client.stop()
        self.assertEqual(status, 0, log)
        self.assertEqual([fault for fault in binary.FAULTS if fault in log], [], log[-3000:])

    def assert_absent(self, holder, file, batch):
        """What is another's answers as what was never there."""
        good = {"endpoint": CHAT, "completion_window": "24h"}
        for method, path, body in (
            ("GET", "/v1/files/{}", None),
            ("GET", "/v1/files/{}/content", None),
            ("DELETE", "/v1/files/{}", None),
            ("GET", "/v1/files?after={}", None),
            ("POST", "/v1/batches", good),
            ("GET", "/v1/batches/{}", None),
            ("POST", "/v1/batches/{}/cancel", {}),
            ("GET", "/v1/batches?after={}", None),
        ):
            answers = []
            for id in (file if "file" in path or body == good else batch, "absent"):
                content = body | {"input_file_id": id} if body else body
                status, _, text = holder.request(method, path.format(id), content)
                answers.append((status, text.replace(id, "ID")))
            self.assertEqual(answers[0], answers[1], (method, path))
            self.assertEqual(answers[0][0], 404, (method, path))

    def test_files_and_batches_are_their_makers(self):
        self.write_keys(entry("shop", "k-shop"), entry("board", "k-board", scopes=["batch"]), entry("chief", "k-chief", scopes=["batch", "admin"]))
        server = self.start()
        shop, board, chief = (Holder(server, key) for key in ("k-shop", "k-board", "k-chief"))
        done = shop.wait(shop.batch([line(i) for i in range(6)]))
        self.assertEqual(done["status"], "completed")
        own = {done[name] for name in ("input_file_id", "output_file_id", "error_file_id")}
        self.assertEqual(set(shop.ids("/v1/files")), own)
        self.assertEqual(shop.ids("/v1/batches"), [done["id"]])
        self.assertEqual(len(shop.content(done["output_file_id"]).splitlines()), 5)
        other = board.file([line(9)])
        for file in own:
            self.assert_absent(board, file, done["id"])
        self.assertEqual((board.ids("/v1/files"), board.ids("/v1/batches")), ([other["id"]], []))
        self.assertEqual(board.ids("/v1/files?after=" + other["id"]), [])
        # A key of scope admin sees and uses all; what it makes is its own.
        self.assertEqual(set(chief.ids("/v1/files")), own | {other["id"]})
        self.assertEqual(chief.ids("/v1/batches"), [done["id"]])
        self.assertEqual(chief.content(done["output_file_id"]), shop.content(done["output_file_id"]))
        repeated = chief.post("/v1/batches", {"input_file_id": done["input_file_id"], "endpoint": CHAT, "completion_window": "24h"})
        chief.wait(repeated)
        self.assertEqual(shop.get("/v1/batches/" + repeated["id"])[0], 404)
        self.assertEqual(chief.request("DELETE", "/v1/files/" + other["id"])[0], 200)
        self.assertEqual(board.ids("/v1/files"), [])
        self.end(server)
        # Another start, and one without keys: everyone sees all, and what is made then is nobody's.
        server = self.start()
        self.assertEqual(Holder(server, "k-shop").ids("/v1/batches"), [done["id"]])
        self.end(server)
        server = self.start(keys=False)
        self.assertEqual({batch["id"] for batch in server.get("/v1/batches")[1]["data"]}, {done["id"], repeated["id"]})
        nobodys = server.wait(server.batch([line(1)]))
        self.end(server)
        server = self.start()
        shop, chief = (Holder(server, key) for key in ("k-shop", "k-chief"))
        self.assert_absent(shop, nobodys["output_file_id"], nobodys["id"])
        self.assertIn(nobodys["id"], chief.ids("/v1/batches"))
        self.end(server)

    def reload(self, server, *entries):
        self.write_keys(*entries)
        server.process.send_signal(signal.SIGHUP)

    def assert_waits(self, holder, batch):
        """It has stopped, not failed, and takes no processor meanwhile; how far it came."""
        before = [-1]

        def stands():
            before.append(answered(holder.get("/v1/batches/" + batch["id"])[1]))
            time.sleep(0.3)  # Longer than answers are kept before they are counted.
            return before[-1] == before[-2]

        self.assertTrue(eventually(stands))
        process = getattr(holder, "server", holder).process
        began = cpu_seconds(process)
        time.sleep(1)
        self.assertLess(cpu_seconds(process) - began, 0.2)
        now = holder.get("/v1/batches/" + batch["id"])[1]
        self.assertEqual((now["status"], answered(now)), ("in_progress", before[-1]), now)
        return before[-1]

    def outputs(self, holder, batch):
        """Both files, without the batch's time."""
        found = [holder.content(batch[name]) if batch[name] else b"" for name in ("output_file_id", "error_file_id")]
        return [text.replace(b'"created":%d' % batch["created_at"], b"") for text in found]

    def test_lines_wait_until_their_owner_has_tokens_again(self):
        rows = [line(i) for i in range(40)]
        board = entry("board", "k-board")
        self.write_keys(entry("shop", "k-shop", tokens_per_day=300), board)
        server = self.start("--open-metrics", "--batch-rows", 2)
        shop, other = Holder(server, "k-shop"), Holder(server, "k-board")
        batch = shop.batch(rows)
        reached = self.assert_waits(shop, batch)
        self.assertTrue(0 < reached < 34, reached)
        self.assertIn("the tokens_per_day of the key", server.log())
        self.assertEqual(shop.request("POST", CHAT, rows[0]["body"])[0], 429)
        # Others are not held up, and the same lines have the same answers.
        free = other.wait(other.batch(rows))
        self.assertEqual(answered(free), 40)
        self.reload(server, entry("shop", "k-shop", tokens_per_day=100_000), board)
        done = shop.wait(batch)
        self.assertEqual((done["status"], done["request_counts"]), ("completed", free["request_counts"]))
        self.assertEqual(self.outputs(shop, done), self.outputs(other, free))
        # Both keys have used what their answers say.
        usages = [json.loads(text)["response"]["body"]["usage"] for text in shop.content(done["output_file_id"]).splitlines()]
        metrics = server.request("GET", "/metrics")[2]
        for key in ("shop", "board"):
            self.assertRegex(metrics, r'onggi_key_requests_total\{[^}]*key="%s"\} %d\n' % (key, len(usages)))
            for kind, name in (("prompt", "prompt_tokens"), ("generated", "completion_tokens")):
                self.assertRegex(metrics, r'onggi_key_tokens_total\{[^}]*key="%s",kind="%s"\} %d\n' % (key, kind, sum(usage[name] for usage in usages)))
        self.end(server)

    def test_embeddings_use_tokens_and_models_too(self):
        self.write_keys(entry("shop", "k-shop", scopes=["batch"], tokens_per_day=200), entry("board", "k-board", models=["tuned"]))
        server = self.start("--open-metrics")
        shop, board = Holder(server, "k-shop"), Holder(server, "k-board")
        rows = [embedding_line(i) for i in range(60)]
        batch = shop.batch(rows, "/v1/embeddings")
        self.assertTrue(0 < self.assert_waits(shop, batch) < 60)
        denied = board.wait(board.batch(rows, "/v1/embeddings"))
        self.assertEqual(denied["request_counts"], {"total": 60, "completed": 0, "failed": 60})
        self.assertIn(b"model_not_allowed", board.content(denied["error_file_id"]))
        self.reload(server, entry("shop", "k-shop", scopes=["batch"]))
        done = shop.wait(batch)
        self.assertEqual(done["status"], "completed")
        used = sum(json.loads(text)["response"]["body"]["usage"]["prompt_tokens"] for text in shop.content(done["output_file_id"]).splitlines())
        self.assertRegex(server.request("GET", "/metrics")[2], r'onggi_key_tokens_total\{[^}]*key="shop",kind="prompt"\} %d\n' % used)
        self.end(server)

    def test_what_lines_did_not_use_is_given_back_at_once(self):
        self.write_keys(entry("shop", "k-shop", tokens_per_minute=1500))
        shop = Holder(self.start(), "k-shop")
        # Each could use 900, and uses some thirty: they go one after the other, with no wait between.
        began = time.monotonic()
        done = shop.wait(shop.batch([line(i, max_tokens=900, guided_choice=["good"], temperature=0, model="model") for i in range(20)]))
        self.assertEqual(done["request_counts"], {"total": 20, "completed": 20, "failed": 0})
        used = sum(json.loads(text)["response"]["body"]["usage"]["total_tokens"] for text in shop.content(done["output_file_id"]).splitlines())
        self.assertLess(used, 1500)
        self.assertLess(time.monotonic() - began, 4)
        self.end(shop.server)

    def test_a_minutes_tokens_last_a_minute(self):
        self.write_keys(entry("shop", "k-shop", tokens_per_minute=2400))  # 40 a second
        shop = Holder(self.start(), "k-shop")
        began = time.monotonic()
        done = shop.wait(shop.batch([slow_line(i, 60) for i in range(26)]))
        took = time.monotonic() - began
        self.assertEqual(done["request_counts"]["completed"], 26)
        usages = [json.loads(text)["response"]["body"]["usage"] for text in shop.content(done["output_file_id"]).splitlines()]
        used = sum(usage["total_tokens"] for usage in usages)
        self.assertGreater(used, 2500)
        self.assertGreater(took, (used - 2400 - max(usage["total_tokens"] for usage in usages)) / 40)
        self.assertLess(took, (used - 2400) / 40 + 10)
        self.end(shop.server)

    def test_a_line_asks_for_models_of_its_owners_key(self):
        shutil.copytree(trained_adapter(), self.w.folder / "adapter")
        self.write_keys(entry("shop", "k-shop", models=["tuned"]), entry("chief", "k-chief", scopes=["batch", "admin"]))
        server = self.start("--adapter", f"tuned={self.w.folder / 'adapter'}")
        shop, chief = Holder(server, "k-shop"), Holder(server, "k-chief")
        rows = [line(i, model=("tuned", "model", "absent")[i % 3]) for i in range(12)]
        done = shop.wait(shop.batch(rows))
        self.assertEqual(done["request_counts"], {"total": 12, "completed": 4, "failed": 8})
        errors = [json.loads(text)["response"] for text in shop.content(done["error_file_id"]).splitlines()]
        self.assertEqual([(e["status_code"], e["body"]["error"]["code"]) for e in errors], [(403, "model_not_allowed"), (404, "model_not_found")] * 4)
        free = chief.wait(chief.batch(rows))
        self.assertEqual(free["request_counts"], {"total": 12, "completed": 8, "failed": 4})
        self.end(server)

    def test_a_batch_whose_key_is_gone_waits_for_one(self):
        chief = entry("chief", "k-chief", scopes=["batch", "admin"])
        self.write_keys(entry("shop", "k-shop"), chief)
        server = self.start("--batch-rows", 1)
        shop, all_seeing = Holder(server, "k-shop"), Holder(server, "k-chief")
        rows = [slow_line(i, 40) for i in range(300)]
        batches = [shop.batch(rows) for _ in range(2)]
        all_seeing.wait(batches[0], lambda b: answered(b) > 0)
        self.reload(server, chief)
        self.assertTrue(eventually(lambda: shop.get("/v1/files")[0] == 401))
        reached = self.assert_waits(all_seeing, batches[0])
        self.assertLess(reached, 300)
        self.assertIn("there is no key", server.log())
        # Whoever sees all may end it; it keeps what was answered.
        all_seeing.post(f"/v1/batches/{batches[1]['id']}/cancel", {})
        self.assertEqual(all_seeing.wait(batches[1])["status"], "cancelled")
        self.end(server)
        server = self.start()
        all_seeing = Holder(server, "k-chief")
        self.assertEqual(self.assert_waits(all_seeing, batches[0]), reached)
        # A new key under the old name has what the old one had.
        self.reload(server, entry("shop", "k-new"), chief)
        done = all_seeing.wait(batches[0])
        self.assertEqual((done["status"], done["request_counts"]["completed"]), ("completed", 300))
        self.assertEqual(len(Holder(server, "k-new").content(done["output_file_id"]).splitlines()), 300)
        self.end(server)

    def test_kills_while_lines_wait_change_nothing(self):
        rows = [line(i) for i in range(60)]
        self.write_keys(entry("shop", "k-shop", tokens_per_day=400), entry("board", "k-board"))
        server = self.start()
        batch = Holder(server, "k-shop").batch(rows)
        reached = []
        for _ in range(6):  # Each start has the day's tokens anew.
            reached.append(self.assert_waits(Holder(server, "k-shop"), batch) if len(reached) % 2 else 0)
            server.stop(signal.SIGKILL)
            server = self.start()
            if Holder(server, "k-shop").get("/v1/batches/" + batch["id"])[1]["status"] == "completed":
                break
        self.assertGreater(len(set(reached)), 1, reached)
        board = Holder(server, "k-board")
        free = board.wait(board.batch(rows))
        self.reload(server, entry("shop", "k-shop"), entry("board", "k-board"))
        shop = Holder(server, "k-shop")
        done = shop.wait(batch)
        self.assertEqual((done["status"], done["request_counts"]), ("completed", free["request_counts"]))
        self.assertEqual(self.outputs(shop, done), self.outputs(board, free))
        self.end(server)

    def test_batches_that_wait_leave_their_places_to_others(self):
        self.write_keys(entry("shop", "k-shop", tokens_per_day=100), entry("board", "k-board"))
        server = self.start()
        shop, board = Holder(server, "k-shop"), Holder(server, "k-board")
        waiting = [shop.batch([line(i) for i in range(30)]) for _ in range(20)]  # Eight are worked on at once.
        self.assert_waits(shop, waiting[0])
        for _ in range(2):
            done = board.wait(board.batch([line(i) for i in range(10)]), seconds=5)
            self.assertEqual((done["status"], answered(done)), ("completed", 10))
        # The time of one that waits ends all the same, with or without a place.
        done = shop.wait(shop.batch([line(i) for i in range(30)], window="2s"), seconds=20)
        self.assertEqual((done["status"], answered(done)), ("expired", 30))
        self.assertEqual(shop.content(done["error_file_id"]).count(b"batch_expired"), 30)
        self.end(server)


if __name__ == "__main__":
    unittest.main()
