# SPDX-License-Identifier: GPL-2.0-or-later
"""mapcache-trace: map and unmap calls logged by breakpoints, for images without a ring."""

from __future__ import annotations

import gdb

from hvscope.target import exception_level, register
from hvscope.walking import optional_beacon, symbol_before
from hvscope.xenbreaks import COST, function_address


class CallLog(gdb.Breakpoint):
    """Logs a call of a function and lets the machine go on."""

    def __init__(self, function: str, word: str) -> None:
        super().__init__(f"*{function_address(function):#x}", internal=True)
        self.word = word

    def stop(self) -> bool:
        """Prints CPU, argument and caller; never stops."""
        if exception_level() == 2:
            cpu = gdb.selected_thread().ptid[1] - 1
            argument, caller = register("x0") or 0, register("x30") or 0
            gdb.write(f"CPU{cpu} {self.word} {argument:#x} by {symbol_before(caller)}\n")
        return False


LOGS: list[CallLog] = []


def set_trace(mode: str) -> str:
    """mapcache-trace on|off."""
    for log in LOGS:
        if log.is_valid():
            log.delete()
    LOGS.clear()
    if mode == "off":
        return "calls are not logged"
    beacon = optional_beacon()[0]
    if beacon is not None and not beacon.counted:
        beacon.require_mapcache()  # says why there is nothing to log
    for function, word in (("map_domain_page", "map mfn"), ("unmap_domain_page", "unmap va")):
        LOGS.append(CallLog(function, word))
    return f"calls are logged from now on; {COST}"
