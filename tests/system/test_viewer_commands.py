# SPDX-License-Identifier: GPL-2.0-or-later
"""hvscope's commands on a real machine: what they print is true."""

import json
import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import BUILD, ROOT, read_beacon, wait_until
from terminals import HVSCOPE, check_error, run, tmux  # noqa: F401  (tmux: a fixture)

SLOT = 1 << 21
DOMHEAP = 0x7F8000000000
VIEWS = ("slots", "tables", "map", "events", "check", "stats")


@pytest.fixture(scope="module")
def halted(tmp_path_factory):
    """A machine that has worked for a while and stands still."""
    from machine import Machine
    m = Machine(tmp_path_factory.mktemp("halted") / "run", BUILD / "hv-xen.bin", 2, "4G", "max",
                "pace=2000")
    m.start()
    try:
        m.wait_console("CPUs up", 60)
        assert run("wait", "cpu1.maps>=500", "--timeout", "60", "--dir", m.dir).returncode == 0
        m.qmp("stop")
        yield m
    finally:
        m.cleanup()


def output(m, *words: str) -> str:
    """What a command that works prints; no line is wider than 80 unless it is JSON."""
    result = run(*words, "--dir", m.dir)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    return result.stdout


def lines(m, *words: str) -> list[dict]:
    """What it prints as JSON."""
    return [json.loads(line) for line in output(m, *words, "--json").splitlines()]


def test_walk_equals_gdb(halted) -> None:
    """walk and pt-walk print the same bytes, as text and as JSON."""
    dump = lines(halted, "dump")[0]
    slot = int(dump["cpus"][0]["slots"][0]["va"], 16)
    addresses = [slot, slot + 0x12345, 0xA0000200000, 0xA0000A00000, 0, DOMHEAP + (2 << 30),
                 0x800048200000, 1 << 60]
    command = ["gdb-multiarch", "-nx", "-q", "-batch",
               "-ex", f"source {ROOT}/gdb-scripts/hvscope.py",
               "-ex", f"target remote {halted.dir}/gdb.sock"]
    for va in addresses:
        for options in ("--cpu 0", "--cpu 1 --json"):
            command += ["-ex", "echo @@", "-ex", f"pt-walk {va:#x} {options}", "-ex", "echo @@",
                        "-ex", f"shell {HVSCOPE} walk {va:#x} {options} --dir {halted.dir}"]
    gdb = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    halted.qmp("stop")
    said = gdb.partition("[Inferior")[0].split("@@")[1:]
    assert len(said) == 4 * len(addresses)
    assert said[::2] == said[1::2] and all("0x" in text for text in said)


def test_map(halted) -> None:
    """Every valid slot is a range of its own, at the frame that dump names."""
    slots = {s["va"]: s for s in lines(halted, "dump", "--cpu", "1")[0]["cpus"][0]["slots"]}
    ranges = lines(halted, "map", "--cpu", "1")[0]["ranges"]
    domheap = {r["va"]: r for r in ranges if r["region"] == "domheap"}
    assert domheap.keys() == slots.keys()
    for va, r in domheap.items():
        assert (r["pa"], r["software"]) == (slots[va]["pa"], hex(slots[va]["refs"]))
        assert (r["size"], r["perm"], r["leaves"]) == ("0x200000", "rw-", 1)
    assert {"image", "fixmap", "vmap", "directmap"} <= {r["region"] for r in ranges}
    assert not any(set(r["perm"]) >= {"w", "x"} for r in ranges)
    ends = [int(r["va"], 16) + int(r["size"], 16) for r in ranges]
    assert all(end <= int(r["va"], 16) for end, r in zip(ends, ranges[1:]))


def test_find_and_explain(halted) -> None:
    """What is mapped is found from all three sides; the lookup ends where it must."""
    cpu = lines(halted, "dump")[0]["cpus"][0]
    for slot in cpu["slots"][:20]:
        for what in (f"mfn:{slot['mfn']}", f"pa:{slot['pa']}", slot["pa"]):
            found = lines(halted, "find", what, "--cpu", "0")[0]["slots"]
            assert slot["slot"] in [f["slot"] for f in found if f["cpu"] == 0]
        found = lines(halted, "find", slot["va"], "--cpu", "0")[0]
        assert found["read_as"] == "va" and found["mfn"] == slot["mfn"]
        answer = lines(halted, "explain", slot["mfn"], "--cpu", "0")[0]
        assert answer["home"] == slot["home"]
        if slot["probe"] == 0:
            assert answer["verdict"] == "hit"
            assert answer["slot"] == slot["slot"]


def test_cpus_and_stats(halted) -> None:
    """Counters and spreads agree with the slots."""
    dump = lines(halted, "dump")[0]
    cpus, stats = lines(halted, "cpus")[0], lines(halted, "stats")[0]
    assert cpus["state"] == "mapcache-ready"
    for cpu, row, said in zip(dump["cpus"], cpus["cpus"], stats["cpus"]):
        assert (row["root"], row["state"]) == (cpu["root"], "on")
        valid = cpu["slots"]
        assert said["refs"] == [sum(s["refs"] == n for s in valid) for n in range(16)]
        assert sum(said["probe"]) == len(valid)
        assert said["maps"] - said["unmaps"] == cpu["counts"]["refs"] or row["inside"]
    assert "  count        0  " in output(halted, "stats")


def test_events(halted) -> None:
    """The rings' last records, gapless, in the order of time, with callers' names."""
    events = lines(halted, "events", "--elf", str(BUILD / "hv.elf"))
    assert len(events) > 1000
    assert [e["t"] for e in events] == sorted(e["t"] for e in events)
    for cpu in (0, 1):
        seq = [e["seq"] for e in events if e["cpu"] == cpu]
        assert seq == list(range(seq[0], seq[0] + len(seq)))
    assert all(re.fullmatch(r"\w+\+0x[0-9a-f]+", e["where"]) for e in events)
    maps = [e for e in events if e["event"] == "map"]
    assert maps and all((int(e["mfn"], 16) >> 9) + e["probe"] - e["slot"] & 1023 == 0 for e in maps)
    last = {}
    for event in events:
        last[event["cpu"], event["slot"]] = event["refs"]
    slots = {(c["cpu"], s["slot"]): s["refs"] for c in lines(halted, "dump")[0]["cpus"]
             for s in c["slots"]}
    assert all(slots[key] == refs for key, refs in last.items())
    text = output(halted, "events", "--elf", str(BUILD / "hv.elf"))
    assert re.search(r"map +slot +\d+ +refs +\d+ +mfn 0x.* \w+\+0x\w+ +\w+\.[ch]:\d+", text)


def test_symbols_of_another_build(halted, tmp_path: Path) -> None:
    """A file of another build is told and not used."""
    other = tmp_path / "other.elf"
    subprocess.run(["objcopy", "--remove-section", ".note.gnu.build-id", BUILD / "hv.elf", other],
                   check=False, capture_output=True)
    if not other.exists():
        other.write_bytes(Path("/bin/true").read_bytes())
    result = run("events", "--elf", other, "--dir", halted.dir)
    assert result.returncode == 0
    assert re.fullmatch(r"hvscope: no symbols: of another build [^\n]*\n", result.stderr)
    assert "  0xa0000" in result.stdout
    for words in (["dump"], ["cpus"], ["view", "--once"]):
        result = run(*words, "--elf", other, "--dir", halted.dir)
        assert result.returncode == 0 and "map_domain_page" not in result.stdout
        assert re.fullmatch(r"hvscope: no symbols: of another build [^\n]*\n", result.stderr), words


def test_snapshot_and_diff(halted, tmp_path: Path) -> None:
    """A snapshot says what the machine says; what differs later is listed."""
    file = tmp_path / "one.snap"
    assert output(halted, "snapshot", str(file)) == ""
    assert file.stat().st_size < 10 << 20 and file.stat().st_mode & 0o077 == 0
    for command in (["dump", "--all"], ["map"], ["stats"], ["events"], ["walk", hex(DOMHEAP)]):
        kept = run(*command, "--json", "--recording", file)
        assert kept.stdout == output(halted, *command, "--json")
    assert lines(halted, "diff", str(file), "-")[0]["cpus"] == [{"cpu": 0, "slots": []},
                                                                {"cpu": 1, "slots": []}]
    halted.qmp("cont")
    since = lines(halted, "stats")[0]["cpus"][0]["maps"]
    run("wait", f"cpu0.maps>={since + 400}", "--timeout", "20", "--dir", halted.dir)
    halted.qmp("stop")
    differ = lines(halted, "diff", str(file), "-")[0]["cpus"][0]["slots"]
    assert differ and all(d["a"] != d["b"] for d in differ)
    assert "slots differ" in output(halted, "diff", str(file), "-")
    check_error(run("dump", "--recording", HVSCOPE), 4, "is no recording")
    check_error(run("dump", "--recording", tmp_path / "none"), 3, "cannot open")


def test_wait(halted) -> None:
    """True at once, true later, never, and nonsense."""
    assert lines(halted, "wait", "cpu0.maps>=1")[0]["value"] >= 1
    late = run("wait", "cpu0.slot0.refs>=16", "--timeout", "0.2", "--dir", halted.dir)
    check_error(late, 1, "not within 0.2 s")
    check_error(run("wait", "cpu0.frob>1", "--dir", halted.dir), 2, "is no expression")
    check_error(run("wait", "cpu7.maps>1", "--dir", halted.dir), 2, "no CPU7: this machine has 2")


class Lines:
    """Whole lines of a pipe, as they come."""

    def __init__(self, pipe) -> None:
        self.pipe, self.text = pipe, b""

    def until(self, done, timeout: float = 20) -> None:
        """Read until done(line) was true; at the deadline the test fails."""
        deadline, last = time.monotonic() + timeout, ""
        while time.monotonic() < deadline:
            line, end, rest = self.text.partition(b"\n")
            if end:
                last, self.text = line.decode(), rest
                if done(last):
                    return
            elif select.select([self.pipe], [], [], 0.1)[0]:
                self.text += os.read(self.pipe.fileno(), 1 << 14)
        raise AssertionError(f"it never came; the last line: {last}")


class Account:
    """What was seen and lost of each CPU's events; every number must be in one or the other."""

    def __init__(self) -> None:
        self.next: dict[int, int] = {}
        self.seen: dict[int, int] = {}
        self.lost: dict[int, int] = {}

    def add(self, line: str) -> None:
        """A line of JSON."""
        row = json.loads(line)
        cpu, lost = row["cpu"], row["count"] if row["event"] == "lost" else 0
        assert row["seq"] == self.next.setdefault(cpu, row["seq"]), row
        self.seen[cpu] = self.seen.get(cpu, 0) + (not lost)
        self.lost[cpu] = self.lost.get(cpu, 0) + lost
        self.next[cpu] += lost or 1


@pytest.mark.parametrize("cmdline, stall", [("pace=1000", False), ("", True)])
def test_follow(machine, cmdline: str, stall: bool) -> None:
    """Paced, nothing is lost; at full rate, with a slow reader, seen + lost = produced: the last
    number of each CPU is that of its ring's head, where the machine was stopped."""
    m = machine(smp=2, cmdline=cmdline)
    for cpu in (0, 1):  # the work before the workload is not paced
        run("wait", f"cpu{cpu}.work>=10", "--timeout", "20", "--dir", m.dir)
    account, first = Account(), {}

    def take(line: str) -> bool:
        account.add(line)
        for cpu in account.next:
            first.setdefault(cpu, account.next[cpu] - 1)
        return len(account.next) == 2 and sum(account.seen.values()) > 2000

    command = [HVSCOPE, "events", "--follow", "--json", "--dir", m.dir]
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
        lines = Lines(process.stdout)
        lines.until(take)
        produced = [c.fields["ring_head"] for c in read_beacon(m).cpus]
        wait_until(lambda: not stall or all(  # nobody reads: the pipe is full, the rings go round
            c.fields["ring_head"] > old + 20000 for c, old in zip(read_beacon(m).cpus, produced)))
        m.qmp("stop")
        heads = {cpu: c.fields["ring_head"] for cpu, c in enumerate(read_beacon(m).cpus)}
        lines.until(lambda line: take(line) and account.next == heads)
        process.send_signal(signal.SIGINT)
        assert lines.text + process.stdout.read() == b"" and process.wait(10) == -signal.SIGINT
    for cpu, head in heads.items():
        assert account.seen[cpu] + account.lost[cpu] == head - first[cpu]
    assert (sum(account.lost.values()) > 0) == stall, account.lost


def test_follow_ends_with_the_machine(machine) -> None:
    """It says so."""
    m = machine(smp=1, cmdline="pace=100")
    with subprocess.Popen([HVSCOPE, "events", "--follow", "--dir", m.dir], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        m.stop()
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 3 and re.fullmatch(r"hvscope: the machine [^\n]*\n", errors)


def once(*words: str | Path, **env: str) -> list[str]:
    """One picture without its title."""
    return run("view", "--once", *words, COLUMNS="160", LINES="48",
               **env).stdout.splitlines()[1:]


def test_record(halted, tmp_path: Path) -> None:
    """A recorder that is killed leaves a file that looks like the machine did."""
    file = tmp_path / "run.rec"
    words = [HVSCOPE, "record", file, "--hz", "30", "--dir", halted.dir]
    with subprocess.Popen(words) as recorder:
        wait_until(lambda: run("dump", "--recording", file).returncode == 0)  # a frame is whole
        recorder.kill()
    assert once("--recording", file)[:19] == once("--dir", halted.dir)[:19]
    assert run("dump", "--recording", file).stdout == output(halted, "dump")
    (tmp_path / "hvscope").mkdir()
    for view in VIEWS:
        (tmp_path / "hvscope/config").write_text(f"view {view}\n")
        picture = once("--recording", file, XDG_CONFIG_HOME=str(tmp_path))
        assert picture == once("--ram", halted.dir / "ram", XDG_CONFIG_HOME=str(tmp_path)), view
        assert view == "slots" or re.match(rf" \d {view.capitalize()}\b", picture[0])
    with open(file, "ab") as more:
        more.write(b"half a frame")
    assert run("dump", "--recording", file).stdout == output(halted, "dump")
    full = run("record", file, "--hz", "60", "--max-size", "1M", "--dir", halted.dir)
    assert full.returncode == 0 and file.stat().st_size <= 1 << 20
    with subprocess.Popen(words) as recorder:
        time.sleep(0.2)
        recorder.send_signal(signal.SIGINT)
        assert recorder.wait(10) == 130


def test_replay(halted, tmp_path: Path, tmux) -> None:  # noqa: F811
    """A recording plays; frames and events can be stepped through."""
    file = tmp_path / "run.rec"
    halted.qmp("cont")
    with subprocess.Popen([HVSCOPE, "record", file, "--dir", halted.dir]) as recorder:
        deadline = time.monotonic() + 20
        while not file.exists() or file.stat().st_size < 700000:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        recorder.terminate()
        assert recorder.wait(10) == 143
    halted.qmp("stop")
    tmux.start(f"exec {HVSCOPE} view --recording {file}")
    tmux.wait(r"FILE frame [2-9] of \d+")
    tmux.keys("{")
    first = int(re.search(r"frame (\d+) of", tmux.wait(r"PAUSED frame \d+ of"))[1])
    tmux.keys("{")
    tmux.wait(rf"PAUSED frame {max(first - 1, 1)} of")
    tmux.keys("[")
    at = int(re.search(r"#(\d+) of", tmux.wait(r"PAUSED #\d+ of \d+"))[1])
    tmux.keys("[")
    tmux.wait(rf"PAUSED #{at - 1} of")
    tmux.keys("]")
    tmux.wait(rf"PAUSED #{at} of")
    tmux.keys("Space")
    tmux.wait("FILE frame")


def test_qmp(halted) -> None:
    """QEMU names its RAM files."""
    socket = halted.dir / "qmp.sock"
    assert run("dump", "--qmp", socket).stdout == output(halted, "dump")
    assert "STOPPED paused" in run("view", "--once", "--qmp", socket).stdout.splitlines()[0]
    check_error(run("dump", "--qmp", halted.dir / "none.sock"), 3, "nobody answers")
    check_error(run("dump", "--qmp", socket, "--dir", halted.dir), 2, "two targets")


def test_qmp_without_shared_ram(tmp_path: Path) -> None:
    """RAM that no file is behind: QEMU saves what is read, and says whether it runs."""
    from machine import Machine
    socket = tmp_path / "qmp.sock"
    command = ["qemu-system-aarch64", "-M", "virt,virtualization=on,gic-version=3", "-cpu", "max",
               "-smp", "2", "-m", "1G", "-nodefaults", "-display", "none", "-nic", "none",
               "-serial", "null", "-kernel", BUILD / "hv-xen.bin", "-append", "pace=100",
               "-qmp", f"unix:{socket},server=on,wait=off",
               "-qmp", f"unix:{tmp_path}/qmp-user.sock,server=on,wait=off"]
    with subprocess.Popen(command) as qemu:
        try:
            deadline = time.monotonic() + 30
            while (dump := run("dump", "--json", "--qmp", socket)).returncode:
                assert time.monotonic() < deadline, dump.stderr
                time.sleep(0.1)
            cpus = json.loads(dump.stdout)["cpus"]
            assert len(cpus) == 2 and cpus[0]["counts"]["broken"] == 0
            walk = json.loads(run("walk", "0xa0000200000", "--json", "--qmp", socket).stdout)
            assert walk["result"]["perm"] == "r-x"
            assert "LIVE" in run("view", "--once", "--qmp", socket).stdout.splitlines()[0]
            Machine.qmp(SimpleNamespace(dir=tmp_path), "stop")
            assert "STOPPED paused" in run("view", "--once", "--qmp", socket).stdout
            cpus = json.loads(run("cpus", "--json", "--qmp", socket).stdout)["cpus"]
            assert all(row["pc"] for row in cpus)
        finally:
            qemu.kill()
