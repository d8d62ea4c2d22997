# SPDX-License-Identifier: GPL-2.0-or-later
"""Each fault on purpose is found by the tool that is named for it; without one nothing is."""

import json
import re
import subprocess
import time

import pytest
from conftest import BUILD, ROOT, wait_until


def hvscope(m) -> list[dict]:
    """The CPUs of hvscope dump --json, of a machine that runs or has ended."""
    alive = m.process.poll() is None
    target = ["--dir", m.dir] if alive else ["--ram", m.dir / "ram"]
    out = subprocess.run([BUILD / "hvscope", *target, "dump", "--json"], capture_output=True,
                         text=True, check=True, timeout=30).stdout
    return json.loads(out)["cpus"]


def gdb_dump(m) -> list[dict]:
    """The CPUs of GDB's mapcache-dump --json."""
    out = subprocess.run(
        ["gdb-multiarch", "-nx", "-q", "-batch", "-ex", f"source {ROOT}/gdb-scripts/hvscope.py",
         "-ex", "target remote gdb.sock", "-ex", "mapcache-dump --json",
         str(BUILD / "hv-xen.elf")], cwd=m.dir, capture_output=True, text=True, timeout=60,
        check=True).stdout
    return json.loads(next(line for line in out.splitlines() if line.startswith("{")))["cpus"]


def broken(cpus: list[dict]) -> int:
    """Slots that a dump calls broken."""
    return sum(c["counts"]["broken"] for c in cpus)


def second_l2(cpus: list[dict]) -> list[str]:
    """Where each CPU's second level 2 page is."""
    return [c["tables"][2]["next"] for c in cpus]


def ends_with(m, pattern: str) -> None:
    """The image finds it itself: status 1 and this on the console."""
    assert m.wait(60) == 1, m.console()
    assert re.search(pattern, m.console()), m.console()
    assert m.console().count("PANIC on ") == 1  # of CPUs that find it at once the first reports


@pytest.mark.parametrize("fault,found", [
    # a page's contents are of the frame that had the slot before
    ("skip-tlbi", r"PANIC.*(pattern of mfn|p2m of mfn|interrupt's page)"),
    # the census between two operations, with the page and the caller
    ("forget-unmap", r"1 by 0xa00002\w+, the youngest at 0x7f8\w+\n"
                     r"PANIC on CPU0: work.c:\d+: CHECK.*slots hold 1 references"),
    ("double-unmap", r"PANIC on CPU0: .*unmap of 0x7f8\w+: slot \d+ has count 0"),
    ("stale-write", r"PANIC on CPU0: .*pattern of mfn 0x\w+ at 0x7f8\w+: word 7 is 0x0, not"),
])
def test_found_by_the_image(machine, fault, found):
    """CHECKs and patterns: the run ends at the fault."""
    m = machine(smp=2, cmdline=f"workload=copy census=on fault={fault}", ready="")
    ends_with(m, f"fault on purpose: {fault}\n(.*\n)*?.*{found}")
    print(f"| {fault} | {m.console().splitlines()[-2][:90]} |")


def test_corrupt_l2_is_found_by_the_dumps(machine):
    """hvscope dump and mapcache-dump call the slot broken; the run goes on and ends well."""
    m = machine(smp=2, cmdline="workload=copy fault=corrupt-l2")
    assert broken(hvscope(m)) == 0
    m.wait_console("fault on purpose: corrupt-l2")
    wait_until(lambda: broken(hvscope(m)) == 1)
    assert broken(gdb_dump(m)) == 1
    m.type("off")
    assert m.wait(30) == 0, m.console()


def test_share_l2_is_found_by_the_dump(machine):
    """Two CPUs with one level 2 page: hvscope dump shows it, and the image meets wrong pages."""
    m = machine(smp=2, cmdline="workload=copy fault=share-l2")
    before = second_l2(hvscope(m))
    assert before[0] != before[1]
    ends_with(m, r"fault on purpose: share-l2\n(.*\n)*?.*PANIC on CPU\d")
    after = second_l2(hvscope(m))
    assert after[0] == after[1] == before[1]


def test_a_fault_that_cannot_be_is_said(machine):
    """share-l2 needs two CPUs: a sentence, and the run goes on."""
    m = machine(smp=1, cmdline="workload=copy fault=share-l2")
    m.wait_console("fault share-l2: this machine has not what it needs")
    m.type("off")
    assert m.wait(30) == 0


def test_nothing_is_found_without_a_fault(machine):
    """The same work, no fault: no tool has anything to say."""
    m = machine(smp=2, cmdline="workload=copy census=on")
    for _ in range(4):
        time.sleep(0.5)
        cpus = hvscope(m)
        assert broken(cpus) == 0 and len(set(second_l2(cpus))) == 2
    assert broken(gdb_dump(m)) == 0
    m.type("off")
    assert m.wait(30) == 0, m.console()
    assert not re.search("PANIC|fault", m.console())
