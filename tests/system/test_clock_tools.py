# SPDX-License-Identifier: GPL-2.0-or-later
"""Engine clock's index in both tools: the lookup explained, and an index that is spoilt.

The machine is halted; what is spoilt is put into its RAM file, and taken back. That explanations
are right is held against the engine itself by thousands in tests/unit/hv_clock_tools.c.
"""

import json
import random
import re
import subprocess

import pytest
from conftest import BUILD, read_beacon, wait_until
from hvscope import check, clock, lookup, mapcache
from hvscope.error import HvError
from debugger import Gdb

RAM = 0x40000000
SPOILT = 15
LISTED = 100  # findings that hvscope lists at least
STATE, NEXT, HEAD, FREE, BLOCK = 56, 1080, 3128, 7224, 9272  # offsets in struct clock_index


class Memory:
    """The RAM file of a halted machine; changes are kept, so that they can be taken back."""

    def __init__(self, m) -> None:
        self.file = open(m.dir / "ram", "r+b", buffering=0)
        self.changed = []

    def read(self, pa: int, size: int) -> bytes:
        """As a target reads."""
        self.file.seek(pa - RAM)
        return self.file.read(size)

    def put(self, pa: int, data: bytes) -> None:
        """Something else there."""
        self.changed.append((pa, self.read(pa, len(data))))
        self.file.seek(pa - RAM)
        self.file.write(data)

    def restore(self) -> None:
        """As it was."""
        for pa, data in reversed(self.changed):
            self.file.seek(pa - RAM)
            self.file.write(data)
        self.changed = []


def viewer(m, *words: str) -> subprocess.CompletedProcess:
    """hvscope on it."""
    return subprocess.run([BUILD / "hvscope", *words, "--dir", m.dir], capture_output=True,
                          text=True, timeout=30, check=False)


def halted(machine, policy: str):
    """A machine whose slots are of every kind, halted outside map and unmap on all CPUs."""
    m = machine(smp=2, image=BUILD / "hv-clock.bin",
                cmdline=f"mapcache={policy} workload=fill:60,storm,saturate")
    wait_until(lambda: min(c.fields["maps"] for c in read_beacon(m).cpus) > 3000)

    def good() -> bool:
        m.qmp("stop")
        fields = [c.fields for c in read_beacon(m).cpus]
        if all(f["generation"] % 2 == 0 and f["maps"] - f["unmaps"] > 30 for f in fields):
            return True
        m.qmp("cont")
        return False
    wait_until(good)
    return m


def frames(memory: Memory, beacon) -> list[int]:
    """Frames that are in slots, and some that are not."""
    slots = mapcache.mapcache_cpu(memory.read, beacon, 0, False)["slots"]
    some = [slot[5] for slot in random.sample(slots, 4) if slot[5] is not None]
    return [*some, 0x48210, *[random.randrange(0x40000, 0x140000) for _ in range(4)]]


def test_explained_alike(machine) -> None:
    """Both tools, both forms; and GDB's commands themselves. Then the image does what they said."""
    m = halted(machine, "zap")
    memory, beacon = Memory(m), read_beacon(m)
    for mfn in frames(memory, beacon):
        answers = [lookup.explain(memory.read, beacon, cpu, mfn) for cpu in (0, 1)]
        assert viewer(m, "explain", hex(mfn), "--json").stdout == "".join(
            lookup.explain_json(answer) + "\n" for answer in answers)
        assert viewer(m, "explain", hex(mfn)).stdout == "".join(
            lookup.explain_text(answer, False) + "\n" for answer in answers)
        assert all(a["home"] is None and a["probe"] is None and a["chain"] is not None
                   for a in answers)
    gdb = Gdb("-ex", f"target remote {m.dir}/gdb.sock", elf=BUILD / "hv-clock.elf")
    gdb("break map_domain_page")
    gdb("set scheduler-locking on")
    for _ in range(6):
        gdb("continue")
        mfn = int(gdb("print/x mfn.mfn").split()[-1], 0)
        said = json.loads(gdb(f"mapcache-explain {mfn:#x} --json"))
        cpu = said["cpu"]
        assert viewer(m, "explain", hex(mfn), "--cpu", str(cpu), "--json").stdout.strip() == \
            gdb(f"mapcache-explain {mfn:#x} --json")
        maps = read_beacon(m).cpus[cpu].fields["maps"]
        gdb("disable")
        gdb("finish")
        gdb("enable")
        if read_beacon(m).cpus[cpu].fields["maps"] == maps + 1:  # no interrupt's map came first
            assert int(gdb("print $mc_slot($x0)").split()[-1], 0) == said["slot"]
            assert int(gdb(f"print $mc_refs({cpu}, {said['slot']})").split()[-1], 0) == \
                said["refs"]
    gdb.close()


def spoil(memory: Memory, index: int, slots: int, noise: random.Random) -> None:
    """One field of an index, or one entry of the slots at this PA, becomes another."""
    at = noise.randrange(1024)
    number = noise.randrange(1064).to_bytes(2, "little")
    memory.put(*noise.choice([
        (index + FREE + 2 * at, number), (index + HEAD + 2 * noise.randrange(2048), number),
        (index + NEXT + 2 * at, number), (index + BLOCK + 4 * at, noise.randbytes(4)),
        (index + STATE + at, bytes([noise.randrange(5)])), (index + 12, number),
        (index + 14, number), (index + 16, number), (index + 8, number),
        (slots + 8 * (at % 512), noise.choice([bytes(8), noise.randbytes(8)]))]))


def index_findings(m) -> list[tuple[int, str]]:
    """What hvscope check says of the indexes."""
    return [(f["cpu"], f["message"])
            for f in json.loads(viewer(m, "check", "--json").stdout)["findings"]
            if f["rule"] == "index"]


@pytest.mark.parametrize("policy", ["lazy", "zap"])
def test_spoilt_alike(machine, policy: str) -> None:
    """Both tools find the same faults, call the same slots broken, and never hang."""
    m = halted(machine, policy)
    memory, noise = Memory(m), random.Random(11)
    assert index_findings(m) == [] and "WRONG" not in viewer(m, "check").stdout
    found = 0
    for _ in range(SPOILT):
        beacon = read_beacon(m)
        fields = beacon.cpus[1].fields
        for _ in range(noise.choice((1, 1, 1, 2))):
            spoil(memory, fields["clock_index"], fields["l2_0"], noise)
        ptes = [slot[2] for slot in mapcache.mapcache_cpu(memory.read, beacon, 1, True)["slots"]]
        faults = clock.cpu_index_faults(memory.read, beacon, 1, ptes)
        listed = index_findings(m)
        assert listed == [(1, words) for _, words in faults][:max(len(listed), LISTED)]
        found += bool(faults)
        assert viewer(m, "dump", "--json").stdout.strip() == "".join(mapcache.mapcache_json(
            mapcache.mapcache_read(memory.read, beacon))).strip()
        try:
            answer = lookup.explain_json(lookup.explain(memory.read, beacon, 1, 0x81234))
        except HvError:
            answer = ""
        said = viewer(m, "explain", "0x81234", "--cpu", "1", "--json")
        assert said.stdout.strip() == answer and said.returncode in (0, 4)
        memory.restore()
    assert found > SPOILT / 3
    assert index_findings(m) == []


def test_commands_name_a_spoilt_slot(machine) -> None:
    """A state byte, by the commands that a person types: the same words in both."""
    m = halted(machine, "lazy")
    memory, beacon = Memory(m), read_beacon(m)
    dump = mapcache.mapcache_cpu(memory.read, beacon, 0, False)
    slot = next(s[0] for s in dump["slots"] if s[3] == "cached")
    memory.put(beacon.cpus[0].fields["clock_index"] + STATE + slot, b"\0")
    said = viewer(m, "check")
    words = re.findall(rf"index CPU0 (slot {slot} .*)", said.stdout)
    assert len(words) == 3 and said.returncode == 1 and "verdict: findings" in said.stdout
    assert f"CPU0: index: {words[0]}" in check.check_text(memory.read, beacon)
    gdb = Gdb("-ex", f"target remote {m.dir}/gdb.sock", elf=BUILD / "hv-clock.elf")
    text, dumped = gdb("mapcache-check"), gdb("mapcache-dump")
    for one in words:
        assert f"CPU0: index: {one}\n" in text and f"index CPU0 {one}\n" in text
    assert f"CPU0: 1 broken: slot {slot}\n" in text
    assert re.search(rf"^ +{slot} .* broken  ", dumped, re.M)
    memory.restore()
    assert "invariants: hold on 2 CPUs" in gdb("mapcache-check")
    gdb.close()
