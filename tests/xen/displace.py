# SPDX-License-Identifier: GPL-2.0-or-later
"""Sourced in gdb: gives idle slots of a Xen to other frames, by Xen's own functions.

Then goes on until somebody takes one back for the frame that was there. A CPU in a guest
cannot call Xen's functions: if one is, nothing is done.
"""
import json

import gdb

TABLE_SLOTS = 1 << 19  # frames from one with a home slot to the next one with it
RAM = range(0x40000, 0x100000)  # frames of the 3 GiB
HYP = 0x1a  # CPSR.M
IRQ_MASKED = 0x80  # CPSR.I: an interrupt might wait for the CPU that stands still
FUNCTION = "((unsigned long (*)(unsigned long))%s)(%#x)"


def displace(cpu: dict) -> int:
    """All idle slots of the selected CPU."""
    done = 0
    for slot in cpu["slots"]:
        mfn = int(slot["mfn"], 0)
        other = next((n for n in (mfn + TABLE_SLOTS, mfn - TABLE_SLOTS) if n in RAM), None)
        if slot["state"] == "cached" and other is not None:
            va = int(gdb.parse_and_eval(FUNCTION % ("map_domain_page", other))) & 0xffffffff
            gdb.parse_and_eval(FUNCTION % ("unmap_domain_page", va))
            done += 1
    return done


def in_xen(thread: gdb.InferiorThread) -> bool:
    """Is this CPU halted in Xen? Then it can call its functions."""
    thread.switch()
    return int(gdb.parse_and_eval("$cpsr")) & 0x1f == HYP


threads = sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num)
if all(in_xen(thread) for thread in threads):
    gdb.execute("set scheduler-locking on")
    total = 0
    for cpu in json.loads(gdb.execute("mapcache-dump --json", to_string=True))["cpus"]:
        threads[cpu["cpu"]].switch()
        cpsr = int(gdb.parse_and_eval("$cpsr"))
        gdb.execute(f"set $cpsr = {cpsr | IRQ_MASKED:#x}")
        total += displace(cpu)
        gdb.execute(f"set $cpsr = {cpsr:#x}")
    gdb.execute("set scheduler-locking off")
    print(f"displaced {total}")
    gdb.execute("mapcache-break commandeer")
    gdb.execute("continue")
