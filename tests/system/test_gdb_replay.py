# SPDX-License-Identifier: GPL-2.0-or-later
"""make record, make replay, and mapcache-blame: back to the store that changed a slot."""
from __future__ import annotations

import os
import signal
import subprocess
import time

import debugger
from conftest import BUILD, ROOT
from machine import Machine

gdb = debugger.gdb
BLAME = """python
from hvscope.lookup import whole_slots
from hvscope.target import TARGET
def cached():
    slots = whole_slots(TARGET.read_phys, TARGET.beacon(), 0)
    return [slot[0] for slot in slots if slot[3] == "cached"][7]
end"""


def record(directory) -> None:
    """A second of a run, as make record does it, ended by Ctrl-C."""
    run = subprocess.Popen([ROOT / "hv/launch/record", "--dir", directory, "--image",
                            BUILD / "hv-xen.bin", "--mem", "512M", "--append",
                            "workload=copy pace=1000"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 30
    while "CPUs up" not in ((directory / "console").read_text()
                            if (directory / "console").exists() else ""):
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=20)
    assert (directory / "recording.bin").stat().st_size > 1000
    assert not Machine.running_pid(directory)


def test_blame(tmp_path, gdb) -> None:
    """The store is the last one that changed the slot; its backtrace reaches the workload."""
    directory = tmp_path / "run"
    record(directory)
    commands = ["set pagination off", "set confirm off", "tbreak copy_step", "ignore 1 12",
                "continue", BLAME, "python n = cached()",
                "python gdb.execute(f'mapcache-slot {n}')",
                "python gdb.execute(f'mapcache-blame {n}')",
                "x/i $pc", "stepi", "python print('STEPPED', n)",
                "python gdb.execute(f'mapcache-slot {n}')", "quit"]
    script = tmp_path / "commands"
    script.write_text("\n".join(commands) + "\n")
    done = subprocess.run([ROOT / "hv/launch/replay", "--dir", directory, "--build", BUILD,
                           "--ex", f"source {script}"], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False, env={**os.environ, "TERM": "dumb"})
    said = done.stdout
    assert "by the store at $pc" in said, said + done.stderr
    assert "str" in said[said.index("=> "):].splitlines()[0]
    assert "unmap_domain_page" in said and "hv_main" in said[said.index("by the store"):]
    slot = said[:said.index("by the store")].split("entry ")[1].split()[0]
    assert slot in said[said.index("STEPPED"):]
    assert not Machine.running_pid(directory)


def test_not_replayed(machine, gdb) -> None:
    """Without a recording: how to make one."""
    session = gdb(machine(smp=1, mem="512M"))
    assert session("mapcache-blame 5") == (
        "hvscope: this machine cannot run backwards: it is not a replay "
        "(`make record`, then `make replay`)")
