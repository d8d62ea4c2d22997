# SPDX-License-Identifier: GPL-2.0-or-later
"""A made-up run directory: RAM with an image's beacon and tables, and what answers as QEMU."""

import json
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

RAM = 0x40000000
RAM_SIZE = 16 << 20
HEADER = RAM + 0x200000
BEACON = HEADER + 0x10000
CPU_OFFSET, CPU_STRIDE = 0x1000, 320
TABLES = 0x40300000
SLOT_ATTR = 0x0040000000000F7D
BOOT_ID, STATE, NCPU, BUILD_ID, MESSAGE = 16, 24, 36, 168, 320
MMU_ON, READY, PANICKED, OFF = 1, 2, 3, 4


class Peer(threading.Thread):
    """A socket in QEMU's place, one client at a time: serve() says what each is told."""

    def __init__(self, path: Path, serve: Callable[[socket.socket], None]) -> None:
        super().__init__(daemon=True)
        path.unlink(missing_ok=True)
        self.serve, self.clients = serve, 0
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(str(path))
        self.sock.listen(8)
        self.start()

    def run(self) -> None:
        while True:
            try:
                client, _ = self.sock.accept()
            except OSError:
                return
            self.clients += 1
            with client:
                try:
                    self.serve(client)
                except OSError:
                    pass

    def close(self) -> None:
        """Refuse everybody from now on."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
        self.sock.close()


class QmpServer(Peer):
    """Answers query-status in a directory, as QEMU does."""

    def __init__(self, path: Path) -> None:
        self.status = "running"
        self.queries = 0
        self.asked: list[str] = []
        super().__init__(path, self.session)

    def session(self, client: socket.socket) -> None:
        """Greeting, then an answer a line."""
        client.sendall(b'{"QMP": {"version": {}, "capabilities": []}}\r\n')
        text = ""
        while data := client.recv(4096):
            text += data.decode()
            while text.strip():
                question, end = json.JSONDecoder().raw_decode(text.lstrip())
                text = text.lstrip()[end:]
                self.answer(client, question["execute"])

    def answer(self, client: socket.socket, command: str) -> None:
        """Only the status means anything."""
        reply = {"status": self.status} if command == "query-status" else {}
        self.queries += command == "query-status"
        self.asked.append(command)
        client.sendall(json.dumps({"return": reply}).encode() + b"\r\n")


class Made:
    """A run directory with nobody behind it but a sleeping process."""

    def __init__(self, path: Path, ncpu: int = 2, boot_id: int = 0x1111) -> None:
        self.dir = path
        self.ncpu = ncpu
        path.mkdir(mode=0o700, exist_ok=True)
        self.process: subprocess.Popen | None = None
        self.qmp: QmpServer | None = None
        self.start(boot_id)

    def start(self, boot_id: int) -> None:
        """A new machine: new RAM file, new process, new QMP socket."""
        ram = self.dir / "ram"
        ram.unlink(missing_ok=True)
        ram.touch(0o600)
        os.truncate(ram, RAM_SIZE)
        self.put_image(boot_id)
        (self.dir / "qmp.sock").unlink(missing_ok=True)
        self.qmp = QmpServer(self.dir / "qmp.sock")
        self.process = subprocess.Popen(["sleep", "1000"])
        (self.dir / "pid").write_text(f"{self.process.pid}\n")

    def end(self) -> None:
        """The machine ends; its RAM goes too."""
        self.process.kill()
        self.process.wait()
        self.qmp.close()
        (self.dir / "ram").unlink(missing_ok=True)

    def put(self, pa: int, data: bytes) -> None:
        """Write to guest memory."""
        with open(self.dir / "ram", "r+b") as ram:
            ram.seek(pa - RAM)
            ram.write(data)

    def put_image(self, boot_id: int) -> None:
        """Image header, beacon, CPUs and their tables."""
        self.put(HEADER, struct.pack("<8xQQQQQQII", 0, 0x100000, 0, BEACON - HEADER,
                                     0x31474D4943535648, 0, 0x644D5241, 0))
        head = struct.pack(
            "<QIIQ II IIQQQQQ QQ IIII QQ II QQ IIII 20s4x 16Q 128s",
            0x3145504F43535648, 2, 504, boot_id, READY, 70, 0, self.ncpu, HEADER, 0xa0000200000,
            0x100000, 62500000, 0, 0x7f8000000000, 0x80000000, 1024, 0, 255, 0, SLOT_ATTR, 0, 1, 0,
            0, 0, CPU_OFFSET, CPU_STRIDE, 1, 20, b"B" * 20, RAM, 4 << 30, *[0] * 14, b"")
        assert len(head) == 448
        self.put(BEACON, head)
        for cpu in range(self.ncpu):
            root = TABLES + cpu * 0x4000
            self.put(BEACON + CPU_OFFSET + cpu * CPU_STRIDE,
                     struct.pack("<I4xQQ8x16xQ", 2, cpu, root, 100))
            self.put(root + 255 * 8, struct.pack("<Q", root + 0x1000 | 0xf7f))
            self.put(root + 0x1000, struct.pack("<QQ", root + 0x2000 | 0xf7f,
                                                root + 0x3000 | 0xf7f))

    def slot(self, cpu: int, slot: int, pte: int) -> None:
        """Store an entry."""
        self.put(TABLES + cpu * 0x4000 + 0x2000 + slot * 8, struct.pack("<Q", pte))

    def beacon(self, offset: int, form: str, value: int | bytes) -> None:
        """Store a field of the beacon."""
        self.put(BEACON + offset, struct.pack(form, value))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """A made-up machine with a few slots in use."""
    m = Made(tmp_path / "run")
    m.slot(0, 36, SLOT_ATTR | 0x84800000 | 2 << 55)
    m.slot(1, 700, SLOT_ATTR | 0x90000000)
    yield m
    m.end()
