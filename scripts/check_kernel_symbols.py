#!/usr/bin/env python3
"""check_kernel_symbols.py BUILD_FOLDER: the objects of kernels/cpu/<isa> define no weak symbol.

An inline function that was built there with AVX-512 could be the copy that the linker keeps for everyone, and crash on
a machine without it.
"""

import subprocess
import sys
from pathlib import Path


def weak_symbols(path: Path) -> list[str]:
    command = ["nm", "-C", "--defined-only", str(path)]
    listing = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = [line.split(maxsplit=2) for line in listing.stdout.splitlines()]
    return [row[2] for row in rows if len(row) == 3 and row[1] in "WwVvu"]


def main() -> int:
    folder = Path(sys.argv[1]) / "CMakeFiles" / "onggi_kernels.dir" / "onggi" / "kernels" / "cpu"
    objects = sorted(folder.rglob("*.o"))
    problems = [f"{path.relative_to(folder)}: weak symbol {name}" for path in objects for name in weak_symbols(path)]
    for problem in problems:
        print(problem)
    print(f"{len(objects)} objects, {len(problems)} problems")
    return 1 if problems or not objects else 0


if __name__ == "__main__":
    sys.exit(main())
