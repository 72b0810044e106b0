#!/usr/bin/env python3
"""Load on OpenAI-compatible servers, one after the other in turn: requests a second and latencies under a JSON Schema.

    benchmarks/serve_load.py --server onggi=http://127.0.0.1:8080 --server peer=http://127.0.0.1:8081 \\
        --rows examples/review-themes/data/authored-food-living.jsonl --clients 16 --requests 64 --rounds 3

Each round asks every server the same prompts by the same number of clients, each of which asks its next when it has an
answer. The answers' lengths may differ between servers: tokens a second are given beside requests a second.
"""

import argparse
import http.client
import json
import statistics
import threading
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def schema_of(names):
    """Two cards: what the card guide says, as far as a schema can say it. Always two, so that servers do alike work."""
    card = {
        "type": "object",
        "properties": {"aspect": {"enum": names}, "entity": {"type": "string", "maxLength": 12}, "expression": {"type": "string", "maxLength": 24}},
        "required": ["aspect", "entity", "expression"],
        "additionalProperties": False,
    }
    return {"type": "array", "items": card, "minItems": 2, "maxItems": 2}


def prompt_of(row, head):
    return f"{head}상품: {row['product']}\n후기: {row['review']}\n카드:\n"


class Load:
    def __init__(self, url, bodies, models):
        self.url = urllib.parse.urlsplit(url)
        self.bodies = bodies
        self.models = models
        self.lock = threading.Lock()
        self.next = 0
        self.results = []

    def client(self):
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=600)
        while True:
            with self.lock:
                if self.next == len(self.bodies):
                    return
                number = self.next
                self.next += 1
            body = dict(self.bodies[number])
            if self.models:
                body["model"] = self.models[number % len(self.models)]
            began = time.monotonic()
            connection.request("POST", "/v1/completions", json.dumps(body, ensure_ascii=False).encode(), {"content-type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status != 200:
                raise SystemExit(f"{self.url.netloc}: {response.status}: {answer}")
            text = answer["choices"][0]["text"]
            is_whole = answer["choices"][0]["finish_reason"] == "stop"
            if is_whole:
                json.loads(text)  # the form that was asked for
            with self.lock:
                self.results.append((time.monotonic() - began, answer["usage"]["completion_tokens"], answer["usage"]["prompt_tokens"], is_whole))

    def run(self, num_clients):
        began = time.monotonic()
        threads = [threading.Thread(target=self.client) for _ in range(num_clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - began
        times = sorted(r[0] for r in self.results)
        return {
            "requests_per_s": len(times) / seconds,
            "tokens_per_s": sum(r[1] for r in self.results) / seconds,
            "p50_s": times[len(times) // 2],
            "p95_s": times[min(len(times) - 1, int(len(times) * 0.95))],
            "answer_tokens": sum(r[1] for r in self.results) / len(times),
            "prompt_tokens": sum(r[2] for r in self.results) / len(times),
            "whole": sum(r[3] for r in self.results) / len(times),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", action="append", required=True, help="name=URL; repeat it for those to compare")
    parser.add_argument("--rows", required=True, help="JSONL with product and review")
    parser.add_argument("--guide", default=ROOT / "examples/review-themes/guide.json", help="card guide, for the aspects' names")
    parser.add_argument("--template", default=ROOT / "examples/review-themes/prompts/2-task-format.txt", help="its text before the first slot heads each prompt")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--requests", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--max-tokens", type=int, default=96)
    parser.add_argument("--free", action="store_true", help="no schema")
    parser.add_argument("--models", default="", help="names to ask for in turn, comma between; only with one server")
    options = parser.parse_args()
    rows = [json.loads(line) for line in Path(options.rows).read_text(encoding="utf-8").splitlines()]
    names = json.loads(Path(options.guide).read_text(encoding="utf-8"))["cards"]["names"]
    head = Path(options.template).read_text(encoding="utf-8").split("---\n")[2].split("{{")[0]
    # The member that llama-server's /v1/completions knows as well.
    form = {} if options.free else {"json_schema": schema_of(names)}
    bodies = [
        {"model": "", "prompt": prompt_of(rows[i % len(rows)], head), "max_tokens": options.max_tokens, "temperature": 0, "seed": i} | form
        for i in range(options.requests)
    ]
    figures = {}
    for number in range(options.rounds + 1):  # the first warms up
        for server in options.server:
            name, url = server.split("=", 1)
            figure = Load(url, bodies, options.models.split(",") if options.models else []).run(options.clients)
            print(json.dumps({"round": number, "server": name} | {k: round(v, 3) for k, v in figure.items()}), flush=True)
            if number > 0:
                figures.setdefault(name, []).append(figure)
    for name, rounds in figures.items():
        print(json.dumps({"server": name, "clients": options.clients} | {key: round(statistics.median(f[key] for f in rounds), 3) for key in rounds[0]}))


if __name__ == "__main__":
    main()
