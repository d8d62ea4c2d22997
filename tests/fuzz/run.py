#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make fuzz`: each target for a while, then the generator for the Python side; a table.

An input that ends a target is left in BUILD/fuzz/found; once mended it belongs in
tests/fuzz/corpus/TARGET, where the tests run it.
"""
from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
DEPTH = {"elf": 20000, "fdt": 16384, "core": 8192, "recording": 20000, "walk": 40000, "keys": 400}


def fuzz(target: str, build: Path, seconds: int, seed: int) -> tuple[int, str]:
    """(inputs tried, what was found)."""
    found = build / "fuzz" / "found"
    found.mkdir(exist_ok=True)
    known = [path for path in (build / "fuzz" / "seeds" / target, HERE / "corpus" / target)
             if path.is_dir()]
    with tempfile.TemporaryDirectory() as grown:
        said = subprocess.run(
            [build / "fuzz" / target, f"-max_total_time={seconds}", f"-seed={seed}", "-timeout=10",
             "-rss_limit_mb=2048", f"-max_len={DEPTH.get(target, 4096)}", "-print_final_stats=1",
             f"-artifact_prefix={found}/{target}-", grown, *known],
            capture_output=True, check=False).stderr.decode(errors="replace")
    tried = re.search(r"stat::number_of_executed_units: (\d+)", said)
    wrong = re.search(r"(SUMMARY: .*|ERROR: libFuzzer: .*)", said)
    if wrong:
        (found / f"{target}.log").write_text(said)
    return int(tried[1]) if tried else 0, wrong[1] if wrong else "" if tried else "did not run"


def scripts(seconds: int, seed: int) -> tuple[int, str]:
    """The same of the GDB commands' Python: rounds, each a machine that was spoilt."""
    sys.path.insert(0, str(HERE))
    import gdb_scripts
    end, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        try:
            gdb_scripts.play(seed * 1000000 + rounds)
        except Exception as wrong:  # pylint: disable=broad-except
            return rounds, f"round {seed * 1000000 + rounds}: {wrong!r}"
        rounds += 1
    return rounds, ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("targets", nargs="+")
    options = parser.parse_args()
    bad = 0
    print(f"{'target':<12}{'inputs':>10}  found")
    for target in [*options.targets, "gdb-scripts"]:
        tried, wrong = scripts(options.seconds, options.seed) if target == "gdb-scripts" else \
            fuzz(target, options.build, options.seconds, options.seed)
        bad += bool(wrong)
        print(f"{target:<12}{tried:>10}  {wrong or 'nothing'}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
