# SPDX-License-Identifier: GPL-2.0-or-later
"""pt-dump and pt-walk against a naive reading of the RAM file: every leaf, random addresses."""
from __future__ import annotations

import json
import random
import re
import struct
import time

import debugger
import oracle
import pytest
from conftest import BUILD, ROOT
from debugger import RAM_BASE, Gdb, Ram

gdb, mistakes, stopped = debugger.gdb, debugger.mistakes, debugger.stopped
SHIFT = (39, 30, 21, 12)
WALKS = """python
import json, random
from hvscope import guestwalk, regime, walk
from hvscope.target import TARGET, register
def walks(name, high, root, addresses):
    rules, own = regime.regime_of(name, high, register)
    nested = name == 'el1' and not regime.off_words('s2', register)
    stage2 = regime.regime_of('s2', False, register) if nested else None
    pages = {}
    def read(pa, size):
        page = pa & ~4095
        if page not in pages:
            pages[page] = TARGET.read_phys(page, 4096)
        return pages[page][pa - page:pa - page + size]
    tables = guestwalk.read_through(read, stage2)
    with TARGET.physical():
        answers = [walk.walk(tables, rules, root or own, va) for va in addresses]
    print(json.dumps([a["result"] and int(a["result"]["pa"], 0) for a in answers]))
end"""


def leaves_of(dump: dict) -> list[tuple[int, int, int]]:
    """(va, pa, level) of each leaf of a JSON dump."""
    found = []
    for one in dump["ranges"]:
        va, size, pa = (int(one[key], 0) for key in ("va", "size", "pa"))
        step = size // one["leaves"]
        assert step == 1 << SHIFT[one["level"]] and size % step == 0
        found += [(va + n * step, pa + n * step, one["level"]) for n in range(one["leaves"])]
    return found


def expected(memory: oracle.Memory, root: int) -> dict[int, tuple[int, int]]:
    """VA to (entry, level), by the oracle."""
    return {va: (pte, level) for va, pte, level in oracle.leaves(memory, root)}


def check_dump(memory: oracle.Memory, dump: dict, root: int) -> None:
    """Every leaf, its rights and software bits; slots are never merged."""
    expect = expected(memory, root)
    assert leaves_of(dump) == [
        (va, (pte & 0xFFFFFFFFF000) >> SHIFT[level] << SHIFT[level], level)
        for va, (pte, level) in sorted(expect.items())]
    for one in dump["ranges"]:
        pte, level = expect[int(one["va"], 0)]
        assert one["software"] == hex(pte >> 55 & 15)
        assert one["perm"] == "r" + "-w"[not pte & 0x80] + "-x"[not pte >> 54 & 1 and
                                                                bool(pte & 0x80)]
        assert one["leaves"] == 1 or one["region"] != "domheap"
        assert (one["region"] == "domheap") == (int(one["va"], 0) >> 39 == 255)


@pytest.mark.parametrize("cpu", ["cortex-a57", "neoverse-n1", "max"])
def test_el2_is_what_memory_holds(machine, gdb, cpu: str) -> None:
    """Each CPU's every leaf, 10 000 random addresses, the monitor's own translation."""
    m = machine(smp=2, cpu=cpu, cmdline="pace=100")
    session, ram = gdb(m), Ram(m)
    session("break map_domain_page")
    session("continue")
    memory = oracle.Memory(m.dir / "ram", BUILD / "hv-xen.elf")
    session(WALKS)
    for n in (0, 1):
        dump = json.loads(session(f"pt-dump --cpu {n} --json"))
        assert (dump["schema"], dump["regime"], dump["cpu"]) == ("hvscope.ranges/1", "el2", n)
        check_dump(memory, dump, ram.root(n))
        noise, vas = random.Random(n), list(expected(memory, ram.root(n)))
        addresses = [noise.choice(vas) + noise.randrange(4096) if noise.random() < 0.7
                     else noise.getrandbits(48) for _ in range(5000)]
        session(f"python addresses = {addresses}")
        found = json.loads(session(f"python walks('el2', False, {ram.root(n)}, addresses)"))
        assert found == [ram.walk(ram.root(n), va) for va in addresses]
    for va in random.Random(2).sample(list(expected(memory, ram.root(0))), 20):
        pa = int(re.search(r"gpa: (\S+)", session(f"monitor gva2gpa {va:#x}"))[1], 0)
        assert pa == ram.walk(ram.root(0), va) & ~0xFFF


def test_ranges_text(stopped) -> None:
    """80 columns, regions by name, a part by --range, the same leaves from a root by hand."""
    m, session = stopped
    text = session("pt-dump --range 0xa0000000000-0xa07ffffffff")
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80 and "image:" in lines and "fixmap:" in lines
    assert "domheap:" not in lines
    whole = session("pt-dump")
    assert max(map(len, whole.splitlines())) <= 80 and "domheap:" in whole
    root = json.loads(session("pt-walk 0 --json"))["root"]
    assert session(f"pt-dump --root {root} --json") == session("hv-map --json")
    layout = session("hv-layout")
    assert max(map(len, layout.splitlines())) <= 80
    leaves = sum(line.startswith("  0x7f80") for line in whole.splitlines())
    assert int(re.search(r"(\d+)  domheap:", layout)[1]) == leaves


@pytest.mark.parametrize("command, said", [
    ("pt-dump 5", "takes options only"), ("pt-dump --range 5", "write it as A-B"),
    ("pt-dump --range 9-5", "ends before it begins"), ("pt-dump --regime x", "x is no regime"),
    ("pt-dump --regime guest", "one stage"), ("pt-dump --root 12", "not aligned"),
    ("pt-walk 0 --regime el2-e2h", "E2H is 0"), ("pt-walk 0 --regime nest", "no regime"),
    ("pt-walk 0 --regime guest --root 0", "two roots"), ("mapcache-slot", "which slot"),
    ("mapcache-slot 1024", "there are 0-1023"), ("mapcache-slot x", "No symbol"),
    ("mapcache-find", "what?"), ("mapcache-find xy:1", "xy"), ("mapcache-explain", "which frame"),
    ("mapcache-explain -1", "no frame number"), ("mapcache-log -n x", "not a number"),
    ("mapcache-diff 3", "takes options only"), ("mapcache-slot 1 --cpu 0,1", "one CPU"),
    ("mapcache-stats --cpu 9", "no CPU9"), ("hv-layout x", "takes options only")])
def test_mistakes(mistakes: Gdb, command: str, said: str) -> None:
    """One sentence, never a traceback."""
    text = mistakes(command)
    assert said in text and text.startswith("hvscope: ") and len(text.splitlines()) == 1


def test_fuzzed_tables(machine, gdb) -> None:
    """Tables of noise, and such that lead back to themselves: an answer or a sentence, soon."""
    m = machine(smp=1, mem="512M", cmdline="pace=50")
    session, noise = gdb(m), random.Random(5)
    area = RAM_BASE + 0x1C000000
    with open(m.dir / "ram", "r+b") as file:
        for round_ in range(6):
            for page in range(8):
                entries = [0] * 512
                for _ in range(noise.randrange(1, 40)):
                    target = area + 4096 * noise.randrange(10) + noise.choice((0, 0, 1 << 33))
                    entries[noise.randrange(512)] = noise.choice((
                        target | 3, target | 0x701, noise.getrandbits(64)))
                if round_ == 5:
                    entries = [area | 0x703] * 512
                file.seek(area - RAM_BASE + 4096 * page)
                file.write(b"".join(entry.to_bytes(8, "little") for entry in entries))
            file.flush()
            start = time.monotonic()
            for command in (f"pt-dump --root {area:#x}", f"pt-dump --json --root {area:#x}",
                            f"pt-walk {noise.getrandbits(48):#x} --root {area:#x}"):
                text = session(command)
                assert "Traceback" not in text and "Error" not in text
            assert time.monotonic() - start < 20
    assert "more than" in text or session(f"pt-dump --root {area:#x}").startswith("hvscope: more")
    assert session.mode() == "0"


def costs(session: Gdb, m, command: str, turns: int) -> tuple[list[int], float, float]:
    """What the stub was asked (bytes, reads, packets, least packets); floor and cost in s."""
    session(f"source {ROOT / 'tests/bench/tools_gdb_probe.py'}")
    asked = json.loads(session(f"python asked('{command}')"))
    pairs = json.loads(session(f"python turns('{command}', {turns}, {m.process.pid})"))
    floor, _, cost = (min(column) for column in zip(*pairs))
    print(f"{command}: bare {floor * 1e3:.2f} ms, cost {cost * 1e3:.2f} ms, asked {asked}")
    return asked, floor, cost


def beacon_bytes(m, cpus: int) -> int:
    """What a reading of the image header, the beacon and the CPUs' blocks takes."""
    ram = Ram(m)
    return 64 + 504 + cpus * ram.word32(ram.beacon + 156)


def test_speed_of_a_large_space(machine, gdb) -> None:
    """262 144 pages of 4 KiB in 515 tables: each is read once."""
    m = machine(smp=1, mem="512M", cmdline="pace=20")
    session, area = gdb(m), RAM_BASE + 0x1C000000
    with open(m.dir / "ram", "r+b") as file:
        file.seek(area - RAM_BASE)
        entries = [area + 0x1003, *[0] * 511, *[area + 0x2000 + 4096 * n + 3 for n in range(512)]]
        file.write(struct.pack("<1024Q", *entries))
        for n in range(512):
            pages = (0x40000703 + (n * 512 + i << 12 if n % 16 else n * 512 + i << 13)
                     for i in range(512))
            file.write(struct.pack("<512Q", *pages))
        root = area + 0x300000
        file.seek(root - RAM_BASE)
        file.write(struct.pack("<Q", area + 3))
    command = f"pt-dump --root {root:#x}"
    assert " 262144 leaves" in session(command)
    asked, floor, cost = costs(session, m, command, 2)
    assert asked[0] == 515 * 4096 + beacon_bytes(m, 1) and asked[1] == asked[3]
    assert cost < 6 * floor


def test_speed(machine, gdb) -> None:
    """A whole EL2 dump: each table is read once; time is bounded."""
    m = machine(smp=4, cmdline="pace=20")
    session = gdb(m)
    asked, floor, cost = costs(session, m, "pt-dump", 10)
    tables = oracle.tables(oracle.Memory(m.dir / "ram", BUILD / "hv-xen.elf"), Ram(m).root(0))
    assert asked[0] == 4096 * tables + beacon_bytes(m, 4) and asked[1] == asked[3]
    assert cost < 6 * floor
