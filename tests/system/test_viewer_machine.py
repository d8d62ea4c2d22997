# SPDX-License-Identifier: GPL-2.0-or-later
"""The viewer on a real machine: what it shows is true, and nobody notices that it looks."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest
from conftest import BUILD, ROOT, wait_until
from terminals import HVSCOPE, Tmux, check_error, run, tmux  # noqa: F401  (tmux: a fixture)


@pytest.fixture
def paced(machine) -> Iterator:
    """Two CPUs that map and unmap slowly enough to be watched."""
    yield machine(smp=2, cmdline="pace=20")


def start_view(terminal: Tmux, directory: Path, cols: int = 80, rows: int = 24,
               more: str = "") -> None:
    """The viewer on that run directory, and nothing else in the window."""
    terminal.start(f"exec {HVSCOPE} view --dir {directory} {more}", cols, rows)


def all_slots(directory: Path) -> list[dict]:
    """Each CPU's entries, free ones too, its count of maps, and of maps and unmaps."""
    dump = json.loads(run("dump", "--json", "--all", "--dir", directory).stdout)
    stats = json.loads(run("stats", "--json", "--dir", directory).stdout)
    return [{"slots": [slot["pte"] for slot in cpu["slots"]], "maps": counters["maps"],
             "operations": counters["maps"] + counters["unmaps"]}
            for cpu, counters in zip(dump["cpus"], stats["cpus"])]


def test_dump(machine) -> None:
    """Counts add up, slots are where their frames belong; while it runs, on 4 CPUs."""
    m = machine(smp=4)
    dump = json.loads(run("dump", "--json", "--all", "--dir", m.dir).stdout)
    assert dump["target"] == {"kind": "hv", "engine": "xen", "arch": "arm64", "ncpu": 4}
    for cpu in dump["cpus"]:
        assert len(cpu["slots"]) == 1024
        counts = cpu["counts"]
        assert counts["broken"] == 0
        assert sum(s["refs"] for s in cpu["slots"]) == counts["refs"]
        for state in ("free", "cached", "in-use", "saturated", "broken"):
            assert sum(s["state"] == state for s in cpu["slots"]) == counts[state]
    check_error(run("dump", "--dir", m.dir, "--cpu", "4"), 2, "no CPU4: this machine has 4 (0-3)")


def test_live(paced, tmux: Tmux) -> None:  # noqa: F811
    """Changes are seen and marked while the machine runs."""
    start_view(tmux, paced.dir)
    tmux.wait("LIVE 10Hz")
    tmux.wait(r"last 0.5 s: CPU0 [1-9]\d* slots?.*CPU1: [1-9]")
    tmux.keys("1")
    tmux.wait(r"last 0.5 s: CPU1 [1-9]\d* slots?.*CPU0: [1-9]")
    tmux.resize(160, 48)
    tmux.wait(r"map +CPU[01] +slot \d+ +x[1-9]")
    tmux.wait(r"CPU0 +\d+ +\d+ +\d+ +0 +0 +\d+ +[1-9]\d* ")


def test_stop_step_and_reset(paced, tmux: Tmux) -> None:  # noqa: F811
    """Stopped, compared with the stop before, live again, reset, ended."""
    start_view(tmux, paced.dir)
    tmux.wait("LIVE")
    paced.qmp("stop")
    tmux.wait("STOPPED paused, no debugger attached")
    tmux.wait("step, and what changes is marked")
    first = all_slots(paced.dir)
    assert first == all_slots(paced.dir)
    paced.qmp("cont")
    tmux.wait("LIVE")
    for cpu in (0, 1):
        enough = f"cpu{cpu}.maps>={first[cpu]['maps'] + 10}"
        run("wait", enough, "--timeout", "30", "--dir", paced.dir)
    paced.qmp("stop")
    second = all_slots(paced.dir)
    changed = [sum(a != b for a, b in zip(first[cpu]["slots"], second[cpu]["slots"]))
               for cpu in (0, 1)]
    assert all(changed)
    operations = second[1]["operations"] - first[1]["operations"]
    tmux.wait(rf"last step: CPU0 {changed[0]} slots?.*CPU1: {max(operations, changed[1])} change")
    paced.qmp("system_reset")
    paced.qmp("cont")
    tmux.wait("REBOOTED", timeout=20)
    tmux.wait("LIVE")
    paced.stop()
    tmux.wait("GONE")
    check_error(run("dump", "--dir", paced.dir), 3, "no machine in")


def test_not_started(machine, tmux: Tmux) -> None:  # noqa: F811
    """Before the first instruction: said so; then it comes up under the viewer's eyes."""
    m = machine(smp=1, extra="-S", ready="")
    start_view(tmux, m.dir)
    tmux.wait("NOT STARTED")
    check_error(run("dump", "--dir", m.dir), 4, "has published no beacon")
    m.qmp("cont")
    tmux.wait("LIVE")


def test_screen_equals_dump(paced, tmux: Tmux) -> None:  # noqa: F811
    """The grid on screen is that of the dump, slot by slot."""
    start_view(tmux, paced.dir)
    tmux.wait("LIVE")
    paced.qmp("stop")
    tmux.wait("step, and what changes is marked")
    dump = json.loads(run("dump", "--json", "--all", "--cpu", "0", "--dir", paced.dir).stdout)
    glyphs = {"free": "\u00b7", "cached": "o", "saturated": "F", "broken": "!"}
    cells = "".join(glyphs.get(s["state"], f"{s['refs']:X}") for s in dump["cpus"][0]["slots"])
    tmux.wait(r"\A.*\n.*" + "".join(rf"\n.{{5}}{re.escape(cells[n:n + 64])}.*"
                                    for n in range(0, 1024, 64)))


def test_text_equals_gdb(paced) -> None:
    """The text of dump and that of mapcache-dump are the same bytes."""
    command = ["gdb-multiarch", "-nx", "-q", "-batch",
               "-ex", f"source {ROOT}/gdb-scripts/hvscope.py",
               "-ex", f"target remote {paced.dir}/gdb.sock"]
    for options in ([], ["--all"], ["--cpu", "1"]):
        paced.qmp("stop")  # gdb's detaching lets it run
        text = run("dump", "--dir", paced.dir, *options).stdout
        gdb = subprocess.run([*command, "-ex", " ".join(["mapcache-dump", *options])],
                             capture_output=True, text=True, check=True, timeout=60)
        assert text.startswith("hvscope image, engine xen, 2 CPUs, mapcache ready; ")
        assert text in gdb.stdout
        assert max(map(len, text.splitlines())) <= 80


def test_undisturbed(machine, tmux: Tmux, tmp_path: Path) -> None:  # noqa: F811
    """No write to the RAM file, no connection to gdb's socket, few to QMP's."""
    if subprocess.run(["strace", "-V"], capture_output=True, check=False).returncode:
        pytest.skip("strace is not installed")
    m = machine(smp=2)
    log = tmp_path / "strace"
    tmux.start(f"exec strace -f -o {log} {HVSCOPE} view --hz 30 --dir {m.dir}")
    tmux.wait("LIVE 30Hz", timeout=20)
    since = log.read_text().count("connect(")
    began = time.monotonic()
    while time.monotonic() - began < 3:
        tmux.keys("Tab", "Right")
        tmux.wait("LIVE 30Hz")
        time.sleep(0.1)
    calls = log.read_text()
    elapsed = time.monotonic() - began
    connects = calls.count("connect(") - since
    assert 3 <= connects <= 5 * elapsed + 1
    assert "gdb.sock" not in calls and "qmp-user.sock" not in calls
    opened = re.findall(r'openat\([^)]*/ram"[^)]*\) = (\d+)', calls)
    assert len(opened) == 1
    assert re.search(rf'/ram", O_RDONLY[^)]*\) = {opened[0]}\b', calls)
    mappings = re.findall(rf"mmap\([^)]*, (\S+), (\S+), {opened[0]}, 0\)", calls)
    assert mappings and all(m[0] == "PROT_READ" for m in mappings)
    assert not re.search(rf"\b(p?writev?2?|pwrite64|ftruncate|fallocate)\({opened[0]},", calls)
    assert not re.search(r"\b(ptrace|process_vm_writev|kill\(\d+, SIG)", calls)


def test_killed_and_started_again(machine, tmux: Tmux, tmp_path: Path) -> None:  # noqa: F811
    """QEMU is killed while it is watched: GONE; a new one in its place is taken up."""
    m = machine(smp=1, cmdline="pace=20", directory=tmp_path / "run")
    start_view(tmux, m.dir, more="--hz 30")
    tmux.wait("LIVE")
    m.process.kill()
    m.process.wait()
    tmux.wait("GONE", "CPU0")
    machine(smp=2, cmdline="pace=20", directory=tmp_path / "run")
    tmux.wait("REBOOTED|LIVE", timeout=20)
    tmux.wait("LIVE 30Hz")
    tmux.wait(r"(?m)^ CPU0 \d+ +CPU1 \d+")


def test_where_it_stands(paced, tmux: Tmux) -> None:  # noqa: F811
    """Of a stopped machine each CPU's place is shown, the same that `cpus` says."""
    start_view(tmux, paced.dir, 160, 48)
    tmux.wait("LIVE", gone="stands at")
    paced.qmp("stop")
    places = []
    for cpu in json.loads(run("cpus", "--json", "--dir", paced.dir).stdout)["cpus"]:
        at = cpu["symbol"] if cpu["el"] == 2 and cpu["symbol"] else cpu["pc"]
        places.append(rf"CPU{cpu['cpu']} .*EL{cpu['el']} {re.escape(at[:24])}")
    tmux.wait("stands at", *places)
    tmux.resize(80, 24)
    tmux.wait(r"(?m)^at EL[0-2] \S+  \d+ free \d+ cached \d+ in-use \d+ refs")
    paced.qmp("cont")
    tmux.wait_gone(r"(?m)^at EL")


def test_why(machine, tmux: Tmux) -> None:  # noqa: F811
    """e: what a map of the selected frame would do, as explain has it."""
    m = machine(smp=1, cmdline="pace=20")
    run("wait", "cpu0.cached>=8", "--timeout", "20", "--dir", m.dir)
    m.qmp("stop")
    dump = json.loads(run("dump", "--json", "--dir", m.dir).stdout)
    slot = dump["cpus"][0]["slots"][0]
    start_view(tmux, m.dir)
    tmux.wait("STOPPED")
    tmux.keys("g", *str(slot["slot"]), "Enter", "e")
    told = run("explain", slot["mfn"], "--dir", m.dir).stdout.splitlines()
    tmux.wait(*(re.escape(line[:60].rstrip()) for line in told[:3]))


def test_slow_terminal(machine) -> None:
    """A terminal that takes nothing for longer than a ring lasts: no event is missed."""
    m = machine(smp=1, cmdline="pace=2000")
    run("wait", "cpu0.work>=50", "--timeout", "20", "--dir", m.dir)
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
        os.execv(HVSCOPE, [str(HVSCOPE), "view", "--dir", str(m.dir)])
    try:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 48, 160, 0, 0))
        os.read(terminal, 100)
        produced = json.loads(run("stats", "--json", "--dir", m.dir).stdout)["cpus"][0]
        done = produced["maps"] + produced["unmaps"] + 3 * 4096
        run("wait", f"cpu0.maps>={done // 2}", "--timeout", "30", "--dir", m.dir)
        screen, stream = pyte.Screen(160, 48), pyte.ByteStream()
        stream.attach(screen)
        os.write(terminal, b"\x0c")
        deadline = time.monotonic() + 10
        while not (said := re.search(r"(\d+) since attach, (\d+) lost", "\n".join(screen.display))
                   ) or int(said[1]) < 2 * 4096:
            assert time.monotonic() < deadline, "\n".join(screen.display)
            stream.feed(os.read(terminal, 65536))
        assert int(said[2]) == 0, said[0]
    finally:
        os.kill(pid, signal.SIGTERM)
        os.close(terminal)
        os.waitpid(pid, 0)


def cpus(m, *words):
    """The rows of hvscope cpus."""
    said = run("cpus", "--json", *words)
    return json.loads(said.stdout)["cpus"]


def test_where_each_cpu_stands(machine):
    """Of a halted machine, by QMP alone: the function; of one that runs nothing is said."""
    m = machine(smp=2)
    assert all(row["pc"] is None for row in cpus(m, "--dir", m.dir))
    m.qmp("stop")
    rows = cpus(m, "--dir", m.dir)
    text = m.qmp("human-monitor-command", **{"command-line": "info registers -a"})
    counters = [int(pc, 16) for pc in re.findall(r" PC=([0-9a-f]{16})", text)]
    assert [int(row["pc"], 0) for row in rows] == counters
    assert all(row["thread"] is None and row["mmu"] is None for row in rows)
    for row in rows:
        if row["el"] == 2:
            name = row["symbol"].split("+")[0]
            assert name in subprocess.run(["nm", BUILD / "hv-xen.elf"], capture_output=True,
                                          text=True, check=True).stdout
    assert cpus(m, "--qmp", m.dir / "qmp.sock") == rows
    m.qmp("cont")
    assert all(row["pc"] is None for row in cpus(m, "--dir", m.dir))


def test_halted_by_the_viewer(machine, tmux: Tmux) -> None:  # noqa: F811
    """Over the gdb stub the screen says who halts the machine, which resumes on quit."""
    m = machine(smp=2, cmdline="pace=100")
    stub = m.dir / "gdb.sock"
    tmux.start(f"exec {HVSCOPE} view --gdb {stub}", 100, 30)
    tmux.wait("STOPPED by this viewer", "gdb.sock",
              "the connection of --gdb halts the machine: it resumes on quit")
    assert m.qmp("query-status")["running"] is False
    tmux.keys("q")
    wait_until(lambda: m.qmp("query-status")["running"])
    m.qmp("stop")
    picture = run("view", "--once", "--gdb", stub)
    assert "STOPPED by this viewer" in picture.stdout.splitlines()[0]
