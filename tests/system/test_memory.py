# SPDX-License-Identifier: GPL-2.0-or-later
"""Much memory, little memory, holes, banks, many CPUs."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from conftest import BUILD, read_beacon, wait_until


def touched(m) -> int:
    """Bytes of the RAM file that exist."""
    return os.stat(m.dir / "ram").st_blocks * 512


def cpu_time(m) -> float:
    """Seconds that QEMU has computed."""
    fields = Path(f"/proc/{m.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
    return sum(map(int, fields.split()[11:13])) / os.sysconf("SC_CLK_TCK")


def boot_time(machine, mem: str, best_of: int = 3) -> float:
    """CPU time until all CPUs are up, without QEMU's own start: it has bits for every page."""
    own, times = [], []
    for _ in range(best_of):
        halted = machine(smp=2, mem=mem, extra="-S", ready="")
        assert halted.qmp("query-status")["status"] == "prelaunch"  # it has started
        own.append(cpu_time(halted))
        halted.cleanup()
        m = machine(smp=2, mem=mem, cmdline="workload=idle")
        times.append(cpu_time(m))
        assert touched(m) < 64 << 20
        m.cleanup()
    return min(times) - min(own)


def test_sparse_ram(machine):
    """64 GiB and 1.1 TiB: less than 64 MiB touched, at most twice the time of 4 GiB, plus noise."""
    small = boot_time(machine, "4G")
    assert boot_time(machine, "64G") < 2 * small + 0.2
    assert boot_time(machine, "1100G") < 2 * small + 0.2


def test_64_cpus(machine):
    """All come up, work and give back."""
    m = machine(smp=64, cmdline="workload=copy")
    assert "64 of 64 CPUs up" in m.console()
    wait_until(lambda: min(c.fields["work"] for c in read_beacon(m).cpus) > 5, 60)
    m.type("off")
    assert m.wait(60) == 0, m.console()


@pytest.mark.parametrize("cpu", ["cortex-a72", "neoverse-n1"])
def test_other_cpus(machine, cpu):
    """CPUs with fewer features than max."""
    m = machine(smp=4, cpu=cpu, cmdline="workload=copy,p2m census=on")
    wait_until(lambda: min(c.fields["verified"] for c in read_beacon(m).cpus) > 500)
    m.type("off")
    assert m.wait(30) == 0, m.console()


def test_two_banks(machine):
    """Two memory nodes, a file each: both are used."""
    m = machine(smp=2, mem="2G+2G", cmdline="workload=copy,storm")
    banks = re.findall(r"^RAM 0x(\w+)-0x(\w+), 2048 MiB$", m.console(), re.M)
    assert banks == [("40000000", "bfffffff"), ("c0000000", "13fffffff")]
    wait_until(lambda: min(c.fields["verified"] for c in read_beacon(m).cpus) > 1000)
    assert os.stat(m.dir / "ram1").st_blocks * 512 > 1 << 20
    m.type("off")
    assert m.wait(30) == 0, m.console()


def test_holes(machine):
    """mem=: only what is named is used, cut to what there is."""
    m = machine(smp=2, cmdline="workload=copy mem=512M@0x40000000,64M@0x90000000,4G@0x13f000000")
    banks = list(read_beacon(m).banks)
    assert banks == [(0x40000000, 512 << 20), (0x90000000, 64 << 20), (0x13f000000, 16 << 20)]
    wait_until(lambda: min(c.fields["verified"] for c in read_beacon(m).cpus) > 1000)
    with open(m.dir / "ram", "rb") as ram:
        ram.seek(0x30000000)
        assert not any(ram.read(16 << 20)), "something was written to a hole"
    m.type("off")
    assert m.wait(30) == 0, m.console()


def test_image_outside_mem(machine):
    """The image's own memory is RAM too, though mem= leaves it out: no slot is broken."""
    m = machine(smp=2, cmdline="workload=copy mem=1G@0x80000000")
    banks = list(read_beacon(m).banks)
    assert banks[0][0] == 0x40200000 and banks[0][1] < 2 << 20
    assert banks[1:] == [(0x80000000, 1 << 30)]
    wait_until(lambda: min(c.fields["verified"] for c in read_beacon(m).cpus) > 1000)
    out = subprocess.run([BUILD / "hvscope", "--dir", m.dir, "dump", "--json"], check=True,
                         capture_output=True, text=True, timeout=30).stdout
    assert [c["counts"]["broken"] for c in json.loads(out)["cpus"]] == [0, 0]


def test_no_ram_where_it_is_wanted(machine):
    """mem= beside all RAM: a line, and all is used."""
    m = machine(cmdline="mem=1G@0x8000000000")
    assert "mem= names no RAM that there is: the default stays" in m.console()
    assert len(read_beacon(m).banks) == 1


def test_out_of_memory_is_survived(machine):
    """5 MiB for everything: said once each, the work goes on with less, all comes back."""
    m = machine(smp=2, cmdline="mem=22M@0x40000000 census=on guests=8 "
                               "workload=copy,p2m,storm,nest,scrub,leak,saturate,guest")
    wait_until(lambda: min(c.fields["work"] for c in read_beacon(m).cpus) > 500, 60)
    said = re.findall(r"workload (\w+): out of memory", m.console())
    assert said and len(said) == len(set(said))
    m.type("off")
    assert m.wait(60) == 0, m.console()


def test_too_little_memory_to_boot(machine):
    """Not even a xenheap: a sentence and status 1."""
    m = machine(cmdline="mem=8M@0x40000000", ready="")
    assert m.wait(30) == 1
    assert re.search(r"PANIC on CPU0: no 16 MiB of contiguous RAM for the xenheap", m.console())
