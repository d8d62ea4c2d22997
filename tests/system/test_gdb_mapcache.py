# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions about slots: each answer held against memory, the ring, or what the image then does."""
from __future__ import annotations

import json
import re
import struct

import debugger
import pytest
from debugger import RAM_BASE, Ram

gdb, stopped = debugger.gdb, debugger.stopped
RECORDS = 4096


def cpu_block(ram: Ram, cpu: int) -> tuple[int, ...]:
    """The words of a CPU's struct beacon_cpu."""
    offset, stride = struct.unpack_from("<II", ram.map, ram.beacon + 152 - RAM_BASE)
    return struct.unpack_from("<20Q", ram.map, ram.beacon + offset + cpu * stride - RAM_BASE)


def last_record(ram: Ram, cpu: int) -> tuple[int, int, int]:
    """head, what and caller of the newest event."""
    block = cpu_block(ram, cpu)
    at = block[7] + (block[9] - 1) % RECORDS * 32
    return ram.word(at), ram.word(at + 8), ram.word(at + 16)


def number(said: str) -> int:
    """The value of a `print`."""
    return int(said.split("=")[1].split()[0], 0)


def test_explain_is_what_the_image_does(stopped) -> None:
    """Before each of 25 calls: the verdict, slot, count and probe that the ring then records."""
    m, session = stopped
    ram = Ram(m)
    session("break map_domain_page")
    session("set scheduler-locking on")
    verdicts = set()
    for _ in range(25):
        cpu = int(re.search(r"Thread 1\.(\d)", session("thread"))[1]) - 1
        mfn = number(session("print/x mfn.mfn"))
        answer = json.loads(session(f"mapcache-explain {mfn:#x} --json"))
        assert answer["cpu"] == cpu and answer["mfn"] == hex(mfn)
        before, maps = ram.slots(cpu), cpu_block(ram, cpu)[10]
        session("disable")
        session("finish")
        session("enable")
        if cpu_block(ram, cpu)[10] != maps + 1:  # an interrupt's map came first
            session("continue")
            continue
        _, what, _ = last_record(ram, cpu)
        assert what & (1 << 36) - 1 == mfn
        assert (answer["slot"], answer["refs"], answer["verdict"] == "hit", answer["probe"]) == \
            (what >> 36 & 1023, what >> 46 & 15, bool(what >> 50 & 1), what >> 51 & 1023)
        assert (answer["verdict"] == "commandeer") == (
            answer["verdict"] != "hit" and bool(before.get(answer["slot"], 0) & 1))
        assert number(session("print $mc_slot($x0)")) == answer["slot"]
        assert number(session(f"print $mc_refs({cpu}, {answer['slot']})")) == answer["refs"]
        diff = [line for line in session("mapcache-diff").splitlines() if "->" in line]
        assert [line.split()[:3] for line in diff] == [[f"CPU{cpu}", "slot", str(answer["slot"])]]
        assert ("commandeered" in diff[0]) == (answer["verdict"] == "commandeer")
        verdicts.add(answer["verdict"])
        session("continue")
    assert "hit" in verdicts


def test_full_saturated_duplicates(stopped) -> None:
    """map_domain_page() called 17 times for one frame: saturation, a second slot, explained."""
    m, session = stopped
    session("set scheduler-locking on")
    mfn = number(session("print/x mfn.mfn"))
    session("finish")
    cpu = int(re.search(r"Thread 1\.(\d)", session("thread"))[1]) - 1
    home = (mfn >> 9) % 1024
    for _ in range(15):
        session(f"print map_domain_page((mfn_t){{{mfn:#x}}})")
    answer = json.loads(session(f"mapcache-explain {mfn:#x} --json"))
    assert answer["verdict"] != "full" and answer["slot"] != home
    assert answer["steps"][0]["reason"] == "this frame, but its count is 15"
    assert f"slot {home:>4}  count 15" in session(f"mapcache-explain {mfn:#x}")
    session(f"print map_domain_page((mfn_t){{{mfn:#x}}})")
    found = json.loads(session(f"mapcache-find mfn:{mfn:#x} --json"))
    mine = [row for row in found["slots"] if row["cpu"] == cpu]
    assert {row["slot"] for row in mine} == {home, answer["slot"]}
    text = session(f"mapcache-slot {home}")
    assert "saturated, count 15" in text and f"in slot {answer['slot']} too" in text
    assert text.count("held: mfn") == 15


def test_find(stopped) -> None:
    """By frame, PA, VA, pointer and bare numbers, against a naive search of all slots."""
    m, session = stopped
    ram = Ram(m)
    for cpu in (0, 1):
        slot, pte = sorted(ram.slots(cpu).items())[5]
        pa = (pte & 0xFFFFFFFFF000) + 0x3210
        expect = [(c, s) for c in (0, 1) for s, entry in sorted(ram.slots(c).items())
                  if entry & 1 and entry & 0xFFFFFFE00000 == pa & ~0x1FFFFF]
        va = 0x7F8000000000 + slot * 0x200000 + 0x3210
        for what, kind in ((f"pa:{pa:#x}", "pa"), (f"{pa:#x}", "pa"), (f"mfn:{pa >> 12:#x}", "mfn"),
                           (f"va:{va:#x} --cpu {cpu}", "va"), (f"{va:#x} --cpu {cpu}", "va"),
                           (f"(char *){va:#x} --cpu {cpu}", "va")):
            answer = json.loads(session(f"mapcache-find {what} --json"))
            assert answer["read_as"] == kind and int(answer["mfn"], 0) == pa >> 12
            assert [(row["cpu"], row["slot"]) for row in answer["slots"]] == expect
        assert f"{cpu:>5}  {slot:>4}  {va:#x}" in session(f"mapcache-find {pa:#x}")
    assert json.loads(session("mapcache-find 7 --json"))["read_as"] == "mfn"
    assert "nothing is mapped there" in session("mapcache-find va:0x7f8090000000")


def test_stats(stopped) -> None:
    """Counts, counters and histograms against memory."""
    m, session = stopped
    ram = Ram(m)
    answer = json.loads(session("mapcache-stats --json"))
    for cpu, row in enumerate(answer["cpus"]):
        block, entries = cpu_block(ram, cpu), ram.slots(cpu).values()
        assert [row[key] for key in ("maps", "unmaps", "hits", "commandeers", "probes", "bypasses",
                                     "work", "verified")] == list(block[10:18])
        assert row["counts"]["refs"] == sum(entry >> 55 & 15 for entry in entries)
        assert row["refs"][0] == sum(entry & 1 and not entry >> 55 & 15 for entry in entries)
        assert sum(row["refs"]) == sum(row["probe"]) == len(entries)
    assert f"{answer['cpus'][0]['maps']} maps" in session("mapcache-stats --cpu 0")


def test_log_and_history(stopped) -> None:
    """The ring's last events, symbolised; who had a slot; who mapped it."""
    m, session = stopped
    ram = Ram(m)
    lines = session("mapcache-log -n 300").splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) == 601
    for cpu in (0, 1):
        mine = [line.split() for line in lines[1:] if line.split()[0] == str(cpu)]
        assert [int(line[1]) for line in mine] == \
            list(range(cpu_block(ram, cpu)[9] - 300, cpu_block(ram, cpu)[9]))
        head, what, caller = last_record(ram, cpu)
        assert mine[-1][3:6] == ["unmap" if head >> 48 & 15 == 2 else "hit" if what >> 50 & 1
                                 else "map", hex(what & (1 << 36) - 1), str(what >> 36 & 1023)]
        slot = what >> 36 & 1023
        history = session(f"mapcache-history {slot} --cpu {cpu}")
        assert hex(what & (1 << 36) - 512) in history.splitlines()[-1]
        where = re.search(r"<(\w+)", session(f"info symbol {caller}") + "<")
        assert where is None or where[1] in mine[-1][-1]
    cpu = int(re.search(r"Thread 1\.(\d)", session("thread"))[1]) - 1
    mapped = [line.split() for line in lines[1:]
              if line.split()[0] == str(cpu) and line.split()[3] in ("hit", "map")]
    assert "<" in session(f"print $mc_caller({mapped[-1][5]})")


def test_after_a_panic(machine, gdb) -> None:
    """The log works when the image has ended."""
    m = machine(smp=1, cmdline="pace=50")
    session = gdb(m)
    session("break map_domain_page")
    session("continue")
    session("print beacon_set_state(3)")
    assert "unmap" in session("mapcache-log") and "CPU0" in session("mapcache-stats")


def test_diff(stopped) -> None:
    """Against the stop before, against a mark, with nothing to compare."""
    _, session = stopped
    session("set scheduler-locking on")
    assert session("mapcache-diff --mark").startswith("marked")
    assert session("mapcache-diff") == "no slot changed since the mark"
    session("finish")
    changed = session("mapcache-diff")
    assert "slot" in changed and "->" in changed
    session("stepi")
    assert session("mapcache-diff") == changed
    session("mapcache-diff --unmark")
    assert session("mapcache-diff") == "no slot changed since the stop before"


@pytest.mark.parametrize("expression, said", [
    ("$pte(2, 0x00c0000084800f7d)", "block 0x84800000 attr7 sh=inner ns ap1 af ng xn sw=0x1"),
    ("$pte(3, 0x40206fff)", "page 0x40206000 attr7 sh=inner ns ap1 ro af ng sw=0x0"),
    ("$pte(0, 0x4021ff7f)", "table 0x4021f000"), ("$pte(1, 0)", "invalid"),
    ("(lpae_t)0x00c0000084800f7d", "{block 0x84800000"), ("(lpae_t)0x4021ff7f", "{table/page"),
    ("$mc_slot(0x7f8004800123)", "= 36"), ("$mc_slot(5)", "0x5 is not in the domheap"),
    ("$mc_refs(7, 0)", "there is no slot 0 on CPU7"), ("$mc_slot()", "see `help function")])
def test_functions(shared, expression: str, said: str) -> None:
    """Convenience functions, and the printer of lpae_t: only of that typedef."""
    assert said in shared(f"print {expression}")


def test_only_lpae_t_is_printed_so(shared, stop_in_map) -> None:
    """lpae_t is a typedef of uint64_t, which stays a number."""
    assert re.search(r"map_domain_page \(mfn=", stop_in_map)  # at EL2: the tables can be read
    assert re.fullmatch(r"\$\d+ = 1", shared("print (uint64_t)1"))
    assert "{invalid}" in shared("print *(lpae_t (*)[2])cpu0_dommap") or \
        "{block" in shared("print *(lpae_t (*)[2])cpu0_dommap")


def test_typed_addresses(shared, stop_in_map) -> None:
    """An mfn_t is its number, in frames too, and wherever a command takes a number."""
    mfn = re.search(r"map_domain_page \(mfn=(?:mfn@entry=)?(0x[0-9a-f]+)\)", stop_in_map)
    assert mfn, stop_in_map
    assert shared("print mfn").endswith(f"= {mfn[1]}")
    assert shared("mapcache-explain mfn").startswith(f"map_domain_page({mfn[1]}) on CPU")
    assert shared("mapcache-find mfn").startswith(f"{mfn[1]} is read as MFN (of type mfn_t)")


@pytest.fixture(scope="module")
def stop_in_map(shared) -> str:
    """At the first instruction of map_domain_page; what gdb says of that."""
    shared("tbreak map_domain_page")
    return shared("continue")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One attached gdb for what changes nothing."""
    from machine import Machine
    from conftest import BUILD
    m = Machine(tmp_path_factory.mktemp("gdb") / "run", BUILD / "hv-xen.bin")
    m.start()
    m.wait_console("CPUs up", 60)
    session = debugger.Gdb("-ex", f"target remote {m.dir}/gdb.sock")
    yield session
    session.close()
    m.cleanup()


def test_text_fits_beside_the_viewer(machine, gdb) -> None:
    """Half of 160 columns is enough for each command, and nothing that matters is cut off."""
    m = machine(smp=2, cmdline="trace=all guests=2 workload=stride,guest pace=0")
    session, slots = gdb(m), range(256, 272)
    said = {command: session(command) for command in [
        "mapcache-dump", "mapcache-stats", "mapcache-log -n 600", "mapcache-check", "hv-layout",
        "hv-cpus", "hv-guests", "pt-dump", "mapcache-explain 0x1c0000",
        *[f"mapcache-{what} {slot}" for what in ("slot", "history") for slot in slots]]}
    wide = {command: line for command, text in said.items() for line in text.splitlines()
            if len(line) > 79}
    assert not wide
    store = r"  pte +el2 L2\[\d+\] at 0x\w+\n {35}0x\w+ -> 0x\w+$"
    assert re.search(store, said["mapcache-log -n 600"], re.M)
    found = r"^hazard +RFVQCK .*\n +a live entry got another output address; va 0x\w+,\n" \
        r" +entry at 0x\w+: 0x\w+ -> 0x\w+\n +longest window: "
    assert re.search(found, said["mapcache-check"], re.M), said["mapcache-check"]
