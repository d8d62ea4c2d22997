# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults under a running viewer, recorder and gdb: FAULTS says which test injects which."""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import debugger
import pytest
from conftest import ROOT, wait_until
from made import SLOT_ATTR, Made, Peer, made  # noqa: F401  (a fixture)
from terminals import (HVSCOPE, Tmux, check_error, run, start_view, tmux,  # noqa: F401
                       viewer_pid)

gdb = debugger.gdb

# What goes wrong, and the test that makes it go wrong: file and function.
FAULTS = (
    ("QEMU killed, and another one in its place", "system/test_viewer_machine.py",
     "test_killed_and_started_again"),
    ("QEMU stopped, stepped, reset", "system/test_viewer_machine.py", "test_stop_step_and_reset"),
    ("QEMU slow: it answers nothing for a while", "system/test_injected.py", "test_frozen_qemu"),
    ("QEMU replaced by another image", "system/test_viewer.py", "test_reset_and_other_image"),
    ("machine gone, and back", "system/test_viewer.py", "test_gone_and_back"),
    ("RAM file truncated", "system/test_viewer.py", "test_truncated_ram"),
    ("RAM file replaced by a pipe, a directory, an empty file", "system/test_injected.py",
     "test_ram_replaced"),
    ("QMP busy, then gone", "system/test_viewer.py", "test_qmp_gone_busy"),
    ("QMP: garbage, partial lines, nothing, a line without an end", "system/test_injected.py",
     "test_qmp_peer"),
    ("the stub drops the connection inside an answer", "unit/viewer_gdb.c", "test_dropped"),
    ("the stub drops the connection inside a packet", "system/test_injected.py",
     "test_stub_drops"),
    ("QMP says that it saved what it did not", "unit/viewer_ask.c", "test_not_saved"),
    ("RAM file no regular file at attach", "unit/viewer_source.c", "test_not_ram"),
    ("the stub is none, or a bad one", "unit/viewer_gdb.c", "test_bad_stubs"),
    ("disk full while recording", "system/test_injected.py", "test_no_room"),
    ("disk full while printing", "system/test_viewer.py", "test_output_errors"),
    ("recorder killed inside a frame", "system/test_viewer_commands.py", "test_record"),
    ("viewer ended by any signal", "system/test_viewer.py", "test_signals"),
    ("terminal closed", "system/test_injected.py", "test_terminal_closed"),
    ("terminal that takes nothing", "system/test_viewer_machine.py", "test_slow_terminal"),
    ("clock jumps", "system/test_injected.py", "test_clock_jumps"),
    ("gdb killed in physical mode", "system/test_injected.py", "test_gdb_killed"),
    ("Ctrl-C at any moment of a command of gdb's", "system/test_gdb_safety.py",
     "test_real_interrupts"),
    ("attached and detached again and again", "system/test_injected.py", "test_attach_cycles"),
    ("a launcher ended by a signal", "system/test_image.py",
     "test_run_that_is_ended_leaves_nothing"),
)
GREETING = b'{"QMP": {"version": {}, "capabilities": []}}\r\n'
EMPTY = b'{"return": {}}\r\n'
CYCLES = int(os.environ.get("HVSCOPE_CYCLES", "4"))
JUMPS = """
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long jump(void) { static long at; return (at = at * 1103515245 + 12345) % 100000000; }
int clock_gettime(clockid_t id, struct timespec *now)
{
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int ret = real(id, now);
    if (id == CLOCK_REALTIME) now->tv_sec += jump();
    return ret;
}
int gettimeofday(struct timeval *now, void *zone)
{
    (void)zone; now->tv_sec = 1000000000 + jump(); now->tv_usec = 0; return 0;
}
time_t time(time_t *now) { time_t t = 1000000000 + jump(); if (now) *now = t; return t; }
"""


def test_the_table_is_true() -> None:
    """Every test that the table names is there."""
    for fault, file, name in FAULTS:
        text = (ROOT / "tests" / file).read_text()
        assert re.search(rf"(def|void) {name}\(", text), (fault, file, name)
        print(f"| {fault} | tests/{file} | {name} |")


def silence(client: socket.socket) -> None:
    """Nothing, until the other side has had enough."""
    while client.recv(4096):
        pass


def say(*pieces: bytes, end: Callable[[socket.socket], None] = silence
        ) -> Callable[[socket.socket], None]:
    """A server that says these, whatever it is asked."""
    def serve(client: socket.socket) -> None:
        for piece in pieces:
            client.sendall(piece)
        end(client)
    return serve


def flood(client: socket.socket) -> None:
    """A line without an end."""
    while True:
        client.sendall(b"[" * 65536)


def bytewise(client: socket.socket) -> None:
    """What QEMU says, a byte at a time, with an event in between."""
    event = b'{"event": "RESUME", "timestamp": {"seconds": 1, "microseconds": 1}}\r\n'
    status = b'{"return": {"status": "running"}}\r\n'
    for byte in GREETING + EMPTY + event + status:
        client.sendall(bytes([byte]))
    silence(client)


PEERS = (
    say(), say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), say(b'{"QMP": {"ver'), say(GREETING),
    say(b"\x1b[2J\xff\xfe\x00\r\n" * 99),
    say(GREETING, EMPTY, b'{"return": {"status": "\\u001b[2J"}}\r\n'),
    say(end=lambda client: None), say(GREETING, end=lambda client: None), say(b"\n" * 4096),
    say(b"[" * 4000 + b"\n"), say(end=flood), bytewise)


def test_qmp_peer(tmux: Tmux, made: Made) -> None:  # noqa: F811
    """Whatever answers in QEMU's place, in turn: slots are shown, nothing hangs, dump works."""
    start_view(tmux, made)
    made.qmp.close()
    for n, serve in enumerate(PEERS, 1):
        peer = Peer(made.dir / "qmp.sock", serve)
        wait_until(lambda: peer.clients >= 2, pause=0.01)
        made.slot(0, 36, SLOT_ATTR | 0x84800000 | n << 55)
        tmux.wait(rf"(?m)^.{{5}}.{{36}}{n:X}")
        for command in ("dump", "cpus"):
            said = run(command, "--dir", made.dir)
            assert said.returncode == 0 and said.stderr == "", (n, said)
        peer.close()


def put_pipe(path: Path) -> None:
    """A pipe that nobody writes to."""
    os.mkfifo(path)


def put_link(path: Path) -> None:
    """A device that has no end."""
    path.symlink_to("/dev/zero")


def test_ram_replaced(tmux: Tmux, made: Made) -> None:  # noqa: F811
    """The RAM file becomes something else: GONE, the old picture stays; then it is back."""
    start_view(tmux, made)
    ram = made.dir / "ram"
    for replace in (put_pipe, put_link, Path.touch, Path.mkdir):
        ram.rename(made.dir / "was")
        replace(ram)
        tmux.wait("GONE", "CPU0")
        check_error(run("dump", "--dir", made.dir), 3, "ram")
        if ram.is_dir():
            ram.rmdir()
        (made.dir / "was").rename(ram)
        tmux.wait("LIVE")


def test_frozen_qemu(machine, tmux: Tmux) -> None:  # noqa: F811
    """QEMU's process stands still: the viewer goes on, asks seldom, and holds nothing up."""
    m = machine(smp=1, cmdline="pace=50")
    start_view_of(tmux, m.dir)
    tmux.wait("LIVE")
    os.kill(m.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert run("dump", "--dir", m.dir).returncode == 0
        assert run("cpus", "--dir", m.dir).returncode == 0
        assert time.monotonic() - began < 10
        tmux.keys("F3")
        tmux.wait("domheap")
        tmux.keys("F2")
        tmux.wait(r"CPU0 no slot")
    finally:
        os.kill(m.process.pid, signal.SIGCONT)
    tmux.wait(r"CPU0 [1-9]\d* slots?")


def start_view_of(tmux: Tmux, directory: Path) -> None:  # noqa: F811
    """The viewer on a machine, alone in its window."""
    tmux.start(f"exec {HVSCOPE} view --dir {directory}")


def limited(size: int) -> Callable[[], None]:
    """In the child: no file may grow beyond so many bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", [0, 100, 4096, 60000])
def test_no_room(made: Made, tmp_path: Path, size: int) -> None:  # noqa: F811
    """The disk is full while a recording grows: a sentence, and what fitted can be read."""
    file = tmp_path / "run.rec"
    done = subprocess.run([HVSCOPE, "record", file, "--hz", "60", "--dir", made.dir],
                          capture_output=True, text=True, timeout=20, check=False,
                          preexec_fn=limited(size))
    assert done.returncode == 2 and done.stdout == "", done
    assert re.fullmatch(rf"hvscope: cannot write to {file}: [^\n]+\n", done.stderr)
    again = run("dump", "--json", "--recording", file)
    if size == 60000:
        assert again.stdout == run("dump", "--json", "--dir", made.dir).stdout
    else:
        check_error(again, 4, "")
    full = run("snapshot", "/dev/full", "--dir", made.dir)
    check_error(full, 2, "cannot write to /dev/full")


def test_terminal_closed(tmux: Tmux, made: Made) -> None:  # noqa: F811
    """The window goes: the viewer ends, and does not spin."""
    start_view(tmux, made)
    pid = viewer_pid(tmux)
    tmux.run("kill-server")
    wait_until(lambda: not Path(f"/proc/{pid}").exists())


def test_clock_jumps(tmux: Tmux, made: Made, tmp_path: Path) -> None:  # noqa: F811
    """The time of day jumps by months at each look: rates, marks and queries go on."""
    (tmp_path / "jumps.c").write_text("#define _GNU_SOURCE\n" + JUMPS)
    library = tmp_path / "jumps.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "jumps.c"], check=True)
    start_view(tmux, made, LD_PRELOAD=str(library))
    made.slot(0, 37, SLOT_ATTR | 0x84A00000 | 3 << 55)
    tmux.wait(r"CPU0 1 slot: 37 \(0.3\)")
    tmux.wait("CPU0 no slot", timeout=3)
    made.qmp.status = "paused"
    tmux.wait("STOPPED paused")


def stub_that_drops(path: Path, after: bytes) -> Peer:
    """A gdb stub whose answer is cut off."""
    def serve(client: socket.socket) -> None:
        client.recv(4096)
        client.sendall(after)
    return Peer(path, serve)


@pytest.mark.parametrize("piece", [b"", b"+", b"+$", b"+$PacketSize=10", b"+$PacketSize=1000#0",
                                   b"-" * 9, b"+$" + b"a" * 70000])
def test_stub_drops(tmp_path: Path, piece: bytes) -> None:
    """The connection ends inside a packet: one sentence, at once."""
    peer = stub_that_drops(tmp_path / "stub", piece)
    done = subprocess.run([HVSCOPE, "dump", "--gdb", tmp_path / "stub"], capture_output=True,
                          text=True, timeout=10, check=False)
    said = done.stderr.splitlines()
    assert done.returncode == 3 and done.stdout == "" and len(said) == 2, done
    assert "gdb stub at" in said[1]
    peer.close()


def test_gdb_killed(machine, gdb) -> None:
    """gdb dies in the middle of a dump, in physical mode: the next debugger is told no lies."""
    m = machine(smp=1, cmdline="pace=200")
    first = gdb(m)
    right = first("x/8i hv_main")
    first.send("python\nimport hvscope.target as t, time\nwith t.TARGET.physical():\n"
               "    gdb.write('inside\\n')\n    gdb.flush()\n    time.sleep(60)\nend")
    while "inside\n" not in first.pending:
        first.pending += os.read(first.process.stdout.fileno(), 4096).decode()
    first.process.kill()
    first.process.wait()
    plain = gdb(m, scripts=False)
    assert plain.mode() == "1"  # it outlives whoever set it
    plain.close()
    second = gdb(m)
    assert second.mode() == "0"
    assert second("x/8i hv_main").replace("=>", "  ") == right.replace("=>", "  ")
    assert "mapcache ready" in second("mapcache-dump")


def descriptors(pid: int) -> int:
    """How many files a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid: int) -> int:
    """What a process has for itself, in KiB: RAM of the guest is a file."""
    return int(re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def test_attach_cycles(machine, gdb) -> None:
    """gdb and hvscope come and go, 2 CPUs at work: QEMU keeps nothing of them, nor does a gdb.

    HVSCOPE_CYCLES: how often; make soak has a thousand of its own.
    """
    m = machine(smp=2, cmdline="pace=500")
    session = gdb(m, scripts=True)
    pids = {"qemu": m.process.pid, "gdb": session.process.pid}
    connect = f"target remote {os.path.relpath(m.dir, ROOT)}/gdb.sock"
    seen = []
    for cycle in range(CYCLES):
        assert "mapcache ready" in session("mapcache-dump") and session.mode() == "0"
        session("detach")
        dump = json.loads(run("dump", "--json", "--dir", m.dir).stdout)
        assert all(cpu["counts"]["broken"] == 0 for cpu in dump["cpus"])
        assert run("cpus", "--gdb", m.dir / "gdb.sock").returncode == 0
        session(connect)
        seen.append({name: (descriptors(pid), memory(pid)) for name, pid in pids.items()})
    settled = seen[CYCLES // 2]
    for name in pids:
        assert seen[-1][name][0] <= settled[name][0], seen
        assert seen[-1][name][1] <= settled[name][1] + max(1024, CYCLES * 8), (name, seen)
    session("detach")
    before = json.loads(run("stats", "--json", "--dir", m.dir).stdout)["cpus"][0]["maps"]
    assert run("wait", f"cpu0.maps>={before + 10}", "--timeout", "20", "--dir",
               m.dir).returncode == 0
    print(f"{CYCLES} cycles: descriptors and KiB of QEMU {settled['qemu']} -> {seen[-1]['qemu']}, "
          f"of gdb {settled['gdb']} -> {seen[-1]['gdb']}; physical mode off at each")
