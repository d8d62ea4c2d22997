# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark in short: counters that agree, two runs that are the same, committed counts."""

import json
import subprocess
import sys

import pytest
from conftest import BUILD, ROOT

BENCH = ROOT / "tests/bench"
sys.path.insert(0, str(BENCH))

import generate  # noqa: E402
import golden  # noqa: E402
import measure  # noqa: E402
import run  # noqa: E402
import xmct  # noqa: E402

PAIRS = 5000  # of these there are committed counts
PAIRS_PINNED = 2000


@pytest.fixture(scope="module", autouse=True)
def built():
    """The benchmark's own images and tools."""
    subprocess.run(["make", "-s", "bench-build", f"BUILD={BUILD}"], cwd=ROOT, check=True)


def bench(*arguments):
    """Run tests/bench/bench.py."""
    return subprocess.run([BENCH / "bench.py", "--build", BUILD, *arguments], text=True,
                          capture_output=True, timeout=300, check=False)


def test_short_benchmark():
    """All engines: PMU, plugin, ring and model agree, two runs are the same, and so is golden."""
    result = bench("--pairs", str(PAIRS), "--traces", "zipf-1024,stride-2GB",
                   "--rows", "xen,bbm,clock", "--exact")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "agree wherever two of them count the same, and two runs are the same" in result.stdout
    assert "the same as committed" in result.stdout or "ratios only" in result.stdout


def test_pinned():
    """With the table nearly full: xen has a hazard for each live entry it overwrites, others none.

    No probe is long in clock, and no access reached another frame (the TLB model's verdict).
    """
    result = bench("--pairs", str(PAIRS_PINNED), "--traces", "pin99", "--rows", "xen,bbm,clock",
                   "--once")
    assert result.returncode == 0, result.stdout + result.stderr
    found = {r["row"]: r["counts"]
             for r in json.loads((BUILD / "bench/bench.json").read_text())}
    assert found["xen"]["hazards"] == found["xen"]["commandeers"] > 0
    assert found["xen"]["probe_max"] > 1000
    for row in ("bbm", "clock"):
        assert found[row]["hazards"] == found[row]["violations"] == found[row]["stale"] == 0
    assert found["clock"]["probe_max"] <= 8


def test_a_rise_fails():
    """A count above the committed one is worse, fewer hits are worse, another row is new."""
    counts = {name: 100 for name in golden.NAMES}
    result = measure.Result("t", "xen", counts)
    kept = golden.table_of([result])
    assert golden.compare(kept, [result]) == ([], [])
    for name, rises, falls in (("isb", 1, 0), ("hits", 0, 1)):
        more = measure.Result("t", "xen", counts | {name: 101})
        assert [len(found) for found in golden.compare(kept, [more])] == [rises, falls]
    assert golden.compare({}, [result])[1] == ["t, xen: not there before"]


def test_a_disagreement_is_named():
    """Each counter that differs from another one's is a sentence."""
    lab = run.Lab(BUILD, "aarch64-linux-gnu-gcc")
    row = run.ROWS[0]
    file = BUILD / "bench/short.xmct"
    file.write_bytes(xmct.encode(generate.generate("stride-2GB", 64)))
    part = lab.model(file, 0)
    image, plugin = lab.measured(row, part)
    ring = lab.recorded(row, part)
    assert measure.disagreements(row, part, image, plugin, ring) == []
    for counts, name, key in ((image, "map", "insns"), (plugin, "unmap", "least"),
                              (ring, "barriers", "isb"), (ring, "engine", "hits"),
                              (ring, "trace", "hash"), (ring, "tlb", "stale")):
        counts[name][key] += 1
        assert len(measure.disagreements(row, part, image, plugin, ring)) == 1, (name, key)
        counts[name][key] -= 1


def test_needs_icount():
    """Without exact instruction counts the workload refuses, in a sentence."""
    lab = run.Lab(BUILD, "aarch64-linux-gnu-gcc")
    file = BUILD / "bench/short.xmct"
    file.write_bytes(xmct.encode(generate.generate("saturate", 64)))
    machine = run.Machine(BUILD / "bench/run-icount", BUILD / "hv-xen.bin", 1, run.RAM,
                          append=f"workload=bench {run.HEAP}", extra=f"-initrd {file}")
    try:
        machine.start()
        assert machine.wait(60) == 2
        assert "bench: no event INST_RETIRED: start QEMU with -icount shift=0" in machine.console()
    finally:
        machine.cleanup()
    assert lab.model(file, 0).pairs >= 64


def test_traces_are_the_same_everywhere():
    """Generators are seeded, and a trace is read back as it was written."""
    for name in generate.TRACES:
        words = generate.generate(name, 2000)
        assert words == generate.generate(name, 2000)
        base, streams = xmct.streams(xmct.encode(words))
        assert list(xmct.records(base, streams[0])) == words
    assert xmct.records_hash(generate.generate("zipf-1024", 5000)) == 0xe6767ef462ff388b
