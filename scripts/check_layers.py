#!/usr/bin/env python3
"""Checks that the modules only look down: CMakeLists.txt, the #include lines and docs/architecture.md must agree.

- A row `onggi_module(name DEPENDS ...)` names rows above its own.
- A file in onggi/<module> includes "onggi/<other>/..." only if <other> is its own module or below it (by DEPENDS, or by
  their DEPENDS). Only tests include "tests/...".
- The files of kernels/cpu/<isa>, which get that set's flags, include no standard container or algorithm.
- The module table of docs/architecture.md has the same modules, in the same order, with the same DEPENDS.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUFFIXES = {".h", ".cpp", ".inl"}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
MODULE = re.compile(r"^onggi_module\((\w+)([^)]*)\)", re.MULTILINE)
TABLE_ROW = re.compile(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", re.MULTILINE)
# What may inline into a kernel file: C headers, and headers without functions that a linker could share.
KERNEL_HEADERS = {"cstddef", "cstdint", "cstring", "cmath", "cfloat", "climits", "bit", "limits", "type_traits",
                  "concepts", "utility", "immintrin.h", "arm_neon.h"}  # fmt: skip


def read_rows(text: str) -> dict[str, list[str]]:
    """The modules in order, each with its DEPENDS."""
    rows = {}
    for name, arguments in MODULE.findall(text):
        words = arguments.split("LINK")[0].split()
        rows[name] = words[1:] if words[:1] == ["DEPENDS"] else []
    return rows


def below(rows: dict[str, list[str]], name: str) -> set[str]:
    found = set()
    for other in rows[name]:
        found |= {other} | below(rows, other)
    return found


def check_rows(rows: dict[str, list[str]]) -> list[str]:
    problems = []
    seen = set()
    for name, depends in rows.items():
        for other in depends:
            if other not in seen:
                problems.append(f"CMakeLists.txt: {name} depends on {other}, whose row is not above it")
        seen.add(name)
    return problems


def check_includes(rows: dict[str, list[str]]) -> list[str]:
    problems = []
    for path in sorted((ROOT / "onggi").rglob("*")):
        if path.suffix not in SUFFIXES:
            continue
        place = path.relative_to(ROOT)
        module = place.parts[1]
        if module not in rows:
            problems.append(f"{place}: the folder {module} has no row in CMakeLists.txt")
            continue
        allowed = {module} | below(rows, module)
        is_test = path.stem.endswith("_test") or "test_support" in path.stem
        is_kernel = place.match("onggi/kernels/cpu/*/*")
        for ours, system in INCLUDE.findall(path.read_text()):
            top, _, rest = ours.partition("/")
            if top == "onggi" and rest.split("/")[0] not in allowed:
                builds_on = ", ".join(rows[module]) or "nothing"
                problems.append(f'{place}: includes "{ours}", but {module} builds on {builds_on}')
            if top == "tests" and not is_test:
                problems.append(f'{place}: includes "{ours}", which is for tests')
            if is_kernel and not is_test and system and system not in KERNEL_HEADERS:
                problems.append(f"{place}: includes <{system}>; a kernel file takes none of the standard containers")
    return problems


def check_table(rows: dict[str, list[str]]) -> list[str]:
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = {name: re.findall(r"\w+", depends) for name, depends in TABLE_ROW.findall(text)}
    if list(table.items()) == list(rows.items()):
        return []
    expected = "\n".join(f"  {name}: {', '.join(depends)}" for name, depends in rows.items())
    return [f"docs/architecture.md: the module table differs from CMakeLists.txt, which has\n{expected}"]


def main() -> int:
    rows = read_rows((ROOT / "CMakeLists.txt").read_text())
    problems = check_rows(rows)
    if not problems:
        problems = check_includes(rows) + check_table(rows)
    for problem in problems:
        print(problem)
    print(f"{len(rows)} modules, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
