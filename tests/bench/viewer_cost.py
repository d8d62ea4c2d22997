#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the viewer costs, and what it costs the machine it looks at.

decode   one CPU's slots read and judged, as a ratio to bare atomic loads of them
cost     `view` at 160x48, 4 CPUs, 30 Hz, pace=1000 for 30 s, beside the least that a curses
         program with that timer costs; both run at the same time, so both meet the same noise
guest    the work of 4 CPUs at full rate in half-second windows, with and without the viewer,
         in pairs of random order: the ratio, with its 95 % interval
seek     jumps in a recording of that machine, from the key to the picture's data
events   nothing lost in 60 s at pace=1000; at full rate seen + lost = produced, exactly

Absolute times are printed, never judged alone: see the limits below. Exit status 1 if one is
passed.
"""

import argparse
import fcntl
import json
import math
import os
import pty
import random
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("HVSCOPE_BUILD", "build")).resolve()
sys.path.insert(0, str(ROOT / "hv/launch"))

from machine import Machine, end_cleanly  # noqa: E402

HVSCOPE = BUILD / "hvscope"
PARTS = ("decode", "cost", "guest", "seek", "events")
DECODE_MAX = 20.0  # times the bare loads
COST_MAX = 2.0  # % of a core
FLOOR_MAX = 2.2  # times the floor: 2 % where the floor is 0.9 %
GUEST_MIN = 0.97  # of the guest's rate, by the upper end of the interval
SEEK_MAX = 100.0  # ms, the longest
RECORD_S = 30
WINDOW_S = 0.5
PAIRS = 110
COST_S = 30
EVENTS_S = 60
FULL_RATE_S = 10


class Terminal:
    """A program on a terminal of 160x48 that takes all that is written to it."""

    def __init__(self, *command: object) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 48, 160, 0, 0))
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
            os.environ.pop("NO_COLOR", None)
            os.execv(str(command[0]), [str(word) for word in command])
        self.taken = 0
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        try:
            while data := os.read(self.fd, 65536):
                self.taken += len(data)
        except OSError:
            pass

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> float:
        """End it; all the processor time that it took, by getrusage()."""
        os.kill(self.pid, signal.SIGTERM)
        _, _, usage = os.wait4(self.pid, 0)
        return usage.ru_utime + usage.ru_stime


def boot(directory: Path, cmdline: str) -> Machine:
    """4 CPUs that work, past their boot."""
    machine = Machine(directory, BUILD / "hv-xen.bin", smp=4, append=cmdline)
    machine.start()
    machine.wait_console("CPUs up", 60)
    for cpu in range(4):
        subprocess.run([HVSCOPE, "wait", f"cpu{cpu}.work>=50", "--timeout", "60", "--dir",
                        directory], check=True, stdout=subprocess.DEVNULL)
    return machine


def produced(directory: Path) -> int:
    """Maps and unmaps so far, of all CPUs."""
    stats = json.loads(subprocess.run([HVSCOPE, "stats", "--json", "--dir", directory], check=True,
                                      capture_output=True).stdout)
    return sum(cpu["maps"] + cpu["unmaps"] for cpu in stats["cpus"])


def measure_decode(_: Path) -> bool:
    """One CPU's slots against their bare loads."""
    out = json.loads(subprocess.run([BUILD / "bench/viewer_decode"], check=True,
                                    capture_output=True).stdout)
    print(f"decode   {out['decode_ns'] / 1000:.2f} us a CPU, bare loads "
          f"{out['loads_ns'] / 1000:.2f} us: {out['ratio']:.1f} times (at most {DECODE_MAX:.0f})")
    return out["ratio"] <= DECODE_MAX


def measure_cost(directory: Path) -> bool:
    """The viewer and the floor, side by side."""
    machine = boot(directory, "pace=1000")
    try:
        view = Terminal(HVSCOPE, "view", "--hz", "30", "--dir", directory)
        floor = Terminal(BUILD / "bench/viewer_floor", "30")
        start = time.monotonic()
        time.sleep(COST_S)
        elapsed = time.monotonic() - start
        taken = view.taken
        cost, least = (100 * t.end() / elapsed for t in (view, floor))
    finally:
        machine.cleanup()
    print(f"cost     {cost:.2f} % of a core at 160x48, 4 CPUs, 30 Hz, pace=1000; floor "
          f"{least:.2f} %: {cost / least:.2f} times; {taken / elapsed / 1024:.0f} KiB/s to the "
          f"terminal (at most {COST_MAX:.0f} %, or {FLOOR_MAX} times the floor)")
    return cost <= COST_MAX or cost <= FLOOR_MAX * least


def window(directory: Path, view: Terminal, watched: bool) -> float:
    """Operations a second in a window with the viewer going on, or held."""
    os.kill(view.pid, signal.SIGCONT if watched else signal.SIGSTOP)
    before, start = produced(directory), time.monotonic()
    time.sleep(WINDOW_S)
    return (produced(directory) - before) / (time.monotonic() - start)


def measure_guest(directory: Path) -> bool:
    """Pairs of windows, watched and not, the order drawn by lot."""
    machine = boot(directory, "")
    order = random.Random(1)
    ratios = []
    try:
        view = Terminal(HVSCOPE, "view", "--dir", directory)
        time.sleep(1)
        for _ in range(PAIRS):
            first = order.random() < 0.5
            rate = {watched: window(directory, view, watched) for watched in (first, not first)}
            ratios.append(math.log(rate[True] / rate[False]))
        os.kill(view.pid, signal.SIGCONT)
        view.end()
    finally:
        machine.cleanup()
    mean, error = statistics.mean(ratios), statistics.stdev(ratios) / math.sqrt(len(ratios))
    low, high = math.exp(mean - 1.96 * error), math.exp(mean + 1.96 * error)
    print(f"guest    rate while watched / not watched: {math.exp(mean):.3f}, 95 % interval "
          f"{low:.3f}-{high:.3f}, {2 * len(ratios)} windows of {WINDOW_S} s "
          f"(the upper end at least {GUEST_MIN})")
    return high >= GUEST_MIN


def measure_seek(directory: Path) -> bool:
    """Jumps between frames drawn by lot."""
    machine, file = boot(directory, "pace=1000"), directory / "seek.rec"
    try:
        with subprocess.Popen([HVSCOPE, "record", file, "--hz", "60", "--dir",
                               directory]) as recorder:
            time.sleep(RECORD_S)
            recorder.terminate()
        size = file.stat().st_size
        out = json.loads(subprocess.run([BUILD / "bench/viewer_seek", file], check=True,
                                        capture_output=True).stdout)
    finally:
        machine.cleanup()
    print(f"seek     {out['median_ms']:.1f} ms, the longest of {out['jumps']} "
          f"{out['longest_ms']:.1f} ms ({out['applied']} frames applied), in {out['frames']} "
          f"frames, {size >> 20} MiB: 4 CPUs, 60 Hz, pace=1000, {RECORD_S} s "
          f"(at most {SEEK_MAX:.0f} ms)")
    return out["longest_ms"] <= SEEK_MAX


def follow(directory: Path, seconds: float) -> tuple[int, int, int]:
    """Events seen, lost and produced while `events --follow` was read for so long."""
    seen, lost = [0] * 4, [0] * 4
    first: list[int | None] = [None] * 4
    last = [0] * 4
    with subprocess.Popen([HVSCOPE, "events", "--follow", "--format", "json", "--dir", directory],
                          stdout=subprocess.PIPE) as process:
        threading.Timer(seconds, process.send_signal, [signal.SIGTERM]).start()
        for line in process.stdout:
            if not line.endswith(b"\n"):
                break  # it was ended in the middle of it
            event = json.loads(line)
            cpu, count = event["cpu"], event.get("count", 1)
            first[cpu] = event["seq"] if first[cpu] is None else first[cpu]
            last[cpu] = event["seq"] + count
            if event["event"] == "lost":
                lost[cpu] += count
            else:
                seen[cpu] += 1
    return sum(seen), sum(lost), sum(b - a for a, b in zip(first, last) if a is not None)


def measure_events(directory: Path) -> bool:
    """Nothing is lost where it need not be, and what is lost is counted."""
    ok = True
    for cmdline, seconds, lossless in (("pace=1000", EVENTS_S, True), ("", FULL_RATE_S, False)):
        machine = boot(directory, cmdline)
        try:
            seen, lost, made = follow(directory, seconds)
        finally:
            machine.cleanup()
        print(f"events   {cmdline or 'full rate'}, 4 CPUs, {seconds} s: {seen} seen + {lost} lost "
              f"= {seen + lost}, {made} produced")
        ok &= seen + lost == made and made > 0 and (lost == 0 or not lossless)
    return ok


MEASURES = {"decode": measure_decode, "cost": measure_cost, "guest": measure_guest,
            "seek": measure_seek, "events": measure_events}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=" ".join(PARTS) + " (all)")
    parts = parser.parse_args().parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}: there are {' '.join(PARTS)}")
    end_cleanly()
    failed = []
    for part in parts:
        with tempfile.TemporaryDirectory(prefix="hvscope-bench-") as directory:
            if not MEASURES[part](Path(directory) / "run"):
                failed.append(part)
    if failed:
        print(f"over the limit: {' '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
