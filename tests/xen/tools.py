# SPDX-License-Identifier: GPL-2.0-or-later
"""hvscope and GDB, as the tests here run them on a foreign machine."""

import json
import subprocess

from conftest import BUILD, ROOT

GDB = ["gdb-multiarch", "-nx", "-q", "-batch", "-ex", "set pagination off", "-ex",
       f"source {ROOT}/gdb-scripts/hvscope.py", "-ex", "target remote gdb.sock"]


def hvscope(m, *words, status=0):
    """What hvscope printed, or complained of."""
    done = subprocess.run([BUILD / "hvscope", *words, "--dir", m.dir], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == status, done.stderr
    assert not status or not done.stdout
    return (done.stderr if status else done.stdout).strip()


def gdb(m, *commands, timeout=120, symbols=("symbols",), stay=False):
    """What each GDB command printed, attached to a halted machine; it runs on afterwards, unless
    it is to stay halted."""
    words = list(GDB)
    for command in commands:
        words += ["-ex", "echo @@@\\n", "-ex", command]
    if stay:
        words += ["-ex", "echo @@@\\n", "-ex", "disconnect"]
    out = subprocess.run([*words, *symbols], cwd=m.dir, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False).stdout
    parts = out.split("@@@\n")[1:]
    return [part.split("\n[Inferior")[0].strip() for part in parts[:len(commands)]]


def mapped(text):
    """Every leaf of a map: (va, pa, level)."""
    return [(int(one["va"], 0) + (n << 39 - 9 * one["level"]),
             int(one["pa"], 0) + (n << 39 - 9 * one["level"]), one["level"])
            for one in json.loads(text)["ranges"] for n in range(one["leaves"])]
