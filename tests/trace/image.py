# SPDX-License-Identifier: GPL-2.0-or-later
"""Our image has two witnesses: its own ring (trace=all), and the tracer. They must agree."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import BUILD, ROOT, wait_until
from hvscope.beacon import beacon_read
from machine import LaunchError, Machine
from rings import S2
from tracer import DOMHEAP_HV, Tracer
from tracing import (MAP, PROBES, TRACE_PA, TraceFile, actions_only, file_reader, follow,
                     take_all, tables_only)

SECONDS = 10
ALIGNED_BY = 300  # events that two witnesses must have alike before they count as aligned
TAIL = 40  # events that one may have more: the machine was halted between an act and its record
LEAST = 5000
GONE = 8192  # records, after which a ring holds nothing of the boot


@pytest.fixture
def traced(tmp_path):
    """Factory of machines under the tracer."""
    machines = []

    def start(engine="xen", smp=1, cmdline="pace=500 trace=all", **options):
        m = Machine(tmp_path / f"run{len(machines)}", BUILD / f"hv-{engine}.bin", smp,
                    append=cmdline)
        machines.append(m)
        Tracer(BUILD, BUILD / f"hv-{engine}.elf", DOMHEAP_HV, **options).attach(m).start()
        m.wait_console("CPUs up", 60)
        return m

    yield start
    for m in machines:
        m.cleanup()


def difference(part: list, whole: list) -> str:
    """Where part is not the end of whole, but for a few events at the very end of either."""
    key = part[:ALIGNED_BY]
    starts = [at for at in range(len(whole) - ALIGNED_BY) if whole[at] == key[0] and
              whole[at:at + ALIGNED_BY] == key]
    said = "its beginning is not there"
    for at in starts:
        n = min(len(part), len(whole) - at)
        if part[:n] != whole[at:at + n]:
            k = next(k for k in range(n) if part[k] != whole[at + k])
            said = (f"from {max(0, k - 8)} of {n} on: {part[max(0, k - 8):k + 8]}, "
                    f"seen {whole[at + max(0, k - 8):at + k + 8]}")
        elif max(len(part), len(whole) - at) - n > TAIL:
            said = f"{len(part)} events, seen {len(whole) - at}"
        else:
            return ""
    return said


def is_settled(read) -> bool:
    """Is the boot over and gone from the rings, which go round more slowly than they are read?"""
    before = [cpu.fields["ring_head"] for cpu in beacon_read(read).cpus]
    time.sleep(0.2)
    after = [cpu.fields["ring_head"] for cpu in beacon_read(read).cpus]
    return all(a > GONE and 0 < b - a < 1000 for a, b in zip(before, after))


def from_first_action(events: list) -> list:
    """Without what an idle CPU does again and again before its first store or TLBI."""
    at = next(n for n, event in enumerate(events) if event[0] != events[0][0])
    return events[at:]


def without_probes(events: list) -> list:
    """Engine clock counts links of a chain, which nobody but it knows."""
    return [(kind, regime, (key[0] & ~PROBES, key[1]) if kind == MAP else key)
            for kind, regime, key in events]


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("engine", ["xen", "bbm", "clock"])
def test_two_witnesses_agree(traced, engine, smp):
    """Ten seconds of trace=all: every store, TLBI, barrier, map and unmap, in the same order."""
    m = traced(engine, smp)
    read = file_reader(m.dir / "ram", 0x40000000)
    trace = TraceFile(m.dir / "trace")
    wait_until(lambda: all(any(event.regime == S2 for event in trace.events(cpu))
                           for cpu in range(smp)), 60)
    wait_until(lambda: is_settled(read))
    rings = follow(lambda: beacon_read(read), read, SECONDS)
    m.qmp("stop")
    take_all(rings, lambda: beacon_read(read))
    assert trace.missed() == {}
    for cpu, ring in enumerate(rings):
        own, seen = ring.events(), trace.events(cpu)
        assert len(own) > LEAST
        assert any(event.regime == S2 for event in own)
        assert difference(from_first_action(tables_only(own)), tables_only(seen)) == "", cpu
        own, seen = actions_only(own), actions_only(seen)
        if engine == "clock":
            own, seen = without_probes(own), without_probes(seen)
        assert difference(own, seen) == "", cpu
        counts = beacon_read(read).cpus[cpu].fields, trace.cpus()[cpu]
        names = ["maps", "unmaps", "hits", "bypasses"]
        names += [] if engine == "clock" else ["probes", "commandeers"]
        assert [counts[0][name] for name in names] == [counts[1][name] for name in names]


def findings(said: dict) -> list[tuple]:
    """What was found where, and how often; the image names a store's caller, the stream its own
    place."""
    return [(f["rule"], f["severity"], f["tier"], f["cpu"], f["slot"], f["count"], f["message"])
            for f in said["findings"]]


@pytest.mark.parametrize("engine,cmdline,expected", [
    ("xen", "pace=500", {"hazard"}),
    ("xen", "fault=share-l2 workload=cpu0:idle,cpu1:storm", {"violation", "hazard"}),
    ("bbm", "pace=500", set()),
    ("clock", "pace=500", set()),
])
def test_verdicts_agree(traced, engine, cmdline, expected):
    """All events from the first instruction on, judged in the image (check=on) and from its
    stream: the same findings, as often."""
    m = traced(engine, 2, f"check=on {cmdline}", entries=1 << 21)
    trace = TraceFile(m.dir / "trace")
    wait_until(lambda: all(cpu["maps"] > 1000 for cpu in trace.cpus()), 60)
    wait_until(lambda: found(m) >= expected, 30)
    m.qmp("stop")
    assert all(cpu["ring_head"] < cpu["ring_entries"] for cpu in trace.cpus())
    own, seen = [json.loads(subprocess.run(words, capture_output=True, text=True,
                                           check=False).stdout)
                 for words in ([BUILD / "hvscope", "check", "--json", "--dir", m.dir],
                               hvscope(m, "check", "--json"))]
    assert {f["severity"] for f in own["findings"]} & {"hazard", "violation"} == expected
    assert (own["verdict"], findings(own)) == (seen["verdict"], findings(seen))
    assert own["read"]["lost"] == seen["read"]["lost"] == 0
    assert own["read"]["unjudged"] == seen["read"]["unjudged"] == 0


def found(m) -> set[str]:
    """How bad what the image has found so far is."""
    blocks = [cpu.fields for cpu in beacon_read(file_reader(m.dir / "ram", 0x40000000)).cpus]
    return {name for name in ("hazard", "violation") if any(cpu[f"{name}s"] for cpu in blocks)}


def test_killed(traced):
    """What a QEMU that was killed leaves can be read to its last record."""
    m = traced(cmdline="pace=0")
    trace = TraceFile(m.dir / "trace")
    wait_until(lambda: trace.cpus()[0]["ring_head"] > 100000)
    os.kill(m.process.pid, signal.SIGKILL)
    m.process.wait()
    events = trace.events(0)
    assert [e.seq for e in events] == list(range(events[0].seq, events[0].seq + len(events)))
    assert trace.cpus()[0]["maps"] == sum(e.kind == MAP for e in events) or \
        trace.cpus()[0]["ring_head"] > trace.cpus()[0]["ring_entries"]


def test_late_reader(traced):
    """A ring that went round many times: what is left is whole, and is numbered."""
    m = traced(cmdline="pace=0", entries=4096)
    trace = TraceFile(m.dir / "trace")
    wait_until(lambda: trace.cpus()[0]["ring_head"] > 20 * 4096)
    m.qmp("stop")
    events = trace.events(0)
    assert 1000 < len(events) and events[0].seq > 4096
    assert [e.seq for e in events] == list(range(events[0].seq, events[0].seq + len(events)))


def hvscope(m, command, *words, ram=True):
    """Have hvscope look at the stream, not at the image's own ring."""
    files = ["--ram", str(m.dir / "ram")] if ram else []
    return [str(BUILD / "hvscope"), command, *words, *files, "--ram",
            f"{m.dir}/trace@{TRACE_PA:#x}", "--beacon", f"{TRACE_PA:#x}"]


def test_slow_reader(traced):
    """Who does not take what is followed holds nobody up, and is told what went by meanwhile."""
    m = traced(cmdline="pace=0", entries=1 << 14)
    trace = TraceFile(m.dir / "trace")
    with subprocess.Popen(hvscope(m, "events", "--follow", "--json"),
                          stdout=subprocess.PIPE) as reader:
        try:
            reader.stdout.readline()
            stopped = trace.cpus()[0]["ring_head"]
            wait_until(lambda: trace.cpus()[0]["ring_head"] > stopped + (1 << 17))
            taken = [json.loads(reader.stdout.readline()) for _ in range(30000)]
        finally:
            reader.terminate()
            reader.stdout.close()
            reader.wait(10)
    assert sum(e["count"] for e in taken if e["event"] == "lost") > 1 << 14
    for before, event in zip(taken, taken[1:]):
        lost = before["count"] if before["event"] == "lost" else 1
        assert event["seq"] == before["seq"] + lost


def test_recording(traced):
    """A recording of the stream says the same as the stream, and what it left out."""
    m = traced(cmdline="pace=100")
    file = m.dir / "file.rec"
    trace = TraceFile(m.dir / "trace")
    with subprocess.Popen(hvscope(m, "record", str(file), "--events")) as recorder:
        head = trace.cpus()[0]["ring_head"]
        wait_until(lambda: file.exists() and trace.cpus()[0]["ring_head"] > head + 20000)
        recorder.send_signal(signal.SIGINT)
        recorder.wait(20)
    said = subprocess.run([BUILD / "hvscope", "check", "--json", "--recording", file],
                          capture_output=True, text=True, check=False)
    verdict = json.loads(said.stdout)
    assert verdict["read"]["events"] > 10000 and verdict["read"]["lost"] == 0
    assert all(f["rule"] == "RFVQCK" and f["where"].startswith("map_domain_page+")
               for f in verdict["findings"])
    said = subprocess.run([BUILD / "hvscope", "events", "--format", "casemate", "--output",
                           m.dir / "casemate", "--recording", file],
                          capture_output=True, text=True, check=True)
    assert "records" in said.stdout + said.stderr
    assert (m.dir / "casemate.cpu0").read_text().startswith("(mem-init")


def test_stream_alone(traced):
    """The trace file has no tables: its events can be shown, and nothing is judged."""
    m = traced(cmdline="pace=100")
    for command in "check", "dump", "stats":
        said = subprocess.run(hvscope(m, command, ram=False), capture_output=True, text=True,
                              check=False)
        assert (said.returncode, said.stdout) == (4, "") and "the machine's RAM" in said.stderr
    said = subprocess.run(hvscope(m, "events", ram=False), capture_output=True, text=True,
                          check=False)
    assert said.returncode == 0 and "map" in said.stdout


def test_full_disk(tmp_path):
    """Rings as large as there is room for; none at all is one sentence."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6M", "none", disk], check=False)
    if mounted.returncode:
        pytest.skip("no right to mount a small file system")
    try:
        check_full_disk(tmp_path, disk)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def check_full_disk(tmp_path: Path, disk: Path) -> None:
    """With 6 MiB, and with none."""
    m = Machine(tmp_path / "run", BUILD / "hv-xen.bin", 2, append="pace=100")
    try:
        Tracer(BUILD, BUILD / "hv-xen.elf", DOMHEAP_HV, out=disk / "trace").attach(m).start()
        m.wait_console("CPUs up", 60)
        blocks = TraceFile(disk / "trace").cpus()
        assert [cpu["ring_entries"] for cpu in blocks] == [1 << 16] * 2
    finally:
        m.cleanup()

    subprocess.run(["dd", "if=/dev/zero", f"of={disk}/fill", "bs=64k"], check=False,
                   capture_output=True)
    m = Machine(tmp_path / "run2", BUILD / "hv-xen.bin", 2)
    with pytest.raises(LaunchError, match="no room for"):
        try:
            Tracer(BUILD, out=disk / "trace2").attach(m).start()
        finally:
            m.cleanup()


def test_make_trace(tmp_path):
    """make trace: the run directory has the stream, and the tools read it."""
    run = subprocess.Popen(["make", "-s", "trace", f"DIR={tmp_path}/run", f"BUILD={BUILD}",
                            "SMP=2", "CMDLINE=pace=50"], cwd=ROOT, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                           start_new_session=True)
    try:
        wait_until(lambda: (tmp_path / "run/trace").exists() and
                   any((tmp_path / "run/trace").open("rb").read(8)), 60)
        trace = TraceFile(tmp_path / "run/trace")
        wait_until(lambda: trace.cpus()[1]["maps"] > 10, 60)
    finally:
        os.killpg(run.pid, signal.SIGTERM)
        said = run.communicate(timeout=30)[0]
    assert not (tmp_path / "run/trace").exists(), said
