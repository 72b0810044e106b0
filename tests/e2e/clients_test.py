"""Unmodified clients of OpenAI's API against the real binary: openai (PyPI, and two majors of npm), LangChain, LlamaIndex
and curl. Their pinned packages come from the registries into build/clients; without node, npm or a registry the tests
skip, saying so."""

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import binary
import tiny_model
from clients.slow_wire import SlowWire
from serve_test import Server
from workshop import Workshop, trained_adapter

SCRIPTS = Path(__file__).resolve().parent / "clients"
PACKAGES = binary.ROOT / "build" / "clients"
TEMPLATES = binary.ROOT / "tests" / "golden" / "text" / "jinja_cases.json"
KEY = "key-of-the-tests"
CONTEXT = 8192


def bring(name, wanted, commands):
    """A folder under build/clients made by `commands` from the files `wanted`; None, and why, where that fails."""
    folder = PACKAGES / name
    mark = folder / "complete"
    state = hashlib.sha256(b"".join(file.read_bytes() for file in wanted)).hexdigest()
    if mark.exists() and mark.read_text() == state:
        return folder, ""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in wanted:
        shutil.copy(file, folder)
    for command in commands:
        try:
            result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, str(error)
        if result.returncode != 0:
            return None, result.stderr[-400:]
    mark.write_text(state)
    return folder, ""


@functools.cache
def node_packages():
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None, "node and npm are not there"
    install = ["npm", "ci", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=20000"]
    return bring("node", [SCRIPTS / "package.json", SCRIPTS / "package-lock.json"], [install])


@functools.cache
def python_packages():
    install = ["bin/pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"]
    return bring("python", [SCRIPTS / "requirements.txt"], [[sys.executable, "-m", "venv", "."], [*install, "-r", "requirements.txt"]])


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = Path(scratch.name)
        templates = json.loads(TEMPLATES.read_text(encoding="utf-8"))["chat_templates"]
        cls.servers = {}
        w = Workshop(cls.folder)
        shutil.copytree(trained_adapter(), cls.folder / "adapter")
        the = tiny_model.vocabulary()[0].index("the")
        flags = ["--adapter", f"tuned={cls.folder / 'adapter'}"]
        if "--state" in binary.run("serve", "--help").stdout:
            flags += ["--state", cls.folder / "state"]
        cls.start("plain", w.base, *flags, the=the)
        for name, template, opening in (("hermes", "qwen_tools", "<tool_call>"), ("bare", "llama3_tools", '{"name": "')):
            base = tiny_model.write_folder(cls.folder / name, max_position_embeddings=CONTEXT)
            ids = tiny_model.add_words(base, [opening, "</tool_call>"])
            (base / "chat_template.jinja").write_text(templates[template], encoding="utf-8")
            byte = {c: tiny_model.vocabulary()[0].index(tiny_model.byte_letters()[ord(c)]) for c in "\n<"}
            cls.start(name, base, opening=ids[opening], newline=byte["\n"], less=byte["<"])
        for name, seed in (("bytes", None), ("pieces", 7)):
            wire = SlowWire(int(cls.servers["hermes"]["origin"].rsplit(":", 1)[1]), seed)
            cls.addClassCleanup(wire.stop)
            cls.servers[name] = cls.address(wire.port)
        cls.counts = {}
        cls.addClassCleanup(lambda: print(f"clients: {sum(cls.counts.values())} assertions held: {cls.counts}", file=sys.stderr))

    @staticmethod
    def address(port):
        return {"origin": f"http://127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}/v1"}

    @classmethod
    def start(cls, name, base, *flags, **told):
        server = Server("--base", base, "--name", "model", "--threads", 1, *flags)
        cls.servers[name] = cls.address(server.port) | told | {"pid": server.process.pid}
        cls.addClassCleanup(cls.stop, server)

    @staticmethod
    def stop(server):
        status, _, errors = server.stop()
        faults = [fault for fault in binary.FAULTS if fault in errors]
        if status != 0 or faults:
            raise AssertionError(f"the server ended with {status}, {faults}: {errors[-2000:]}")

    def hold(self, name, command, cwd=SCRIPTS):
        """Runs a client's script: all that it counts must hold."""
        keys = self.folder / "keys.txt"
        keys.write_text(KEY + "\n")
        keys.chmod(0o600)
        limited = Server("--base", self.folder / "model", "--name", "model", "--threads", 1, "--keys", keys, "--max-waiting-tokens", 500)
        servers = self.servers | {"limited": self.address(limited.port) | {"key": KEY, "pid": limited.process.pid}}
        environment = os.environ | {"ONGGI_CLIENT_SERVERS": json.dumps(servers), "NO_COLOR": "1"}
        try:
            result = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)
        finally:
            self.stop(limited)
        try:
            found = json.loads(result.stdout.strip().split("\n")[-1])
        except ValueError:
            self.fail(f"{name}: {result.stdout[-2000:]} {result.stderr[-2000:]}")
        if found["failures"]:
            self.fail(f"{name}: {len(found['failures'])} failed, {found['passed']} held\n" + "\n".join(found["failures"]))
        self.counts[name] = found["passed"]

    def hold_node(self, name, script, *arguments):
        packages, why = node_packages()
        if packages is None:
            self.skipTest(f"no packages of npm: {why}")
        for file in SCRIPTS.glob("*.mjs"):  # Modules look for packages where they lie themselves.
            shutil.copy(file, packages)
        self.hold(name, ["node", script, *arguments], packages)

    def test_openai_of_pypi(self):
        packages, why = python_packages()
        if packages is None:
            self.skipTest(f"no packages of PyPI: {why}")
        self.hold("openai of PyPI", [packages / "bin" / "python", "openai_client.py"])

    def test_openai_of_npm(self):
        self.hold_node("openai of npm", "openai_client.mjs", "openai")

    def test_the_major_of_openai_before(self):
        self.hold_node("openai 6 of npm", "openai_client.mjs", "openai6")

    def test_langchain(self):
        self.hold_node("@langchain/openai", "langchain_client.mjs")

    def test_llamaindex(self):
        self.hold_node("@llamaindex/openai", "llamaindex_client.mjs")

    def test_curl(self):
        if shutil.which("curl") is None:
            self.skipTest("curl is not there")
        self.hold("curl", [sys.executable, "curl_client.py"])


if __name__ == "__main__":
    unittest.main()
