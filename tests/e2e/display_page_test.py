"""The page of `display serve`: its files, and, where node and Chromium are there, what people see of it."""

import http.client
import os
import random
import re
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from display_server import DisplayServer, card_lines
from page_test import WEB, missing

MAX_PAGE_BYTES = 60 * 1024


class DisplayPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        folder = Path(scratch.name)
        (folder / "cards.jsonl").write_text(card_lines(12), encoding="utf-8")
        cls.server = DisplayServer(folder / "shop", folder / "cards.jsonl", "--window-seconds", 0.2, "--batch-seconds", 0.2)
        cls.addClassCleanup(cls.server.stop)
        rng = random.Random(5)
        for i in range(300):
            slate = cls.server.post("/v1/slates", {"unit": f"u{i % 40}"})
            for card in slate["cards"]:
                if rng.random() < 0.05 + 0.03 * int(card["theme_id"][1:]):
                    cls.server.post("/v1/outcomes", {"impression_id": card["impression_id"]})
        deadline = time.monotonic() + 20
        while cls.server.get("/v1/stats")["open"] > 0 and time.monotonic() < deadline:
            time.sleep(0.1)

    def test_every_file_that_the_page_loads_is_there_and_all_are_small(self):
        waiting, seen, total = ["/"], set(), 0
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            connection.request("GET", path)
            response = connection.getresponse()
            text = response.read().decode()
            self.assertEqual(response.status, 200, path)
            self.assertNotIn("unsafe", response.getheader("content-security-policy"))
            connection.close()
            source = WEB / (path.removeprefix("/page/") if path != "/" else "display/index.html")
            self.assertEqual(source.read_text(encoding="utf-8"), text)
            total += len(text)
            for name in re.findall(r'(?:src|href)="(?!#)([^"]+)"' if path == "/" else r'from "(\.[^"]+)"', text):
                waiting.append("/" + os.path.normpath(os.path.join(path, "..", name)).lstrip("/"))
        self.assertEqual(len(seen), 6)
        self.assertLessEqual(total, MAX_PAGE_BYTES)

    def test_in_a_browser(self):
        if reason := missing():
            self.skipTest(reason)
        environment = os.environ | {"ONGGI_URL": f"http://127.0.0.1:{self.server.port}/"}
        result = subprocess.run(["node", "--test", str(WEB / "display" / "page_test.mjs")], env=environment, capture_output=True, text=True, timeout=500)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
