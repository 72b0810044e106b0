#!/usr/bin/env python3
"""Checks the text of every file that git knows: what must not stand in a public tree.

- Source is ASCII. Text under test (tests, *_test.cpp, benchmarks, examples), docs, the page (web) and tables of Korean words
  (the rule baseline, aspects of cards, the shop front), which escapes would make unreadable, may hold any UTF-8.
- No paths of a developer's machine, no addresses of package registries.
- No to-do mark without an issue, as in (#12).
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ANY_TEXT = ("tests/", "benchmarks/", "examples/", "docs/", "web/", "onggi/eval/baselines/", "onggi/eval/rules/",
            "onggi/pictures/aspect_motifs.cpp", "onggi/tasks/cards/shop_text.h", "README.md", "CHANGELOG.md")
UNCHECKED_SUFFIXES = {".png", ".jpg", ".webp", ".gguf", ".safetensors", ".bin", ".npy", ".gz", ".woff2", ".ico"}
# Written in pieces, so that this file does not find itself.
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.~-])/" + r"(?:work|root|farm|home/\w+)/"),
    "the address of a package registry": re.compile(
        r"https?://[\w.-]*(?:npm" r"js|deb" r"ian|python" r"hosted|py" r"pi|ma" r"ven)[\w.-]*/"
    ),
    "a to-do mark without an issue": re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b(?!\(#\d+\))"),
}


def files() -> list[Path]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def check_file(path: Path) -> list[str]:
    name = str(path.relative_to(ROOT))
    if path.suffix in UNCHECKED_SUFFIXES or name.startswith(("tests/golden/", "tests/cases/")):
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        return [] if name.startswith("tests/") else [f"{name}: not UTF-8 at byte {error.start}"]
    is_any_text = name.startswith(ANY_TEXT) or path.stem.endswith("_test")
    problems = []
    for number, line in enumerate(text.split("\n"), start=1):
        place = f"{name}:{number}"
        if not is_any_text and not line.isascii():
            problems.append(f"{place}: not ASCII")
        problems += [f"{place}: {what}" for what, pattern in FORBIDDEN.items() if pattern.search(line)]
    return problems


def main() -> int:
    try:
        paths = files()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"skipped, git can't list the files: {error}")
        return 77
    problems = [problem for path in paths for problem in check_file(path)]
    for problem in problems:
        print(problem)
    print(f"{len(paths)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
