#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make bench: replays traces in the image on every engine, and prints what each costs.

Exit status: 0; 1 if counters disagree, two runs differ or a committed count rose; 2 usage.
"""

import argparse
import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import generate
import golden
import report
import targets
import xmct
from measure import Result, measure
from run import ROWS, BenchError, Lab, Part, Row, end_cleanly

REAL = {"boot": Path(__file__).parent / "traces/xen-arm64-boot.xmct.xz",
        "io": Path(__file__).parent / "traces/xen-arm64-io.xmct.xz"}
# What the real Xen did in the whole runs, by its own log: maps, hits, overwrites of a live entry.
RECORDED = {"boot": (9178720, 9168916, 7843), "io": (12727864, 12616749, 109067)}
PAIRS, PAIRS_FULL = 100_000, 1_000_000


@dataclass
class Trace:
    """A trace, as files that QEMU can load."""
    name: str
    parts: list[Part]
    what: str

    def title(self) -> str:
        """With the hash of what is replayed."""
        hashes = " ".join(f"{part.model['trace']['hash']:016x}" for part in self.parts)
        return f"{self.name}: {self.what}, {sum(p.pairs for p in self.parts)} pairs, {hashes}"


def synthetic(lab: Lab, name: str, pairs: int, into: Path) -> Trace:
    """Generate a trace; the model's hash of the file must be the generator's."""
    words = generate.generate(name, pairs)
    file = into / f"{name}.xmct"
    file.write_bytes(xmct.encode(words))
    part = lab.model(file, 0)
    if part.model["trace"]["hash"] != xmct.records_hash(words):
        raise BenchError(f"{name}: the trace was not read back as it was written")
    return Trace(name, [part], "synthetic")


def real(lab: Lab, name: str, pairs: int, into: Path) -> Trace:
    """Both CPUs' streams, each on an empty table: whole, or so many pairs from the middle.

    The start would not do: booting is the same in both.
    """
    whole = into / f"{name}.xmct"
    whole.write_bytes(xmct.unpack(REAL[name]))
    parts = [lab.model(whole, stream) for stream in range(2)]
    got = tuple(sum(part.model["engine"][key] for part in parts)
                for key in ("maps", "hits", "commandeers"))
    if got != RECORDED[name]:
        raise BenchError(f"{name}: the model gets {got}, the real Xen had {RECORDED[name]}")
    if not pairs:
        return Trace(name, parts, "a real Xen, both streams whole")
    middles = []
    for stream, words in enumerate(xmct.real_streams(whole)):
        file = into / f"{name}-{stream}.xmct"
        file.write_bytes(xmct.encode(xmct.middle(words, parts[stream].pairs // 2, pairs)))
        middles.append(lab.model(file, 0))
    whole.unlink()
    return Trace(name, middles, "a real Xen, from the middle of both streams")


class Bench:
    """All runs of one call."""

    def __init__(self, lab: Lab, args: argparse.Namespace) -> None:
        self.lab, self.args = lab, args
        self.results: dict[tuple[str, str], Result] = {}
        self.wrong: list[str] = []

    def trace(self, name: str, into: Path) -> Trace:
        """The trace of this name, in the size that was asked for."""
        if name in REAL:
            return real(self.lab, name, 0 if self.args.full else self.args.pairs, into)
        return synthetic(self.lab, name, self.args.pairs, into)

    def run(self, name: str, pool: ThreadPoolExecutor) -> None:
        """One trace on every row; prints its table."""
        with tempfile.TemporaryDirectory() as folder:
            trace = self.trace(name, Path(folder))
            rows: list[Row] = self.args.rows
            for result, wrong in pool.map(
                    lambda row: measure(self.lab, name, trace.parts, row, self.args.twice), rows):
                self.results[name, result.row] = result
                self.wrong += wrong
        print(report.trace_table(trace.title(), [self.results[name, row.name] for row in rows]),
              flush=True)

    def run_all(self) -> None:
        """Every trace."""
        with ThreadPoolExecutor(self.args.jobs) as pool:
            for name in self.args.traces:
                self.run(name, pool)

    def summary(self) -> None:
        """Speed-ups and targets, and all of it as JSON."""
        rows = [row.name for row in self.args.rows]
        print(report.ratio_table(self.results, rows[1:]))
        if {"bbm", "clock"} <= set(rows):
            print(targets.table(targets.verdicts(self.results, self.args.full)))
        out = self.lab.build / "bench/bench.json"
        out.write_text(json.dumps([report.as_json(r, self.results[r.trace, "xen"])
                                   for r in self.results.values()], indent=1))
        print(f"\nAll counts: {os.path.relpath(out)}")

    def hold_against_golden(self) -> int:
        """Compare with what was committed; returns the exit status."""
        size = "full" if self.args.full else str(self.args.pairs)
        path = golden.path_for(self.args.cc, self.args.level, size)
        if self.args.accept:
            golden.accept(path, list(self.results.values()), self.args.accept)
            print(f"accepted: {os.path.relpath(path)}")
            return 0
        data = golden.load(path)
        if not data:
            print(f"no committed counts for this compiler, level and size ({path.name}): "
                  "ratios only")
            return 0
        rises, falls = golden.compare(data["counts"], list(self.results.values()))
        for text in rises:
            print(f"WORSE than committed: {text}")
        for text in falls:
            print(f"better than committed, or new: {text}")
        if falls:
            print("commit what is better with its reason: make bench BENCH_ARGS=\"--accept 'WHY'\"")
        if not rises and not falls:
            print(f"the same as committed: {path.name}")
        return 1 if rises or (falls and self.args.exact) else 0


def known(names: dict) -> object:
    """Type of an option that is a list of names."""
    def parse(text: str) -> list:
        unknown = [name for name in text.split(",") if name not in names]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of "
                                             f"{', '.join(names)}")
        return [names[name] for name in text.split(",")]
    return parse


def arguments() -> argparse.Namespace:
    """What the Makefile or a person wants."""
    traces = {name: name for name in (*generate.TRACES, *REAL)}
    rows = {row.name: row for row in ROWS}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--cc", default="aarch64-linux-gnu-gcc", help="what built the images")
    parser.add_argument("--level", default="-O2", help="and at which level the engines")
    parser.add_argument("--full", action="store_true", help="1 M pairs, the real traces whole")
    parser.add_argument("--pairs", type=int, help="maps of a synthetic trace, or of a stream")
    parser.add_argument("--traces", type=known(traces), default=list(traces))
    parser.add_argument("--rows", type=known(rows), default=list(ROWS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="machines at a time")
    parser.add_argument("--once", dest="twice", action="store_false",
                        help="do not run everything twice to see that it is the same")
    parser.add_argument("--exact", action="store_true", help="counts that fell fail too")
    parser.add_argument("--accept", metavar="REASON", help="commit these counts, and why")
    args = parser.parse_args()
    args.pairs = args.pairs or (PAIRS_FULL if args.full else PAIRS)
    if args.rows[0].name != "xen":
        parser.error("--rows begins with xen, which the others are compared to")
    return args


def main() -> int:
    args = arguments()
    end_cleanly()
    bench = Bench(Lab(args.build, args.cc), args)
    print(report.legend())
    try:
        bench.run_all()
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    bench.summary()
    for text in bench.wrong:
        print(f"WRONG: {text}")
    if not bench.wrong:
        print("PMU, plugin, ring and model agree wherever two of them count the same"
              + (", and two runs are the same" if args.twice else ""))
    return max(bench.hold_against_golden(), 1 if bench.wrong else 0)


if __name__ == "__main__":
    sys.exit(main())
