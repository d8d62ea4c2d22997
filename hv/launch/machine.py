# SPDX-License-Identifier: GPL-2.0-or-later
"""One QEMU with the image in it, and its run directory.

The run directory is what the tools find a machine by: RAM file, QMP and gdb
sockets, console log, pid. It is 0700, everything in it is made anew for each
run, and no TCP port is opened.
"""

import argparse
import ctypes
import json
import lzma
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gdb-scripts"))

from hvscope import beacon  # noqa: E402  (the scripts' reader of the beacon's layout)
from hvscope.error import HvError  # noqa: E402

TRACES = ROOT / "tests/bench/traces"
SHM = Path("/dev/shm")
ROOM = 1 << 30  # what a run may touch of its RAM, if that is larger
PR_SET_PDEATHSIG = 1
RAM_FILES = ("ram", *(f"ram{n}" for n in range(1, 8)))  # a bank each
FILES = (*RAM_FILES, "qmp.sock", "qmp-user.sock", "gdb.sock", "console.sock", "tmux.sock",
         "console", "qemu.log", "pid", "symbols", "trace")


# What a terminal would act on is shown as '?': consoles and logs hold what guests wrote.
HARMLESS = bytes(c if c in b"\n\t" or 32 <= c < 127 else ord("?") for c in range(256))


class LaunchError(Exception):
    """What went wrong, in one sentence for the user. It may quote a guest."""

    def __init__(self, text: str) -> None:
        super().__init__(text.encode(errors="replace").translate(HARMLESS).decode("ascii"))


def parse_size(text: str) -> int:
    """Bytes of a size as QEMU writes it: 512M, 4G, 1100G."""
    match = re.fullmatch(r"(\d+)([MGT])", text.upper())
    if not match:
        raise LaunchError(f"MEM={text} is not a size: write 512M, 4G, 1100G, or 2G+2G: two banks")
    return int(match[1]) << {"M": 20, "G": 30, "T": 40}[match[2]]


def trace_unpack(name: str, into: Path) -> Path:
    """A recorded trace, for the workload replay:NAME: unpacked when it is first asked for."""
    packed = TRACES / f"xen-arm64-{name}.xmct.xz"
    plain = into / packed.stem
    if not packed.exists():
        names = ", ".join(sorted(p.name.split(".")[0][len("xen-arm64-"):]
                                 for p in TRACES.glob("*.xmct.xz")))
        raise LaunchError(f"replay:{name}: there is no such trace, only {names}")
    if not plain.exists() or plain.stat().st_mtime < packed.stat().st_mtime:
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=into, delete=False) as part:
            with lzma.open(packed) as source:
                shutil.copyfileobj(source, part, 1 << 20)
        os.replace(part.name, plain)
    return plain


def connect(directory: Path, name: str) -> socket.socket:
    """Connect to a socket of a run directory, however long its path is."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(f"/proc/self/fd/{fd}/{name}")
        return sock
    finally:
        os.close(fd)


def die_with_parent() -> None:
    """In the child: end when whoever started it is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def drain(sock: socket.socket) -> None:
    """Read until the other side is gone."""
    try:
        while sock.recv(65536):
            pass
    except OSError:
        pass


class Machine:
    """A run: start() it, look at it, stop() it."""

    QEMU = "qemu-system-aarch64"
    BOARD = "virt,virtualization=on,gic-version=3"

    def __init__(self, directory: Path, image: Path, smp: int = 2, mem: str = "4G",
                 cpu: str = "max", append: str = "", extra: str = ""):
        self.dir = Path(os.path.abspath(directory))
        self.image = Path(os.path.abspath(image))
        self.smp, self.cpu, self.append = smp, cpu, append
        self.sizes = [parse_size(size) for size in mem.split("+")]
        self.size = sum(self.sizes)
        self.extra = shlex.split(extra)
        self.process: subprocess.Popen | None = None
        self.notice = ""
        self.tracer: Any = None  # a Tracer of tracer.py, which knows its options
        self._ram: list[Path] = []
        self._initrd: list[str] = []
        self._keyboard: socket.socket | None = None

    def start(self) -> None:
        """Make the run directory and start QEMU; returns when its sockets are there."""
        if not self.image.exists():
            raise LaunchError(f"there is no image {self.image}: run make all")
        self._prepare()
        log = open(self.dir / "qemu.log", "wb")
        try:
            self.process = subprocess.Popen(
                self._command(), cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent)
        except FileNotFoundError:
            raise LaunchError(f"{self.QEMU} is not installed: run make deps") from None
        finally:
            log.close()
        self._wait_for_sockets()
        if self.tracer:
            self.tracer.wait(self)

    def _prepare(self) -> None:
        self.dir.mkdir(parents=True, exist_ok=True)
        os.chmod(self.dir, 0o700)
        pid = self.running_pid(self.dir)
        if pid:
            raise LaunchError(f"a machine runs in {self.dir} already (pid {pid}): "
                              "end it, or give another DIR=")
        self.remove_files()
        replay = re.search(r"\breplay:([\w-]+)", self.append)
        if replay:
            trace = trace_unpack(replay[1], self.image.parent / "traces")
            self._initrd = ["-initrd", str(trace)]
        self._ram = [self._make_ram(*bank) for bank in zip(RAM_FILES, self.sizes)]

    @staticmethod
    def running_pid(directory: Path) -> int:
        """The pid of the QEMU that has this run directory, 0 if none has."""
        try:
            pid = int((directory / "pid").read_text())
            os.kill(pid, 0)
            return pid
        except (OSError, ValueError):
            return 0

    def remove_files(self) -> None:
        """Remove what a run left, its files on tmpfs included."""
        for file in (self.dir / name for name in (*RAM_FILES, "trace")):
            target = Path(os.readlink(file)) if file.is_symlink() else file
            if target.parent == SHM and target.name.startswith("hvscope-"):
                target.unlink(missing_ok=True)
        for name in FILES:
            (self.dir / name).unlink(missing_ok=True)

    def _make_ram(self, file: str, size: int) -> Path:
        """A new, sparse file, 0600; on tmpfs if that has room."""
        try:
            status = os.statvfs(SHM)
            room = status.f_bavail * status.f_frsize >= min(size, ROOM)
        except OSError:
            room = False
        if room:
            fd, name = tempfile.mkstemp(prefix="hvscope-", dir=SHM)
            (self.dir / file).symlink_to(name)
        else:
            name = str(self.dir / file)
            fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            self.notice = (f"{SHM} has no {min(size, ROOM) >> 20} MiB to spare: RAM is "
                           f"{name}, and the machine is slower")
        os.truncate(fd, size)
        os.close(fd)
        return Path(name)

    def _ram_options(self) -> list[str]:
        """The backends; several are NUMA nodes to QEMU, which makes a bank of each."""
        options = []
        for file, size, path in zip(RAM_FILES, self.sizes, self._ram):
            options += ["-object", f"memory-backend-file,id={file},size={size},"
                                   f"mem-path={str(path).replace(',', ',,')},share=on"]
            if len(self.sizes) > 1:
                cpus = f",cpus=0-{self.smp - 1}" if file == "ram" else ""
                options += ["-numa", f"node,memdev={file}{cpus}"]
        return options

    def _command(self) -> list[str]:
        def chardev(name: str, path: str, more: str = "") -> list[str]:
            return ["-chardev", f"socket,id={name},path={path},server=on,wait=off{more}"]
        backend = ",memory-backend=ram" if len(self.sizes) == 1 else ""
        return [
            self.QEMU, "-M", f"{self.BOARD}{backend}",
            "-cpu", self.cpu, "-smp", str(self.smp), "-m", f"{self.size >> 20}M",
            *self._ram_options(),
            "-nodefaults", "-nic", "none", "-display", "none", "-pidfile", "pid",
            *chardev("console", "console.sock", ",logfile=console"), "-serial", "chardev:console",
            *chardev("gdb", "gdb.sock"), "-gdb", "chardev:gdb",
            "-qmp", "unix:qmp.sock,server=on,wait=off",
            "-qmp", "unix:qmp-user.sock,server=on,wait=off",
            *self._guest(), *(self.tracer.options(self) if self.tracer else []), *self.extra]

    def _guest(self) -> list[str]:
        """What QEMU loads."""
        return ["-kernel", str(self.image), "-append", self.append, *self._initrd]

    def _wait_for_sockets(self, timeout: float = 20) -> None:
        deadline = time.monotonic() + timeout
        while not (self.dir / "qmp-user.sock").exists() or not self.running_pid(self.dir):
            if self.ended() == 0:
                return  # it started, and is over already
            if self.ended() is not None or time.monotonic() > deadline:
                self.stop()
                why = self.qemu_log()
                self.remove_files()
                raise LaunchError("QEMU did not start: " + why)
            time.sleep(0.01)

    def ended(self) -> int | None:
        """QEMU's exit status; None while it runs, and if it was not started."""
        return self.process.poll() if self.process else None

    def qemu_log(self) -> str:
        """What QEMU itself had to say, on one line."""
        log = (self.dir / "qemu.log").read_bytes().translate(HARMLESS)
        text = log.decode("ascii").strip()
        return " / ".join(text.splitlines()[-3:]) or "no reason was given"

    def qmp(self, command: str, **arguments: object) -> object:
        """Ask over the people's socket: connect, ask, disconnect."""
        with connect(self.dir, "qmp-user.sock") as sock:
            sock.settimeout(10)
            stream = sock.makefile("rw", encoding="utf-8")
            stream.readline()
            for name, args in (("qmp_capabilities", {}), (command, arguments)):
                stream.write(json.dumps({"execute": name, "arguments": args}) + "\n")
                stream.flush()
                reply = json.loads(stream.readline())
                while "event" in reply:
                    reply = json.loads(stream.readline())
            if "error" in reply:
                raise LaunchError(f"QMP {command}: {reply['error']['desc']}")
            return reply["return"]

    def console(self) -> str:
        """All that the image printed so far."""
        try:
            return (self.dir / "console").read_text(errors="replace").replace("\r", "")
        except FileNotFoundError:
            return ""

    def wait_console(self, text: str, timeout: float = 20) -> str:
        """Wait until the console holds text; returns the console."""
        deadline = time.monotonic() + timeout
        while text not in self.console():
            ended = self.ended() is not None
            if (ended and text not in self.console()) or time.monotonic() > deadline:
                raise LaunchError(f"the console never said {text!r}:\n{self.console()}")
            time.sleep(0.02)
        return self.console()

    def type(self, line: str) -> None:
        """Type a line on the console.

        The connection stays, or QEMU may drop the line; what comes back is read and thrown
        away (the log has it), or the image would wait for us.
        """
        if not self._keyboard:
            self._keyboard = connect(self.dir, "console.sock")
            threading.Thread(target=drain, args=(self._keyboard,), daemon=True).start()
        self._keyboard.sendall(line.encode() + b"\n")

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the machine to end; the exit status that the image left."""
        if self.process:
            self.process.wait(timeout)
        return self.exit_status()

    def exit_status(self) -> int:
        """Status in the beacon of the RAM file; BEACON_EXIT_NONE if the image wrote none."""
        def read(pa: int, size: int) -> bytes:
            with open(self._ram[0], "rb") as ram:
                ram.seek(pa - beacon.RAM_BASE)
                return ram.read(size)
        try:
            return beacon.beacon_read(read).exit_status & 0xff
        except (HvError, OSError):
            return beacon.BEACON_EXIT_NONE

    def stop(self) -> None:
        """End QEMU, if it has not ended."""
        if self._keyboard:
            self._keyboard.shutdown(socket.SHUT_RDWR)
            self._keyboard.close()
            self._keyboard = None
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def cleanup(self) -> None:
        """stop() and remove what the run left."""
        self.stop()
        self.remove_files()


def end_cleanly() -> None:
    """SIGTERM and SIGHUP end this script as an exception does: what it made is removed.

    More of them change nothing: make passes on to its children what it gets itself.
    """
    signals = (signal.SIGTERM, signal.SIGHUP)

    def leave(number: int, _frame: object) -> None:
        for ended in signals:
            signal.signal(ended, signal.SIG_IGN)
        sys.exit(128 + number)
    for number in signals:
        signal.signal(number, leave)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say which machine; the Makefile's variables."""
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--smp", type=int, default=2)
    parser.add_argument("--mem", default="4G")
    parser.add_argument("--cpu", default="max")
    parser.add_argument("--append", default="")
    parser.add_argument("--extra", default="")


def from_arguments(args: argparse.Namespace) -> Machine:
    """The machine that these options describe."""
    return Machine(args.dir, args.image, args.smp, args.mem, args.cpu, args.append, args.extra)
