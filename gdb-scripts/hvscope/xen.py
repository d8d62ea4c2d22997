# SPDX-License-Identifier: GPL-2.0-or-later
"""A Xen, arm32 or arm64, by its symbols and its memory alone: what viewer/model/xen.c does.

Its build ID, where QEMU loads a Xen, says where its image is; per-CPU data lies at
symbol + __per_cpu_offset[cpu], and a CPU that is not up has an offset that makes
__per_cpu_start 0. Where the slots are follows from the root's entry that leads to them.
"""

from __future__ import annotations

from collections.abc import Sequence

from hvscope.beacon import (BEACON_CPUS_MAX, ENTRIES_MAX, MAPCACHE_READY, MMU_ON, CPU_FIELDS,
                            ReadPhys)
from hvscope.elf import Elf
from hvscope.error import EXIT_NO_MAPCACHE, HvError, Unreadable
from hvscope.pte import (MAIR_VALUE, PTE_ADDR_MASK, PTE_XEN_BLOCK, SLOT_ATTR_MASK, SLOT_SIZE, Bank,
                         pte_is_table)
from hvscope.regime import Registers, regime_of
from hvscope.walk import walk

LOAD_OFFSETS = (0x10000, 0x200000, 0x80000, 0x8000, 0)  # from the start of RAM
TCR_ARM64, TCR_ARM32 = 16 | 5 << 16, 32 | 2 << 16  # as viewer/model/profile_xen.c
SCTLR_USUAL = 1 | 1 << 19  # M, WXN
PAGE_SIZE = 4096


class XenCpu:
    """A CPU, in the words of BeaconCpu: all counters are 0."""

    def __init__(self, state_name: str, root: int = 0) -> None:
        self.state_name, self.root, self.generation, self.mpidr = state_name, root, 0, 0
        self.fields = dict.fromkeys(CPU_FIELDS, 0)


class Xen:
    """What is known of a Xen, in the words of Beacon; HvError says why nothing is."""

    kind, counted, foreign_pa = "xen", False, True
    engine_name: str | None = None
    message, boot_id, engine, size, pa = "", 0, 0, 0, 0

    def __init__(self, read: ReadPhys, banks: Sequence[Bank], elf: Elf) -> None:
        self.read, self.elf, self.banks = read, elf, list(banks)
        self.arch = "arm32" if elf.arm32 else "arm64"
        self.word = 4 if elf.arm32 else 8
        self.root_level = int(elf.arm32)
        self.build_id = elf.build_id
        self.fields = dict.fromkeys(("directmap", "xenheap_pa", "xenheap_size", "ring",
                                     "directmap_va", "trace_mode"), 0)
        self.tcr = TCR_ARM32 if elf.arm32 else TCR_ARM64
        self.require_symbols()
        self.image_va, self.image = elf.va, (self.place(), elf.size)
        self.root0 = 0
        online = self.cpus_of("cpu_online_map")
        self.ncpu = (online | self.cpus_of("cpu_present_map")).bit_length() if online else 0
        if not 1 <= self.ncpu <= BEACON_CPUS_MAX or not self.find_root():
            raise HvError("Xen has not started yet, or is booting: its final page tables are not "
                          "in use; try again in a moment")
        self.cpus = [self.cpu(n, online) for n in range(self.ncpu)]
        self.state = MAPCACHE_READY
        self.domheap_va = self.domheap_size = self.domheap_entries = self.l0_index = 0
        self.slot_attr = PTE_XEN_BLOCK & SLOT_ATTR_MASK
        self.has_mapcache = "per_cpu__xen_dommap" in elf.symbols
        if self.has_mapcache:
            self.find_slots()

    def require_symbols(self) -> None:
        """HvError if a symbol is missing without which nothing can be said."""
        names = ["cpu_online_map"]
        if "per_cpu__xen_pgtable" in self.elf.symbols:
            names.append("__per_cpu_offset")
        elif "xen_pgtable" not in self.elf.symbols:
            names.append("per_cpu__xen_pgtable")
        if "per_cpu__xen_dommap" in self.elf.symbols:
            names.append("cpu0_dommap")
        for name in names:
            if name not in self.elf.symbols:
                raise HvError(f"{self.elf.path} has no symbol {name}: are these the symbols of a "
                              "Xen?")
        if not self.elf.build_id:
            raise HvError(f"{self.elf.path} has no build ID: whether it belongs to the Xen that "
                          "runs cannot be known")

    def address(self, name: str) -> int:
        """Of a symbol; 0 if there is none."""
        return self.elf.symbols.get(name, (0, 0))[0]

    def place(self) -> int:
        """PA of the image."""
        into = self.elf.build_id_va - self.elf.va
        for base, _ in self.banks:
            for offset in LOAD_OFFSETS:
                try:
                    found = self.read(base + offset + into, len(self.build_id))
                except Unreadable:
                    continue
                if found == self.build_id:
                    return base + offset
        raise HvError(f"memory does not hold the build that {self.elf.path} is of (by its build "
                      "ID, where QEMU loads a Xen): load the symbols of the Xen that runs with "
                      "`file`")

    def registers(self, cpu: int = -1) -> Registers:
        """What every Xen sets up, for who cannot ask the CPU."""
        said = {"TCR_EL2": self.tcr, "MAIR_EL2": MAIR_VALUE, "SCTLR_EL2": SCTLR_USUAL,
                "TTBR0_EL2": self.cpus[cpu].root if cpu >= 0 else 0}
        return said.get

    def walk(self, root: int, va: int) -> int | None:
        """PA of an EL2 address from a root."""
        try:
            result = walk(self.read, regime_of("el2", False, self.registers())[0], root,
                          va)["result"]
        except (HvError, Unreadable):
            return None
        return int(result["pa"], 0) if result else None

    def translate(self, va: int) -> int | None:
        """PA of a VA: of the image by its place, else by CPU0's root."""
        pa, size = self.image
        if 0 <= va - self.image_va < size:
            return pa + va - self.image_va
        return self.walk(self.root0, va) if self.root0 else None

    def read_word(self, va: int) -> int | None:
        """A pointer at a VA."""
        pa = self.translate(va)
        try:
            return None if pa is None else int.from_bytes(self.read(pa, self.word), "little")
        except Unreadable:
            return None

    def cpus_of(self, name: str) -> int:
        """A mask of CPUs."""
        va, size = self.elf.symbols.get(name, (0, 0))
        pa = self.translate(va) if va else None
        return 0 if pa is None else int.from_bytes(
            self.read(pa, min(self.elf.symbols["cpu_online_map"][1], 8)), "little")

    def per_cpu(self, name: str, cpu: int) -> int | None:
        """A CPU's pointer of per-CPU data; None if that CPU has none."""
        offset = self.read_word(self.address("__per_cpu_offset") + cpu * self.word)
        mask = (1 << 8 * self.word) - 1
        if offset is None or self.address("__per_cpu_start") + offset & mask == 0:
            return None
        return self.read_word(self.address(f"per_cpu__{name}") + offset & mask)

    def cpu_root(self, cpu: int) -> int | None:
        """PA of a CPU's root; None if it has none yet."""
        shared = "per_cpu__xen_pgtable" not in self.elf.symbols
        va = self.address("xen_pgtable") if shared else self.per_cpu("xen_pgtable", cpu)
        return self.translate(va) if va else None

    def find_root(self) -> bool:
        """CPU0's root; False if it does not map Xen itself: it is not in use yet."""
        root = self.cpu_root(0)
        if root is None or self.walk(root, self.image_va) != self.image[0]:
            return False
        self.root0 = root
        return True

    def cpu(self, n: int, online: int) -> XenCpu:
        """State and root of a CPU."""
        if not online >> n & 1:
            return XenCpu("off")
        root = self.cpu_root(n)
        return XenCpu("mmu-off") if root is None else XenCpu("on", root)

    def find_slots(self) -> None:
        """Number and place of the slots; state stays MMU_ON while CPU0 has none."""
        size = self.elf.symbols["cpu0_dommap"][1]
        self.domheap_entries = size // 8
        if not 1 <= self.domheap_entries <= ENTRIES_MAX:
            raise HvError(f"this Xen's mapcache has {self.domheap_entries} slots (cpu0_dommap has "
                          f"{size} bytes): from 1 to {ENTRIES_MAX} are understood here")
        self.domheap_size = self.domheap_entries * SLOT_SIZE
        self.state = MMU_ON
        va = self.per_cpu("xen_dommap", 0)
        slots = self.translate(va) if va else None
        index = None if slots is None else self.root_index(slots)
        if index is not None:
            self.l0_index = index
            self.domheap_va = index << (30 if self.root_level else 39)
            self.state = MAPCACHE_READY

    def root_index(self, slots: int) -> int | None:
        """The root's first entry that leads to these slots."""
        count = 4 if self.root_level else 512
        data = self.read(self.root0, count * 8)
        for n in range(count):
            pte = int.from_bytes(data[n * 8:n * 8 + 8], "little")
            try:
                if self.root_level == 0 and pte_is_table(pte):
                    pte = int.from_bytes(self.read(pte & PTE_ADDR_MASK, 8), "little")
            except Unreadable:
                continue
            if pte_is_table(pte) and pte & PTE_ADDR_MASK == slots:
                return n
        return None

    def readable(self, pa: int, size: int) -> bool:
        """Does [pa, pa + size) lie in RAM?"""
        return any(base <= pa and pa + size <= base + length for base, length in self.banks)

    def require_mapcache(self) -> None:
        """Raises the sentence that says why there is no mapcache to show; else slot_attr is known
        afterwards."""
        if not self.has_mapcache:
            raise HvError("this Xen has no mapcache (it has no per_cpu__xen_dommap): pt-walk, "
                          "pt-dump and hv-cpus can look at it", EXIT_NO_MAPCACHE)
        if self.state == MMU_ON:
            raise HvError("the mapcache is not set up yet (Xen is booting)", EXIT_NO_MAPCACHE)
        from hvscope.mapcache import usual_attr
        self.slot_attr = usual_attr(self.read, self)  # type: ignore[arg-type]
