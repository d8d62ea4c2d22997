#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Inputs that fuzzing begins with, one folder a target: seeds.py FOLDER DTB CROSS-GCC."""
from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

BASE = 0x40000000
SOURCE = """int other(int n) { return n + 1; }
int main(int n) { return other(n) * 2; }
void start(void) { main(1); for (;;); }
"""
MTREE = """FlatView #1
 AS "memory", root: system
 AS "cpu-memory-0", root: system
  0000000040000000-00000000bfffffff (prio 0, ram): ram
  0000000100000000-000000013fffffff (prio 0, ram): ram1 @0000000080000000
"""
REGISTERS = """CPU#0
 PC=00007f0000123456 X00=0000000000000000 X01=0000000000000001
PSTATE=600003c9 -ZC- EL2h    FPU disabled
CPU#1
 PC=0000000040200000 X00=0000000000000000
PSTATE=200003c5 --C- EL1h
"""
XML = """<target><xi:include href="aarch64-core.xml"/><feature name="org.gnu.gdb.aarch64.core">
<reg name="x0" bitsize="64" regnum="0"/><reg name="cpsr" bitsize="32"/>
<reg name="TCR_EL2" bitsize="64" regnum="200"/></feature></target>"""


def packet(text: str) -> bytes:
    """As it is on the wire."""
    return b"+$%s#%02x" % (text.encode(), sum(text.encode()) & 255)


def frame(pieces: list[tuple[int, bytes]], key: int, time: int) -> bytes:
    """A frame of a recording."""
    body = b"".join(struct.pack("<QII", pa, len(data), 0) + data for pa, data in pieces)
    head = struct.pack("<4sIIBBHQ24s", b"FRAM", 0, len(body), key, 1, 0, time, b"running")
    crc = zlib.crc32(head + body)
    return head[:4] + struct.pack("<I", crc) + head[8:] + body


def recording() -> bytes:
    """Three frames; the first byte is the target's own."""
    head = struct.pack("<QIIQQ24sQ", 0x3143455250435648, 1, 64, BASE, 0x1234, b"", 0)
    page = bytes(range(256)) * 16
    return bytes([0]) + head + frame([(BASE, page), (BASE + 0x10000, page)], 1, 100) + \
        frame([(BASE + 8, b"changed!")], 0, 200) + frame([(BASE, page)], 1, 300)


def core(machine: int, registers: int) -> bytes:
    """An ELF core of two segments and two CPUs."""
    note = b"".join(struct.pack("<III8s", 5, registers, 1, b"CORE") +
                    bytes([cpu + 1]) * registers for cpu in range(2))
    at = 64 + 3 * 56
    heads = struct.pack("<IIQQQQQQ", 4, 0, at, 0, 0, len(note), len(note), 4)
    data = bytes(range(256)) * 2
    for n in range(2):
        heads += struct.pack("<IIQQQQQQ", 1, 0, at + len(note) + n * 512, 0, BASE + n * 0x10000,
                             512, 512, 0)
    return b"\x7fELF\x02\x01\x01" + bytes(9) + \
        struct.pack("<HHIQQQIHHHHHH", 4, machine, 1, 0, 64, 0, 0, 64, 56, 3, 0, 0, 0) + \
        heads + note + data + data


def elf(cross: str, folder: Path) -> bytes:
    """A small program with symbols, lines and the build ID that the target asks for."""
    source, out = folder / "seed.c", folder / "seed"
    source.write_text(SOURCE)
    subprocess.run([cross, "-g", "-O0", "-nostdlib", "-static", "-ffreestanding", "-Wl,-estart",
                    "-Wl,--build-id=0x0102030405060708", "-Wl,-z,max-page-size=4096",
                    "-fdebug-prefix-map=%s=." % folder, "-o", out, source], check=True)
    data = out.read_bytes()
    source.unlink()
    out.unlink()
    return data


def tree(path: str) -> bytes:
    """QEMU's device tree, without the room that it leaves."""
    data = bytearray(Path(path).read_bytes())
    ends = [sum(struct.unpack_from(">I", data, at)[0] for at in pair)
            for pair in ((8, 36), (12, 32))]
    struct.pack_into(">I", data, 4, max(ends))
    return bytes(data[:max(ends)])


def talk() -> bytes:
    """What QMP says in one query of a halted machine."""
    lines = [{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}}}}, {"return": {}},
             {"event": "STOP", "data": {}},
             {"return": {"status": "debug", "running": False, "singlestep": False}},
             {"return": REGISTERS}]
    return "".join(json.dumps(line) + "\r\n" for line in lines).encode()


def noise(seed: int, size: int) -> bytes:
    """Any bytes."""
    return random.Random(seed).randbytes(size)


def seeds(dtb: str, cross: str, folder: Path) -> dict[str, list[bytes]]:
    """By target."""
    el2 = struct.pack("<BBQQ", 0, 0, 0x80843510, 0xFF440C0400)
    entries = b"".join(struct.pack("<QB", pte, 0) for pte in
                       (0x0040000044800F7D, 0x40004F7F, 0x00C0000044800F7D, 0, 0x44800F7F))
    return {
        "entries": [el2 + struct.pack("<6Q", 0, 0, 0x1022, BASE, 0, 0) + entries, noise(1, 300)],
        "walk": [struct.pack("<4QBQ", 0x80843510, 0x80843510, BASE, BASE, n, 0x7F8000000000 >> n)
                 + b"".join(struct.pack("<Q", BASE + (k % 8 << 12) | (0xF7F, 0xF7D, 0)[k % 3])
                            for k in range(4096)) for n in range(4)],
        "machine": [noise(n, 200) for n in range(4)],
        "ring": [struct.pack("<HH", 16, 0) + b"".join(
            struct.pack("<4Q", kind << 48 | 62500000 + kind, 0x84800 << 12 | kind, 0x1234, 0x21)
            for kind in range(16)), noise(2, 4096)],
        "bbm": [noise(n, 600) for n in range(4)],
        "qmp": [talk(), (MTREE + REGISTERS).encode()],
        "gdb": [packet("OK") + packet("0123456789abcdef" * 8) + packet("T02thread:01;") +
                packet("0* ") + packet("E01") + packet("O414243"), XML.encode()],
        "decode": [struct.pack("<8I", 0xD5033F9F, 0xD50C8321, 0xD51C2000, 0xD65F03C0, 0xF57FF04F,
                               0xEE083F10, 0xE12FFF1E, 0xF3BF8F4F)],
        "core": [core(183, 392), core(40, 148)],
        "recording": [recording()],
        "elf": [elf(cross, folder)],
        "fdt": [tree(dtb)],
        "cmdline": [b"workload=copy,cpu1:fill:90 pace=20 trace=all check=on guests=8",
                    b"mem=1G@0x40000000,1G@0xc0000000 directmap=on fault=skip-tlbi zap-limit=64",
                    b"\x01x=\x7f pace=-1 mem=@ workload=,,:"],
        "keys": [bytes([24, 80, 1]) + keys for keys in
                 (b"jjll\x82\x83\x84\x85\x86\x87?q", b"/cpu:0 kind:map\x8f:find mfn:0x84800\n",
                  b"g36\x8f\x8a\x8b[]{}y0123", b"v1v2v3fslot:3\x8f\x97\x05\x09")],
    }


def main() -> None:
    folder, dtb, cross = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    folder.mkdir(parents=True, exist_ok=True)
    for target, inputs in seeds(dtb, cross, folder).items():
        (folder / target).mkdir(exist_ok=True)
        for n, data in enumerate(inputs):
            (folder / target / f"seed{n}").write_bytes(data)


if __name__ == "__main__":
    main()
