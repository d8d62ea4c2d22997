# SPDX-License-Identifier: GPL-2.0-or-later
"""The tracer's stream against the benchmark's counting plugin, which shares no code with it.

A benchmark's run is the same each time but for its trace. So what a longer trace adds to the
stream is what the plugin counts more inside map_domain_page() and unmap_domain_page().
"""

import sys
from collections import Counter

import pytest

from conftest import BUILD, ROOT
from machine import Machine
from rings import BARRIERS, PTE, REFS, TLBI
from tracer import DOMHEAP_HV, Tracer
from tracing import TraceFile

sys.path.insert(0, str(ROOT / "tests/bench"))

import generate  # noqa: E402
import xmct  # noqa: E402
from run import HEAP, RAM, ROWS, Lab  # noqa: E402

PAIRS = 2000, 12000
ENTRIES = 1 << 21
TLBI_NAMES = {0: "tlbi_all", 1: "tlbi_va", 2: "tlbi_va", 3: "tlbi_range", 4: "tlbi_range"}
DSB_TYPES = {1: "dsb_ld", 2: "dsb_st"}
ISB, NSH = 4, 1


def barrier_name(code: int) -> str:
    """As the counting plugin calls it."""
    if code == ISB:
        return "isb"
    return DSB_TYPES.get(code & 3) or ("dsb_nsh" if code >> 2 == NSH else "dsb_sy")


def streamed(lab, row, part, into) -> Counter:
    """What the stream of a whole run says."""
    image = lab.build / f"bench/bare-{row.engine}.bin"
    m = Machine(into, image, 1, RAM, row.cpu,
                f"workload=bench:{part.stream} {HEAP} {row.options} trace=off",
                f"-initrd {part.file} -icount shift=0")
    file = into.with_suffix(".trace")
    try:
        Tracer(BUILD, image.with_suffix(".elf"), DOMHEAP_HV, ENTRIES, out=file).attach(m).start()
        assert m.wait(300) == 0, m.console()
    finally:
        m.cleanup()
    trace = TraceFile(file)
    block = trace.cpus()[0]
    assert block["ring_head"] < block["ring_entries"] // 2 and trace.missed() == {}
    counts: Counter = Counter(maps=block["maps"], unmaps=block["unmaps"])
    for event in trace.events(0):
        if event.kind == TLBI:
            counts[TLBI_NAMES.get(event.key[0] & 15, "tlbi_other")] += 1
        elif event.kind == BARRIERS:
            counts[barrier_name(event.key[0])] += 1
        elif event.kind in (PTE, REFS):
            counts["entry_stores"] += 1
    return counts


def counted(lab, row, part) -> Counter:
    """What the counting plugin says of the calls."""
    _, calls = lab.measured(row, part)
    total = Counter(calls["map"]) + Counter(calls["unmap"])
    return Counter({name: total[name] for name in total
                    if name not in ("calls", "insns", "least", "most", "masked")},
                   maps=calls["map"]["calls"], unmaps=calls["unmap"]["calls"])


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in ("xen", "bbm", "clock",
                                                                     "clock-va")],
                         ids=lambda row: row.name)
def test_counts(row, tmp_path):
    """What 10 000 pairs more add."""
    lab = Lab(BUILD, "aarch64-linux-gnu-gcc")
    seen, plugin = [], []
    data = [xmct.encode(generate.generate("contig-1100", pairs)) for pairs in PAIRS]
    for pairs, trace in zip(PAIRS, data):
        file = tmp_path / f"{pairs}.xmct"
        file.write_bytes(trace.ljust(len(data[-1]), b"\0"))  # all are as much to load
        part = lab.model(file, 0)
        seen.append(streamed(lab, row, part, tmp_path / f"run{pairs}"))
        plugin.append(counted(lab, row, part))
    more = Counter(seen[1])
    more.subtract(seen[0])
    expected = Counter(plugin[1])
    expected.subtract(plugin[0])
    assert {k: n for k, n in more.items() if n} == {k: n for k, n in expected.items() if n}
    assert more["maps"] == PAIRS[1] - PAIRS[0]
