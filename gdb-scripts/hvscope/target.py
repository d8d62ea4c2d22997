# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine behind GDB, or a file of its memory: physical reads, registers, threads and CPUs.

Physical memory is read through the stub's physical mode, so that an answer does
not depend on what the selected CPU runs. That mode is global to QEMU, survives a
detach, and makes every other read of gdb's wrong in silence: it is on only inside
Target.physical(), and whatever happens there, it is off afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from typing import TYPE_CHECKING

import gdb

from hvscope import profile
from hvscope.beacon import RAM_BASE, Beacon
from hvscope.error import EXIT_NO_TARGET, EXIT_USAGE, HvError, Unreadable
from hvscope.pte import Bank

if TYPE_CHECKING:
    from hvscope.offline import Memory

NOT_ATTACHED = ("not attached to QEMU's gdb stub; `target remote build/run/gdb.sock`, or "
                "`hv-open FILE`")
RUNNING = "the machine runs; stop it first (Ctrl-C)"
PACKET_BYTES = 2048  # QEMU takes no longer reads, whatever packet size it announces
QEMU_NAMES = {"SCTLR_EL1": "SCTLR"}  # where the stub has another name for a register
MASK64 = (1 << 64) - 1
CPSR_NRW = 1 << 4
AARCH32_LEVELS = {0: 0, 6: 3, 10: 2}  # user, monitor, hypervisor; all others are EL1
SCTLR_M = 1


class Target:
    """What gdb is connected to. One object for the whole session: TARGET."""

    def __init__(self) -> None:
        self.depth = 0  # of physical()
        self.in_handler = False  # a breakpoint's stop(): halted, though gdb says that it runs
        self.dirty = False  # the stub may be in physical mode
        self.seen: gdb.TargetConnection | None = None  # the connection that is known to be QEMU's
        self.refused: gdb.TargetConnection | None = None  # one that is known not to be
        self.known_ram: list[Bank] = []
        self.core: Memory | None = None  # of gdb's core target, if that is what was seen
        self.opened: Memory | None = None  # by hv-open

    def offline(self) -> Memory | None:
        """Memory in a file: of gdb's core target, or opened by hv-open; None if neither is."""
        connection = gdb.selected_inferior().connection
        if connection is None:
            return self.opened
        if getattr(connection, "type", "") != "core":
            return None
        if connection is not self.seen or self.core is None:
            from hvscope.offline import open_memory
            self.core = open_memory(core_path())
            self.seen = connection
        return self.core

    def connection(self) -> gdb.RemoteTargetConnection:
        """The connection to the stub of a halted QEMU; HvError if there is none."""
        file = self.offline()
        if file is not None:
            raise HvError(f"a {file.kind} cannot run or be changed: this needs a machine; "
                          "`target remote build/run/gdb.sock`", EXIT_NO_TARGET)
        connection = gdb.selected_inferior().connection
        if connection is None or not hasattr(connection, "send_packet"):
            raise HvError(NOT_ATTACHED, EXIT_NO_TARGET)
        self.require_stopped()
        if connection is not self.seen:
            self.meet(connection)
        return connection

    def meet(self, connection: gdb.RemoteTargetConnection) -> None:
        """First use of a connection: an earlier debugger may have left physical mode on."""
        if connection is self.refused or \
                connection.send_packet("qqemu.PhyMemMode") not in (b"0", b"1"):
            self.refused = connection
            raise HvError(NOT_ATTACHED, EXIT_NO_TARGET)
        connection.send_packet("Qqemu.PhyMemMode:0")
        gdb.execute("maintenance flush dcache", to_string=True)
        self.seen, self.known_ram, self.dirty = connection, [], False

    def require_stopped(self) -> None:
        """gdb can ask nothing while the machine runs."""
        thread = gdb.selected_thread()
        if thread is None or (thread.is_running() and not self.in_handler):
            raise HvError(NOT_ATTACHED if thread is None else RUNNING, EXIT_NO_TARGET)

    @contextmanager
    def physical(self) -> Iterator[None]:
        """While inside, memory is physical memory. May be nested. A file's always is."""
        if self.offline() is not None:
            yield
            return
        connection = self.connection()
        self.depth += 1
        try:
            if self.depth == 1:
                self.dirty = True
                if connection.send_packet("Qqemu.PhyMemMode:1") != b"OK":
                    raise HvError("QEMU's gdb stub refuses to read physical memory")
            yield
        finally:
            self.depth -= 1
            if self.depth == 0:
                self.leave_physical()

    def leave_physical(self) -> None:
        """Physical mode off, also when a Ctrl-C comes right now (it is raised afterwards)."""
        interrupt: KeyboardInterrupt | None = None
        while self.dirty:
            try:
                self.depth = 0
                if gdb.selected_inferior().connection is self.seen and self.seen is not None:
                    self.seen.send_packet("Qqemu.PhyMemMode:0")
                self.dirty = False
                gdb.execute("maintenance flush dcache", to_string=True)
            except KeyboardInterrupt as pressed:
                interrupt = pressed
            except gdb.error:
                self.dirty = False
        if interrupt is not None:
            raise interrupt

    def ram(self) -> list[Bank]:
        """RAM as QEMU has it: nothing else is read, since reading a device may change it."""
        if not self.known_ram:
            text = gdb.execute("monitor info mtree -f", to_string=True)
            self.known_ram = ram_banks(text or "") or [(RAM_BASE, 1 << 40)]
        return self.known_ram

    def read_phys(self, pa: int, size: int) -> bytes:
        """`size` bytes of RAM at pa; Unreadable if they are not all RAM.

        Asks the stub itself: gdb's own reads may come from its caches, from the
        ELF file, or be refused by memory regions that the user has defined.
        """
        file = self.offline()
        if file is not None:
            return file.read(pa, size)
        if not any(base <= pa and pa + size <= base + length for base, length in self.ram()):
            raise Unreadable(f"memory at {pa:#x} is outside RAM")
        pieces = []
        with self.physical():
            connection = self.connection()
            for at in range(pa, pa + size, PACKET_BYTES):
                length = min(PACKET_BYTES, pa + size - at)
                reply = connection.send_packet(f"m{at:x},{length:x}")
                if len(reply) != 2 * length:
                    raise Unreadable(f"QEMU cannot read memory at {at:#x}")
                pieces.append(bytes.fromhex(reply.decode("ascii")))
        return b"".join(pieces)

    def write_phys(self, pa: int, data: bytes) -> None:
        """Bytes into RAM: the one thing that the commands ever write is the filter."""
        self.connection()
        if not any(base <= pa and pa + len(data) <= base + length for base, length in self.ram()):
            raise Unreadable(f"memory at {pa:#x} is outside RAM")
        with self.physical():
            packet = f"M{pa:x},{len(data):x}:{data.hex()}"
            if self.connection().send_packet(packet) != b"OK":
                raise Unreadable(f"QEMU cannot write memory at {pa:#x}")

    def beacon(self) -> Beacon:
        """What is known of the machine: the image's beacon, or what a Xen's symbols tell."""
        file = self.offline()
        with self.physical():
            banks = self.ram() if file is None else [(file.base, (1 << 52) - file.base)]
            return profile.machine_find(profile.Target(self.read_phys, banks[0][0], banks,
                                                       symbol_file()))

    def reachable(self) -> None:
        """HvError if there is neither a halted machine nor a file."""
        if self.offline() is None:
            self.connection()

    def threads(self) -> dict[int, gdb.InferiorThread]:
        """Threads by CPU number: stub and cores number them from 1. A snapshot has none."""
        self.reachable()
        return {thread.ptid[1] - 1: thread for thread in gdb.selected_inferior().threads()}

    def cpu_count(self) -> int:
        """How many CPUs there are."""
        return len(self.threads()) or self.beacon().ncpu

    def cpu(self) -> int:
        """The CPU that the selected thread is; without threads, the first one."""
        self.reachable()
        thread = gdb.selected_thread()
        return 0 if thread is None else thread.ptid[1] - 1

    @contextmanager
    def on_cpu(self, cpu: int) -> Iterator[None]:
        """While inside, this CPU's thread is selected; then thread and frame are as before."""
        thread = self.threads().get(cpu)
        if thread is None and self.offline() is not None:  # a snapshot, or a CPU not in the core
            yield
            return
        if thread is None:
            raise HvError(f"no CPU{cpu}: this machine has {cpus_words(len(self.threads()))}",
                          EXIT_USAGE)
        with kept_selection():
            if thread.ptid != gdb.selected_thread().ptid:
                thread.switch()
            yield


def core_path() -> str:
    """The file of gdb's core target."""
    import re
    found = re.search(r"^Local core dump file:\n\t`(.*)', file type", execute("info files"), re.M)
    if found is None:
        raise HvError("gdb does not say which core it has open", EXIT_NO_TARGET)
    return found[1]


def ram_banks(text: str) -> list[Bank]:
    """Banks of RAM in the flat view of system memory that `info mtree -f` prints."""
    import re
    for view in text.split("FlatView #"):
        if re.search(r'AS "memory"', view):
            found = re.findall(r"^\s*([0-9a-f]+)-([0-9a-f]+) \(prio -?\d+, ram\):", view, re.M)
            return sorted((int(first, 16), int(last, 16) + 1 - int(first, 16))
                          for first, last in found)
    return []


def cpus_words(ncpu: int) -> str:
    """"2 (0-1)": how many CPUs there are, and their numbers."""
    return f"{ncpu} (0-{ncpu - 1})" if ncpu > 1 else f"{ncpu} (0)"


@contextmanager
def kept_selection() -> Iterator[None]:
    """Thread and frame are afterwards what they were: `finish` and `up` depend on them."""
    thread = gdb.selected_thread()
    level = selected_level()
    try:
        yield
    finally:
        if thread is not None and thread.is_valid():
            if gdb.selected_thread() is None or gdb.selected_thread().ptid != thread.ptid:
                thread.switch()
            select_level(level)


def selected_level() -> int | None:
    """Level of the selected frame, None without one."""
    try:
        return gdb.selected_frame().level()
    except gdb.error:
        return None


def select_level(level: int | None) -> None:
    """Selects a frame by its level, without a word, if it is not selected."""
    if level is None or selected_level() in (None, level):
        return
    frame = gdb.newest_frame()
    for _ in range(level):
        older = frame.older()
        if older is None:
            return
        frame = older
    frame.select()


def execute(command: str) -> str:
    """A gdb command's output. Its numbers are C's, whatever language the user works in."""
    return gdb.execute(f"with language c -- {command}", to_string=True) or ""


def symbol_file() -> str | None:
    """The file that the user's symbols are of."""
    return gdb.current_progspace().filename


def is_arm32() -> bool:
    """Is the selected CPU one without AArch64?"""
    return gdb.newest_frame().architecture().name().startswith("arm")


def register(name: str) -> int | None:
    """A register of the selected thread, as an unsigned number; None if it has none such.

    Of an arm32 CPU: the one that means the same, as it would be on arm64.
    """
    try:
        if is_arm32():
            from hvscope import arm32
            return arm32.register(name, raw_register)
    except gdb.error:
        return None
    value = raw_register(name)
    return raw_register(QEMU_NAMES[name]) if value is None and name in QEMU_NAMES else value


def raw_register(name: str) -> int | None:
    """As the stub has it. (What is shorter than 64 bits comes with a sign.)"""
    try:
        value = gdb.newest_frame().read_register(name)
        return int(value) & (1 << 8 * value.type.sizeof) - 1
    except (ValueError, gdb.error):
        return None


def mmu_on() -> bool | None:
    """Does the selected thread's CPU translate at EL2? None if it cannot be known."""
    sctlr = register("SCTLR_EL2")
    return None if sctlr is None else bool(sctlr & SCTLR_M)


def exception_level() -> int | None:
    """EL of the selected thread; an AArch32 mode's is that of arm32."""
    cpsr = register("cpsr")
    if cpsr is None or not cpsr & CPSR_NRW:
        return None if cpsr is None else cpsr >> 2 & 3
    return AARCH32_LEVELS.get(cpsr & 15, 1)


TARGET = Target()
