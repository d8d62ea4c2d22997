# SPDX-License-Identifier: GPL-2.0-or-later
"""hv-guests: the image's domains, by its debug information; read physically.

A CPU halted in EL1 or EL0 sees no hypervisor address, so variables are read by where
they lie in the image's memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import gdb

from hvscope.beacon import Beacon
from hvscope.error import HvError
from hvscope.pte import PAGE_SHIFT
from hvscope.target import MASK64, TARGET, register

MISSING = "this image has no guests: no symbol {}"
FREE = "DOMAIN_FREE"
HCR_VM = 1
VTTBR_ROOT, VMID_SHIFT = 0x0000FFFFFFFFFFFE, 48


def image_pa(beacon: Beacon, va: int) -> int:
    """PA of a variable; symbols may be at the link or at the load address."""
    pa, size = beacon.image
    return va - beacon.image_va + pa if beacon.image_va <= va < beacon.image_va + size else va


def variable(beacon: Beacon, name: str) -> gdb.Value:
    """A global variable, from physical memory."""
    symbol = gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name)
    if symbol is None:
        raise HvError(MISSING.format(name))
    value = symbol.value()
    pa = image_pa(beacon, int(value.address) & MASK64)
    return gdb.Value(TARGET.read_phys(pa, value.type.sizeof), value.type)


def current_vcpus(beacon: Beacon) -> dict[int, int]:
    """VA of the struct vcpu that a CPU runs or works for, by CPU; 0 left out."""
    symbol = gdb.lookup_global_symbol("per_cpu__current_vcpu")
    if symbol is None:
        return {}
    base = image_pa(beacon, int(symbol.value().address) & MASK64)
    offsets = variable(beacon, "__per_cpu_offset")
    found = {}
    for cpu in range(beacon.ncpu):
        if beacon.cpus[cpu].state_name == "on":
            at = base + int(offsets[cpu]) & MASK64
            va = int(symbol.value().address) + int(offsets[cpu]) & MASK64
            pa = at if beacon.readable(at, 8) else va - beacon.fields["directmap_va"]
            found[cpu] = struct.unpack("<Q", TARGET.read_phys(pa, 8))[0]
    return {cpu: va for cpu, va in found.items() if va}


def enum_word(value: gdb.Value) -> str:
    """The last word of an enumerator's name, in lower case."""
    return str(value).rsplit("_", 1)[-1].lower()


def vcpu_lines(domain: gdb.Value, base: int, running: dict[int, int]) -> Iterator[str]:
    """A line a vCPU."""
    vcpus = domain["vcpu"]
    stride = vcpus.type.target().sizeof
    offset = next(f.bitpos // 8 for f in domain.type.fields() if f.name == "vcpu")
    first, last = vcpus.type.range()
    for n in range(first, last + 1):
        vcpu = vcpus[n]
        if str(vcpu["state"]).endswith("NONE"):
            continue
        at = base + offset + n * stride
        cpus = [f"CPU{cpu}" for cpu, va in running.items() if va == at]
        where = f" on {cpus[0]}" if cpus else f", pc {int(vcpu['regs']['pc']) & MASK64:#x}"
        yield f"     vcpu{int(vcpu['id'])} {enum_word(vcpu['state'])}{where}"


def running_text() -> str:
    """Of a Xen: the guests that CPUs hold now, by their registers; its lists are not followed."""
    lines = ["guests of a Xen, as far as its CPUs hold one now (its lists are not followed)"]
    for cpu in sorted(TARGET.threads()):
        with TARGET.on_cpu(cpu):
            vttbr, hcr = register("VTTBR_EL2"), register("HCR_EL2")
        what = "stage 2 is off"
        if vttbr is not None and (hcr or 0) & HCR_VM:
            what = f"stage 2 root {vttbr & VTTBR_ROOT:#x}, VMID {vttbr >> VMID_SHIFT}"
        lines.append(f"  CPU{cpu}  {what}")
    return "\n".join(lines)


def guests_text() -> str:
    """The whole answer."""
    with TARGET.physical():
        beacon = TARGET.beacon()
        if not beacon.counted:
            return running_text()
        domains = variable(beacon, "domains")
        running = current_vcpus(beacon)
    symbol = gdb.lookup_global_symbol("domains")
    start = int(symbol.value().address) & MASK64
    if not beacon.image_va <= start < beacon.image_va + beacon.image[1]:
        start += beacon.image_va - beacon.image[0]
    size = domains.type.target().sizeof
    lines = []
    first, last = domains.type.range()
    for n in range(first, last + 1):
        domain = domains[n]
        if str(domain["state"]) == FREE:
            continue
        root = int(domain["stage2"]["mfn"]) << PAGE_SHIFT
        lines.append(f"  d{int(domain['id'])}.{int(domain['life'])}  {enum_word(domain['state'])}, "
                     f"stage 2 root {root:#x}, {int(domain['frames'])} frames, "
                     f"{int(domain['hypercalls'])} hypercalls")
        lines += vcpu_lines(domain, start + n * size, running)
    return "\n".join([f"{sum('stage 2' in line for line in lines)} guests", *lines])
