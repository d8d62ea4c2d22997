# SPDX-License-Identifier: GPL-2.0-or-later
"""Nobody else gets at a machine, and no name becomes a command."""

import os
import re
import stat
import subprocess
from pathlib import Path

from conftest import BUILD, ROOT
from terminals import HVSCOPE, run

NASTY = "a b'c\"d$(touch pwned)`touch pwned`;touch pwned,e&f"


def mode(path: Path) -> int:
    """Permission bits of a file itself."""
    return stat.S_IMODE(path.stat().st_mode)


def listening(pid: int) -> list[str]:
    """Internet sockets of a process."""
    own = {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [line.split() for name in ("tcp", "tcp6", "udp", "udp6")
            for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]]
    return [row[1] for row in rows if f"socket:[{row[9]}]" in own]


def test_run_directory(machine, tmp_path: Path) -> None:
    """0700, whatever umask and an earlier directory were; RAM 0600; sockets inside; no port."""
    directory = tmp_path / "run"
    directory.mkdir(mode=0o777)
    os.chmod(directory, 0o777)
    umask = os.umask(0)
    try:
        m = machine(smp=1, directory=directory)
    finally:
        os.umask(umask)
    assert mode(directory) == 0o700
    assert mode(directory / "ram") == 0o600
    ram = (directory / "ram").resolve()
    assert ram.parent in (Path("/dev/shm"), directory) and ram.stat().st_uid == os.getuid()
    sockets = {path.name for path in directory.iterdir() if stat.S_ISSOCK(path.lstat().st_mode)}
    assert sockets == {"qmp.sock", "qmp-user.sock", "gdb.sock", "console.sock"}
    assert listening(m.process.pid) == []
    command = Path(f"/proc/{m.process.pid}/cmdline").read_text().split("\0")
    assert "none" == command[command.index("-nic") + 1]
    assert not any(re.search(r"\b(tcp|vnc|telnet|websocket):", word) for word in command)


def test_names_are_no_commands(machine, tmp_path: Path) -> None:
    """A run directory with every character that a shell knows: all tools take it as it is."""
    m = machine(smp=1, cmdline="pace=50", directory=tmp_path / NASTY)
    done = run("dump", "--json", "--dir", m.dir)
    assert done.returncode == 0 and '"hvscope.mapcache/1"' in done.stdout
    gdb = subprocess.run([ROOT / "hv/launch/gdb", "--dir", m.dir, "--build", BUILD, "--ex",
                          "mapcache-dump", "--ex", "kill"], cwd=tmp_path, input="", text=True,
                         capture_output=True, timeout=60, check=False)
    assert "mapcache ready" in gdb.stdout, gdb
    assert not list(tmp_path.rglob("pwned")) and not (ROOT / "pwned").exists()


def test_no_shell() -> None:
    """No launcher and no GDB command gives a string to a shell, and none makes up a name."""
    files = [path for folder in ("hv/launch", "gdb-scripts", "gdb-scripts/hvscope")
             for path in (ROOT / folder).iterdir() if path.is_file()]
    for file in files:
        text = file.read_text()
        assert not re.search(r"shell=True|os\.system|os\.popen|\beval\(|mktemp\(\)|['\"]shell ",
                             text), file
        assert not re.search(r"['\"(]/tmp/", text), file


def test_viewer_starts_nothing() -> None:
    """hvscope can start no program: it has no import for it."""
    names = subprocess.run(["nm", "-D", "--undefined-only", HVSCOPE], capture_output=True,
                           text=True, check=True).stdout
    assert not re.search(r" (system|popen|execv\w*|execl\w*|posix_spawn\w*|fork|mktemp|tmpnam|"
                         r"tempnam|gets|strcat|sprintf|vsprintf)@", names)


def test_what_it_writes_is_private(machine, tmp_path: Path) -> None:
    """Snapshots hold guest memory: 0600, whatever the umask."""
    m = machine(smp=1, cmdline="pace=50")
    umask = os.umask(0)
    try:
        assert run("snapshot", tmp_path / "snap", "--dir", m.dir).returncode == 0
    finally:
        os.umask(umask)
    assert mode(tmp_path / "snap") == 0o600


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
