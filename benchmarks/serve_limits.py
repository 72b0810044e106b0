#!/usr/bin/env python3
"""What `onggi serve` holds under pressure, measured on the real binary: warm against cold first token, 300 % overload,
idle streams, a reader that stalls.

    benchmarks/serve_limits.py --onggi build/release/bin/onggi            # on the demo's Gemma 3 270M
"""

import argparse
import http.client
import json
import os
import resource
import socket
import statistics
import subprocess
import threading
import time


class Server:
    def __init__(self, onggi, *flags):
        self.process = subprocess.Popen([onggi, "serve", "--port", "0", "--quiet", *map(str, flags)], stdout=subprocess.PIPE)
        for line in iter(self.process.stdout.readline, b""):
            if b"listening on" in line:
                self.port = int(line.decode().rsplit(":", 1)[1].split("/")[0])
                return
        raise SystemExit("no server")

    def rss_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

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


BODY = {"prompt": "상품: 수분 크림\n후기: 촉촉하고 순해서 좋아요\n", "max_tokens": 24, "temperature": 1, "logit_bias": {"1": -100, "106": -100}}


def closed_loop(server, num_clients, seconds):
    """Answer tokens a second with this many clients that wait for their answers."""
    done, end = [], time.monotonic() + seconds

    def client(number):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
        turn = 0
        while time.monotonic() < end:
            turn += 1
            status, data = server.ask(BODY | {"seed": number * 1000 + turn}, connection)
            assert status == 200, data
            if time.monotonic() <= end:
                done.append(json.loads(data)["usage"]["completion_tokens"])

    threads = [threading.Thread(target=client, args=(i,)) for i in range(num_clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds, len(done) / seconds


def overload(onggi, seconds):
    server = Server(onggi, "--max-waiting-tokens", 4000)
    closed_loop(server, 32, 5)
    capacity, requests_per_s = closed_loop(server, 32, seconds)
    before = server.rss_bytes()
    good, refused, highest = [], [], [0]
    lock = threading.Lock()
    end = time.monotonic() + seconds

    def one(number):
        began = time.monotonic()
        status, data = server.ask(BODY | {"seed": number})
        now = time.monotonic()
        with lock:
            if status == 429:
                refused.append(now - began)
            elif status == 200 and now <= end:
                good.append(json.loads(data)["usage"]["completion_tokens"])

    threads, number, next_at = [], 0, time.monotonic()
    while time.monotonic() < end:
        threads.append(threading.Thread(target=one, args=(number,)))
        threads[-1].start()
        number += 1
        next_at += 1 / (3 * requests_per_s)
        highest[0] = max(highest[0], server.rss_bytes())
        time.sleep(max(0.0, next_at - time.monotonic()))
    for thread in threads:
        thread.join()
    server.stop()
    return {"capacity_tokens_per_s": capacity, "goodput_tokens_per_s": sum(good) / seconds, "share": sum(good) / seconds / capacity, "asked": number, "refused": len(refused),
            "refusal_p50_ms": 1000 * percentile(refused, 0.5), "refusal_p99_ms": 1000 * percentile(refused, 0.99), "memory_growth_mb": (highest[0] - before) / 1e6}


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


def stalled_reader(onggi, seconds, rounds):
    server = Server(onggi)
    closed_loop(server, 8, 3)
    shares = []
    for _ in range(rounds):
        free, _ = closed_loop(server, 8, seconds)
        body = json.dumps(BODY | {"stream": True, "max_tokens": 8000, "logprobs": 20}).encode()
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", server.port))
        stalled.sendall(b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        time.sleep(8)  # until its buffers are full
        beside, _ = closed_loop(server, 8, seconds)
        stalled.close()
        time.sleep(1)
        shares.append(beside / free)
    server.stop()
    return {"others_with_it_over_without": statistics.median(shares), "rounds": [round(s, 3) for s in shares]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onggi", required=True)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    parts = {
        "warm_and_cold": lambda: warm_and_cold(options.onggi),
        "overload": lambda: overload(options.onggi, options.seconds),
        "idle_streams": lambda: idle_streams(options.onggi, 2000),
        "stalled_reader": lambda: stalled_reader(options.onggi, options.seconds, 3),
    }
    for name, part in parts.items():
        if options.only in ("", name):
            print(json.dumps({"part": name} | {k: round(v, 4) if isinstance(v, float) else v for k, v in part().items()}), flush=True)


if __name__ == "__main__":
    main()
