"""The page at `/`: its files as the server sends them, and, where node and Chromium are there, what people do with it."""

import gzip
import http.client
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import binary
from serve_test import Server
from workshop import Workshop, trained_adapter

WEB = binary.ROOT / "web"
MAX_FIRST_LOAD_BYTES = 120 * 1024


def missing():
    """What is not there to drive the page with; None if all is."""
    for program in ("node", "chromium"):
        if not shutil.which(program):
            return f"{program} is missing"
    packages = WEB / "node_modules"
    return None if (packages / "playwright-core").is_dir() and (packages / "axe-core").is_dir() else "npm ci --prefix web has not been run"


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        folder = Path(scratch.name)
        base = Workshop(folder).base
        shutil.copytree(trained_adapter(), folder / "adapter")
        adapters = [part for name in ("tuned", "other") for part in ("--adapter", f"{name}={folder / 'adapter'}")]
        cls.server = Server("--base", base, *adapters)
        cls.addClassCleanup(cls.server.stop)

    def get(self, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read()
        finally:
            connection.close()

    def test_every_file_that_the_page_loads_is_there_and_all_of_them_are_small(self):
        waiting, seen, total = ["/"], set(), 0
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            status, headers, body = self.get(path, accept_encoding="gzip")
            self.assertEqual((status, headers["content-encoding"]), (200, "gzip"), path)
            total += len(body)
            text = gzip.decompress(body).decode()
            self.assertEqual(self.get(path)[2].decode(), text)
            source = WEB / (path.removeprefix("/page/") if path != "/" else "index.html")
            self.assertEqual(source.read_text(), text)
            for name in re.findall(r'(?:src|href)="(?!#)([^"]+)"' if path == "/" else r'from "(\.[^"]+)"', text):
                waiting.append("/" + os.path.normpath(os.path.join(path, "..", name)).lstrip("/"))
        self.assertGreater(len(seen), 10)
        self.assertLessEqual(total, MAX_FIRST_LOAD_BYTES)

    def test_files_are_sent_again_only_when_they_have_changed(self):
        _, headers, body = self.get("/")
        self.assertTrue(headers["content-type"].startswith("text/html"))
        self.assertIn("default-src 'none'", headers["content-security-policy"])
        self.assertNotIn("unsafe", headers["content-security-policy"])
        status, again, nothing = self.get("/", if_none_match=f'"other", {headers["etag"]}')
        self.assertEqual((status, nothing, again["etag"]), (304, b"", headers["etag"]))
        self.assertNotIn("content-length", again)
        self.assertEqual(self.get("/", if_none_match='"other"')[2], body)
        for encoding in ("br, gzip;q=0.5", "GZIP"):
            self.assertIn("content-encoding", self.get("/", accept_encoding=encoding)[1], encoding)
        for encoding in ("gzip;q=0", "gzip; q=0.0", "identity", "xgzip"):
            self.assertNotIn("content-encoding", self.get("/", accept_encoding=encoding)[1], encoding)
        types = {"/page/style.css": "text/css", "/page/src/main.js": "text/javascript", "/page/icon.svg": "image/svg+xml"}
        for path, wanted in types.items():
            self.assertTrue(self.get(path)[1]["content-type"].startswith(wanted), path)
        for name in ("", "none.js", "src/none.js", "src/../style.css", "src/%2e%2e/style.css", "src/tokens_test.js"):
            self.assertEqual(self.get(f"/page/{name}")[0], 404, name)
        self.assertEqual(self.server.request("POST", "/", "{}")[0], 405)

    def node(self, tests):
        environment = os.environ | {"ONGGI_URL": f"http://127.0.0.1:{self.server.port}/"}
        result = subprocess.run(["node", "--test", WEB / tests], capture_output=True, text=True, timeout=500, env=environment)
        self.assertEqual(result.returncode, 0, result.stdout[-8000:])

    @unittest.skipUnless(shutil.which("node"), "node is missing")
    def test_the_parts_of_the_page_do_what_they_say(self):
        self.node("src")

    @unittest.skipIf(missing(), f"the page is not driven: {missing()}")
    def test_what_people_do_in_the_playground(self):
        self.node("tests/playground_test.mjs")

    @unittest.skipIf(missing(), f"the page is not driven: {missing()}")
    def test_what_holds_for_the_whole_page(self):
        self.node("tests/page_test.mjs")


if __name__ == "__main__":
    unittest.main()
