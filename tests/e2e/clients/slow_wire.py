"""Stands between a client and the server, and hands on what the server says byte by byte or in random pieces."""

import random
import socket
import threading
import time


class SlowWire:
    """Listens on `port`. Each connection's answer goes on one byte at a time where `seed` is None, else in pieces of 1
    to 40 bytes; the request goes on as it comes."""

    def __init__(self, server_port, seed=None):
        self.server_port = server_port
        self.random = None if seed is None else random.Random(seed)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.server_port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.connect, args=(client, server), daemon=True).start()

    def connect(self, client, server):
        with client, server:
            there = threading.Thread(target=self.hand_on, args=(client, server, False), daemon=True)
            there.start()
            self.hand_on(server, client, True)
            there.join()

    def hand_on(self, source, sink, in_pieces):
        try:
            while content := source.recv(65536):
                at = 0
                while at < len(content):
                    size = len(content) if not in_pieces else 1 if self.random is None else self.random.randint(1, 40)
                    sink.sendall(content[at : at + size])
                    at += size
                    if in_pieces:
                        time.sleep(0)  # So that the reader often sees a piece by itself.
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.listener.close()
