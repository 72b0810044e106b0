"""`serve`: the line a request, in a file that is moved away and on a pipe that nobody reads."""

import fcntl
import http.client
import json
import signal
import tempfile
import time
import unittest
from pathlib import Path

import binary
from serve_test import Server
from workshop import Workshop


def eventually(check, seconds=20):
    """What `check` gives as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := check()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


class Log(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))
        self.log = self.w.folder / "log"

    def lines(self, path=None):
        path = path or self.log
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def test_a_line_says_who_asked_what_and_what_it_took(self):
        keys = self.w.write("keys.txt", "the-secret-key\n")
        keys.chmod(0o600)
        server = Server("--base", self.w.base, "--log", self.log, "--keys", keys)
        bearer = {"authorization": "Bearer the-secret-key"}
        body = {"prompt": "the " * 200, "max_tokens": 4, "seed": 1, "guided_regex": "[a-z]{30,40}"}
        for _ in range(2):
            server.request("POST", "/v1/completions", body, bearer | {"x-request-id": "mine"})
        server.request("POST", "/v1/completions", body, {"x-request-id": "stranger"})
        server.request("GET", "/health")
        self.assertTrue(eventually(lambda: len(self.lines()) == 4))
        first, second, stranger, health = self.lines()
        self.assertEqual((first["request_id"], first["key"], first["status"]), ("mine", "line-1", 200))
        self.assertEqual((first["model"], first["adapter"], first["finish_reason"]), ("model", None, "length"))
        self.assertEqual((first["generated_tokens"], first["cached_tokens"]), (4, 0))
        self.assertGreater(second["cached_tokens"], 0.6 * first["prompt_tokens"])
        for line in (first, second):
            self.assertLessEqual(0, line["queue_ms"])
            self.assertLessEqual(line["queue_ms"], line["first_token_ms"])
            self.assertLessEqual(line["first_token_ms"], line["total_ms"])
        self.assertEqual((stranger["status"], stranger["key"], "model" in stranger), (401, None, False))
        self.assertEqual((health["path"], health["key"]), ("/health", None))
        self.assertNotIn("secret", self.log.read_text() + server.log())
        self.assertEqual(server.stop()[0], 0)

    def test_a_client_that_leaves_is_in_the_log_with_what_was_computed(self):
        server = Server("--base", self.w.base, "--log", self.log)
        body = {"prompt": "the", "max_tokens": 900, "n": 50, "temperature": 1, "seed": 3, "stream": True, "guided_regex": "[a-z]{900,4000}"}
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("POST", "/v1/completions", json.dumps(body), {"content-type": "application/json"})
        response = connection.getresponse()
        response.read(100)
        response.close()
        connection.close()
        self.assertTrue(eventually(self.lines))
        line = self.lines()[0]
        self.assertEqual((line["status"], line["finish_reason"]), (499, "cancelled"))
        self.assertGreater(line["generated_tokens"], 0)
        self.assertEqual(server.stop()[0], 0)

    def test_the_log_is_opened_anew_at_sighup(self):
        server = Server("--base", self.w.base, "--log", self.log)
        server.request("GET", "/health")
        self.assertTrue(eventually(self.lines))
        moved = self.log.rename(self.w.folder / "log.1")
        server.process.send_signal(signal.SIGHUP)
        self.assertTrue(eventually(self.log.exists))
        server.request("GET", "/ready")
        self.assertTrue(eventually(self.lines))
        self.assertEqual([line["path"] for line in self.lines(moved)], ["/health"])
        self.assertEqual([line["path"] for line in self.lines()], ["/ready"])
        self.assertEqual(server.stop()[0], 0)

    def test_a_pipe_that_nobody_reads_holds_nobody_up(self):
        process = binary.start("serve", "--port", 0, "--base", self.w.base)
        self.addCleanup(process.kill)
        fcntl.fcntl(process.stderr, 1031, 4096)  # F_SETPIPE_SZ: full at once
        server = Server.__new__(Server)
        server.process = process
        for line in iter(process.stdout.readline, b""):
            if b"listening on" in line:
                server.port = int(line.rsplit(b":", 1)[1].split(b"/")[0])
                break
        path = "/" + "long" * 500
        for _ in range(1500):  # 3 MB of lines: the pipe and the queue are full
            self.assertEqual(server.request("GET", path)[0], 404)
        answer = server.post("/v1/completions", {"prompt": "the", "max_tokens": 4})
        self.assertEqual(answer["usage"]["completion_tokens"], 4)
        text = server.request("GET", "/metrics")[2]
        dropped = next(line for line in text.split("\n") if line.startswith("onggi_log_lines_dropped_total"))
        self.assertGreater(float(dropped.split()[-1]), 0)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertLess(time.monotonic() - began, 20)
        process.stdout.close()
        process.stderr.close()

    def test_a_file_that_cannot_be_is_named(self):
        result = binary.run("serve", "--base", self.w.base, "--port", 0, "--log", self.w.folder / "absent" / "log")
        self.assertEqual(binary.faults_of_refusal(result, ("absent/log",)), [], result.stderr)


if __name__ == "__main__":
    unittest.main()
