# SPDX-License-Identifier: GPL-2.0-or-later
"""Sourced in gdb: times a command and the bare reads of the memory that it reads, in turns.

The floor is what any gdb script must do: physical mode on, gdb's own read of each piece that
the command read, physical mode off. The second floor is what gdb takes to print the same bytes,
which no script can avoid either. Also what is exact: how often the stub was asked.
"""
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import gdb

from hvscope.target import PACKET_BYTES, TARGET


def pieces(command: str) -> list[tuple[int, int]]:
    """(PA, size) of each read of a command."""
    read, seen = TARGET.read_phys, []

    def noted(pa: int, size: int) -> bytes:
        seen.append((pa, size))
        return read(pa, size)
    TARGET.read_phys = noted
    try:
        gdb.execute(command, to_string=True)
    finally:
        del TARGET.read_phys
    return seen


def bare(seen: list[tuple[int, int]]) -> None:
    """The same memory by gdb's own reads."""
    inferior = gdb.selected_inferior()
    with TARGET.physical():
        for pa, size in seen:
            inferior.read_memory(pa, size)


def cpu_time(pid: int) -> int:
    """Nanoseconds that this gdb and QEMU's main thread, which is the stub, have computed."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return time.process_time_ns() + int(file.read().split()[0])


def seconds(work, pid: int) -> float:
    """Of a call: time on CPUs, so that it does not matter what else the machine does."""
    start = cpu_time(pid)
    work()
    return (cpu_time(pid) - start) / 1e9


@contextmanager
def unseen() -> Iterator[None]:
    """What gdb prints goes nowhere, as a script's pipe would take it: no pages, no wrapped lines.

    A string that gdb collects output in would cost more than the output, and that depends on
    what malloc did before.
    """
    gdb.execute("set width 0")
    gdb.flush()
    own, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    try:
        yield
    finally:
        gdb.flush()
        os.dup2(own, 1)
        os.close(own)
        os.close(null)


def turns(command: str, count: int, pid: int) -> None:
    """Prints [[floor, printing, cost], ...]; pid: of QEMU."""
    seen, text = pieces(command), gdb.execute(command, to_string=True)
    with unseen():
        answer = [[seconds(lambda: bare(seen), pid), seconds(lambda: gdb.write(text), pid),
                   seconds(lambda: gdb.execute(command), pid)] for _ in range(count)]
    print(json.dumps(answer))


def asked(command: str) -> None:
    """Prints [bytes read, memory packets, all packets] of a command: exact, whatever the load."""
    seen = pieces(command)
    connection = gdb.selected_inferior().connection
    sent = []

    class Counted:
        """The connection, with its packets noted."""

        def __getattr__(self, name: str) -> object:
            return getattr(connection, name)

        def send_packet(self, packet: str) -> bytes:
            """Notes it, and sends it."""
            sent.append(packet)
            return connection.send_packet(packet)

    own = TARGET.connection
    TARGET.connection = lambda: own() and Counted()
    try:
        gdb.execute(command, to_string=True)
    finally:
        del TARGET.connection
    print(json.dumps([sum(size for _, size in seen), sum(packet[0] == "m" for packet in sent),
                      len(sent), sum(-(-size // PACKET_BYTES) for _, size in seen)]))
