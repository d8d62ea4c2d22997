# SPDX-License-Identifier: GPL-2.0-or-later
"""Cores, snapshots and recordings in place of a machine: the same answers, or one sentence."""
from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path

import debugger
import pytest
from conftest import BUILD
from debugger import Gdb

gdb = debugger.gdb
DIFF_SHOWN = 40  # slots a CPU
QUESTIONS = ("mapcache-dump", "mapcache-dump --json --all", "mapcache-stats --json", "pt-dump",
             "pt-dump --json --cpu 1", "pt-walk hv_main --json", "pt-walk 0x7f8000000000 --cpu 1",
             "mapcache-find va:0x7f8012345678 --json", "mapcache-find mfn:0x50000 --json",
             "mapcache-explain 0x50000 --cpu 1", "mapcache-slot 7", "mapcache-history 500",
             "mapcache-log -n 50", "hv-layout --cpu 1", "print $mc_refs(1, 5)",
             "print $mc_slot(0x7f8000400000)", "pt-walk 0x40001000 --regime s2",
             "pt-dump --regime s2 --json --cpu 1", "pt-dump --regime el1 --cpu 1",
             "pt-walk 0x40001000 --regime guest --json --cpu 1", "pt-walk 0 --regime el2-e2h")
PARITY = (("dump", "mapcache-dump"), ("map", "pt-dump"), ("stats", "mapcache-stats"),
          ("walk 0xa0000200000 --cpu 0", "pt-walk 0xa0000200000 --cpu 0"),
          ("find mfn:0x50000", "mapcache-find mfn:0x50000"),
          ("explain 0x50000 --cpu 0", "mapcache-explain 0x50000 --cpu 0"))


def hvscope(*words: object) -> str:
    """What the viewer's command line prints."""
    return subprocess.run([BUILD / "hvscope", *words], text=True, capture_output=True, timeout=60,
                          check=True).stdout


class Kept:
    """One halt of a machine: its answers through the stub and the viewer, and its files."""

    def __init__(self, directory: Path) -> None:
        from machine import Machine
        m = Machine(directory / "run", BUILD / "hv-xen.bin", 2, "160M", "max",
                    "workload=saturate,nest,copy,guest")
        self.directory = directory
        self.core, self.snapshot = directory / "a core", directory / "snap"
        self.recording = directory / "run.rec"
        try:
            m.start()
            m.wait_console("CPUs up", 60)
            record = subprocess.Popen([BUILD / "hvscope", "record", self.recording, "--dir", m.dir,
                                       "--max-size", "4M"])
            record.wait(60)
            session = Gdb("-ex", f"target remote {m.dir}/gdb.sock")
            session("thread 1")
            self.live = {question: session(question) for question in QUESTIONS}
            self.refused = session(f"hv-open {self.snapshot}")
            self.guests = session("hv-guests")
            self.viewer = {words: hvscope(*words.split(), "--json", "--dir", m.dir).strip()
                           for words, _ in PARITY}
            hvscope("snapshot", self.snapshot, "--dir", m.dir)
            m.qmp("dump-guest-memory", paging=False, protocol=f"file:{self.core}")
            session.close()
        finally:
            m.cleanup()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The halt; made once, since a core is large and slow."""
    directory = tmp_path_factory.mktemp("kept")
    yield Kept(directory)
    shutil.rmtree(directory)


@pytest.mark.parametrize("kind, way", [("core", "core-file"), ("core", "hv-open"),
                                       ("snapshot", "hv-open")])
def test_answers_as_of_the_machine(gdb, kept: Kept, kind: str, way: str) -> None:
    """Every question that a file can answer, with the machine's answer; the viewer's JSON too."""
    session, path = gdb(), getattr(kept, kind)
    said = session(f"{way} {path}")
    if way == "hv-open":
        assert said.splitlines()[0].endswith(f"{kind} {path}")
        assert said.splitlines()[-1] == kept.live["mapcache-dump"].split(";")[0]
    if kind == "core":
        session("thread 1")
    for question, answer in kept.live.items():
        assert session(question).split("= ")[-1] == answer.split("= ")[-1], question
    for words, command in PARITY:
        assert session(f"{command} --json") == kept.viewer[words]
        if kind == "snapshot":
            assert hvscope(*words.split(), "--json", "--recording",
                           path).strip() == kept.viewer[words]


def test_a_cores_threads(gdb, kept: Kept) -> None:
    """Registers and places of a core's CPUs are gdb's; guests are in it, a snapshot has none."""
    session = gdb()
    session(f"hv-open {kept.core}")
    cpus = json.loads(session("hv-cpus --json"))["cpus"]
    for n, row in enumerate(cpus):
        session(f"thread {row['thread']}")
        assert f"(LWP {n + 1})" in session("thread")
        assert int(session("output/x $pc"), 0) == int(row["pc"], 0)
        assert json.loads(session("pt-walk 0 --json"))["cpu"] == n
    assert session("hv-guests") == kept.guests
    session(f"hv-open {kept.snapshot}")
    assert session("info threads") == "No threads."
    assert all(row["pc"] is None for row in json.loads(session("hv-cpus --json"))["cpus"])
    assert session("hv-guests").endswith("is not in the snapshot")


def test_a_recordings_frames(gdb, kept: Kept) -> None:
    """--frame goes there; mapcache-diff then says what changed since the frame before."""
    session = gdb()
    said = session(f"hv-open {kept.recording}")
    last = int(said.splitlines()[1].split("-")[1].split(",")[0])
    assert last >= 2 and said.startswith("recording ")
    seen = {}
    for frame in (0, last, 1, last // 2):
        assert f"frame {frame} of 0-{last}, " in session(f"hv-open --frame {frame}")
        seen[frame] = session("mapcache-dump --json --all")
        if len(seen) > 1:
            slots = [{(cpu["cpu"], slot["slot"]): slot["pte"] for cpu in json.loads(dump)["cpus"]
                      for slot in cpu["slots"]} for dump in list(seen.values())[-2:]]
            changed = [key for key in slots[0] if slots[0][key] != slots[1][key]]
            lines = [line.split() for line in session("mapcache-diff").splitlines()]
            said = [(int(line[0][3:]), int(line[2])) for line in lines if line[1] == "slot"]
            assert said == [key for cpu in (0, 1)
                            for key in [key for key in changed if key[0] == cpu][:DIFF_SHOWN]]
    assert len(set(seen.values())) > 1
    assert seen[0].strip() == hvscope("dump", "--json", "--all", "--recording",
                                      kept.recording).strip()
    assert session(f"hv-open --frame {last + 1}") == f"hvscope: no frame {last + 1}: there are " \
                                                     f"0-{last}"


@pytest.mark.parametrize("command", ["mapcache-break full", "mapcache-blame 3",
                                     "mapcache-trace on"])
def test_a_file_does_not_run(gdb, kept: Kept, command: str) -> None:
    """What needs a machine says so, and sets nothing."""
    session = gdb()
    for path, kind in ((kept.core, "core"), (kept.snapshot, "snapshot")):
        session(f"hv-open {path}")
        assert session(command).startswith(f"hvscope: a {kind} cannot run or be changed")
    assert "No breakpoints" in session("info breakpoints")


def test_files_that_are_none(gdb, kept: Kept, tmp_path) -> None:
    """Cut off, damaged, foreign, missing: one sentence, and what was open stays open."""
    session = gdb()
    whole = kept.snapshot.read_bytes()
    with open(kept.core, "rb") as file:
        core = file.read(1 << 20)
    foreign = "is neither an arm64 ELF core nor a snapshot or recording of hvscope"
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    cases = {"empty": (b"", foreign), "text": (b"hello\n" * 40, foreign),
             "short": (whole[:63], foreign), "elf": (Path("/bin/true").read_bytes(), foreign),
             "head": (whole[:64], "is cut off or damaged"),
             "half": (whole[:len(whole) // 2], "is cut off or damaged"),
             "flip": (bytes(flipped), "is cut off or damaged"),
             "core": (core, "is cut off or damaged"), "stub": (core[:200], "is cut off or damaged"),
             "newer": (whole[:8] + struct.pack("<I", 9) + whole[12:], "of version 9, this tool")}
    session(f"hv-open {kept.snapshot}")
    for name, (data, said) in cases.items():
        (tmp_path / name).write_bytes(data)
        answer = session(f"hv-open {tmp_path / name}")
        assert said in answer and answer.startswith("hvscope: "), name
        assert len(answer.splitlines()) == 1
    assert "No such file" in session(f"hv-open {tmp_path / 'none'}")
    assert "Is a directory" in session(f"hv-open {tmp_path}")
    assert session("mapcache-dump") == kept.live["mapcache-dump"]
    session(f"core-file {tmp_path / 'core'}")
    assert "is cut off or damaged" in session("mapcache-dump")
    assert session("hv-open --close").startswith("hvscope: ")
    session("core-file")
    assert session("mapcache-dump") == kept.live["mapcache-dump"]
    assert session("hv-open --close").endswith("snap is closed")
    assert session("mapcache-dump").startswith("hvscope: not attached")
    assert session("hv-open").startswith("hvscope: which file?")


def test_a_machine_comes_first(kept: Kept) -> None:
    """No file is opened beside it."""
    assert kept.refused == "hvscope: gdb is attached to a machine: `disconnect` first"
