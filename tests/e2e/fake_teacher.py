"""An OpenAI-compatible server whose answers depend on what is asked alone, and which fails as it is told to."""

import hashlib
import json
import random
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAMES = ("보습력", "흡수력", "향", "사용감")
TOKENS = (100, 20)  # of each answer: in and out


def cards_of(text, seed):
    """Answers of one row agree mostly, those of different rows do not."""
    row = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
    draw = random.Random(row * 1000 + seed)
    name = NAMES[row % 4] if draw.random() < 0.8 else draw.choice(NAMES)
    return [f"촉촉하고 좋은 '크림' : {name}"] if row % 5 else []


def pieces_of(text):
    """Tokens of two bytes, as a server lists them: some end inside a character."""
    raw = text.encode()
    return [raw[i : i + 2] for i in range(0, len(raw), 2)]


class Teacher:
    """`faults` gives a kind of fault, or None, for the n-th call (from 0); `answer(body, default)` may change an answer's
    text."""

    def __init__(self, faults=lambda n, body: None, answer=lambda body, text: text, delay_s=0.0, key=None, tls=None):
        self.faults, self.answer, self.delay_s, self.key = faults, answer, delay_s, key
        self.lock = threading.Lock()
        self.calls = []  # of every call that was answered with a label: (body, begun, ended)
        self.bodies, self.num_calls, self.statuses, self.most_at_once, self.at_once = [], 0, [], 0, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                outer.handle(self)

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):  # a client that was killed
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls:  # (certificate, key)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server.server_address[1]}/v1"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def send(self, handler, status, content, **fields):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        handler.send_response(status)
        for name, value in fields.items():
            handler.send_header(name.replace("_", "-"), str(value))
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
        with self.lock:
            self.statuses.append(status)

    def completion(self, body):
        text = self.answer(body, json.dumps(cards_of(body["messages"][-1]["content"], body.get("seed", 0)), ensure_ascii=False))
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        if body.get("logprobs"):
            tokens = [{"token": p.decode(errors="replace"), "bytes": list(p), "logprob": -0.125} for p in pieces_of(text)]
            choice["logprobs"] = {"content": tokens}
        usage = {"prompt_tokens": TOKENS[0], "completion_tokens": TOKENS[1], "total_tokens": sum(TOKENS)}
        return {"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}

    def handle(self, handler):
        begun = time.monotonic()
        raw = handler.rfile.read(int(handler.headers["Content-Length"]))
        body = json.loads(raw)
        with self.lock:
            number = self.num_calls
            self.num_calls += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.bodies.append(body)
        try:
            self.reply(handler, raw, body, number, begun)
        except OSError:
            pass
        finally:
            with self.lock:
                self.at_once -= 1

    def reply(self, handler, raw, body, number, begun):
        if handler.path != "/v1/chat/completions":
            return self.send(handler, 404, {"error": {"message": f"no route {handler.path}"}})
        if self.key and handler.headers["Authorization"] != f"Bearer {self.key}":
            given = (handler.headers["Authorization"] or "").removeprefix("Bearer ")
            return self.send(handler, 401, {"error": {"message": f"Incorrect API key provided: {given}", "code": "invalid_api_key"}})
        fault = self.faults(number, body)
        if fault == "429":
            return self.send(handler, 429, {"error": {"message": "too many requests"}}, retry_after_ms=5)
        if fault == "quota":
            return self.send(handler, 429, {"error": {"message": "you have no money", "code": "insufficient_quota"}})
        if fault in ("400", "403", "404", "500", "503"):
            return self.send(handler, int(fault), {"error": {"message": f"fault {fault} of call {number}"}})
        if fault == "redirect":
            return self.send(handler, 307, b"", Location="http://127.0.0.1:1/v1/chat/completions")
        if fault == "hang":
            time.sleep(3)
            return handler.connection.shutdown(socket.SHUT_RDWR)
        if fault == "close":
            return handler.connection.shutdown(socket.SHUT_RDWR)
        if fault == "html":
            return self.send(handler, 200, b"<html>an error page</html>")
        time.sleep(self.delay_s)
        content = json.dumps(self.completion(body)).encode()
        with self.lock:
            self.calls.append([raw, begun, None])
            mine = self.calls[-1]
        if fault == "slow":  # a byte now and then
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            for i in range(0, len(content), 200):
                handler.wfile.write(content[i : i + 200])
                time.sleep(0.01)
        else:
            self.send(handler, 200, content)
        mine[2] = time.monotonic()
