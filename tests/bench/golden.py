# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts that were committed: a rise fails, a fall asks to be committed with its reason.

One file a compiler, level and size of traces; for another compiler there is
none, and only ratios are printed.
"""

import json
import subprocess
from pathlib import Path

from measure import EVENTS, Result

FOLDER = Path(__file__).parent / "golden"
NAMES = ("pairs", "insns", *EVENTS, "hits", "probes", "probe_max", "call", "masked", "idle",
         "linger", "walks")
MORE_IS_BETTER = ("hits",)

Table = dict[str, dict[str, list[int]]]  # trace, row: numbers in the order of NAMES


def path_for(cc: str, level: str, size: str) -> Path:
    """Where this compiler's numbers are."""
    version = subprocess.run([cc, "-dumpfullversion"], check=True, text=True,
                             capture_output=True).stdout.strip()
    return FOLDER / f"gcc-{version}{level}-{size}.json"


def table_of(results: list[Result]) -> Table:
    """Results as they are kept."""
    table: Table = {}
    for r in results:
        table.setdefault(r.trace, {})[r.row] = [r[name] for name in NAMES]
    return table


def load(path: Path) -> dict:
    """The file; empty if there is none."""
    return json.loads(path.read_text()) if path.exists() else {}


def compare(kept: Table, results: list[Result]) -> tuple[list[str], list[str]]:
    """What got worse, and what got better or is new."""
    rises, falls = [], []
    for r in results:
        was = kept.get(r.trace, {}).get(r.row)
        if was is None:
            falls.append(f"{r.trace}, {r.row}: not there before")
            continue
        for name, old in zip(NAMES, was):
            if r[name] == old:
                continue
            worse = (r[name] > old) != (name in MORE_IS_BETTER)
            (rises if worse or name == "pairs" else falls).append(
                f"{r.trace}, {r.row}: {name} was {old}, is {r[name]}")
    return rises, falls


def dump(data: dict) -> str:
    """A line a row: what changes can be seen in a diff."""
    lines = [f'{{"names": {json.dumps(NAMES)},', f'"reasons": {json.dumps(data["reasons"])},',
             '"counts": {']
    traces = list(data["counts"].items())
    for i, (trace, rows) in enumerate(traces):
        body = ",\n".join(f"  {json.dumps(row)}: {json.dumps(numbers)}"
                          for row, numbers in rows.items())
        lines.append(f" {json.dumps(trace)}: {{\n{body}\n }}{',' if i + 1 < len(traces) else ''}")
    return "\n".join(lines + ["}}", ""])


def accept(path: Path, results: list[Result], reason: str) -> None:
    """Keep these numbers, and why."""
    data = load(path)
    counts = data.get("counts", {})
    for trace, rows in table_of(results).items():
        counts.setdefault(trace, {}).update(rows)
    path.parent.mkdir(exist_ok=True)
    path.write_text(dump({"reasons": data.get("reasons", []) + [reason], "counts": counts}))
