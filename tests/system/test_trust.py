# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults that are injected, guests that lie, and the set-up's security.

FAULTS names, for each fault that a debugger's tools must live with, the test that injects it.
"""

import os
import re
import signal
import stat
import subprocess
from pathlib import Path

import pytest
import test_gdb_session
from conftest import BUILD, ROOT, read_beacon, wait_until
from machine import connect
from test_gdb_session import Gdb, Ram
from test_viewer import HVSCOPE, Made, Tmux, check_error, made, run, start_view, tmux  # noqa: F401

gdb = test_gdb_session.gdb

HERE, MACHINE = "tests/system/test_trust.py", "tests/system/test_viewer_machine.py"
FAULTS = {
    "QEMU killed under a viewer": f"{MACHINE} test_killed_and_started_again",
    "QEMU stopped, reset": f"{MACHINE} test_stop_step_and_reset",
    "QEMU does not answer": f"{HERE} test_qemu_hangs",
    "another image in its place": "tests/system/test_viewer.py test_reset_and_other_image",
    "RAM file truncated": "tests/unit/viewer_source.c test_truncated",
    "RAM file no regular file, at attach": "tests/unit/viewer_source.c test_not_ram",
    "RAM file a FIFO or a directory, under a viewer": f"{HERE} test_ram_is_no_file_any_more",
    "QMP busy": "tests/unit/viewer_source.c test_qmp_busy",
    "QMP answers garbage": "tests/unit/viewer_source.c test_qmp_garbage",
    "QMP answers in part": "tests/unit/viewer_source.c test_qmp_slow_registers",
    "QMP answers nothing": "tests/unit/viewer_source.c test_no_qmp",
    "QMP says what is not so": "tests/unit/viewer_ask.c test_not_saved",
    "stub ends inside a packet": "tests/unit/viewer_gdb.c test_cut",
    "stub is no stub, or a bad one": "tests/unit/viewer_gdb.c test_bad_stubs",
    "disk full while recording": "tests/unit/viewer_files.c test_disk_full",
    "disk full under a dump": "tests/system/test_viewer.py test_output_errors",
    "terminal closed": "tests/system/test_viewer.py test_signals",
    "terminal that takes nothing": f"{MACHINE} test_slow_terminal",
    "clock set": f"{HERE} test_no_clock_that_can_be_set",
    "gdb killed": f"{HERE} test_gdb_killed",
    "attached and detached again and again": f"{HERE} test_attached_again_and_again",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_a_test(fault: str) -> None:
    """The table names tests that exist."""
    file, name = FAULTS[fault].split()
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^(static void|def) {name}\(", text, re.M)
    assert file.endswith(".py") or re.search(rf"cmocka_unit_test\w*\({name}\b", text)


def test_qemu_hangs(machine, tmux: Tmux) -> None:  # noqa: F811
    """QEMU that does nothing any more: memory is still shown, keys work, and it comes back."""
    m = machine(smp=1, cmdline="pace=20")
    tmux.start(f"exec {HVSCOPE} view --dir {m.dir}", 80, 24)
    tmux.wait("LIVE")
    os.kill(m.process.pid, signal.SIGSTOP)
    try:
        assert run("dump", "--dir", m.dir).returncode == 0
        tmux.keys("?")
        tmux.wait("this help")
        tmux.keys("q")
        tmux.wait("CPU0", gone="this help")
    finally:
        os.kill(m.process.pid, signal.SIGCONT)
    tmux.wait("LIVE", r"last 0.5 s: CPU0 [1-9]")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_ram_is_no_file_any_more(tmux: Tmux, made: Made, make) -> None:  # noqa: F811
    """Something else has the name of the RAM file: nothing waits for it, and it is said."""
    start_view(tmux, made)
    ram = made.dir / "ram"
    ram.unlink()
    make(ram)
    tmux.wait("GONE", "CPU0")
    check_error(run("dump", "--dir", made.dir), 3, "RAM file")
    tmux.keys("?")
    tmux.wait("this help")
    (os.rmdir if ram.is_dir() else os.unlink)(ram)


def test_no_clock_that_can_be_set() -> None:
    """Deadlines and rates are by a clock that nobody sets: a jump of the time of day is nothing."""
    for file in sorted(ROOT.glob("viewer/*/*.c")):
        if file.parent.name != "tracer":  # its file has a number that differs from run to run
            text = file.read_text()
            assert not re.search(r"CLOCK_REALTIME|gettimeofday|\btime\((NULL|&)", text), file


def running(m) -> bool:
    """Does the machine run, by QEMU's own word?"""
    return m.qmp("query-status")["running"]


def stub_mode(m) -> str:
    """Physical mode of the stub, by a client that asks for nothing else and detaches."""
    with connect(m.dir, "gdb.sock") as stub, stub.makefile("rb") as answers:
        def ask(packet: bytes) -> str:
            stub.sendall(b"+$%s#%02x" % (packet, sum(packet) % 256))
            text = b"T"
            while text[:1] == b"T":  # it stopped, and says so
                text = b""
                while not text.endswith(b"#"):
                    text += answers.read(1).lstrip(b"+$")
                answers.read(2)
            return text[:-1].decode()
        mode = ask(b"qqemu.PhyMemMode")
        ask(b"D;1")
        return mode


def test_gdb_killed(machine, gdb) -> None:  # noqa: F811
    """A gdb that dies in physical mode leaves the stub in it; who comes next is not misled."""
    m = machine()
    first = gdb(m, scripts=False)
    first("maintenance packet Qqemu.PhyMemMode:1")
    first.process.kill()
    first.process.wait()
    session = gdb(m)
    assert session.mode() == "0"
    assert "<hv_main" in session("x/i hv_main")
    assert "mapcache ready" in session("mapcache-dump")
    session.process.kill()
    session.process.wait()
    assert run("dump", "--gdb", m.dir / "gdb.sock").returncode == 0
    assert stub_mode(m) == "0"
    wait_until(lambda: running(m))


def attach_and_detach(m, times: int, gdbs: int) -> None:
    """A viewer's connection so many times, then gdb's."""
    for _ in range(times):
        assert run("dump", "--gdb", m.dir / "gdb.sock").returncode == 0
    for _ in range(gdbs):
        session = Gdb("-ex", f"target remote {os.path.relpath(m.dir, ROOT)}/gdb.sock")
        assert "mapcache ready" in session("mapcache-dump")
        session.close()


def descriptors(pid: int) -> int:
    """How many a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_attached_again_and_again(machine) -> None:
    """No descriptor of QEMU's is left, the machine runs, the stub's mode is off. Soak: 1000."""
    m = machine(smp=2)
    attach_and_detach(m, 1, 0)
    wait_until(lambda: running(m))
    before = descriptors(m.process.pid)
    attach_and_detach(m, 5, 1)
    wait_until(lambda: running(m) and descriptors(m.process.pid) <= before)
    assert stub_mode(m) == "0"


def check_harmless(output: str, what: object) -> None:
    """Nothing in it that a terminal would act on."""
    assert output, what
    bad = re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", output)
    assert not bad, (what, output[max(bad.start() - 40, 0):bad.end() + 40])


EVIL = b"\x1b[2J\x07\x9b31m\x7f\x00\r\x08"


def test_hostile_guest(machine, gdb) -> None:  # noqa: F811
    """Control bytes in every text that a guest says: message, events, options, what it prints."""
    m = machine(smp=1, cmdline="pace=20 no\x1b[2J\x07such=1 workload=\x1b]0;title\x07")
    m.qmp("stop")
    beacon, cpu = Ram(m).beacon, read_beacon(m).cpus[0].fields
    newest = cpu["ring"] + (cpu["ring_head"] - 1) % cpu["ring_entries"] * 32
    with open(m.dir / "ram", "r+b") as ram:
        for pa, data in ((beacon + 320, EVIL[:-3] + b"slot\x1b]52;c;aGk=\x07\n\t\0"),
                         (beacon + 24, b"\x03"),  # panicked: the message is shown
                         (newest, (9 << 48 | 2 << 52 | 1).to_bytes(8, "little") + EVIL[:16])):
            ram.seek(pa - 0x40000000)
            ram.write(data)
    for words in (["dump"], ["dump", "--json"], ["events"], ["events", "--json"], ["stats"],
                  ["check"], ["cpus"], ["map"], ["view", "--once"], ["walk", "0x7f8000000000"]):
        said = run(*words, "--dir", m.dir)
        check_harmless(said.stdout + said.stderr, words)
    session = gdb(m)
    for command in ("mapcache-dump", "mapcache-log -n 5", "mapcache-stats", "mapcache-check",
                    "hv-cpus", "hv-guests", "hv-layout", "mapcache-history 36", "pt-dump"):
        check_harmless(session(command), command)
    m.qmp("cont")


def test_hostile_guest_on_the_console(tmp_path: Path) -> None:
    """What the image prints of its device tree reaches the terminal without control bytes."""
    said = subprocess.run(
        [ROOT / "hv/launch/run", "--dir", tmp_path / "run", "--image", BUILD / "hv-xen.bin",
         "--smp", "1", "--append", "workload=idle no\x1b[2J\x07\x9bsuch=1"], input=b"off\n",
        capture_output=True, timeout=60, check=False)
    assert b"unknown option no?[2J" in said.stdout
    check_harmless((said.stdout + said.stderr).decode(errors="surrogateescape"), "make run")


def test_set_up(machine) -> None:
    """The run directory and RAM are the user's alone; sockets are in it; nothing listens on TCP."""
    m = machine(smp=1)
    mode = {p.name: p.stat().st_mode for p in [m.dir, *m.dir.iterdir()]}
    assert stat.S_IMODE(mode[m.dir.name]) == 0o700
    assert stat.S_IMODE(mode["ram"]) == 0o600
    sockets = {name for name, bits in mode.items() if stat.S_ISSOCK(bits)}
    assert {"qmp.sock", "qmp-user.sock", "gdb.sock", "console.sock"} <= sockets
    own = {os.readlink(link) for link in Path(f"/proc/{m.process.pid}/fd").iterdir()
           if link.is_symlink()}
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{m.process.pid}/net/{table}").read_text().splitlines()[1:]:
            assert f"socket:[{line.split()[9]}]" not in own, line


def test_no_shell() -> None:
    """No command is put together as text for a shell: viewer, launch scripts, GDB scripts."""
    c = re.compile(r"\b(system|popen|execl[pe]?|wordexp)\(")
    python = re.compile(r"shell=True|os\.(system|popen)\(|getoutput\(")
    for file in sorted(ROOT.glob("viewer/*/*.c")):
        assert not c.search(file.read_text()), file
    for file in [*ROOT.glob("hv/launch/*"), *ROOT.glob("gdb-scripts/**/*.py")]:
        if file.is_file():
            assert not python.search(file.read_text(errors="replace")), file


def test_temporary_files() -> None:
    """In a shared folder a name is made by the kernel's O_EXCL: mkstemp(), mkdtemp()."""
    for file in sorted(ROOT.glob("viewer/*/*.c")):
        text = file.read_text()
        assert not re.search(r"\b(tmpnam|tempnam|mktemp|tmpfile)\(", text), file
        assert "/tmp/" not in text or "mkdtemp(" in text, file
    for file in [*ROOT.glob("hv/launch/*"), *ROOT.glob("gdb-scripts/**/*.py")]:
        if file.is_file():
            assert not re.search(r"mktemp\(|[\"']/tmp/", file.read_text(errors="replace")), file


def test_read_only() -> None:
    """What belongs to somebody else is opened to be read; O_WRONLY is for recordings."""
    for file in sorted([*ROOT.glob("viewer/source/*.c"), *ROOT.glob("viewer/model/*.c")]):
        if re.search(r"O_RDWR|O_WRONLY|O_CREAT|PROT_WRITE", file.read_text()):
            assert file.name == "recorder.c", file
