"""`serve`: who may do what, and how much; keys made, changed and taken away while it serves."""

import hashlib
import json
import shutil
import signal
import tempfile
import unittest
from pathlib import Path

import binary
from serve_log_test import eventually
from serve_test import Server
from workshop import Workshop, trained_adapter

BODY = {"prompt": "the", "max_tokens": 4}


def entry(name, key, **more):
    return {"name": name, "sha256": hashlib.sha256(key.encode()).hexdigest()} | more


class Keys(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))
        self.keys = self.w.folder / "keys.yaml"

    def write_keys(self, *entries):
        self.w.write("keys.yaml", {"keys": list(entries)})  # JSON is YAML
        self.keys.chmod(0o600)

    def start(self, *flags):
        server = Server("--base", self.w.base, "--keys", self.keys, *flags)
        self.addCleanup(server.process.kill)
        return server

    def ask(self, server, key, body=BODY, path="/v1/completions", method="POST"):
        status, headers, text = server.request(method, path, body, {"authorization": f"Bearer {key}"} if key else {})
        error = json.loads(text).get("error", {}) if status >= 400 else {}
        return status, error.get("code"), headers

    def test_scopes_and_models(self):
        shutil.copytree(trained_adapter(), self.w.folder / "adapter")
        self.write_keys(
            entry("all", "k-all", scopes=["infer", "embed", "batch", "admin", "metrics"]),
            entry("plain", "k-plain"),
            entry("board", "k-board", scopes=["metrics"]),
            entry("tuned", "k-tuned", models=["tuned"]),
        )
        server = self.start("--load-adapters", "--adapter", f"tuned={self.w.folder / 'adapter'}")
        load = {"lora_name": "late", "lora_path": str(self.w.folder / "adapter")}
        for key, path, body, wanted in (
            (None, "/v1/completions", BODY, (401, "invalid_api_key")),
            ("wrong", "/v1/completions", BODY, (401, "invalid_api_key")),
            ("k-plain", "/v1/completions", BODY, (200, None)),
            ("k-board", "/v1/completions", BODY, (403, "scope_not_allowed")),
            ("k-tuned", "/v1/completions", BODY, (403, "model_not_allowed")),
            ("k-tuned", "/v1/completions", BODY | {"model": "tuned"}, (200, None)),
            ("k-plain", "/v1/load_lora_adapter", load, (403, "scope_not_allowed")),
            ("k-board", "/tokenize", {"prompt": "a"}, (200, None)),
        ):
            self.assertEqual(self.ask(server, key, body, path)[:2], wanted, (key, path))
        for key, status in ((None, 401), ("k-plain", 403), ("k-board", 200), ("k-all", 200)):
            self.assertEqual(server.request("GET", "/metrics", None, {"authorization": f"Bearer {key}"} if key else {})[0], status)
        self.assertEqual(server.request("POST", "/v1/load_lora_adapter", load, {"authorization": "Bearer k-all"})[0], 200)
        models = json.loads(server.request("GET", "/v1/models", None, {"authorization": "Bearer k-tuned"})[2])["data"]
        self.assertEqual([model["id"] for model in models], ["tuned"])
        self.assertEqual(server.request("GET", "/health")[0], 200)
        self.assertEqual(server.stop()[0], 0)

    def test_what_is_used_up_is_refused_until_there_is_more(self):
        self.write_keys(
            entry("few", "k-few", requests_per_minute=2),
            entry("tokens", "k-tokens", tokens_per_minute=8),
            entry("day", "k-day", tokens_per_day=8),
        )
        server = self.start("--open-metrics")
        self.assertEqual([self.ask(server, "k-few")[0] for _ in range(3)], [200, 200, 429])
        status, code, headers = self.ask(server, "k-few")
        self.assertEqual((status, code), (429, "rate_limit_exceeded"))
        self.assertTrue(1 <= int(headers["retry-after-ms"]) <= 30_000, headers)
        self.assertGreaterEqual(int(headers["retry-after"]), 1)
        long = BODY | {"max_tokens": 12, "guided_regex": "[a-z]{40}"}
        self.assertEqual(self.ask(server, "k-tokens", long)[0], 200)
        self.assertEqual(self.ask(server, "k-tokens", long)[:2], (429, "rate_limit_exceeded"))
        self.assertEqual(self.ask(server, "k-day", long)[0], 200)
        status, code, headers = self.ask(server, "k-day", long)
        self.assertEqual((status, code, headers["x-should-retry"]), (429, "insufficient_quota", "false"))
        metrics = server.request("GET", "/metrics")[2]
        self.assertRegex(metrics, r'onggi_key_requests_total\{[^}]*key="few"\} 2\n')
        self.assertRegex(metrics, r'onggi_key_tokens_total\{[^}]*key="day",kind="generated"\} 12\n')
        for limit in ("requests_per_minute", "tokens_per_minute", "tokens_per_day"):
            self.assertIn(f'reason="{limit}"', metrics)
        self.assertEqual(server.stop()[0], 0)

    def test_what_was_not_used_is_given_back(self):
        self.write_keys(entry("a", "k", tokens_per_day=1000))
        server = self.start()
        for _ in range(8):  # each could use 900, and uses some five
            self.assertEqual(self.ask(server, "k", {"prompt": "the", "max_tokens": 900, "guided_choice": ["good"]})[0], 200)
        self.assertEqual(server.stop()[0], 0)

    def test_keys_are_made_and_changed_while_it_serves(self):
        first = binary.run("serve", "keys", "new", "first", "--file", self.keys)
        self.assertEqual(binary.faults_of(first), [])
        self.assertEqual(self.keys.stat().st_mode & 0o777, 0o600)
        self.assertNotIn(first.stdout.strip(), self.keys.read_text())
        server = self.start()
        self.assertEqual(self.ask(server, first.stdout.strip())[0], 200)
        second = binary.run("serve", "keys", "new", "second", "--file", self.keys, "--scope", "metrics", "--tokens-per-day", 5)
        self.assertEqual(self.ask(server, second.stdout.strip(), path="/tokenize", body={"prompt": "a"})[0], 401)
        server.process.send_signal(signal.SIGHUP)
        self.assertTrue(eventually(lambda: self.ask(server, second.stdout.strip(), path="/tokenize", body={"prompt": "a"})[0] == 200))
        good = self.keys.read_text()
        self.keys.write_text("keys: [")
        server.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.ask(server, first.stdout.strip())[0], 200)
        self.keys.write_text(good.replace("first", "first-renamed"))
        status, output, errors = server.stop()
        self.assertEqual(status, 0)
        self.assertIn("the keys stay as they were", output)
        self.assertNotIn(first.stdout.strip(), errors + output)

    def test_what_makes_no_key_is_refused(self):
        made = binary.run("serve", "keys", "new", "first", "--file", self.keys)
        self.assertEqual(made.returncode, 0, made.stderr)
        for arguments, names in (
            (("new",), ("NAME",)),
            (("old", "a"), ("keys new",)),
            (("new", "a b"), ("a b",)),
            (("new", "a", "--scope", "king"), ("king", "metrics")),
            (("new", "a", "--tokens-per-day", "-5"), ("tokens_per_day", "-5")),
            (("new", "first", "--file", self.keys), ("keys.yaml", "first")),
            (("new", "a", "--file", self.w.folder / "keys.txt"), ("keys.txt", ".yaml")),
        ):
            result = binary.run("serve", "keys", *arguments)
            self.assertEqual(binary.faults_of_refusal(result, names), [], (arguments, result.stderr))
        printed = binary.run("serve", "keys", "new", "shown", "--model", "themes")
        self.assertIn('name: "shown"', printed.stdout)
        self.assertIn('models: ["themes"]', printed.stdout)


if __name__ == "__main__":
    unittest.main()
