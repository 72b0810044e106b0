"""Runs the binary under test and judges how it ends."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("ONGGI_BINARY") or str(ROOT / "build" / "release" / "bin" / "onggi")
# What must never be shown to a user: our own faults, and traces of the library that found one.
FAULTS = ("internal error", "terminate called", "exception", "filesystem error", "std::", "basic_string", "AddressSanitizer",
          "LeakSanitizer", "runtime error", "Assertion", "Traceback")  # fmt: skip


def start(*arguments, **options):
    """The binary as a process. Signals that Python ignores keep their default action in it."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([BINARY, *map(str, arguments)], **options)


def run(*arguments, timeout=120, **options):
    """Runs to the end; stdout and stderr are texts."""
    process = start(*arguments, **options)
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    decode = lambda content: None if content is None else content.decode("utf-8")  # noqa: E731
    return subprocess.CompletedProcess(process.args, process.returncode, decode(output), decode(errors))


def files_in(folder):
    """{path below the folder: content} of every file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def faults_of(result):
    """What is wrong with the way a command succeeded; empty if nothing is."""
    problems = [f"{fault!r} on stderr" for fault in FAULTS if fault in result.stderr]
    if result.returncode != 0:
        problems.append(f"exit status {result.returncode}")
    return problems


def faults_of_refusal(result, names):
    """What is wrong with the way a command refused: it must end with status 1 or 2 and, as the last thing on stderr, with
    one error that holds every text of `names`. Lines of one error after its first are indented."""
    problems = [f"{fault!r} on stderr" for fault in FAULTS if fault in result.stderr]
    if result.returncode not in (1, 2):
        problems.append(f"exit status {result.returncode}, expected 1 or 2")
    lines = result.stderr.rstrip("\n").split("\n")
    errors = [i for i, line in enumerate(lines) if line.startswith("onggi: ")]
    if len(errors) != 1:
        return [*problems, f"{len(errors)} errors on stderr, expected 1"]
    message = "\n".join(lines[errors[0] :])
    problems += [f"{line!r} after the error" for line in lines[errors[0] + 1 :] if not line.startswith("  ")]
    problems += [f"the error does not name {name!r}" for name in names if name not in message]
    if len(lines[errors[0]]) > 1000:
        problems.append("the error is longer than 1,000 characters")
    return problems
