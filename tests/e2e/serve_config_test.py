"""`serve --config`: one YAML file, its errors with their places, and a thousand adapters that are read when asked for."""

import concurrent.futures
import hashlib
import json
import shutil
import signal
import socket
import tempfile
import unittest
from pathlib import Path

import binary
from serve_test import Server
from workshop import Workshop, trained_adapter

BODY = {"prompt": "the", "max_tokens": 6, "temperature": 0}


class Config(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.w = Workshop(Path(scratch.name))
        shutil.copytree(trained_adapter(), self.w.folder / "adapter")

    def write(self, text):
        path = self.w.write("serve.yaml", text)
        path.chmod(0o600)
        return path

    def test_a_file_says_what_flags_say_and_flags_come_after_it(self):
        key = hashlib.sha256(b"k").hexdigest()
        path = self.write(
            f"base: model\nname: ours\nbatch_rows: 8\ndefault_max_tokens: 5\nadapters:\n  tuned: adapter\n"
            f"log: log\nkeys:\n  - {{name: shop, sha256: '{key}', models: [tuned, theirs]}}\n"
        )
        bearer = {"authorization": "Bearer k"}
        server = Server("--config", path, "--name", "theirs")
        self.assertEqual(server.request("POST", "/v1/completions", BODY)[0], 401)
        status, _, text = server.request("POST", "/v1/completions", BODY | {"model": "tuned"}, bearer)
        self.assertEqual((status, json.loads(text)["model"]), (200, "tuned"))
        models = json.loads(server.request("GET", "/v1/models", None, bearer)[2])["data"]
        self.assertEqual([(m["id"], m["parent"]) for m in models], [("theirs", None), ("tuned", "theirs")])
        chat = {"messages": [{"role": "user", "content": "?"}], "guided_regex": "[a-z]{90}"}
        answer = json.loads(server.request("POST", "/v1/chat/completions", chat, bearer)[2])
        self.assertEqual(answer["usage"]["completion_tokens"], 5)
        server.process.send_signal(signal.SIGHUP)  # reads the keys in the configuration anew
        self.assertEqual(server.request("POST", "/v1/completions", BODY, bearer)[0], 200)
        self.assertEqual(server.stop()[0], 0)
        self.assertIn('"key":"shop"', (self.w.folder / "log").read_text())

    def test_errors_name_their_place(self):
        for text, names in (
            ("base: model\nbatch_row: 8\n", ("serve.yaml:2:1", "batch_row", "batch_rows")),
            ("base: model\nport: soon\n", ("serve.yaml:2:7", "port", "soon", "whole number")),
            ("base: model\nquiet: 1\n", ("serve.yaml:2:8", "true or false")),
            ("base: [a\n", ("serve.yaml:", "YAML")),
            ("base: model\nbase: other\n", ("serve.yaml:2:1", "twice")),
            ("base: model\nadapters: [a]\n", ("serve.yaml:2:11", "a map of names")),
            ("base: model\nadapters:\n  a: 5\n", ("serve.yaml:3:6", "text", "5")),
            ("base: model\nadapters:\n  a: nowhere\n", ("serve.yaml:3:6", "nowhere")),
            ("base: 5\n", ("serve.yaml:1:7", "text")),
            ("base: model\nkeys: [{name: a}]\n", ("serve.yaml:2:8", "sha256")),
            ("base: model\nkeys: nowhere.yaml\n", ("nowhere.yaml",)),
            ("base: model\ncheck: true\n", ("serve.yaml:2:1", "check")),
            ("- a\n", ("serve.yaml:1:1", "a map")),
        ):
            result = binary.run("serve", "--config", self.write(text), "--port", 0)
            self.assertEqual(binary.faults_of_refusal(result, names), [], (text, result.stderr))
        result = binary.run("serve", "--config", self.w.folder / "absent.yaml")
        self.assertEqual(binary.faults_of_refusal(result, ("absent.yaml",)), [])

    def test_check_says_what_is_wrong_without_serving(self):
        path = self.write("base: model\nport: 0\nadapters: {a: adapter, b: adapter}\n")
        good = binary.run("serve", "--config", path, "--check")
        self.assertEqual(binary.faults_of(good), [], good.stdout)
        self.assertEqual(good.stdout.count("ok "), 3, good.stdout)
        shutil.copytree(self.w.folder / "adapter", self.w.folder / "broken")
        weights = self.w.folder / "broken" / "adapter_model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-7])
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            path = self.write(f"base: model\nport: {port}\nadapters: {{a: adapter, b: broken}}\n")
            bad = binary.run("serve", "--config", path, "--check")
        self.assertEqual(bad.returncode, 1)
        self.assertIn("ok     adapter a", bad.stdout)
        self.assertIn("FAULT  adapter b", bad.stdout)
        self.assertIn(f"FAULT  address 127.0.0.1:{port}", bad.stdout)
        path = self.write("base: model\nadapters: {a: adapter, b: none1, c: none2}\n")
        bad = binary.run("serve", "--config", path, "--check")
        self.assertEqual(bad.returncode, 1)
        for name in ("b", "c"):
            self.assertIn(f"FAULT  adapter {name}", bad.stdout)

    def test_a_thousand_adapters_within_little_memory(self):
        folders = [self.w.folder / "adapter", self.w.folder / "other"]
        shutil.copytree(folders[0], folders[1])
        # Another adapter: the same weights, three times as strong.
        config = json.loads((folders[1] / "adapter_config.json").read_text())
        config["lora_alpha"] = 3 * config["lora_alpha"]
        (folders[1] / "adapter_config.json").write_text(json.dumps(config))
        names = [f"a{i}" for i in range(1000)]
        lines = "".join(f"  {name}: {folders[i % 2].name}\n" for i, name in enumerate(names))
        path = self.write(f"base: model\nadapter_memory_mb: 1\nadapters:\n{lines}")
        body = BODY | {"logprobs": 2}
        plain = Server("--base", self.w.base, "--adapter", f"even={folders[0]}", "--adapter", f"odd={folders[1]}")
        wanted = [plain.post("/v1/completions", body | {"model": name})["choices"] for name in ("even", "odd")]
        self.assertNotEqual(wanted[0], wanted[1])
        self.assertEqual(plain.stop()[0], 0)
        server = Server("--config", path)
        self.addCleanup(server.process.kill)
        self.assertEqual(len(json.loads(server.request("GET", "/v1/models")[2])["data"]), 1001)
        gauge = lambda name: float(next(l for l in server.request("GET", "/metrics")[2].split("\n") if l.startswith(name + "{")).split()[-1])  # noqa: E731, E741
        self.assertEqual((gauge("onggi_adapters"), gauge("onggi_adapters_loaded")), (1000, 0))
        asked = [(7 * i) % 1000 for i in range(300)] * 2
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda i: server.post("/v1/completions", body | {"model": names[i]})["choices"], asked))
        for i, answer in zip(asked, answers):
            self.assertEqual(answer, wanted[i % 2], names[i])
        self.assertLess(gauge("onggi_adapters_loaded"), 300)
        self.assertLessEqual(gauge("onggi_adapter_bytes"), 1 << 20)
        shutil.rmtree(folders[1])
        status, headers, text = server.request("POST", "/v1/completions", body | {"model": "a999"})
        self.assertEqual((status, json.loads(text)["error"]["code"]), (503, "adapter_unavailable"))
        self.assertEqual(server.post("/v1/completions", body | {"model": "a998"})["choices"], wanted[0])
        self.assertEqual(server.stop()[0], 0)


if __name__ == "__main__":
    unittest.main()
