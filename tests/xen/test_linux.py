# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's Linux started at EL2, a hypervisor that nobody here knows: nVHE and VHE (E2H).

Tables by registers alone, in GDB and in the viewer, against a naive reading of memory.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest
from conftest import BUILD, wait_until
from foreign import READY, Linux, with_program
from tools import gdb, mapped
from xen_oracle import entries_below

NAMES = ("HCR_EL2", "TCR_EL2", "TTBR0_EL2", "TTBR1_EL2", "SCTLR_EL2")
E2H = 1 << 34
ROOT = 0x0000FFFFFFFFF000


@pytest.fixture(scope="module", name="linux", params=["nvhe", "vhe"])
def booted(request, tmp_path_factory):
    """Each once; KVM is in the kernel."""
    append = "kvm-arm.mode=nvhe" if request.param == "nvhe" else ""
    m = Linux(tmp_path_factory.mktemp("linux") / "run", BUILD, append=append, cpu="max", smp=2,
              mem="1G")
    m.mode = request.param
    if m.mode == "nvhe":  # only with a virtual machine is there something of its at EL2
        program = m.dir.parent / "vm"
        subprocess.run(["aarch64-linux-gnu-gcc", "-O1", "-nostdlib", "-static", "-ffreestanding",
                        "-o", program, Path(__file__).with_name("vm.c")], check=True)
        m.initrd = with_program(m.initrd, program, m.dir.parent / "initrd")
    m.start()
    try:
        m.wait_console(READY, 400)
        wait_until(lambda: enabled(m))
        yield m
    finally:
        m.cleanup()


def ask(m, *words):
    """What hvscope printed by registers that it asks for; it says so."""
    done = subprocess.run([BUILD / "hvscope", *words, "--profile", "el2", "--dir", m.dir],
                          capture_output=True, text=True, timeout=60, check=True)
    assert re.fullmatch(r"hvscope: asked the gdb stub for EL2's registers, once: [^\n]*\n",
                        done.stderr)
    return done.stdout.strip()


def read(m, *commands):
    """What GDB prints without symbols; the machine stays halted."""
    return gdb(m, *commands, symbols=(), stay=True)


def registers(m, cpu):
    """The stub's own words for them."""
    said = read(m, f"thread {cpu + 1}", *(f"print/x ${name}" for name in NAMES))[1:]
    return {name: int(text.split()[-1], 0) for name, text in zip(NAMES, said)}


def halves(regs):
    """Root, size in bits and lowest address of what EL2's registers translate."""
    low = 64 - (regs["TCR_EL2"] & 63)
    parts = [(regs["TTBR0_EL2"] & ROOT, low, 0)]
    if regs["HCR_EL2"] & E2H:
        high = 64 - (regs["TCR_EL2"] >> 16 & 63)
        parts.append((regs["TTBR1_EL2"] & ROOT, high, (1 << 64) - (1 << high)))
    return parts


def enabled(m):
    """Halts it; does every CPU translate at EL2? If not, it runs on for a moment."""
    m.qmp("stop")
    if all(registers(m, cpu)["SCTLR_EL2"] & 1 for cpu in (0, 1)):
        return True
    m.qmp("cont")
    return False


def test_tables(linux):
    """pt-dump, hvscope map and the naive reading: every leaf."""
    commands = [["map", "--cpu", "0"], ["map", "--cpu", "1"]]
    said = [ask(linux, *words, "--json") for words in commands]
    assert read(linux, *(f"pt-dump --json --cpu {cpu}" for cpu in (0, 1))) == said
    for cpu, answer in enumerate(said):
        regs = registers(linux, cpu)
        assert bool(regs["HCR_EL2"] & E2H) == (linux.mode == "vhe") and regs["SCTLR_EL2"] & 1
        assert json.loads(answer)["regime"] == ("el2-e2h" if linux.mode == "vhe" else "el2")
        expected = [leaf for root, bits, base in halves(regs)
                    for leaf in entries_below(linux.dir / "ram", root, bits, base)]
        assert mapped(answer) == expected
        assert len(expected) > (100000 if linux.mode == "vhe" else 500)
    assert linux.qmp("query-status")["status"] == "paused"


def test_walks(linux):
    """Some leaves, and what is not mapped: walk and pt-walk print the same, and the leaf's PA."""
    regs = registers(linux, 0)
    root, bits, base = halves(regs)[-1]
    leaves = entries_below(linux.dir / "ram", root, bits, base)
    some = [*leaves[::max(len(leaves) // 8, 1)], leaves[-1]]
    asked = [hex(va + 0x123) for va, _, _ in some]
    said = [ask(linux, "walk", va, "--cpu", "0", "--json") for va in asked]
    assert read(linux, *(f"pt-walk {va} --cpu 0 --json" for va in asked)) == said
    for (_, pa, _), text in zip(some, said):
        assert int(json.loads(text)["result"]["pa"], 0) == pa + 0x123


def test_what_it_looks_like(linux):
    """The viewer's picture: the root of EL2's own half, tables only, no word of slots."""
    picture = ask(linux, "view", "--once")
    root = halves(registers(linux, 0))[-1][0]
    assert f"CPU0 root {root:#x}" in picture and "EL2 arm64  2 CPUs" in picture
    assert "reference count" not in picture
    cpus = read(linux, "hv-cpus")[0]
    assert re.search(r"^ \*   0 ", cpus, re.M)
