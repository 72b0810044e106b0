#!/usr/bin/env python3
"""Writes the C++ source that holds the page of `onggi display serve`: embed_display.py OUTPUT.cpp. What is in it stands in
onggi/recommend/page_files.h: web/display/index.html, which becomes "/", and what it loads, under /page/.
"""

import sys
from pathlib import Path

from embed_web import TYPES, WEB, literal

FILES = ["display/index.html", "display/style.css", "icon.svg", "display/main.js", "display/charts.js", "display/strings.js"]


def entry(name):
    address = "/" if name.endswith(".html") else f"/page/{name}"
    return f'    {{"{address}", "{TYPES[Path(name).suffix]}",\n     {{{literal((WEB / name).read_bytes())}}}}},\n'


def source():
    entries = "".join(entry(name) for name in FILES)
    return f"""// Made by scripts/embed_display.py.
#include <array>

#include "onggi/recommend/page_files.h"

namespace onggi::recommend {{
namespace {{

constexpr std::array<PageFile, {len(FILES)}> kFiles = {{{{
{entries}}}}};

}}  // namespace

std::span<const PageFile> page_files() {{ return kFiles; }}

}}  // namespace onggi::recommend
"""


def main():
    if len(sys.argv) != 2:
        print("usage: embed_display.py OUTPUT.cpp", file=sys.stderr)
        return 2
    output = Path(sys.argv[1])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(source(), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
