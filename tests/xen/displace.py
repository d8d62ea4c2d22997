# SPDX-License-Identifier: GPL-2.0-or-later
"""Sourced in gdb: gives idle slots of a Xen to other frames, by Xen's own functions.

Then goes on until somebody takes one back for the frame that was there. A CPU in a guest
cannot call Xen's functions, nor can one that waits for an interrupt: if one of the CPUs cannot,
nothing is done, unless a global ONE says that one of them is enough.
"""
import json
import time

import gdb

TABLE_SLOTS = 1 << 19  # frames from one with a home slot to the next one with it
RAM = range(0x40000, 0x100000)  # frames of the 3 GiB
HYP = 0x1a  # CPSR.M
IRQ_MASKED = 0x80  # CPSR.I: an interrupt might wait for the CPU that stands still
SECONDS = 8  # on a CPU: a call takes 20 to 50 ms
FUNCTION = "((unsigned long (*)(unsigned long))%s)(%#x)"


def displace(cpu: dict) -> int:
    """Idle slots of the selected CPU, all if there is time."""
    done, deadline = 0, time.monotonic() + SECONDS
    for slot in cpu["slots"]:
        if time.monotonic() > deadline:
            break
        mfn = int(slot["mfn"], 0)
        other = next((n for n in (mfn + TABLE_SLOTS, mfn - TABLE_SLOTS) if n in RAM), None)
        if slot["state"] == "cached" and other is not None:
            va = int(gdb.parse_and_eval(FUNCTION % ("map_domain_page", other))) & 0xffffffff
            gdb.parse_and_eval(FUNCTION % ("unmap_domain_page", va))
            done += 1
    return done


def can_call(thread: gdb.InferiorThread) -> bool:
    """Is this CPU halted in Xen, at work? (In WFI it would go on only when an interrupt comes.)"""
    thread.switch()
    return int(gdb.parse_and_eval("$cpsr")) & 0x1f == HYP and "halted" not in thread.details


threads = sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num)
able = [thread for thread in threads if can_call(thread)]
if len(able) < len(threads) and not globals().get("ONE"):
    able = []
total = 0
gdb.execute("set scheduler-locking on")
for cpu in json.loads(gdb.execute("mapcache-dump --json", to_string=True))["cpus"] if able else []:
    if threads[cpu["cpu"]] in able:
        threads[cpu["cpu"]].switch()
        cpsr = int(gdb.parse_and_eval("$cpsr"))
        gdb.execute(f"set $cpsr = {cpsr | IRQ_MASKED:#x}")
        total += displace(cpu)
        gdb.execute(f"set $cpsr = {cpsr:#x}")
gdb.execute("set scheduler-locking off")
if total:
    print(f"displaced {total}")
    gdb.execute("mapcache-break commandeer")
    gdb.execute("continue")
