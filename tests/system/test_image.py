# SPDX-License-Identifier: GPL-2.0-or-later
"""The image itself: how it boots, works, fails and ends."""

import re
import subprocess
import time
from pathlib import Path

import pytest
from conftest import BUILD, ROOT, read_beacon, wait_until
from machine import Machine


def gdb(m, *commands, timeout=60):
    """Run GDB commands on a machine; what they printed."""
    words = [w for c in commands for w in ("-ex", c)]
    return subprocess.run(
        ["gdb-multiarch", "-nx", "-q", "-batch", "-ex", "target remote gdb.sock", *words,
         str(BUILD / "hv-xen.elf")], cwd=m.dir, capture_output=True, text=True, timeout=timeout,
        check=False).stdout


@pytest.mark.parametrize("smp,cpu", [(1, "max"), (3, "max"), (4, "cortex-a57")])
def test_boots_works_and_ends(machine, smp, cpu):
    """All CPUs come up, verify pages, give every map back, and the status is 0."""
    m = machine(smp=smp, cpu=cpu)
    assert f"{smp} of {smp} CPUs up" in m.console()
    deadline = time.monotonic() + 30
    while any(c.fields["verified"] < 100 or not c.fields["commandeers"]
              for c in read_beacon(m).cpus):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    m.type("off")
    assert m.wait(30) == 0
    assert "off: every map was given back" in m.console()
    assert "PANIC" not in m.console()
    b = read_beacon(m)
    assert [c.fields["maps"] - c.fields["unmaps"] for c in b.cpus] == [0] * smp


def test_register_contract(machine):
    """mapcache.md, "Register contract", on a CPU with few features and one with all."""
    for cpu, pa_range in (("cortex-a57", 4), ("max", 5)):
        m = machine(smp=2, cpu=cpu, cmdline="pace=100")
        out = gdb(m, *(f"thread {t}" for t in (1,)), *(
            f"printf \"{r} %#lx\\n\", ${r}" for r in (
                "HCR_EL2", "TCR_EL2", "SCTLR_EL2", "MAIR_EL2", "TTBR0_EL2", "VBAR_EL2",
                "CPTR_EL2", "HSTR_EL2")))
        value = {k: int(v, 16) for k, v in re.findall(r"^(\w+_EL2) (0x[0-9a-f]+|0)$", out, re.M)}
        assert value["HCR_EL2"] == 1 << 31 | 7 << 3
        assert value["TCR_EL2"] == (1 << 31 | 1 << 23 | pa_range << 16 | 3 << 12 | 1 << 10 |
                                    1 << 8 | 16)
        assert value["SCTLR_EL2"] & (1 << 19 | 1 << 12 | 1 << 3 | 1 << 2 | 1) == 0x8100D
        assert value["MAIR_EL2"] == 0xFF000004EEAA4400
        assert value["TTBR0_EL2"] == read_beacon(m).cpus[0].root
        assert value["VBAR_EL2"] % 2048 == 0 and value["VBAR_EL2"] >> 23 == 0xA0000200000 >> 23
        m.cleanup()


def test_stale_ram_and_reset(machine):
    """A reset brings a new boot id; the beacon of the earlier run is never there."""
    m = machine()
    ids = {read_beacon(m).boot_id}
    for _ in range(3):
        m.qmp("stop")
        m.qmp("system_reset")
        dump = subprocess.run([BUILD / "hvscope", "dump", "--dir", m.dir], capture_output=True,
                              text=True, check=False)
        assert dump.returncode == 4 and dump.stdout == ""
        assert dump.stderr.startswith("hvscope: ") and dump.stderr.count("\n") == 1
        said = m.console().count("CPUs up")
        m.qmp("cont")
        deadline = time.monotonic() + 30
        while m.console().count("CPUs up") == said:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        ids.add(read_beacon(m).boot_id)
    assert len(ids) == 4


def test_exception_ends_the_run(machine):
    """A wild pointer: registers and the walk on the console, status 1, machine off."""
    m = machine(cmdline="pace=1000")
    gdb(m, "set breakpoint pending on", "tbreak unmap_domain_page", "continue",
        "set $pc = 0x7f8000000000 + 1023 * 0x200000", "continue")
    assert m.wait(30) == 1
    console = m.console()
    assert "synchronous exception from EL2: instruction abort" in console
    assert re.search(r"x0 +0x[0-9a-f]{16}", console)
    assert "walk of 0x7fffffe00000" not in console
    assert re.search(r"walk of 0x7f807fe00000 from 0x[0-9a-f]+\n"
                     r"  level 0 table 0x[0-9a-f]+ \[255\] = 0x[0-9a-f]+ table\n"
                     r"  level 1 table 0x[0-9a-f]+ \[1\] = 0x[0-9a-f]+ table\n"
                     r"  level 2 table 0x[0-9a-f]+ \[511\] = 0x[0-9a-f]{16} (invalid|leaf)",
                     console)
    assert re.search(r"PANIC on CPU\d: synchronous exception at 0x7f807fe00000", console)
    b = read_beacon(m)
    assert b.state == 3 and b.message.startswith("synchronous exception at 0x7f807fe00000")


def test_full_table_is_a_bug_with_a_census(machine):
    """All slots taken behind its back: the next map panics and says what the slots hold."""
    m = machine(smp=1, cmdline="pace=1000")
    taken = b"".join((0x0040000000000F7D | 0x60000000 | 15 << 55).to_bytes(8, "little")
                     for _ in range(1024))
    (m.dir / "slots").write_bytes(taken)
    gdb(m, "tbreak copy_step", "continue", "restore slots binary cpu0_dommap", "continue")
    assert m.wait(30) == 1
    assert "1024 slots saturated" in m.console()
    assert re.search(r"PANIC on CPU0: map_domain_page\(0x[0-9a-f]+\): all 1024 slots are in use, "
                     r"15360 references", m.console())


def test_run_exits_with_the_image_status(tmp_path):
    """hv/launch/run: 0 after "off", and says so."""
    run = [ROOT / "hv/launch/run", "--image", BUILD / "hv-xen.bin", "--dir", tmp_path / "run"]
    ok = subprocess.run(run, input="stats\noff\n", capture_output=True, text=True, timeout=60,
                        check=False)
    assert ok.returncode == 0 and "exit status 0" in ok.stdout and "domheap:" in ok.stdout


def test_run_that_waits_to_be_started(tmp_path):
    """QEMU_EXTRA=-S: the console is followed from the first instruction on, whenever that is."""
    m = Machine(tmp_path / "run", BUILD / "hv-xen.bin")

    def waits():
        try:
            return m.qmp("query-status")["status"] == "prelaunch"
        except OSError:  # no such socket yet
            return False

    with subprocess.Popen(
            [ROOT / "hv/launch/run", "--image", m.image, "--dir", m.dir, "--extra=-S"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        wait_until(waits)
        m.qmp("cont")
        said, _ = process.communicate("off\n", 60)
    assert process.returncode == 0 and "CPUs up" in said and said.endswith("exit status 0\n")


def test_run_that_is_ended_leaves_nothing(tmp_path):
    """SIGTERM: QEMU ends, the RAM on tmpfs goes, the status is that of the signal."""
    directory = tmp_path / "run"
    process = subprocess.Popen(
        [ROOT / "hv/launch/run", "--image", BUILD / "hv-xen.bin", "--dir", directory],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    while "CPUs up" not in process.stdout.readline():
        assert process.poll() is None
    ram = (directory / "ram").resolve()
    pid = int((directory / "pid").read_text())
    process.terminate()
    assert process.wait(10) == 143
    assert not ram.exists() and not Path(f"/proc/{pid}").exists()


def test_not_entered_at_el2(machine):
    """Without EL2: one sentence, off, and no status."""
    m = machine(extra="-M virtualization=off", ready="")
    assert m.wait(20) == 70
    assert m.console() == "hv: not entered at EL2: start QEMU with -M virt,virtualization=on\n"


def test_command_line_mistakes_are_named(machine):
    """Unknown options and bad values: a line each, and the default."""
    m = machine(cmdline="pace=fast nonsense=1 directmap=maybe workload=none trace=api = x")
    console = m.console()
    for line in ("pace=fast is not understood", "unknown option nonsense: ignored",
                 "directmap=maybe is not understood (on, off)", "workload=none is not understood",
                 "unknown option x: ignored"):
        assert f"command line: {line}" in console
    assert "directmap off" in console


def test_directmap_on_bypasses(machine):
    """directmap=on: every map is answered from there, no slot is used."""
    m = machine(cmdline="directmap=on pace=2000")
    deadline = time.monotonic() + 30
    while min(c.fields["work"] for c in read_beacon(m).cpus) < 10:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for cpu in read_beacon(m).cpus:
        assert cpu.fields["bypasses"] > 20 and cpu.fields["maps"] == 0


def test_pace_and_idle(machine):
    """pace=100: no two calls of a CPU are closer than that, and waiting costs no host CPU."""
    m = machine(smp=2, cmdline="workload=copy pace=100")
    deadline = time.monotonic() + 30
    while min(c.fields["work"] for c in read_beacon(m).cpus) < 20:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    b = read_beacon(m)
    for cpu in b.cpus:
        with open(m.dir / "ram", "rb") as ram:
            head = cpu.fields["ring_head"]
            ram.seek(cpu.fields["ring"] - 0x40000000)
            ring = ram.read(4096 * 32)
        times = [int.from_bytes(ring[i % 4096 * 32:][:6], "little")
                 for i in range(head - 100, head)]
        span = (times[-1] - times[0]) / b.fields["cntfrq"]
        assert 0.9 * 99 / 100 <= span
    used = sum(map(int, open(f"/proc/{m.process.pid}/stat").read().split()[13:15]))
    time.sleep(1)
    used = sum(map(int, open(f"/proc/{m.process.pid}/stat").read().split()[13:15])) - used
    assert used < 60, "two CPUs that wait most of the time used over 0.6 s of a second"


def test_trace_off_has_no_ring(machine):
    """trace=off: no records, and the counters go on."""
    m = machine(cmdline="trace=off")
    for cpu in read_beacon(m).cpus:
        assert cpu.fields["ring"] == 0 and cpu.fields["ring_head"] == 0


def test_one_machine_a_directory(machine):
    """A second machine in a run directory is refused, and the first is left alone."""
    m = machine()
    second = Machine(m.dir, BUILD / "hv-xen.bin")
    with pytest.raises(Exception, match="a machine runs in .* already"):
        second.start()
    assert m.qmp("query-status")["status"] == "running"


def test_full_rate(machine):
    """15 s (make soak: 10 min), 4 CPUs, no pace: every pattern is right, every map given back."""
    m = machine(smp=4)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        time.sleep(1)
        assert m.process.poll() is None, m.console()
    before = read_beacon(m)
    m.type("off")
    assert m.wait(60) == 0, m.console()
    totals = re.findall(r"CPU\d: (\d+) maps, (\d+) unmaps", m.console())
    assert len(totals) == 4 and all(a == b for a, b in totals)
    assert min(c.fields["verified"] for c in before.cpus) > 1000
