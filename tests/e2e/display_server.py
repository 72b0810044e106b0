"""`display serve` as a process, and cards for it."""

import http.client
import json
import signal
import tempfile

import binary


def card_lines(num_cards):
    cards = (
        {
            "id": f"t{i}",
            "entity": ["가방", "코트", "운동화"][i % 3],
            "aspect": ["핏", "색감", "두께"][i % 3],
            "expressions": [f"{i}번째로 좋은 핏", "또 하나"],
            "products": [f"p{i % 4}"],
        }
        for i in range(num_cards)
    )
    return "".join(json.dumps(card, ensure_ascii=False) + "\n" for card in cards)


class DisplayServer:
    def __init__(self, state, cards, *arguments):
        self.errors = tempfile.TemporaryFile()
        self.process = binary.start("display", "serve", "--state", state, "--cards", cards, "--port", 0, *arguments, stderr=self.errors)
        self.lines = []
        for line in iter(self.process.stdout.readline, b""):
            self.lines.append(line.decode())
            if "listening on" in self.lines[-1]:
                self.port = int(self.lines[-1].rsplit(":", 1)[1].split("/")[0])
                return
        self.errors.seek(0)
        raise AssertionError(f"no server: {self.lines} {self.errors.read().decode()}")

    def stop(self, how=signal.SIGTERM):
        """Its exit status; what is stopped already stays so."""
        if self.process.returncode is None:
            self.process.send_signal(how)
            self.process.communicate(timeout=60)
            self.errors.close()
        return self.process.returncode

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            content = body if isinstance(body, (bytes, type(None))) else json.dumps(body, ensure_ascii=False).encode()
            connection.request(method, path, content, {"content-type": "application/json"} | (headers or {}))
            response = connection.getresponse()
            return response.status, json.loads(response.read() or "null")
        finally:
            connection.close()

    def get(self, path):
        status, answer = self.request("GET", path)
        assert status == 200, (status, answer)
        return answer

    def post(self, path, body):
        status, answer = self.request("POST", path, body)
        assert status == 200, (status, answer)
        return answer
