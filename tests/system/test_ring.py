# SPDX-License-Identifier: GPL-2.0-or-later
"""trace=all: events of every kind, numbers without a gap, the same ones in both readers."""

import json
import signal
import subprocess
import time

from conftest import BUILD, read_beacon, wait_until

from hvscope import trace


def events(*target: object, cpu: int | None = None) -> list[dict]:
    """hvscope events --json."""
    only = [] if cpu is None else ["--cpu", str(cpu)]
    out = subprocess.run([BUILD / "hvscope", "events", "--json", *only, *map(str, target)],
                         capture_output=True, text=True, check=True, timeout=60).stdout
    return [json.loads(line) for line in out.splitlines()]


def check_numbers(found: list[dict]) -> int:
    """Each CPU's numbers follow one another; returns how many events were lost."""
    expect, lost = {}, 0
    for event in found:
        assert event["seq"] == expect.get(event["cpu"], event["seq"]), event
        count = event["count"] if event["event"] == "lost" else 1
        lost += count if event["event"] == "lost" else 0
        expect[event["cpu"]] = event["seq"] + count
    return lost


def test_every_kind_from_the_first_event_on(machine) -> None:
    """The ring of an idle CPU still has its beginning."""
    m = machine(smp=2, cmdline="trace=all pace=20 workload=idle")
    wait_until(lambda: read_beacon(m).cpus[1].fields["maps"] > 1)
    found = events("--dir", m.dir)
    assert check_numbers(found) == 0
    assert min(e["seq"] for e in found if e["cpu"] == 1) == 0
    assert {"boot", "ttbr", "irq", "pte", "tlbi", "dsb", "isb", "map", "unmap"} <= \
        {e["event"] for e in found}
    root = read_beacon(m).cpus[1].root
    assert next(e for e in found if e["event"] == "ttbr" and e["cpu"] == 1)["value"] == hex(root)
    assert {e["regime"] for e in found if e["event"] == "pte"} == {"el2"}


def test_a_map_is_what_the_patch_does(machine) -> None:
    """A map that takes a slot: DSB, store, DSB; then the flush that every map ends with."""
    m = machine(smp=1, cmdline="trace=all pace=50 workload=storm")
    wait_until(lambda: read_beacon(m).cpus[0].fields["maps"] > 60)
    found = events("--dir", m.dir)
    taken = [n for n, e in enumerate(found)
             if e["event"] == "map" and e["hit"] is False and n > 4 and n + 6 < len(found)]
    words = ["dsb sy", "pte", "dsb sy", "map", "dsb nsh", "tlbi", "dsb nsh", "isb"]
    for n in taken[-5:]:
        around = [f"dsb {e['domain']}" if e["event"] == "dsb" else e["event"]
                  for e in found[n - 3:n + 5]]
        assert around == words
        store, flush = found[n - 2], found[n + 2]
        assert (store["level"], found[n + 1]["type"], found[n + 3]["type"]) == (2, "st", "full")
        assert int(store["new"], 16) >> 12 & 0xFFFFFFFFF == int(found[n]["mfn"], 16) & ~511
        assert (flush["op"], flush["scope"]) == ("vae2", "local")
        assert int(flush["va"], 16) >> 21 & 1023 == found[n]["slot"]
    assert taken


def test_stage_2(machine) -> None:
    """Stores to a guest's tables and their TLBIs pass the same choke points."""
    m = machine(smp=1, cmdline="trace=all pace=400 workload=guest")
    wait_until(lambda: any(e.get("regime") == "s2" for e in events("--dir", m.dir)))
    assert all(e["level"] in (1, 2, 3) for e in events("--dir", m.dir)
               if e.get("regime") == "s2")


def test_numbers_after_a_loss(machine) -> None:
    """A reader that was stopped while the rings went round and round still numbers right."""
    m = machine(smp=2, cmdline="trace=all workload=storm")
    with subprocess.Popen([BUILD / "hvscope", "events", "--json", "--follow", "--dir", m.dir],
                          stdout=subprocess.PIPE, text=True) as reader:
        lines = [reader.stdout.readline() for _ in range(20000)]
        before = read_beacon(m).cpus[0].fields["ring_head"]
        reader.send_signal(signal.SIGSTOP)
        wait_until(lambda: read_beacon(m).cpus[0].fields["ring_head"] > before + 20000)
        reader.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + 60
        while '"lost"' not in lines[-1] or '"cpu":0' not in lines[-1]:
            assert time.monotonic() < deadline
            lines.append(reader.stdout.readline())
        lines += [reader.stdout.readline() for _ in range(20000)]
        reader.kill()
    assert check_numbers([json.loads(line) for line in lines if line.endswith("\n")]) > 10000


def test_both_readers_say_the_same(machine) -> None:
    """The viewer's events and those of the GDB scripts, of one ring that no longer changes."""
    m = machine(smp=2, cmdline="trace=all workload=storm,guest")
    wait_until(lambda: read_beacon(m).cpus[1].fields["ring_head"] > 20000, 60)
    m.type("panic")
    assert m.wait(60) is not None
    beacon = read_beacon(m)

    def read(pa: int, size: int) -> bytes:
        with open(m.dir / "ram", "rb") as ram:
            ram.seek(pa - 0x40000000)
            return ram.read(size)

    for cpu in (0, 1):
        theirs = {e.seq: e for e in trace.ring_read(read, beacon, cpu)}
        ours = events("--ram", m.dir / "ram", cpu=cpu)
        assert check_numbers(ours) == 0 and len(ours) > 4000
        for e in ours:
            said = theirs[e["seq"]]
            assert said.word.replace("hit", "map") == e["event"], e
            if e["event"] == "pte":
                assert said.says.endswith(f"at {e['pa']}: {e['old']} -> {e['new']}")
            elif e["event"] == "tlbi" and e["va"]:
                assert said.says.endswith(f" {e['va']} +{e['size']}") or e["op"] == "ipas2e1"
            elif e["event"] == "dsb":
                assert said.says == e["domain"] + e["type"].replace("full", "")
            elif e["event"] in ("map", "unmap"):
                assert (said.slot, hex(said.mfn), said.refs) == (e["slot"], e["mfn"], e["refs"])
            elif "message" in e:
                assert said.says == e["message"]
    panicked = events("--ram", m.dir / "ram", cpu=0)[-1]
    assert (panicked["event"], panicked["message"]) == ("panic", "asked for on the console")
