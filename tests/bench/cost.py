# SPDX-License-Identifier: GPL-2.0-or-later
"""Modelled cycles: CPI x plain instructions + events x latency.

No Arm core was measured. Known: ISB 30 to 33 cycles (Cortex-A72, Neoverse N1),
a local stage-1 TLBI 18 (FTC862). So only ratios are printed, of two engines in
one profile, and the latency at which they would cost the same.
"""

from dataclasses import dataclass

from measure import Result


@dataclass(frozen=True)
class Profile:
    """Cycles an event takes."""
    name: str
    cpi: float
    tlbi_va: float
    tlbi_range: float
    tlbi_all: float
    dsb_sy: float
    dsb_st: float
    dsb_nsh: float  # the one that completes a TLBI
    isb: float
    walks: float

    def events(self, r: Result) -> float:
        """Cycles of all that is no plain instruction."""
        return sum(r[name] * getattr(self, name) for name in
                   ("tlbi_va", "tlbi_range", "tlbi_all", "dsb_sy", "dsb_st", "dsb_nsh", "isb",
                    "walks"))

    def cycles(self, r: Result) -> float:
        """All of it."""
        return self.cpi * r.plain + self.events(r)


CHEAP = Profile("cheap", 0.6, 18, 25, 30, 30, 15, 30, 33, 25)
MID = Profile("mid", 0.7, 50, 70, 80, 100, 60, 120, 30, 50)
PROFILES = (CHEAP, MID)


def speedup(profile: Profile, r: Result, against: Result) -> float:
    """How many times faster than the other."""
    return profile.cycles(against) / profile.cycles(r)


def break_even(r: Result, against: Result) -> str:
    """Latency of a TLBI by VA, all others in the proportions of CHEAP, at which both cost the same.

    ">3.1": ahead of the other where it is longer; "<3.1" where it is shorter.
    """
    plain = CHEAP.cpi * (r.plain - against.plain)
    events = CHEAP.events(against) - CHEAP.events(r)
    if plain <= 0 and events >= 0:
        return "always" if plain or events else "same"
    if plain >= 0 and events <= 0:
        return "never"
    return f"{'>' if events > 0 else '<'}{CHEAP.tlbi_va * plain / events:.2g}"
