# SPDX-License-Identifier: GPL-2.0-or-later
"""What a live snapshot promises, held against a guest that writes known sequences at full rate.

live_states reads as the viewer does and knows every state that a CPU can be in, and from the
CPU's generation in which one it must be.
"""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

from conftest import BUILD, ROOT, read_beacon, wait_until

sys.path.insert(0, str(ROOT / "tests/bench"))

import xmct  # noqa: E402

RECORDS = 20000
HELD_MAX = 24
EXTENTS = range(1024, 4096)  # behind the xenheap, three frames a slot
MACHINE = {"smp": 2, "mem": "8G", "cmdline": "workload=replay"}


def sequence(path: Path, seed: int) -> Path:
    """A trace of maps and unmaps at random, some deep, in which frames come again and again."""
    choose, words, held = random.Random(seed), [], 0
    recent = [choose.choice(EXTENTS) for _ in range(16)]
    while len(words) < RECORDS:
        if held and (held == HELD_MAX or choose.random() < 0.5):
            words.append(xmct.unmap_word(choose.randrange(held)))
            held -= 1
            continue
        if choose.random() < 0.7:
            recent[choose.randrange(16)] = choose.choice(EXTENTS)
        words.append(xmct.map_word(choose.choice(recent) * 512))
        held += 1
    path.write_bytes(xmct.encode(words + [xmct.unmap_word()] * held))
    return path


def machine_options(trace: Path) -> dict:
    """The guest that plays it. Without a GICv3 it has no interrupts, which would map too."""
    return {**MACHINE, "extra": f"-initrd {trace} -M gic-version=2"}


def wait_for_second_round(m) -> None:
    """Before, slots hold what was there at first."""
    wait_until(lambda: all(c.fields["maps"] > 2 * RECORDS for c in read_beacon(m).cpus), 60)


def live_states(trace: Path, seconds: float, file: Path) -> list[dict]:
    """Its tallies; that a reading shows what it must not is an AssertionError."""
    result = subprocess.run([BUILD / "system/live_states", trace, str(seconds), file], text=True,
                            capture_output=True, timeout=seconds + 60, check=False)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def record(m, file: Path, seconds: float) -> None:
    """What hvscope record makes of so many seconds."""
    command = [BUILD / "hvscope", "record", file, "--hz", "60", "--dir", m.dir]
    with subprocess.Popen(command) as recorder:
        try:
            recorder.wait(seconds)
        except subprocess.TimeoutExpired:
            recorder.terminate()
        assert recorder.wait(10) == 143


def promise(m, trace: Path, seconds: float, file: Path) -> str:
    """Readings of the RAM file for so long, and a recording's frames; a summary."""
    wait_for_second_round(m)
    live = live_states(trace, seconds, m.dir / "ram")
    deadline = time.monotonic() + 30
    while not all(sum(cpu[kind] for cpu in live) > 100 for kind in ("states", "torn")):
        assert time.monotonic() < deadline, live  # on a busy host it takes longer
        more = live_states(trace, seconds, m.dir / "ram")
        live = [{key: a[key] + b[key] for key in a} for a, b in zip(live, more)]
    record(m, file, seconds / 2)
    frames = live_states(trace, 0, file)
    assert all(cpu["consistent"] for cpu in frames), frames
    return "; ".join(f"CPU{a['cpu']}: {a['consistent']} consistent readings, {a['states']} states, "
                     f"{a['torn']} torn ones told, {b['consistent']} recorded frames"
                     for a, b in zip(live, frames))


def test_no_consistent_cpu_shows_a_state_it_was_not_in(machine, tmp_path: Path) -> None:
    """Torn readings come up all the time, and each is said to be inconsistent."""
    trace = sequence(tmp_path / "trace", 1)
    m = machine(**machine_options(trace))
    print(promise(m, trace, 1, tmp_path / "run.rec"))
