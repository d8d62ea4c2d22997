# SPDX-License-Identifier: GPL-2.0-or-later
"""How many lines of the code the host tests run, by directory. `make coverage` builds for it.

A line counts as run if any of the tests ran it. Lines of files that no test links count too.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 40  # note files that one gcov reads


def run_tests(build: Path) -> int:
    """Run all test binaries, with their counts starting from zero; how many there are."""
    for old in build.rglob("*.gcda"):
        old.unlink()
    binaries = sorted(p for p in (build / "unit").iterdir()
                      if p.is_file() and os.access(p, os.X_OK))
    for binary in binaries:
        result = subprocess.run([binary], cwd=ROOT, capture_output=True, text=True, timeout=300,
                                env={**os.environ, "XDG_CONFIG_HOME": "/nonexistent"}, check=False)
        if result.returncode:
            sys.exit(f"coverage: {binary} fails:\n{result.stdout}{result.stderr}")
    return len(binaries)


def counts(build: Path) -> dict:
    """{file: {line: how often it was run}}, of all objects together."""
    notes = sorted(str(p) for p in build.rglob("*.gcno"))
    lines = defaultdict(lambda: defaultdict(int))
    for i in range(0, len(notes), AT_ONCE):
        out = subprocess.run(["gcov", "--json-format", "--stdout", *notes[i:i + AT_ONCE]],
                             cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for report in map(json.loads, out.splitlines()):
            for file in report["files"]:
                name = os.path.relpath(os.path.join(ROOT, file["file"]), ROOT)
                for line in file["lines"]:
                    lines[name][line["line_number"]] += line["count"]
    return lines


def ranges(numbers) -> str:
    """1-3,7 for 1, 2, 3, 7."""
    found = []
    for n in sorted(numbers):
        if found and n == found[-1][1] + 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    return ",".join(f"{a}-{b}" if a != b else str(a) for a, b in found)


def report(lines: dict, covered: list, least: float, verbose: bool) -> bool:
    """Print the table; whether each row has at least `least` percent."""
    good = True
    print(f"{'directory':<16}{'files':>7}{'lines':>8}{'run':>8}{'percent':>10}")
    for where in covered:
        files = {n: c for n, c in lines.items() if n == where or n.startswith(where + "/")}
        total = sum(len(c) for c in files.values())
        ran = sum(sum(n > 0 for n in c.values()) for c in files.values())
        percent = 100 * ran / total if total else 0.0
        good &= percent >= least
        print(f"{where:<16}{len(files):>7}{total:>8}{ran:>8}{percent:>9.1f}%"
              + ("" if percent >= least else f"  below {least:.0f} %"))
        for name, c in sorted(files.items()) if verbose else ():
            missed = [n for n, count in c.items() if not count]
            print(f"    {name:<38}{len(c) - len(missed):>4} of {len(c):>4}  {ranges(missed)}")
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--least", type=float, default=90, help="percent that each row must have")
    parser.add_argument("--verbose", action="store_true", help="each file, and the lines not run")
    parser.add_argument("covered", nargs="+", help="directories and files")
    args = parser.parse_args()
    build = args.build.resolve()
    ran = run_tests(build)
    good = report(counts(build), args.covered, args.least, args.verbose)
    print(f"by {ran} test binaries")
    sys.exit(0 if good else "coverage: too little")


if __name__ == "__main__":
    main()
