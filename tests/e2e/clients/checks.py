"""Counts what holds. A client's script ends with report(), which prints one JSON line for clients_test.py."""

import contextlib
import json
import os
import sys
import time
import traceback
import urllib.error
import urllib.request

SERVERS = json.loads(os.environ["ONGGI_CLIENT_SERVERS"])
passed = 0
failures = []


def check(name, truth, detail=""):
    global passed
    if truth:
        passed += 1
    else:
        failures.append(f"{name} {detail}")


def same(name, found, expected):
    check(name, found == expected, f"found {found!r}, expected {expected!r}")


def refused(name, make, kind, judge=lambda error: None):
    """`make` must raise an error of this class; what `judge` says of it must hold too."""
    try:
        make()
    except Exception as error:
        check(f"{name}: its class", isinstance(error, kind), f"{type(error).__name__}: {error}")
        judge(error)
        return
    check(f"{name}: refused", False, "it was answered")


@contextlib.contextmanager
def part(name):
    """One part of a script: what it raises is a failure, and the parts after it still run."""
    try:
        yield
    except Exception:
        failures.append(f"{name}: {traceback.format_exc()}")


def answers(server, path):
    """Whether the server has this address at all."""
    try:
        urllib.request.urlopen(urllib.request.Request(server["origin"] + path, b"{}", {"content-type": "application/json"})).close()
    except urllib.error.HTTPError as error:
        with error:
            return error.code not in (404, 405, 501)
    return True


def metric(server, name):
    with urllib.request.urlopen(server["origin"] + "/metrics") as response:
        lines = response.read().decode().split("\n")
    return next((float(line.split()[-1]) for line in lines if line.startswith(name)), None)


def until(truth, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if truth():
            return True
        time.sleep(0.01)
    return False


def report():
    print(json.dumps({"passed": passed, "failures": failures}))
    sys.exit(1 if failures else 0)
