# SPDX-License-Identifier: GPL-2.0-or-later
"""The image header and the beacon, by the layout of include/hvscope/beacon.h.

Everything read here is guest data: each number is bounded before it is used.
This module must not need gdb: launch scripts and tests read beacons too.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from hvscope.error import EXIT_NO_MAPCACHE, HvError
from hvscope.pte import MAIR_VALUE, Bank

RAM_BASE = 0x40000000  # of QEMU's virt machine
BEACON_LOAD_OFFSET = 0x200000
IMAGE_MAGIC = 0x644D5241
BEACON_IMAGE_MAGIC = 0x31474D4943535648
BEACON_MAGIC = 0x3145504F43535648
BEACON_VERSION = 2
BEACON_EXIT_NONE = 70
BEACON_BANKS_MAX = 8
BEACON_CPUS_MAX = 64
IMAGE_SIZE_MAX = 1 << 30
ENTRIES_MAX = 1024
CPU_STRIDE_MAX = 65536

STATES = ("booting", "mmu-on", "mapcache-ready", "panicked", "off")
MMU_ON, MAPCACHE_READY, PANICKED, OFF = 1, 2, 3, 4
CPU_STATES = ("off", "mmu-off", "on")
ENGINES = ("xen", "bbm", "clock")

HEADER = struct.Struct("<8xQQQQQQII")
HEAD = struct.Struct("<QIIQ II IIQQQQQ QQ IIII QQ II QQ IIII 20s4x")
BANKS = struct.Struct("<16Q")
MESSAGE_SIZE = 128
FILTER_OFFSET = HEAD.size + BANKS.size + MESSAGE_SIZE
FILTER = struct.Struct("<IIQII")
FINDINGS = struct.Struct("<QII")
FEATURES_OFFSET = FILTER_OFFSET + FILTER.size + FINDINGS.size
FEATURES = struct.Struct("<QQ")  # ID_AA64MMFR0_EL1, ID_AA64MMFR1_EL1
BEACON_SIZE = FEATURES_OFFSET + FEATURES.size
FILTER_SLOT, FILTER_MFN, FILTER_REFS, FILTER_COMMANDEER, FILTER_SATURATE = 1, 2, 4, 8, 16
CPU = struct.Struct("<I4x QQQQQ Q QQQ QQQQQQQQ QQ QQQQ QQQQQ Q QQQQQQQQQ")

assert (HEADER.size, HEAD.size, BEACON_SIZE, CPU.size) == (64, 192, 504, 312)

HEAD_FIELDS = (
    "magic", "version", "size", "boot_id", "state", "exit_status", "engine", "ncpu", "image_pa",
    "image_va", "image_size", "cntfrq", "tcr", "domheap_va", "domheap_size", "domheap_entries",
    "root_level", "l0_index", "bbm_level", "slot_attr", "directmap_va", "trace_mode", "directmap",
    "xenheap_pa", "xenheap_size", "cpu_offset", "cpu_stride", "nr_banks", "build_id_size",
    "build_id")
CPU_FIELDS = (
    "state", "mpidr", "root", "l1", "l2_0", "l2_1", "generation", "ring", "ring_entries",
    "ring_head", "maps", "unmaps", "hits", "commandeers", "probes", "bypasses", "work", "verified",
    "irqs", "irqs_inside", "ring_va", "ring_sides", "ring_barriers",
    "slots_pa_offset", "produced", "checked",
    "hazards", "violations", "notes", "clock_index",
    "guest_generation", "guest_hcr", "guest_vtcr", "guest_vttbr", "guest_sctlr", "guest_tcr",
    "guest_ttbr_0", "guest_ttbr_1", "guest_mair")
GUEST_REGISTERS = {"HCR_EL2": "guest_hcr", "VTCR_EL2": "guest_vtcr", "VTTBR_EL2": "guest_vttbr",
                   "SCTLR_EL1": "guest_sctlr", "TCR_EL1": "guest_tcr", "TTBR0_EL1": "guest_ttbr_0",
                   "TTBR1_EL1": "guest_ttbr_1", "MAIR_EL1": "guest_mair"}
SCTLR_OWN = 1 << 19 | 1  # WXN, M: what the image runs with

ReadPhys = Callable[[int, int], bytes]


class BeaconCpu:
    """What one CPU says: the fields of struct beacon_cpu."""

    def __init__(self, data: bytes) -> None:
        values = dict(zip(CPU_FIELDS, CPU.unpack(data)))
        self.state: int = values["state"]
        self.mpidr: int = values["mpidr"]
        self.root: int = values["root"]
        self.generation: int = values["generation"]
        self.fields: dict[str, int] = values

    @property
    def state_name(self) -> str:
        """off, mmu-off or on."""
        return CPU_STATES[self.state]


class Beacon:
    """The fields of struct beacon that tools use, the RAM banks and the CPUs; all checked.

    kind, arch: as in the JSON. counted: CPUs count what they do. foreign_pa: slots may map
    what is not RAM, and have attributes of their own.
    """

    kind, arch = "hv", "arm64"
    counted, foreign_pa, has_mapcache = True, False, True

    def __init__(self, pa: int, data: bytes) -> None:
        values = dict(zip(HEAD_FIELDS, HEAD.unpack_from(data)))
        self.pa = pa
        self.fields: dict[str, int] = values
        self.version: int = values["version"]
        self.size: int = values["size"]
        self.boot_id: int = values["boot_id"]
        self.state: int = values["state"]
        self.exit_status: int = values["exit_status"]
        self.engine: int = values["engine"]
        self.ncpu: int = values["ncpu"]
        self.image: Bank = (values["image_pa"], values["image_size"])
        self.image_va: int = values["image_va"]
        self.tcr: int = values["tcr"]
        self.domheap_va: int = values["domheap_va"]
        self.domheap_size: int = values["domheap_size"]
        self.domheap_entries: int = values["domheap_entries"]
        self.root_level: int = values["root_level"]
        self.l0_index: int = values["l0_index"]
        self.slot_attr: int = values["slot_attr"]
        self.cpu_offset: int = values["cpu_offset"]
        self.cpu_stride: int = values["cpu_stride"]
        self.nr_banks: int = values["nr_banks"]
        self.build_id: bytes = HEAD.unpack_from(data)[-1][:min(values["build_id_size"], 20)]
        words = BANKS.unpack_from(data, HEAD.size)
        self.banks: list[Bank] = list(zip(words[0::2], words[1::2]))[:self.nr_banks]
        self.message = message_text(data[HEAD.size + BANKS.size:FILTER_OFFSET])
        self.features: tuple[int, ...] = FEATURES.unpack_from(data, FEATURES_OFFSET)
        self.cpus: list[BeaconCpu] = []

    @property
    def engine_name(self) -> str:
        """xen, bbm or clock."""
        return ENGINES[self.engine]

    def readable(self, pa: int, size: int) -> bool:
        """Does [pa, pa + size) lie in RAM that the image uses, or in the image itself?"""
        return any(base <= pa and pa + size <= base + length
                   for base, length in [*self.banks, self.image])

    def registers(self, cpu: int) -> dict[str, int]:
        """How a CPU translates, as far as the image says it: its own stage, and its vCPU's."""
        fields = self.cpus[cpu].fields
        if fields["guest_generation"] % 2:
            raise HvError(f"CPU{cpu} is between two guests: its registers are being loaded; try "
                          "again in a moment")
        said = {name: fields[field] for name, field in GUEST_REGISTERS.items()}
        return {**said, **self.own_registers(), "SCTLR_EL2": SCTLR_OWN}

    def own_registers(self) -> dict[str, int]:
        """Of every CPU, whether its MMU is on already or not."""
        said = {"TCR_EL2": self.tcr, "MAIR_EL2": MAIR_VALUE}
        names = ("ID_AA64MMFR0_EL1", "ID_AA64MMFR1_EL1")
        return {**said, **{name: value for name, value in zip(names, self.features) if value}}

    def require_mapcache(self) -> None:
        """Raises the sentence that says why there is no mapcache to show yet."""
        if self.state == MMU_ON:
            raise HvError("the mapcache is not set up yet (the image is booting)",
                          EXIT_NO_MAPCACHE)


def message_text(data: bytes) -> str:
    """A NUL-terminated message of the guest, made harmless for a terminal."""
    text = data.split(b"\0", 1)[0]
    return "".join(chr(c) if 32 <= c < 127 else "?" for c in text)


def beacon_read(read: ReadPhys, ram_base: int = RAM_BASE) -> Beacon:
    """Finds, reads and checks the beacon; HvError says in a sentence why there is none."""
    header = ram_base + BEACON_LOAD_OFFSET
    pa = beacon_find(read(header, HEADER.size), header)
    data = read(pa, BEACON_SIZE)
    if HEAD.unpack_from(data)[0] == 0:
        raise HvError("the image has not started yet, or is booting: it has published no beacon")
    beacon = Beacon(pa, data)
    beacon_check(beacon)
    beacon.cpus = beacon_read_cpus(read, beacon)
    return beacon


def beacon_find(data: bytes, header: int) -> int:
    """PA of the beacon, from the image header that is at PA `header`."""
    _, image_size, _, offset, beacon_magic, _, magic, _ = HEADER.unpack(data)
    if magic != IMAGE_MAGIC or beacon_magic != BEACON_IMAGE_MAGIC:
        raise HvError(f"memory at {header:#x} holds no hvscope image")
    limit = min(image_size, IMAGE_SIZE_MAX)
    if offset % 8 or offset < HEADER.size or offset + BEACON_SIZE > limit:
        raise HvError(f"the image header at {header:#x} says that the beacon is outside the image")
    return header + offset


def beacon_check(beacon: Beacon) -> None:
    """Raises HvError for the first field that cannot be right."""
    for wrong, what in beacon_faults(beacon):
        if wrong:
            raise HvError(f"the beacon at {beacon.pa:#x} cannot be understood: {what}")


def beacon_faults(b: Beacon) -> list[tuple[bool, str]]:
    """Each condition that makes a beacon useless, with its words."""
    return [
        (b.fields["magic"] != BEACON_MAGIC, "its magic is wrong"),
        (b.version != BEACON_VERSION,
         f"its version is {b.version}, this tool knows {BEACON_VERSION}"),
        (b.size < BEACON_SIZE, f"its size is {b.size}"),
        (not MMU_ON <= b.state <= OFF, f"its state is {b.state}"),
        (b.engine >= len(ENGINES), f"its engine is {b.engine}"),
        (not 1 <= b.ncpu <= BEACON_CPUS_MAX, f"it counts {b.ncpu} CPUs"),
        (not 1 <= b.nr_banks <= BEACON_BANKS_MAX, f"it counts {b.nr_banks} banks of RAM"),
        (any(base + size > 1 << 52 for base, size in [*b.banks, b.image]),
         "a bank of RAM has no end"),
        (not 1 <= b.domheap_entries <= ENTRIES_MAX, f"it counts {b.domheap_entries} slots"),
        (b.root_level != 0 or b.l0_index >= 512, "the domheap's place in the root is wrong"),
        (not CPU.size <= b.cpu_stride <= CPU_STRIDE_MAX or (b.cpu_stride | b.cpu_offset) % 8 != 0
         or not b.readable(b.pa + b.cpu_offset, b.ncpu * b.cpu_stride),
         "its CPU blocks are outside RAM"),
    ]


def beacon_read_cpus(read: ReadPhys, beacon: Beacon) -> list[BeaconCpu]:
    """The blocks of all CPUs, in one read."""
    stride = beacon.cpu_stride
    data = read(beacon.pa + beacon.cpu_offset, beacon.ncpu * stride)
    cpus = [BeaconCpu(data[n * stride:n * stride + CPU.size]) for n in range(beacon.ncpu)]
    for n, cpu in enumerate(cpus):
        if cpu.state >= len(CPU_STATES):
            raise HvError(f"the beacon at {beacon.pa:#x} cannot be understood: "
                          f"the state of CPU{n} is {cpu.state}")
    return cpus
