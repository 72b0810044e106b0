#!/usr/bin/env python3
"""Writes the C++ source that holds the page: embed_web.py OUTPUT.cpp. What is in it stands in onggi/server/web_files.h.

The files are web/index.html, which becomes "/", and those that it loads, which come under /page/: style.css, icon.svg
and src/. Each is there as it is and compressed. The same files make the same source.
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


def page_files():
    """Files of the page, index.html first; tests are none."""
    modules = sorted(path for path in (WEB / "src").rglob("*.js") if not path.stem.endswith("_test"))
    return [WEB / "index.html", WEB / "style.css", WEB / "icon.svg", *modules]


def literal(content):
    """C++ string literals; octal escapes of three digits, so that a digit after one is no part of it."""
    lines = [content[i : i + BYTES_A_LINE] for i in range(0, len(content), BYTES_A_LINE)] or [b""]
    printable = lambda byte: 0x20 <= byte < 0x7F and byte not in b'"\\?'  # noqa: E731
    quoted = ('"' + "".join(chr(b) if printable(b) else f"\\{b:03o}" for b in line) + '"' for line in lines)
    return "\n     ".join(quoted) + f",\n     {len(content)}"


def entry(path):
    content = path.read_bytes()
    address = "/" if path.name == "index.html" else f"/page/{path.relative_to(WEB).as_posix()}"
    packed = gzip.compress(content, compresslevel=9, mtime=0)
    tag = hashlib.sha256(content).hexdigest()[:16]
    head = f'"{address}", "{TYPES[path.suffix]}", "W/\\"{tag}\\""'
    return f"    {{{head},\n     {{{literal(content)}}},\n     {{{literal(packed)}}}}},\n"


def source():
    files = page_files()
    entries = "".join(entry(path) for path in files)
    return f"""// Made by scripts/embed_web.py.
#include <array>

#include "onggi/server/web_files.h"

namespace onggi::server {{
namespace {{

constexpr std::array<WebFile, {len(files)}> kFiles = {{{{
{entries}}}}};

}}  // namespace

std::span<const WebFile> web_files() {{ return kFiles; }}

}}  // namespace onggi::server
"""


def main():
    if len(sys.argv) != 2:
        print("usage: embed_web.py OUTPUT.cpp", file=sys.stderr)
        return 2
    output = Path(sys.argv[1])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(source(), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
