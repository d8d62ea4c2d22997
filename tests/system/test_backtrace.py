# SPDX-License-Identifier: GPL-2.0-or-later
"""Backtraces of the image are whole, from anywhere in map_domain_page to the first frame."""

import re
import subprocess

from conftest import BUILD


def test_backtraces_end_at_the_launch(machine):
    """Five different callers; each backtrace goes down to cpu_launch and GDB complains of none."""
    m = machine(smp=2, cmdline="pace=2000")
    commands = ["target remote gdb.sock", "break map_domain_page"]
    for _ in range(5):
        commands += ["continue", "echo ---\\n", "bt"]
    words = [w for c in commands for w in ("-ex", c)]
    out = subprocess.run(["gdb-multiarch", "-nx", "-q", "-batch", *words, BUILD / "hv-xen.elf"],
                         cwd=m.dir, capture_output=True, text=True, timeout=60, check=False).stdout
    backtraces = re.split("^---$", out, flags=re.M)[1:]
    assert len(backtraces) == 5
    for backtrace in backtraces:
        assert "cpu_launch ()" in backtrace and "stopped" not in backtrace, backtrace
