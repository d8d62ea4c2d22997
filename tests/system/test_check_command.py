# SPDX-License-Identifier: GPL-2.0-or-later
"""hvscope check: verdict and exit status; the casemate export, by its grammar."""

import json
import re
import signal
import subprocess

import pytest
from conftest import BUILD, ROOT, read_beacon, wait_until

HEX = r"0x[0-9a-f]+"
ID = r"\(id (\d+)\) \(tid 0\)"
SRC = r'\(src "[^":]+:\d+"\)'
GRAMMAR = [
    ("init", rf"\(mem-init {ID} \(address ({HEX})\) \(size 0x1000\) {SRC}\)"),
    ("write", rf"\(mem-write {ID} \(mem-order release\) \(address ({HEX})\) \(value ({HEX})\) "
              rf"{SRC}\)"),
    ("root", rf"\(sysreg-write {ID} \(sysreg ttbr0_el2\) \(value ({HEX})\) {SRC}\)"),
    ("dsb", rf"\(barrier {ID} dsb \(kind (ish|ishst)\) {SRC}\)"),
    ("isb", rf"\(barrier {ID} isb {SRC}\)"),
    ("vae2is", rf"\(tlbi {ID} vae2is \(value ({HEX})\) {SRC}\)"),
    ("alle2is", rf"\(tlbi {ID} alle2is {SRC}\)"),
]


def check(*target: object) -> tuple[int, dict, str]:
    """hvscope check --json and as text; both have the same status."""
    def run(*more: str) -> subprocess.CompletedProcess:
        return subprocess.run([BUILD / "hvscope", "check", *map(str, target), *more],
                              capture_output=True, text=True, check=False, timeout=60)
    text, data = run(), run("--json")
    assert text.returncode == data.returncode, (text.stderr, data.stderr)
    return data.returncode, json.loads(data.stdout), text.stdout


def snapshot(m, name: str):
    """What hvscope snapshot keeps of a machine: the same thing for every command after it."""
    file = m.dir / name
    subprocess.run([BUILD / "hvscope", "snapshot", "--dir", m.dir, file], check=True, timeout=60,
                   capture_output=True)
    return file


def stride(machine, engine: str, options: str):
    """A machine whose slots change owner with every map, warm."""
    m = machine(smp=2, mem="16G", image=BUILD / f"hv-{engine}.bin",
                cmdline=f"workload=stride {options}")
    wait_until(lambda: min(c.fields["commandeers"] for c in read_beacon(m).cpus) > 2000, 60)
    return m


def test_findings_of_the_patch_and_their_export(machine, tmp_path) -> None:
    """Each commandeered slot is a hazard, with its window; the export has the store."""
    file = snapshot(stride(machine, "xen", "trace=all"), "snap")
    status, said, text = check("--recording", file)
    assert (status, said["verdict"], said["schema"]) == (1, "findings", "hvscope.check/1")
    assert said["read"]["entries"] == 2048 and said["read"]["events"] > 5000
    assert "verdict: findings\n" in text and "hazard     RFVQCK  CPU0" in text
    found = said["findings"]
    assert {(f["rule"], f["severity"], f["tier"]) for f in found} == {("RFVQCK", "hazard", 2)}
    assert {(f["cpu"], f["slot"]) for f in found} == {(0, 256), (1, 264)}
    assert all(f["certain"] and f["count"] > 50 and f["window_events"] >= 4 and f["window_ns"] > 0
               and f["window_irqs"] >= 0 for f in found)
    for cpu in (0, 1):
        message = next(f["message"] for f in found if f["cpu"] == cpu)
        where, new = re.search(rf"entry at ({HEX}): {HEX} -> ({HEX})", message).groups()
        writes = [r[2:] for r in export(file, tmp_path / "x", cpu) if r[0] == "write"]
        assert (where, new) in writes
        cleared = hex(int(new, 16) & ~(1 << 10))
        writes = [r[2:] for r in export(file, tmp_path / "y", cpu, "--af0") if r[0] == "write"]
        assert (where, cleared) in writes and (where, new) not in writes


def export(file, prefix, cpu: int, *more: str) -> list[tuple]:
    """Records of one CPU's file."""
    subprocess.run([BUILD / "hvscope", "events", "--recording", file, "--format", "casemate",
                    "--output", prefix, *more], check=True, timeout=60, capture_output=True)
    return parse(prefix, cpu)


def parse(prefix, cpu: int) -> list[tuple]:
    """Kind, id and the rest of each record; every line fits the grammar."""
    records = []
    for line in (prefix.parent / f"{prefix.name}.cpu{cpu}").read_text().splitlines():
        kind, match = next((kind, match) for kind, rule in GRAMMAR
                           if (match := re.fullmatch(rule, line)))
        records.append((kind, *match.groups()))
    return records


def test_export_is_in_order(machine, tmp_path) -> None:
    """Ids ascend by one; every page is made before it is written; the root comes before the run."""
    m = machine(smp=1, mem="16G", image=BUILD / "hv-clock.bin", cmdline="trace=all workload=storm")
    wait_until(lambda: read_beacon(m).cpus[0].fields["ring_head"] > 20000, 60)
    records = export(snapshot(m, "snap"), tmp_path / "x", 0)
    assert [int(r[1]) for r in records] == list(range(len(records)))
    root = next(n for n, r in enumerate(records) if r[0] == "root")
    assert int(records[root][2], 16) == read_beacon(m).cpus[0].root
    pages = {r[2] for r in records[:root] if r[0] == "init"}
    assert {r[0] for r in records[:root]} == {"init", "write"} and len(pages) > 10
    assert not any(r[0] == "init" for r in records[root:])
    assert {hex(int(r[2], 16) & ~0xFFF) for r in records if r[0] == "write"} <= pages
    assert {"write", "dsb", "isb", "vae2is"} <= {r[0] for r in records[root:]}


def record_events(m, file, enough) -> None:
    """record --events until there is enough, or the file is full."""
    with subprocess.Popen([BUILD / "hvscope", "record", file, "--events", "--hz", "5",
                           "--max-size", "32M", "--dir", m.dir],
                          stdout=subprocess.DEVNULL) as recorder:
        wait_until(lambda: recorder.poll() is not None or file.exists() and enough())
        recorder.send_signal(signal.SIGINT)
        assert recorder.wait(20) in (0, 130)


def stores(records: list[tuple]) -> list[tuple[int, int, int]]:
    """Address, what was there and what is stored, from the root on: by the file alone."""
    memory: dict[int, int] = {}
    root = next(n for n, r in enumerate(records) if r[0] == "root")
    made = []
    for n, record in enumerate(records):
        if record[0] == "write":
            address, value = (int(word, 16) for word in record[2:])
            if n > root:
                made.append((address, memory.get(address, 0), value))
            memory[address] = value
    return made


def broke_before_make(made: list[tuple[int, int, int]]) -> bool:
    """No live entry got another output address. Software bits apart."""
    return not any(old & new & 1 and (old ^ new) & 0xFFFFFFFFF000 for _, old, new in made)


@pytest.mark.parametrize("pace, maps, lost", [("pace=500", 1500, False), ("", 40000, True)])
def test_export_of_many_frames(machine, tmp_path, pace: str, maps: int, lost: bool) -> None:
    """All frames of a recording, as far as nothing was lost: the entries before the first event
    are what it found. With bbm another start would show a live entry replaced."""
    m = machine(smp=2, mem="16G", image=BUILD / "hv-bbm.bin",
                cmdline=f"trace=all workload=storm {pace}")
    before: list[int] = []

    def enough() -> bool:
        now = [c.fields["maps"] for c in read_beacon(m).cpus]
        before.extend(now if not before else [])  # when the recording begins
        return all(n - was > maps for n, was in zip(now, before))

    record_events(m, m.dir / "rec", enough)
    for cpu in (0, 1):
        made = stores(export(m.dir / "rec", tmp_path / "x", cpu))
        assert broke_before_make(made) and (lost or len(made) > 3000)
    told = subprocess.run([BUILD / "hvscope", "events", "--format", "casemate", "--output",
                           tmp_path / "x", "--recording", m.dir / "rec"], check=True,
                          capture_output=True, text=True, timeout=60).stdout
    assert ("events left out: of those up to the last loss the start is not known" in told) == lost


@pytest.mark.parametrize("engine, options, status, verdict", [
    ("bbm", "check=on", 0, "clean"), ("xen", "check=on", 1, "findings"),
    ("xen", "trace=api", 6, "incomplete"), ("bbm", "trace=off", 6, "incomplete")])
def test_verdicts(machine, engine: str, options: str, status: int, verdict: str) -> None:
    """The image's own verdict with check=on; without stores, none."""
    m = stride(machine, engine, options)
    code, said, text = check("--dir", m.dir)
    assert (code, said["verdict"]) == (status, verdict)
    if verdict == "incomplete":
        assert "verdict: incomplete: boot with trace=all or check=on\n" in text
    else:
        assert "by the image itself" in text and said["read"]["events"] > 1000
    if verdict == "findings":
        rows_are_the_images(m)


def rows_are_the_images(m) -> None:
    """The image's own rows: which slot, where, how often, how long; live, halted, from a file."""
    m.qmp("stop")
    hazards = [c.fields["hazards"] for c in read_beacon(m).cpus]
    _, said, text = check("--dir", m.dir)
    found = said["findings"]
    assert [f["cpu"] for f in found] == [0, 1] and [f["count"] for f in found] == hazards
    for f in found:
        assert (f["rule"], f["severity"], f["tier"], f["certain"]) == ("RFVQCK", "hazard", 2, True)
        assert f["slot"] in (256, 264) and f["where"].startswith("map_domain_page+0x")
        assert f["window_events"] >= 4 and f["window_ns"] > 0 and f["window_irqs"] >= 0
        assert re.search(rf"va {HEX}, entry at {HEX}: {HEX} -> {HEX}", f["message"])
        assert f"hazard     RFVQCK  CPU{f['cpu']}  {f['count']}x  {f['where']}" in text
        assert f"CPU{f['cpu']} hazard RFVQCK at 0x" in m.console()
    assert check("--recording", snapshot(m, "snap"))[1] == said
    gdb = subprocess.run(
        ["gdb-multiarch", "-nx", "-q", "-batch", "-ex", f"source {ROOT}/gdb-scripts/hvscope.py",
         "-ex", "target remote gdb.sock", "-ex", "mapcache-check", str(BUILD / "hv-xen.elf")],
        cwd=m.dir, capture_output=True, text=True, timeout=60, check=True).stdout
    assert text in gdb


def test_a_ring_of_bbm(machine) -> None:
    """No finding; what came over an entry of unknown history is counted, and not called clean."""
    m = stride(machine, "bbm", "trace=all")
    code, said, _ = check("--recording", snapshot(m, "snap"))
    assert said["findings"] == [] and said["read"]["events"] > 5000
    assert code == (6 if said["read"]["unjudged"] or said["read"]["lost"] else 0)


@pytest.mark.parametrize("pace, all_there", [("pace=2000", True), ("", False)])
def test_recorded_events(machine, pace: str, all_there: bool) -> None:
    """record --events: nothing lost at a pace; at full rate, seen + lost = made, and so the verdict
    is not clean."""
    m = machine(smp=2, mem="16G", image=BUILD / "hv-bbm.bin",
                cmdline=f"trace=all workload=stride {pace}")
    file = m.dir / "rec"
    record_events(m, file, lambda: all(c.fields["maps"] > 800 for c in read_beacon(m).cpus))
    m.cleanup()
    lines = subprocess.run([BUILD / "hvscope", "events", "--json", "--recording", file], check=True,
                           capture_output=True, text=True, timeout=60).stdout.splitlines()
    events = [json.loads(line) for line in lines]
    lost = sum(e["count"] for e in events if e["event"] == "lost")
    for cpu in (0, 1):
        mine = [e for e in events if e["cpu"] == cpu]
        sizes = [e["count"] if e["event"] == "lost" else 1 for e in mine]
        assert [e["seq"] for e in mine[1:]] == [e["seq"] + n for e, n in zip(mine, sizes)][:-1]
        assert mine[-1]["seq"] - mine[0]["seq"] > 5000
    status, said, _ = check("--recording", file)
    assert said["read"]["events"] == len(events) and said["read"]["lost"] == lost
    assert said["findings"] == [] and (lost == 0 or not all_there)
    assert status == (6 if lost or said["read"]["unjudged"] else 0)


def test_bad_usage(machine) -> None:
    """One sentence, and the documented status."""
    m = machine(smp=1)
    for words, status in ((["events", "--format", "casemate"], 2),
                          (["events", "--format", "casemate", "--output", "/nowhere/x"], 5),
                          (["check", "--all"], 2), (["check", "--events"], 2)):
        done = subprocess.run([BUILD / "hvscope", *words, "--dir", m.dir], capture_output=True,
                              text=True, check=False, timeout=30)
        assert done.returncode == status and done.stderr.startswith("hvscope: ")
        assert done.stderr.count("\n") == 1 and not done.stdout
