"""`serve` under what it must not take: too deep, too much, too slow, too late."""

import concurrent.futures
import json
import signal
import socket
import tempfile
import time
import unittest
from pathlib import Path

from serve_log_test import eventually
from serve_test import Server
from workshop import Workshop

LONG = {"prompt": "the", "max_tokens": 900, "seed": 3, "guided_regex": "[a-z]{900,4000}"}


class Limits(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))

    def start(self, *flags):
        server = Server("--base", self.w.base, *flags)
        self.addCleanup(server.process.kill)
        return server

    def head_only(self, server, size=1000):
        """What the server says to a head whose body never comes (empty: it waits for the body), and how many seconds that
        takes."""
        with socket.create_connection(("127.0.0.1", server.port), 5) as connection:
            began = time.perf_counter()
            connection.sendall(f"POST /v1/completions HTTP/1.1\r\nhost: a\r\ncontent-length: {size}\r\n\r\n".encode())
            try:
                answer = connection.recv(4096)
            except TimeoutError:
                answer = b""
            return answer.decode(), time.perf_counter() - began

    def test_too_much_work_is_refused_before_the_body_comes(self):
        server = self.start("--max-waiting-tokens", 500)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = pool.submit(server.request, "POST", "/v1/completions", LONG)
            busy = lambda: 'onggi_open_tokens{model_name="model",engine="0"} 9' in server.request("GET", "/metrics")[2]  # noqa: E731
            self.assertTrue(eventually(busy))
            refusals = []
            while len(refusals) < 10 and not runs.done():  # Afterwards there is room, and nothing to refuse.
                refusals.append(self.head_only(server))
            self.assertEqual(runs.result()[0], 200)
        refused = [(answer, seconds) for answer, seconds in refusals if answer.startswith("HTTP/1.1 429 ")]
        self.assertTrue(refused, refusals)
        for answer, _ in refused:
            self.assertIn("retry-after-ms: ", answer)
        print(f"429 after {min(seconds for _, seconds in refused) * 1e3:.2f} ms at best of {len(refused)}", flush=True)
        self.assertLess(min(seconds for _, seconds in refused), 0.1)  # 5 ms on a machine with nothing else to do
        self.assertEqual(server.stop()[0], 0)

    def test_too_deep_or_odd_bodies_are_refused(self):
        server = self.start()
        for body in ("[" * 100_000, '{"a":' * 5000, '{"messages":' + "[" * 70 + "]" * 70 + "}", "\x00", '{"model": "\udc80"}', "1e999999", '{"seed": 1e400}'):
            status, _, text = server.request("POST", "/v1/completions", body.encode("utf-8", "surrogatepass"))
            self.assertEqual((status, "error" in json.loads(text)), (400, True), text)
        self.assertEqual(server.request("GET", "/health")[0], 200)
        self.assertEqual(server.stop()[0], 0)

    def test_while_it_stops_new_work_is_sent_elsewhere(self):
        server = self.start()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            runs = [pool.submit(server.request, "POST", "/v1/completions", LONG | {"n": 4, "temperature": 1}) for _ in range(2)]
            self.assertTrue(eventually(lambda: 'num_requests_running{model_name="model",engine="0"} 0' not in server.request("GET", "/metrics")[2]))
            server.process.send_signal(signal.SIGTERM)
            self.assertIn(b"stopping", server.process.stdout.readline())

            def refused():
                try:
                    return server.request("POST", "/v1/completions", LONG)
                except ConnectionError:
                    return None

            answer = eventually(refused, 5)
            if answer is not None and not all(run.done() for run in runs):
                status, headers, text = answer
                self.assertEqual((status, json.loads(text)["error"]["code"]), (503, "draining"))
                self.assertGreaterEqual(int(headers["retry-after-ms"]), 1)
                self.assertEqual(server.request("GET", "/ready")[0], 503)
                self.assertEqual(server.request("GET", "/health")[0], 200)
            self.assertEqual([run.result()[0] for run in runs], [200, 200])
        self.assertEqual(server.stop()[0], 0)

    def test_what_does_not_end_in_time_is_cut_off(self):
        server = self.start("--drain-seconds", 0)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            run = pool.submit(server.request, "POST", "/v1/completions", LONG | {"n": 100, "temperature": 1})
            self.assertTrue(eventually(lambda: 'num_requests_running{model_name="model",engine="0"} 0' not in server.request("GET", "/metrics")[2]))
            self.assertEqual(server.stop()[0], 0)
            try:
                self.assertIn(run.result()[0], (200, 500))
            except (ConnectionError, OSError):
                pass


if __name__ == "__main__":
    unittest.main()
