# SPDX-License-Identifier: GPL-2.0-or-later
"""The profile for a Xen, on our own image: it has the same symbols, so what a Xen says is known."""

import json
import subprocess

import pytest
from conftest import BUILD, ROOT, wait_until

ELF = BUILD / "hv-xen.elf"


def hvscope(m, *words):
    """Status, output and errors of hvscope on a machine."""
    done = subprocess.run([BUILD / "hvscope", *words, "--dir", m.dir], capture_output=True,
                          text=True, timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


def answer(m, *words):
    """What hvscope printed; it must have had no complaint."""
    status, out, errors = hvscope(m, *words)
    assert (status, errors) == (0, ""), errors
    return out


def as_xen(text):
    """A dump by the beacon as the Xen profile, which knows no beacon, gives it."""
    dump = json.loads(text)
    dump["target"].update(kind="xen", engine=None)
    for cpu in dump["cpus"]:
        if cpu["state"] == "on":
            cpu["consistent"] = None
    return json.dumps(dump, separators=(",", ":")) + "\n"


def test_dump_by_symbols_is_that_by_the_beacon(machine):
    """Roots, chain and slots: found by symbols as in a Xen, or by the beacon."""
    m = machine(smp=3, cmdline="workload=nest,saturate,copy")
    m.qmp("stop")
    xen = ("--profile", "xen", "--elf", ELF)
    words = ("dump", "--json", "--all")
    assert answer(m, *words, *xen) == as_xen(answer(m, *words))
    for words in (["walk", "0xa0000200000"], ["map", "--cpu", "1"], ["find", "mfn:0x48210"]):
        ours = json.loads(answer(m, *words, "--json"))
        theirs = json.loads(answer(m, *words, "--json", *xen))
        for one in [*ours.get("ranges", []), *theirs.get("ranges", [])]:
            del one["region"]  # a Xen's are not known
        assert ours == theirs
    (m.dir / "symbols").symlink_to(ELF)
    assert answer(m, "dump", "--profile", "xen").startswith("Xen, 3 CPUs, arm64; 1024 slots at 0x")


def test_gdb_prints_the_same(machine):
    """GDB's Xen profile on our image: the viewer's bytes."""
    m = machine(smp=2, cmdline="workload=nest,copy")
    m.qmp("stop")
    xen = ("--profile", "xen", "--elf", ELF)
    pairs = [("mapcache-dump --json", ["dump", "--json"]), ("mapcache-dump", ["dump"]),
             ("mapcache-stats --json", ["stats", "--json"]),
             ("pt-dump --json --cpu 0", ["map", "--json", "--cpu", "0"]),
             ("pt-walk 0xa0000200000 --json --cpu 1",
              ["walk", "0xa0000200000", "--json", "--cpu", "1"])]
    said = [answer(m, *words, *xen).strip() for _, words in pairs]
    commands = ["-ex", f"source {ROOT}/gdb-scripts/hvscope.py", "-ex", "target remote gdb.sock",
                "-ex", "hv-profile xen"]
    for command, _ in [*pairs, ("hv-layout --cpu 0", None)]:
        commands += ["-ex", "echo @@@\\n", "-ex", command]
    out = subprocess.run(["gdb-multiarch", "-nx", "-q", "-batch", *commands, ELF], cwd=m.dir,
                         capture_output=True, text=True, timeout=60, check=True).stdout
    printed = [part.split("\n[Inferior")[0].strip() for part in out.split("@@@\n")[1:]]
    for (command, _), viewer, gdb in zip(pairs, said, printed):
        assert gdb == viewer, command
    rows = {row[5]: row for line in printed[-1].splitlines()[2:] if (row := line.split())}
    leaves = sum(one["leaves"] for one in json.loads(said[3])["ranges"]
                 if 0x7f8000000000 <= int(one["va"], 0) < 0x7f8080000000)
    assert (rows["domheap:"][0], int(rows["domheap:"][4])) == ("255", leaves)
    assert rows["image:"][:2] == ["20", "0xa0000200000"] and "-" in rows


def test_snapshot_by_symbols(machine, tmp_path):
    """A snapshot of a Xen holds what it takes to read it as a Xen."""
    m = machine(smp=2, cmdline="workload=nest")
    m.qmp("stop")
    xen = ("--profile", "xen", "--elf", ELF)
    answer(m, "snapshot", tmp_path / "kept", *xen)
    kept = subprocess.run([BUILD / "hvscope", "--recording", tmp_path / "kept", "dump", "--json",
                           *xen], capture_output=True, text=True, timeout=30, check=True).stdout
    assert kept == answer(m, "dump", "--json", *xen)


@pytest.mark.parametrize("kind, sentence", [
    ("none", "for a Xen its symbols are needed"), ("other", "memory does not hold the build"),
    ("stripped", "it is stripped"), ("text", "is no ELF file for Arm"),
    ("missing", "cannot read"), ("foreign", "is no ELF file for Arm"),
    ("plain", "has no symbol cpu_online_map")])
def test_symbols_that_do_not_fit(machine, tmp_path, kind, sentence):
    """One sentence, status 4, nothing on stdout."""
    m = machine(smp=1)
    file = tmp_path / "symbols"
    if kind == "other":
        file = BUILD / "hv-bbm.elf"
    elif kind == "foreign":
        file = BUILD / "hvscope"
    elif kind == "text":
        file.write_text("no ELF file\n")
    elif kind in ("stripped", "plain"):
        option = ["--strip-all"] if kind == "stripped" else ["--strip-symbol=cpu_online_map"]
        subprocess.run(["aarch64-linux-gnu-objcopy", *option, ELF, file], check=True)
    words = [] if kind == "none" else ["--elf", file]
    for command in ("dump", "cpus", "view"):
        once = ["--once"] if command == "view" else []
        status, out, errors = hvscope(m, command, *once, "--profile", "xen", *words)
        assert (status, out) == (4, ""), command
        assert errors.startswith("hvscope: ") and errors.count("\n") == 1 and sentence in errors


def test_before_it_starts(machine):
    """A machine that has not run an instruction yet has no roots."""
    m = machine(smp=1, extra="-S", ready="")
    wait_until(lambda: "no beacon" in hvscope(m, "dump")[2])
    status, out, errors = hvscope(m, "dump", "--profile", "xen", "--elf", ELF)
    assert (status, out) == (4, "") and "has not started yet, or is booting" in errors


def test_what_a_xen_does_not_count(machine):
    """Counters and events are our image's own: said, not waited for."""
    m = machine(smp=1)
    xen = ("--profile", "xen", "--elf", ELF)
    for words, sentence in ((["events"], "a Xen records no events"),
                            (["wait", "cpu0.maps>=1"], "a Xen does not count that")):
        status, out, errors = hvscope(m, *words, *xen)
        assert (status, out) == (5, "") and sentence in errors
    cpu = json.loads(answer(m, "stats", "--json", *xen))["cpus"][0]
    assert cpu["maps"] is None and cpu["counts"]["free"] + cpu["counts"]["in-use"] > 0
    cpu = json.loads(answer(m, "cpus", "--json", *xen))["cpus"][0]
    assert (cpu["state"], cpu["generation"], cpu["inside"]) == ("on", None, None)
