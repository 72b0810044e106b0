#!/usr/bin/env python3
"""What `onggi serve` holds under pressure, measured on the real binary: warm against cold first token, 300 % overload,
idle streams, a reader that stalls, what a guide and many adapters cost.

    benchmarks/serve_limits.py --onggi build/release/bin/onggi            # on the demo's Gemma 3 270M
"""

import argparse
import atexit
import http.client
import json
import os
import re
import resource
import selectors
import socket
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Server:
    def __init__(self, onggi, *flags):
        self.process = subprocess.Popen([onggi, "serve", "--port", "0", "--quiet", *map(str, flags)], stdout=subprocess.PIPE)
        atexit.register(self.process.kill)  # Also where a part fails: nobody else would end it.
        for line in iter(self.process.stdout.readline, b""):
            if b"listening on" in line:
                self.port = int(line.decode().rsplit(":", 1)[1].split("/")[0])
                return
        raise SystemExit("no server")

    def rss_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_s(self):
        """Processor time so far: what a neighbour on the machine does to the clock does not show in it."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def metric(self, name):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return sum(float(line.split()[-1]) for line in text.split("\n") if line.startswith(name))

    def ask(self, body, connection=None):
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        own.request("POST", "/v1/completions", json.dumps(body, ensure_ascii=False).encode(), {"content-type": "application/json"})
        response = own.getresponse()
        data = response.read()
        if connection is None:
            own.close()
        return response.status, data

    def first_token_s(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        began = time.monotonic()
        connection.request("POST", "/v1/completions", json.dumps(body | {"stream": True}, ensure_ascii=False).encode(), {"content-type": "application/json"})
        response = connection.getresponse()
        response.read(1)
        seconds = time.monotonic() - began
        response.read()
        connection.close()
        return seconds

    def stop(self):
        self.process.terminate()
        self.process.wait()


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def warm_and_cold(onggi):
    server = Server(onggi)
    cold, warm = [], []
    for turn in range(5):
        head = f"{turn}번째 안내문입니다. " + "상품 후기를 읽고 장점만 짧게 적습니다. " * 100
        ids = json.loads(post(server.port, "/tokenize", {"prompt": head}))["tokens"][:1000]
        body = {"prompt": ids, "max_tokens": 2, "temperature": 0}
        cold.append(server.first_token_s(body))
        warm.append(server.first_token_s(body))
    server.stop()
    return {"prompt_tokens": 1000, "cold_s": statistics.median(cold), "warm_s": statistics.median(warm), "share": statistics.median(warm) / statistics.median(cold)}


def post(port, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("POST", path, json.dumps(body, ensure_ascii=False).encode(), {"content-type": "application/json"})
    data = connection.getresponse().read()
    connection.close()
    return data


# Short, so that many end within a part's seconds; the guide keeps an answer from ending early.
BODY = {"prompt": "상품: 수분 크림\n후기: 촉촉하고 순해서 좋아요\n", "max_tokens": 8, "temperature": 1, "guided_regex": "[가-힣 ,.]{60,4000}"}


def numbered(body):
    """Bytes of a body by their number, which is its seed."""
    form = json.dumps(body | {"seed": -1}).encode().replace(b"%", b"%%").replace(b'"seed": -1', b'"seed": %d')
    return lambda number: form % number


class Asker:
    """Many connections in one thread: on two cores the clients must cost next to nothing, or they are what is measured.
    Answers are (status, seconds it took, when it ended, answer tokens)."""

    def __init__(self, server, body=BODY):
        self.address = ("127.0.0.1", server.port)
        self.body = body if callable(body) else numbered(body)
        self.selector = selectors.DefaultSelector()
        self.number = 0
        self.answers = []

    def connect(self):
        connection = socket.create_connection(self.address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(connection, selectors.EVENT_READ, {})
        return connection

    def send(self, connection):
        self.number += 1
        body = self.body(self.number)
        state = self.selector.get_key(connection).data
        state.update(began=time.monotonic(), data=b"")
        connection.sendall(b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    def receive(self, wait_s):
        """Connections whose answers ended within wait_s or as soon as any did."""
        ended = []
        for key, _ in self.selector.select(max(0.0, wait_s)):
            data = key.data
            part = key.fileobj.recv(65536)
            if not part:
                raise SystemExit("the server closed a connection")
            data["data"] += part
            head, mark, body = data["data"].partition(b"\r\n\r\n")
            if mark and len(body) >= int(re.search(rb"(?i)content-length: *(\d+)", head)[1]):
                now, status = time.monotonic(), int(head.split(b" ", 2)[1])
                tokens = int(re.search(rb'"completion_tokens": *(\d+)', body)[1]) if status == 200 else 0
                self.answers.append((status, now - data["began"], now, tokens))
                ended.append(key.fileobj)
        return ended

    def close(self):
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


def closed_loop(server, num_clients, seconds, body=BODY):
    """Answer tokens and answers a second with this many clients that wait for their answers."""
    asker = Asker(server, body)
    for _ in range(num_clients):
        asker.send(asker.connect())
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        for connection in asker.receive(end - now):
            asker.send(connection)
    asker.close()
    good = [answer for answer in asker.answers if answer[2] <= end]
    if any(answer[0] != 200 for answer in good):
        raise SystemExit(f"not served: {[answer for answer in good if answer[0] != 200][0]}")
    if not good:
        raise SystemExit(f"no answer of {num_clients} clients within {seconds} s: give --seconds more")
    return sum(answer[3] for answer in good) / seconds, len(good) / seconds


def fixed_work(server, num_clients, num_requests, body):
    """Answer tokens a second over so many requests: nothing is cut off at an end."""
    asker, began, num_ended = Asker(server, body), time.monotonic(), 0
    for _ in range(num_clients):
        asker.send(asker.connect())
    while num_ended < num_requests:
        for connection in asker.receive(60):
            num_ended += 1
            if asker.number < num_requests:
                asker.send(connection)
    asker.close()
    return sum(answer[3] for answer in asker.answers) / (time.monotonic() - began)


def overload(onggi, seconds):
    server = Server(onggi, "--max-waiting-tokens", 4000)
    closed_loop(server, 32, 5)
    capacity, requests_per_s = closed_loop(server, 32, seconds)
    before, cpu_before = server.rss_bytes(), time.process_time()
    asker, idle, highest = Asker(server), [], before
    began = next_at = time.monotonic()
    end = began + seconds
    while (now := time.monotonic()) < end:
        while next_at <= now:
            asker.send(idle.pop() if idle else asker.connect())
            next_at += 1 / (3 * requests_per_s)
            if asker.number % 64 == 0:
                highest = max(highest, server.rss_bytes())
        idle += asker.receive(min(next_at, end) - now)
    client_cpu = (time.process_time() - cpu_before) / seconds
    asker.close()
    server.stop()
    refused = [answer[1] for answer in asker.answers if answer[0] == 429]
    good = sum(answer[3] for answer in asker.answers if answer[0] == 200)
    return {"capacity_tokens_per_s": capacity, "goodput_tokens_per_s": good / seconds, "share": good / seconds / capacity, "asked": asker.number, "refused": len(refused),
            "refusal_p50_ms": 1000 * percentile(refused, 0.5), "refusal_p99_ms": 1000 * percentile(refused, 0.99), "client_cores": client_cpu, "memory_growth_mb": (highest - before) / 1e6}


def idle_streams(onggi, count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = Server(onggi, "--max-connections", count + 100, "--max-waiting-tokens", 10_000_000)
    head = json.dumps(BODY | {"stream": True, "max_tokens": 400}).encode()
    message = b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(head) + head
    closed_loop(server, 32, 3)
    before = server.rss_bytes()
    sockets = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(message)
        sockets.append(connection)
    deadline = time.monotonic() + 60
    while server.metric("vllm:num_requests_waiting") + server.metric("vllm:num_requests_running") < count and time.monotonic() < deadline:
        time.sleep(0.2)
    waiting = server.metric("vllm:num_requests_waiting")
    after = server.rss_bytes()
    gets = []
    for _ in range(50):
        began = time.monotonic()
        server.metric("vllm:num_requests_waiting")
        gets.append(time.monotonic() - began)
    for connection in sockets:
        connection.close()
    server.stop()
    return {"streams": count, "waiting": waiting, "bytes_each": (after - before) / count, "get_p99_ms": 1000 * percentile(gets, 0.99)}


def many_adapters(onggi, adapter, kind, rounds):
    """32 clients with review prompts, none asked twice, each request through another of 64 adapters, against the base
    alone. All adapters are one folder, read 64 times."""
    files = sorted((ROOT / "examples/review-themes/data").glob("*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    server = Server(onggi, "--adapter-type", kind, "--batch-rows", 32, *(part for i in range(64) for part in ("--adapter", f"a{i}={adapter}")))
    shares, costs = [], []
    num_asked = 0

    def body(name_of):
        def make(number):
            row = rows[(num_asked + number) % len(rows)]
            return json.dumps(BODY | {"model": name_of(number), "seed": number, "max_tokens": 32, "prompt": f"상품: {row['product']}\n후기: {row['review']}\n"}).encode()
        return make

    for _ in range(rounds + 1):
        figures = []
        for name_of in (lambda _: "", lambda number: f"a{number % 64}", lambda _: ""):
            before = server.cpu_s()
            tokens_per_s = fixed_work(server, 32, 64, body(name_of))
            num_asked += 64
            figures.append((tokens_per_s, server.cpu_s() - before))
        shares.append(2 * figures[1][0] / (figures[0][0] + figures[2][0]))
        costs.append((figures[0][1] + figures[2][1]) / 2 / figures[1][1])
    memory = server.rss_bytes()
    server.stop()
    return {"type": kind, "of_base_throughput": statistics.median(shares[1:]), "rounds": [round(s, 3) for s in shares[1:]],
            "by_cpu_time": statistics.median(costs[1:]), "cpu_rounds": [round(c, 3) for c in costs[1:]], "memory_mb": memory / 1e6}


def wait_until_still(server):
    """Until no token was generated for a second."""
    before, deadline = -1, time.monotonic() + 120
    while (now := server.metric("vllm:generation_tokens_total")) != before:
        if time.monotonic() > deadline:
            raise SystemExit("the reader that stalls never stopped its answer")
        before = now
        time.sleep(1)


def stalled_reader(onggi, rounds):
    """Others beside a reader that takes nothing, against others before and after it."""
    server = Server(onggi)
    closed_loop(server, 8, 3)
    shares, costs = [], []

    def measured():
        before = server.cpu_s()
        return fixed_work(server, 8, 120, BODY), server.cpu_s() - before

    free = measured()
    for _ in range(rounds):
        body = json.dumps(BODY | {"stream": True, "max_tokens": 4000, "logprobs": 20, "n": 16}).encode()
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", server.port))
        stalled.sendall(b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        wait_until_still(server)  # its buffers, and the system's, are full
        beside = measured()
        stalled.close()
        time.sleep(1)
        after = measured()
        shares.append(2 * beside[0] / (free[0] + after[0]))
        costs.append(2 * beside[1] / (free[1] + after[1]))
        free = after
    server.stop()
    return {"others_with_it_over_without": statistics.median(shares), "rounds": [round(s, 3) for s in shares],
            "cpu_with_it_over_without": statistics.median(costs), "cpu_rounds": [round(c, 3) for c in costs]}


def guided_cost(onggi, rounds):
    """A JSON string may hold nearly all of the vocabulary: what the masks cost, without what a small guide saves."""
    server = Server(onggi)
    free = {"prompt": BODY["prompt"], "max_tokens": 32, "temperature": 0, "logit_bias": {"1": -100, "106": -100}}
    guided = free | {"json_schema": {"type": "string", "minLength": 400}}
    shares = []
    for _ in range(rounds + 1):
        alone = fixed_work(server, 16, 32, free)
        shares.append(fixed_work(server, 16, 32, guided) / alone)
    server.stop()
    return {"guided_over_free": statistics.median(shares[1:]), "rounds": [round(s, 3) for s in shares[1:]]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onggi", required=True)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--only", default="")
    parser.add_argument("--adapter", help="a folder, for many_adapters")
    options = parser.parse_args()
    parts = {
        "warm_and_cold": lambda: warm_and_cold(options.onggi),
        "overload": lambda: overload(options.onggi, options.seconds),
        "idle_streams": lambda: idle_streams(options.onggi, 2000),
        "guided_cost": lambda: guided_cost(options.onggi, 6),
        "stalled_reader": lambda: stalled_reader(options.onggi, 7),
    }
    if options.adapter:
        parts |= {f"many_adapters_{kind}": lambda kind=kind: many_adapters(options.onggi, options.adapter, kind, 4) for kind in ("f32", "int8")}
    for name, part in parts.items():
        if options.only in ("", name):
            print(json.dumps({"part": name} | {k: round(v, 4) if isinstance(v, float) else v for k, v in part().items()}), flush=True)


if __name__ == "__main__":
    main()
