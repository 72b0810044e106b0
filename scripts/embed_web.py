#!/usr/bin/env python3
"""Writes the C++ source that holds a page: embed_web.py PAGE OUTPUT.cpp. What is in it stands in onggi/http/web_file.h.

PAGE is a module with a page of its own (PAGES below). Its HTML becomes "/", and what that loads comes under /page/, by its
path in web/. Each file is there as it is and compressed. The same files make the same source.
"""

import gzip
import hashlib
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent / "web"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
BYTES_A_LINE = 60


# The HTML first, then files and folders.
PAGES = {
    "server": ["index.html", "style.css", "icon.svg", "src"],
    "review": ["review/index.html", "style.css", "review/style.css", "icon.svg", "src/i18n.js", "src/storage.js", "src/theme.js", "review"],
}


def page_files(page):
    """Files of the page, its HTML first; tests are none."""
    files = []
    for name in PAGES[page]:
        path = WEB / name
        files += [path] if path.is_file() else sorted(f for f in path.rglob("*.js") if not f.stem.endswith("_test"))
    return files


def literal(content):
    """C++ string literals; octal escapes of three digits, so that a digit after one is no part of it."""
    lines = [content[i : i + BYTES_A_LINE] for i in range(0, len(content), BYTES_A_LINE)] or [b""]
    printable = lambda byte: 0x20 <= byte < 0x7F and byte not in b'"\\?'  # noqa: E731
    quoted = ('"' + "".join(chr(b) if printable(b) else f"\\{b:03o}" for b in line) + '"' for line in lines)
    return "\n     ".join(quoted) + f",\n     {len(content)}"


def entry(path):
    content = path.read_bytes()
    address = "/" if path.suffix == ".html" else f"/page/{path.relative_to(WEB).as_posix()}"
    packed = gzip.compress(content, compresslevel=9, mtime=0)
    tag = hashlib.sha256(content).hexdigest()[:16]
    head = f'"{address}", "{TYPES[path.suffix]}", "W/\\"{tag}\\""'
    return f"    {{{head},\n     {{{literal(content)}}},\n     {{{literal(packed)}}}}},\n"


def source(page):
    files = page_files(page)
    entries = "".join(entry(path) for path in files)
    return f"""// Made by scripts/embed_web.py.
#include <array>

#include "onggi/{page}/web_files.h"

namespace onggi::{page} {{
namespace {{

constexpr std::array<http::WebFile, {len(files)}> kFiles = {{{{
{entries}}}}};

}}  // namespace

std::span<const http::WebFile> web_files() {{ return kFiles; }}

}}  // namespace onggi::{page}
"""


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in PAGES:
        print(f"usage: embed_web.py {'|'.join(PAGES)} OUTPUT.cpp", file=sys.stderr)
        return 2
    page, output = sys.argv[1], Path(sys.argv[2])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(source(page), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
