"""A review server on a store of its own, which may be killed and come back on the same port."""

import http.client
import json
import socket
import sqlite3
import tempfile
import urllib.parse
from pathlib import Path

import binary

EXAMPLE = binary.ROOT / "examples" / "review-themes"


def jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def example_rows(count):
    """Reviews of the example over and over, each with its number, so that no two are the same."""
    files = sorted((EXAMPLE / "data").glob("*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    picked = []
    for i in range(count):
        row = rows[i % len(rows)]
        picked.append(row | {"id": f"{row['id']}-{i}", "review": f"{row['review']} ({i})"})
    return picked


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ReviewServer:
    def __init__(self, folder, *arguments, port=0):
        self.folder = Path(folder)
        self.store = self.folder / "review.db"
        self.arguments = ["review", "--store", self.store, *arguments]
        self.port = port
        self.start()

    def start(self):
        self.errors = tempfile.TemporaryFile()
        self.process = binary.start(*self.arguments, "--port", self.port, stderr=self.errors)
        self.lines = []
        for line in iter(self.process.stdout.readline, b""):
            self.lines.append(line.decode())
            if "review page at" in self.lines[-1]:
                self.port = int(self.lines[-1].rsplit(":", 1)[1].rstrip("/\n"))
                return
        self.errors.seek(0)
        raise AssertionError(f"no server: {self.lines} {self.errors.read().decode()}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def kill(self):
        self.process.kill()
        self.process.communicate()
        self.errors.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.communicate(timeout=60)
        if self.errors.closed:
            return None
        self.errors.seek(0)
        log = self.errors.read().decode()
        self.errors.close()
        return self.process.returncode, log

    def ask(self, method, path, body=None, person="hana", **headers):
        """Status, fields and JSON (or bytes where it is none) of an answer."""
        fields = {"x-onggi-person": urllib.parse.quote(person)} if person else {}
        if body is not None:
            fields["content-type"] = "application/json"
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            content = body if isinstance(body, (bytes, str, type(None))) else json.dumps(body)
            connection.request(method, path, content, fields)
            response = connection.getresponse()
            content = response.read()
            named = {name.lower(): value for name, value in response.getheaders()}
            return response.status, named, json.loads(content) if named.get("content-type") == "application/json" else content
        finally:
            connection.close()

    def get(self, path, person="hana"):
        status, _, body = self.ask("GET", path, person=person)
        assert status == 200, (status, body)
        return body

    def post(self, path, body, person="hana"):
        status, _, answer = self.ask("POST", path, body, person=person)
        assert status == 200, (status, answer)
        return answer

    def export(self, *arguments):
        """Rows, rejected rows and manifest."""
        names = [self.folder / name for name in ("export.jsonl", "rejected.jsonl", "manifest.json")]
        result = binary.run("review", "export", "--store", self.store, "--output", names[0], "--rejected", names[1], "--manifest", names[2], *arguments)
        assert binary.faults_of(result) == [], result.stderr
        rows = [[json.loads(line) for line in name.read_text(encoding="utf-8").splitlines()] for name in names[:2]]
        return *rows, json.loads(names[2].read_text(encoding="utf-8"))

    def events(self):
        """The log, straight from the store."""
        with sqlite3.connect(self.store) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("SELECT * FROM events ORDER BY seq")]
