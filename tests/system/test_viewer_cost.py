# SPDX-License-Identifier: GPL-2.0-or-later
"""What the viewer costs, by counts that no neighbour changes: system calls, bytes, pictures.

`make bench-viewer` measures the time.
"""

import json
import re
import subprocess
import time
from pathlib import Path

from conftest import BUILD
from made import Made, made  # noqa: F401  (a fixture)
from terminals import HVSCOPE, Tmux, tmux  # noqa: F401  (a fixture)

CALLS_PER_PICTURE = 9  # 6 to 7: poll, timer, write; and the few of QMP and health by their rate
BYTES_PER_PICTURE = 4000


def traced(terminal: Tmux, directory: Path, log: Path, options: str) -> None:
    """The viewer under strace, at 160x48."""
    terminal.start(f"exec strace -o {log} {HVSCOPE} view --dir {directory} {options}", 160, 48)
    terminal.wait("LIVE|STOPPED", timeout=30)


def pictures(log: Path) -> tuple[int, int, int]:
    """Of the steady state: system calls, pictures sent, their bytes."""
    calls = log.read_text(errors="replace").splitlines()
    terminal = next(m[1] for line in calls
                    if (m := re.search(r'"/proc/self/fd/1", .*\) = (\d+)', line)))
    sent = [n for n, line in enumerate(calls)  # a terminal that is busy takes nothing
            if line.startswith(f"write({terminal}, ") and "EAGAIN" not in line]
    steady = sent[3:]  # the first ones are whole screens
    sizes = [int(calls[n].rsplit("= ", 1)[1]) for n in steady[1:]]
    return (steady[-1] - steady[0] if steady else 0), len(sizes), sum(sizes)


def test_counts(machine, tmux: Tmux, tmp_path: Path) -> None:  # noqa: F811
    """A picture is one write of what changed, and a handful of system calls."""
    m = machine(smp=4, cmdline="pace=1000")
    log = tmp_path / "strace.log"
    traced(tmux, m.dir, log, "--hz 30")
    deadline = time.monotonic() + 30
    while log.read_text(errors="replace").count("write(") < 90:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    calls, shown, size = pictures(log)
    assert shown >= 60
    assert calls / shown <= CALLS_PER_PICTURE
    assert size / shown <= BYTES_PER_PICTURE


def test_nothing_new(made: Made, tmux: Tmux, tmp_path: Path) -> None:  # noqa: F811
    """A machine in which nothing happens is looked at, and not drawn."""
    log = tmp_path / "strace.log"
    traced(tmux, made.dir, log, "--hz 30")
    deadline = time.monotonic() + 20
    while (text := log.read_text(errors="replace")).count("timerfd") < 1 or \
            len(re.findall(r"read\(\d+, \"\\1", text)) < 60:
        assert time.monotonic() < deadline, text[-2000:]
        time.sleep(0.1)
    _, shown, _ = pictures(log)
    assert shown == 0


def test_decode() -> None:
    """One CPU's slots, read and judged: at most 20 times what their bare loads take."""
    out = json.loads(subprocess.run([BUILD / "bench/viewer_decode"], check=True, timeout=60,
                                    capture_output=True).stdout)
    assert out["ratio"] <= 20, out
