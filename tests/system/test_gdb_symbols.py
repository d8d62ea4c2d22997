# SPDX-License-Identifier: GPL-2.0-or-later
"""Where symbols are: from -S to the running image, by hand, and with other programs."""
from __future__ import annotations

import re

import debugger
import pytest

gdb = debugger.gdb


def test_start_without_mmu(machine, gdb) -> None:
    """From -S: symbols where the CPU runs, breakpoints before and after the MMU, sentences."""
    m = machine(extra="-S", ready=None)
    session = gdb(m)
    assert session("hv-symbols").startswith("symbols: auto, now at 0x40200000 (physical)")
    assert "published no beacon" in session("mapcache-dump")
    assert "its MMU is off" in session("pt-walk 0")
    assert "off  0x40000000" in session("hv-cpus")
    session("break _start")
    session("break boot_primary")
    session("break hv_main")
    session("condition 3 fdt_pa != 1")
    session("break map_domain_page")
    session("disable 4")
    hit = session("continue")
    assert "Breakpoint 1" in hit and "_start ()" in hit and "entry.S" in hit
    assert "primary_start" in hit.splitlines()[-1]
    hit = session("continue")
    assert "Breakpoint 2" in hit and "boot_primary (fdt=" in hit and "{" in hit.splitlines()[-1] \
        or "boot.c" in hit
    frames = session("backtrace")
    assert re.search(r"#0 +boot_primary .*boot\.c:\d+\n#1 .* in primary_start", frames)
    hit = session("continue")
    assert "Breakpoint 3" in hit and "hv_main (fdt_pa=" in hit and "main.c" in hit
    assert session("hv-symbols") == "symbols: auto, now at 0xa0000200000 (virtual)"
    assert re.search(r"#0 +hv_main .*main\.c:\d+", session("backtrace"))
    assert "hv_main" in session("list")
    assert "published no beacon" in session("mapcache-dump")
    table = session("info breakpoints")
    assert table.count("already hit 1 time") == 3 and "fdt_pa != 1" in table
    assert re.search(r"^4 +breakpoint +keep n ", table, re.M)
    assert "MULTIPLE" not in table
    session("enable 4")
    hit = session("continue")
    assert "Breakpoint 4" in hit and "map_domain_page" in hit
    assert session("mapcache-dump") == "hvscope: the mapcache is not set up yet (the image is " \
                                       "booting)"
    assert "warning" not in session("info breakpoints")


def test_symbols_by_hand(machine, gdb) -> None:
    """hv-symbols phys and virt move them, auto puts them where the CPU runs."""
    session = gdb(machine())
    assert session("hv-symbols phys") == "symbols: phys, now at 0x40200000 (physical)"
    assert "0x402" in session("print hv_main")
    session("stepi")
    assert "phys" in session("hv-symbols")
    assert "(virtual)" in session("hv-symbols virt")
    assert "(virtual)" in session("hv-symbols auto")
    assert "0xa00002" in session("print hv_main")


def test_symbols_of_another_program(machine, gdb) -> None:
    """Without symbols of the image nothing is touched, and nothing is said at stops."""
    session = gdb(machine(), elf=None)
    assert "no symbols of an hvscope image" in session("hv-symbols phys")
    assert "hvscope" not in session("stepi")
    assert "mapcache ready" in session("mapcache-dump")


def test_symbols_keep_the_users_state(machine, gdb) -> None:
    """Switching at a stop leaves frame, breakpoint commands and hit counts alone."""
    m = machine(extra="-S", ready=None)
    session = gdb(m)
    session("break boot_primary")
    session("hbreak hv_main")
    session("tbreak secondary_main")
    session("continue")
    session("up")
    where = session("frame")
    session("hv-symbols auto")
    assert session("frame") == where
    assert "hv_main" in session("continue")
    table = session("info breakpoints")
    assert "hw breakpoint" in table and "del " in table
    assert "secondary_main" in session("continue")


@pytest.mark.parametrize("language", ["ada", "fortran", "modula-2", "pascal", "rust"])
def test_in_any_language(machine, gdb, language: str) -> None:
    """gdb reads numbers in its commands as the user's language writes them."""
    session = gdb(machine(extra="-S", ready=None))
    session(f"set language {language}")
    session("break boot_primary")
    session("break hv_main")
    assert "Breakpoint 1" in session("continue") and "(physical)" in session("hv-symbols")
    assert re.search(r" off +boot_primary", session("hv-cpus"))
    assert "Breakpoint 2" in session("continue") and "(virtual)" in session("hv-symbols")
    assert re.search(r" on +hv_main", session("hv-cpus"))
    assert "0xa0000200000 at EL2" in session("pt-walk 0xa0000200000")
    assert f'"{language}"' in session("show language")
