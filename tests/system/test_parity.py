# SPDX-License-Identifier: GPL-2.0-or-later
"""The viewer's commands and GDB's print the same, byte for byte, of a halted machine."""

import json
import subprocess

from conftest import BUILD, ROOT


def gdb_answers(m, commands):
    """What each GDB command printed."""
    words = ["-ex", f"source {ROOT}/gdb-scripts/hvscope.py", "-ex", "target remote gdb.sock"]
    for command in commands:
        words += ["-ex", "echo @@@\\n", "-ex", command]
    out = subprocess.run(["gdb-multiarch", "-nx", "-q", "-batch", *words, BUILD / "hv-xen.elf"],
                         cwd=m.dir, capture_output=True, text=True, timeout=60, check=True).stdout
    return [part.split("\n[Inferior")[0].strip() for part in out.split("@@@\n")[1:]]


def viewer_answer(m, words):
    """What hvscope printed."""
    return subprocess.run([BUILD / "hvscope", *words, "--dir", m.dir], text=True,
                          capture_output=True, timeout=30, check=True).stdout.strip()


def test_same_bytes(machine):
    """Every question that both can answer, on slots of every state."""
    m = machine(smp=2, cmdline="workload=saturate,nest,copy,guest")
    m.qmp("stop")
    dump = json.loads(viewer_answer(m, ["dump", "--json"]))
    slots = dump["cpus"][0]["slots"]
    frames = {slot["state"]: slot["mfn"] for slot in slots}
    asked = [*frames.values(), hex(int(slots[0]["mfn"], 16) + 0x80000), "0x48210"]
    pairs = [(["dump"], "mapcache-dump"), (["dump", "--all"], "mapcache-dump --all"),
             (["map"], "pt-dump"), (["stats"], "mapcache-stats"),
             *((["walk", va, "--cpu", "0"], f"pt-walk {va} --cpu 0")
               for va in ("0xa0000200000", slots[0]["va"], "0x1000", "0x800048200000")),
             *((["explain", mfn, "--cpu", "0"], f"mapcache-explain {mfn} --cpu 0")
               for mfn in asked),
             *((["find", f"mfn:{mfn}"], f"mapcache-find mfn:{mfn}") for mfn in asked),
             (["find", "pa:" + slots[0]["pa"]], "mapcache-find pa:" + slots[0]["pa"])]
    asked = [([*words, "--json"], command + " --json") for words, command in pairs] + pairs
    said = [viewer_answer(m, words) for words, _ in asked]
    answers = gdb_answers(m, [command for _, command in asked])  # then it runs on
    for (_, command), viewer, gdb in zip(asked, said, answers):
        assert viewer == gdb, command


def guest_symbol(name):
    """Link address of a symbol of the guest."""
    text = subprocess.run(["aarch64-linux-gnu-nm", BUILD / "hv/guest/guest.elf"], check=True,
                          capture_output=True, text=True).stdout
    return next(int(line.split()[0], 16) for line in text.splitlines() if line.endswith(f" {name}"))


def test_guest(machine, tmp_path):
    """EL1, stage 2 and both of a guest at the halt at which GDB answered: --gdb, and without a
    debugger by what the image says of its vCPU; a snapshot keeps all of it, for both tools.

    GDB disconnects and leaves the machine halted; the viewer leaves it as it was.
    """
    m = machine(smp=1, cmdline="workload=guest", extra="-S", ready=None)
    start = hex(guest_symbol("guest_main"))
    pairs = [(["map", "--regime", "s2"], "pt-dump --regime s2"),
             (["walk", start, "--regime", "el1"], f"pt-walk {start} --regime el1"),
             (["walk", start, "--regime", "guest"], f"pt-walk {start} --regime guest"),
             (["walk", "0x1000", "--regime", "s2"], "pt-walk 0x1000 --regime s2"),
             (["walk", "0xa0000200000"], "pt-walk 0xa0000200000"), (["map"], "pt-dump"),
             (["dump"], "mapcache-dump")]
    asked = [([*words, "--json"], command + " --json") for words, command in pairs]
    asked += [*pairs, (["cpus", "--json"], "hv-cpus --json"),
              (["map", "--regime", "el1"], "pt-dump --regime el1")]
    answers = gdb_answers(m, [f"hbreak *{start}", "continue", "delete", "stepi 20",
                              *(command for _, command in asked), "disconnect"])[4:-1]
    for (words, command), gdb in zip(asked, answers):
        said = subprocess.run([BUILD / "hvscope", *words, "--gdb", m.dir / "gdb.sock"], text=True,
                              capture_output=True, timeout=30, check=True)
        assert said.stdout.strip() == gdb, command
        assert said.stderr.startswith("hvscope: --gdb halts the machine")
        if words[0] != "cpus":
            assert viewer_answer(m, words) == gdb, command
    file = tmp_path / "snap"
    viewer_answer(m, ["snapshot", file])
    kept = subprocess.run(["gdb-multiarch", "-nx", "-q", "-batch",
                           "-ex", f"source {ROOT}/gdb-scripts/hvscope.py", "-ex", f"hv-open {file}",
                           *(word for _, command in asked for word in ("-ex", "echo @@@\\n", "-ex",
                                                                       command))],
                          capture_output=True, text=True, timeout=60, check=True).stdout
    for (words, command), gdb, file_gdb in zip(asked, answers, kept.split("@@@\n")[1:]):
        if words[0] != "cpus":
            said = subprocess.run([BUILD / "hvscope", *words, "--recording", file], text=True,
                                  capture_output=True, timeout=30, check=True).stdout
            assert said.strip() == file_gdb.strip() == gdb, command
    assert m.qmp("query-status")["status"] == "debug"


def test_core(machine, tmp_path):
    """What dump-guest-memory wrote, read by --core, is what the RAM file held; then cut short."""
    m = machine(smp=2, mem="160M")
    m.qmp("stop")
    core = tmp_path / "core"
    m.qmp("dump-guest-memory", paging=False, protocol=f"file:{core}")
    for words in (["dump", "--json"], ["map"], ["stats", "--json"], ["walk", "0xa0000200000"]):
        said = subprocess.run([BUILD / "hvscope", *words, "--core", core], text=True, timeout=30,
                              capture_output=True, check=True).stdout
        assert said.strip() == viewer_answer(m, words), words
    rows = json.loads(viewer_answer(m, ["cpus", "--json"]))
    said = subprocess.run([BUILD / "hvscope", "cpus", "--json", "--core", core], text=True,
                          capture_output=True, timeout=30, check=True).stdout
    assert json.loads(said) == rows and rows["cpus"][0]["pc"]
    with open(core, "r+b") as file:
        file.truncate(file.seek(0, 2) - 4096)
    said = subprocess.run([BUILD / "hvscope", "dump", "--core", core], text=True, timeout=30,
                          capture_output=True, check=False)
    assert (said.returncode, said.stdout) == (4, "")
    assert said.stderr.startswith(f"hvscope: the core {core} is truncated")
