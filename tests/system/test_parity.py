# SPDX-License-Identifier: GPL-2.0-or-later
"""The viewer's commands and GDB's print the same, byte for byte, of a halted machine."""

import json
import subprocess

from conftest import BUILD, ROOT


SAME_TEXT = ("mapcache-dump", "pt-walk", "pt-dump")


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
    texts = [pair for pair in pairs if pair[1].split()[0] in SAME_TEXT]
    asked = [([*words, "--json"], command + " --json") for words, command in pairs] + texts
    said = [viewer_answer(m, words) for words, _ in asked]
    answers = gdb_answers(m, [command for _, command in asked])  # then it runs on
    for (_, command), viewer, gdb in zip(asked, said, answers):
        assert viewer == gdb, command
