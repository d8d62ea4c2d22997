# SPDX-License-Identifier: GPL-2.0-or-later
"""EL1 and stage 2: a guest's tables by the commands and by a naive reading; breaks, guests."""
from __future__ import annotations

import json
import random
import re
import subprocess

import debugger
import pytest
from conftest import BUILD
from shapes import Shape, leaves
from debugger import Gdb, Ram
from test_gdb_tables import WALKS

gdb, mistakes = debugger.gdb, debugger.mistakes


def register(session: Gdb, name: str) -> int:
    """A system register."""
    return int(session(f"output/x (unsigned long)${name}"), 0)


def guest_symbol(name: str) -> int:
    """Link address of a symbol of the guest."""
    text = subprocess.run(["aarch64-linux-gnu-nm", BUILD / "hv/guest/guest.elf"], check=True,
                          capture_output=True, text=True).stdout
    return int(re.search(rf"^(\w+) \w {name}$", text, re.M)[1], 16)


def three_levels(word, root: int, address: int) -> int | None:
    """4 KiB pages, 39 bits, the root at level 1; word: how an entry is read."""
    table = root
    for shift in (30, 21, 12):
        entry = word(table + (address >> shift) % 512 * 8)
        if entry is None or entry % 2 == 0:
            return None
        table = entry & 0xFFFFFFFFF000
        if shift == 12 or entry % 4 == 1:
            return table - table % (1 << shift) + address % (1 << shift)
    return None


class Guest:
    """The guest that the selected CPU runs, by its registers and the RAM file."""

    def __init__(self, session: Gdb, m) -> None:
        self.ram = Ram(m)
        self.s2 = register(session, "VTTBR_EL2") & 0xFFFFFFFFF000
        self.s1 = register(session, "TTBR0_EL1") & 0xFFFFFFFFF000

    def ipa_pa(self, ipa: int) -> int | None:
        """Stage 2."""
        return three_levels(self.ram.word, self.s2, ipa) if ipa < 1 << 39 else None

    def word(self, ipa: int) -> int | None:
        """A word of the guest's memory."""
        pa = self.ipa_pa(ipa)
        return None if pa is None else self.ram.word(pa)

    def words(self, ipa: int, count: int) -> tuple[int, ...]:
        """A table of the guest's."""
        pa = self.ipa_pa(ipa)
        return () if pa is None else self.ram.words(pa, count)

    def pages(self, regime: str) -> dict[int, int]:
        """Every 4 KiB of a stage, and where it leads."""
        shape = Shape("4K", 39, 1, stage2=regime == "s2")
        found = leaves(self.ram.words, shape, self.s2) if regime == "s2" else \
            leaves(self.words, shape, self.s1)
        return {leaf.va + at: leaf.pa + at for leaf in found
                for at in range(0, 1 << (39 - 9 * leaf.level), 4096)}

    def va_ipa(self, va: int) -> int | None:
        """Stage 1."""
        return three_levels(self.word, self.s1, va) if va < 1 << 39 else None


@pytest.fixture
def in_guest(machine, gdb, request):
    """A gdb on a machine with one CPU, in EL1 with its MMU on."""
    m = machine(smp=1, cpu=request.param, cmdline="workload=guest", extra="-S", ready=None)
    session = gdb(m)
    session(f"hbreak *{guest_symbol('guest_main'):#x}")
    assert "Breakpoint 1," in session("continue")
    session("delete")
    session("stepi 20")
    return m, session


@pytest.mark.parametrize("in_guest", ["cortex-a57", "neoverse-n1", "max"], indirect=True)
def test_guest_is_what_memory_holds(in_guest) -> None:
    """Stage 1, stage 2 and both: every leaf, random addresses, the monitor's translation."""
    m, session = in_guest
    guest, noise = Guest(session, m), random.Random(1)
    assert register(session, "SCTLR") & 1
    found = {}
    for regime in ("s2", "el1"):
        dump = json.loads(session(f"pt-dump --regime {regime} --json"))
        assert dump["regime"] == regime and dump["ranges"]
        found[regime] = {int(one["va"], 0) + at: int(one["pa"], 0) + at for one in dump["ranges"]
                         for at in range(0, int(one["size"], 0), 4096)}
        assert found[regime] == guest.pages(regime)
        assert max(map(len, session(f"pt-dump --regime {regime}").splitlines())) <= 80
    session(WALKS)
    for regime, translate in (("s2", guest.ipa_pa), ("el1", guest.va_ipa)):
        known = list(found[regime])
        addresses = [noise.choice(known) + noise.randrange(4096) if n % 3
                     else noise.getrandbits(40) for n in range(10000)]
        session(f"python addresses = {addresses}")
        assert json.loads(session(f"python walks('{regime}', False, 0, addresses)")) == \
            [translate(va) for va in addresses]
    for va in noise.sample(list(found["el1"]), 12):
        answer = json.loads(session(f"pt-walk --regime guest {va + 8:#x} --json"))
        assert int(answer["ipa"], 0) == guest.va_ipa(va + 8)
        pa = guest.ipa_pa(guest.va_ipa(va + 8))
        assert (answer["result"] or {"pa": "0"})["pa"] == hex(pa or 0) or pa is None
        if pa is not None:
            said = session(f"monitor gva2gpa {va:#x}")
            assert int(re.search(r"gpa: (\S+)", said)[1], 0) == pa & -4096
            slots = [n for n, pte in guest.ram.slots(0).items()
                     if pte & 1 and pte & 0xFFFFFFE00000 == pa & -0x200000]
            assert [row["slot"] for row in answer["slots"]] == slots


@pytest.mark.parametrize("in_guest", ["max"], indirect=True)
def test_halted_in_a_guest(in_guest) -> None:
    """Everything else works there too: the hypervisor's addresses are not readable by gdb."""
    m, session = in_guest
    root = Ram(m).root(0)
    assert re.search(r"^ \* +0  on .* 1  on", session("hv-cpus"), re.M)
    assert f"root {root:#x}" in session("mapcache-dump").splitlines()[1]
    assert f"root {root:#x}" in session("pt-walk 0xa0000200000")
    for command in ("mapcache-stats", "mapcache-log", "mapcache-slot 5", "hv-layout",
                    "mapcache-explain 0x80000", "mapcache-find mfn:0x80000", "pt-dump"):
        assert not session(command).startswith(("hvscope", "Python"))
    text = session("hv-guests")
    stage2 = register(session, "VTTBR_EL2") & 0xFFFFFFFFF000
    mine = text[text.index(f"root {stage2:#x}"):]
    assert "running on CPU0" in mine.split("stage 2")[0]
    walk = session("pt-walk --regime guest $pc")
    assert "stage 2 of IPA" in walk and max(map(len, walk.splitlines())) <= 80
    assert session("pt-walk --regime el1 0x10").endswith(("invalid entry", "software 0x0"))
    assert "E2H is 0" in session("pt-walk 0 --regime el2-e2h")


def test_breaks(machine, gdb) -> None:
    """Each kind stops where it says, and only then; the filter goes with the breakpoint."""
    m = machine(smp=1, cmdline="workload=copy pace=0")
    session, ram = gdb(m), Ram(m)
    assert "commandeer" in session("mapcache-break commandeer")
    for _ in range(3):
        said = session("continue")
        assert "mapcache_commandeer (slot=" in said and "warning" not in said
        assert re.search(r"was=(?:was@entry=)?(0x[0-9a-f]+) \{block .*now=\S*0x", said, re.S), said
        slot = int(session("output slot"))
        old = (int(session("output/x (uint64_t)was"), 0) & (1 << 48) - 1) >> 12
        new = int(session("output/x now.mfn"), 0)
        assert ram.slots(0)[slot] & 0xFFFFFFFFF000 == new >> 9 << 21 and old >> 9 != new >> 9
        assert "map_domain_page" in session("backtrace 4")
    session("delete")
    assert ram.word(ram.beacon + 448) == 0
    session("mapcache-break refs>=2")
    assert "mapcache_hit (slot=" in session("continue") and int(session("output refs")) >= 2
    session("mapcache-break refs>=16")
    session("delete")
    hits = set()
    session(f"mapcache-break slot {slot}")
    assert ram.word(ram.beacon + 448) & 0xFFFFFFFF == 1
    for _ in range(3):
        session("continue")
        hits.add(int(session("output slot")))
        assert int(session("output refs")) == ram.slots(0)[slot] >> 55 & 15
    assert hits == {slot}
    mfn = int(session("output/x mfn.mfn"), 0)
    session("delete")
    session(f"mapcache-break mfn {mfn:#x}")
    session("disable")
    assert ram.word(ram.beacon + 448) == 0
    session("enable")
    assert ram.word(ram.beacon + 456) == mfn
    assert "mapcache_hit" in session("continue") and int(session("output/x mfn.mfn"), 0) == mfn


def test_saturate(machine, gdb) -> None:
    """With the workload that makes it: the count is 15, and the next map takes another slot."""
    m = machine(smp=1, cmdline="workload=saturate pace=0")
    session, ram = gdb(m), Ram(m)
    session("mapcache-break saturate")
    assert "mapcache_saturate (slot=" in session("continue")
    slot = int(session("output slot"))
    assert ram.slots(0)[slot] >> 55 & 15 == 15
    mfn = int(session("output/x mfn.mfn"), 0)
    answer = json.loads(session(f"mapcache-explain {mfn:#x} --json"))
    assert answer["slot"] != slot and slot in answer["duplicates"]
    assert "saturated" in session(f"mapcache-slot {slot}")


def test_full(machine, gdb) -> None:
    """Every slot held by other frames: explained, stopped at, and the log works after it."""
    m = machine(smp=1, cmdline="workload=copy pace=100")
    session, ram = gdb(m), Ram(m)
    session("mapcache-break full")
    session("break map_domain_page")
    session("continue")
    session("delete 2")
    mfn = int(session("output/x mfn.mfn"), 0)
    l1 = ram.word(ram.root(0) + 255 * 8) & 0xFFFFFFFFF000
    first = ram.word(l1) & 0xFFFFFFFFF000
    frames = [n for n in range(512, 2048) if n != mfn >> 9][:1024]
    with open(m.dir / "ram", "r+b") as file:
        file.seek(first - 0x40000000)
        file.write(b"".join((frame << 21 | 1 << 55 | 0x40000000000F7D).to_bytes(8, "little")
                            for frame in frames))
    assert json.loads(session(f"mapcache-explain {mfn:#x} --json"))["verdict"] == "full"
    text = session(f"mapcache-explain {mfn:#x}")
    assert "full: every slot is in use" in text and "more" in text
    assert len(text.splitlines()) < 24
    assert "mapcache_full (" in session("continue")
    assert "map_domain_page" in session("backtrace 3")
    assert "counts add up to 1024" in session("mapcache-check") \
        or "inside" in session(f"mapcache-explain {mfn:#x}")
    session("delete")
    session("break machine_off")
    session("continue")
    assert "panicked: map_domain_page(" in session("mapcache-dump").splitlines()[0]
    assert "unmap" in session("mapcache-log")


@pytest.mark.parametrize("text", ["", "slot", "slot 1024", "refs>=0", "refs>=16", "nothing",
                                  "mfn x", "slot 5 6"])
def test_break_mistakes(mistakes: Gdb, text: str) -> None:
    """One sentence."""
    said = mistakes(f"mapcache-break {text}")
    assert said.startswith("hvscope: ") and len(said.splitlines()) == 1


def test_check_and_trace(machine, gdb) -> None:
    """Invariants hold, a damaged slot is named; calls are logged, and no more after off."""
    m = machine(smp=2, cmdline="workload=copy pace=100")
    session, ram = gdb(m), Ram(m)
    assert "invariants: hold" in session("mapcache-check")
    l1 = ram.word(ram.root(1) + 255 * 8) & 0xFFFFFFFFF000
    slot = (ram.word(l1) & 0xFFFFFFFFF000) + 8 * 7
    with open(m.dir / "ram", "r+b") as file:
        file.seek(slot - 0x40000000)
        old = file.read(8)
        file.seek(slot - 0x40000000)
        file.write((5 << 55).to_bytes(8, "little"))
        file.flush()
        said = session("mapcache-check")
        assert "CPU1: 1 broken: slot 7" in said and "the counts add up to" in said
        file.seek(slot - 0x40000000)
        file.write(old)
    assert "50-220 calls a second" in session("mapcache-trace on")
    session("tbreak copy_step")
    session("ignore $bpnum 2")
    logged = session("continue")
    assert re.search(r"^CPU\d map mfn 0x\w+ by \w+\+0x\w+$", logged, re.M)
    assert re.search(r"^CPU\d unmap va 0x7f80\w+ by ", logged, re.M)
    session("mapcache-trace off")
    session("tbreak copy_step")
    assert "map mfn" not in session("continue")


def test_a_session(machine, gdb) -> None:
    """What a person does: attach, dump, break, a hit and a commandeer, explain, diff, find, on."""
    m = machine(smp=2, cmdline="workload=stride pace=0")
    session, ram = gdb(m), Ram(m)
    session("set scheduler-locking step")
    assert "mapcache ready" in session("mapcache-dump").splitlines()[0]
    session("break map_domain_page")
    seen = set()
    for _ in range(400):
        session("continue")
        mfn = int(session("output/x mfn.mfn"), 0)
        cpu = int(session("python from hvscope.target import TARGET; print(TARGET.cpu())"))
        answer = json.loads(session(f"mapcache-explain {mfn:#x} --json"))
        verdict, slot = answer["verdict"], answer["slot"]
        if verdict in seen:
            continue
        seen.add(verdict)
        line = None
        session("disable")
        for _ in range(40):
            session("next")
            line = re.search(rf"^CPU{cpu} slot +{slot} .*", session("mapcache-diff"), re.M)
            if line:
                break
        session("enable")
        assert line and ("commandeered" in line[0]) == (verdict == "commandeer"), (answer, line)
        assert f"{cpu:>5}  {slot:>4}" in session(f"mapcache-find mfn:{mfn:#x}")
        assert f"mfn {mfn & ~511:#x}" in session(f"mapcache-slot {slot} --cpu {cpu}")
        assert ram.slots(cpu)[slot] >> 55 & 15
        if {"hit", "commandeer"} <= seen:
            break
    assert {"hit", "commandeer"} <= seen
    session("delete")
    session.send("continue")
    m.qmp("stop")
    session.answer()
    assert "invariants: hold" in session("mapcache-check")
