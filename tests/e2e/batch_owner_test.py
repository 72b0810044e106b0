"""Batch files of a server with keys: to whom files and batches belong, who pays for lines, what a key may ask for."""

import signal
import tempfile
import unittest
from pathlib import Path

import binary
from batch_test import Client, line
from serve_keys_test import entry
from workshop import Workshop

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


if __name__ == "__main__":
    unittest.main()
