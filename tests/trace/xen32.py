# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's stock Xen for arm32 under the tracer, from its first instruction to a dom0 at work."""

import itertools
import json
import struct
import subprocess
import time

import pytest

from conftest import BUILD
from foreign import ARM32, READY, Xen
from rings import PTE, RECORD, REFS, S2
from tracer import DOMHEAP_XEN32, Tracer
from tracing import TraceFile, file_reader

ENTRIES = 1 << 23  # a boot has five million records
CHUNK = 1 << 16  # records
HALTS = 20
EVENTS = 200000
TIME = (1 << 48) - 1
STAGE2_LEAST = 20  # entries
OPEN_MAX = 8  # maps that a CPU holds at a time


@pytest.fixture(scope="module")
def xen(tmp_path_factory):
    """A Xen whose dom0 is up."""
    m = Xen(ARM32, tmp_path_factory.mktemp("xen") / "run", BUILD, mem="3G")  # 2: no slot is shared
    try:
        Tracer(BUILD, m.symbols, DOMHEAP_XEN32, ENTRIES).attach(m).start()
        m.wait_console(READY, 400)
        yield m
    finally:
        m.cleanup()


class Entries:
    """What a CPU stored last into each entry, as its stream has it."""

    def __init__(self, trace: TraceFile, cpu: int):
        self.trace, self.cpu = trace, cpu
        self.at = 0
        self.entry: dict[int, int] = {}
        self.stage2: dict[int, tuple[int, int]] = {}  # value, and when

    def update(self) -> None:
        """Take over what came since the last time."""
        block = self.trace.cpus()[self.cpu]
        assert block["ring_head"] < block["ring_entries"], "nothing of the boot is lost"
        while self.at < block["ring_head"]:
            n = min(CHUNK, block["ring_head"] - self.at)
            data = self.trace.read(block["ring"] + self.at * RECORD, n * RECORD)
            for head, pa, word2, word3 in struct.iter_unpack("<4Q", data):
                kind = head >> 48 & 15
                if kind not in (PTE, REFS):
                    continue
                value = word3 if kind == PTE else word2
                if head >> 56 & 3 == S2:
                    self.stage2[pa] = value, head & TIME
                else:
                    self.entry[pa] = value
            self.at += n


def slots_in_memory(m, root: int) -> tuple[int, bytes]:
    """PA and contents of the two pages of slots, by a walk from the root."""
    read = file_reader(m.dir / "ram", 0x40000000)
    first, second = [struct.unpack("<Q", read(root + 8 * n, 8))[0] & 0xfffffff000
                     for n in (2, 3)]
    assert second == first + 4096
    return first, read(first, 8192)


def stage2_differs(read, entries) -> list[str]:
    """Entries of stage 2, stored by any CPU, that are not what was stored last."""
    newest: dict[int, tuple[int, int]] = {}
    for cpu in entries:
        for pa, (value, when) in cpu.stage2.items():
            if when >= newest.get(pa, (0, 0))[1]:
                newest[pa] = value, when
    assert len(newest) > STAGE2_LEAST
    return [f"{pa:#x}" for pa, (value, _) in newest.items()
            if struct.unpack("<Q", read(pa, 8))[0] != value]


def test_slots_and_balance(xen):
    """At each halt the stream says what the tables say, and every map but the open ones ended."""
    trace = TraceFile(xen.dir / "trace")
    read = file_reader(xen.dir / "ram", 0x40000000)
    entries = [Entries(trace, cpu) for cpu in range(2)]
    for halt in range(HALTS):
        xen.qmp("stop")
        for cpu, block in enumerate(trace.cpus()):
            first, memory = slots_in_memory(xen, block["root"])
            entries[cpu].update()
            seen = entries[cpu].entry
            for n, (entry,) in enumerate(struct.iter_unpack("<Q", memory)):
                assert seen.get(first + 8 * n, 0) == entry, f"CPU{cpu} slot {n} at halt {halt}"
            assert block["maps"] > 100000
            assert 0 <= block["maps"] - block["unmaps"] <= OPEN_MAX
        assert stage2_differs(read, entries) == []
        xen.qmp("cont")
        time.sleep(0.2)
    assert trace.totals()["calls"] and trace.missed() == {}


def test_events_of_a_stock_xen(xen):
    """hvscope events: who maps what, by the callers' names, on a Xen that records nothing.

    The first of them, which are millions; its reader is gone before the end.
    """
    with subprocess.Popen([BUILD / "hvscope", "events", "--json", "--dir", xen.dir],
                          stdout=subprocess.PIPE, text=True) as process:
        events = [json.loads(line) for line in itertools.islice(process.stdout, EVENTS)]
        process.stdout.close()
        process.wait(60)
    maps = [e for e in events if e["event"] == "map"]
    assert maps and all(e["where"] for e in maps)
    assert {"pte", "tlbi", "dsb", "isb"} <= {e["event"] for e in events}


def hvscope(m, *words):
    """Status and output."""
    done = subprocess.run([BUILD / "hvscope", *words, "--dir", m.dir], capture_output=True,
                          text=True, timeout=300, check=False)
    return done.returncode, done.stdout


def test_hazards_at_the_commandeer_site(xen):
    """All of the boot is judged: a hazard for each slot that lost its frame, and nothing else."""
    xen.qmp("stop")
    blocks = TraceFile(xen.dir / "trace").cpus()
    status, out = hvscope(xen, "check", "--json")
    said = json.loads(out)
    xen.qmp("cont")
    assert (status, said["verdict"], said["read"]["lost"], said["read"]["unjudged"]) == (
        1, "findings", 0, 0)
    assert {(f["rule"], f["severity"], f["tier"]) for f in said["findings"]
            if f["severity"] != "note"} == {("RFVQCK", "hazard", 2)}
    assert all(f["where"].startswith("map_domain_page+") for f in said["findings"])
    for cpu, block in enumerate(blocks):
        assert block["commandeers"] == sum(f["count"] for f in said["findings"]
                                           if f["cpu"] == cpu and f["severity"] == "hazard")
    assert sum(block["commandeers"] for block in blocks) > 0


def test_summary(xen):
    """stats: what was seen, and what was lost, at any time."""
    status, out = hvscope(xen, "stats")
    assert status == 0 and "records, the oldest 0 gone" in out and "a Xen does not count" not in out
    status, out = hvscope(xen, "stats", "--json")
    cpu = json.loads(out)["cpus"][0]
    assert cpu["maps"] > 100000 and cpu["work"] is None
