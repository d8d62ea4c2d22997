# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables."""

from cost import CHEAP, MID, PROFILES, break_even, speedup
from measure import Result
from run import ROW_NOTES

LEGEND = """\
A row is an engine; numbers are a map and its unmap unless said otherwise.
  hit%    maps that found their frame in a slot      plain   instructions but TLBI, DSB, ISB
  probe   slots passed over (clock: chain links),    store   slot entries written
          mean and longest                           call    longest call, instructions
  mask    longest section with interrupts masked, instructions
  idle    most slots that nobody held and that were still valid (secrets in reach of the tables)
  linger  most translations of such slots that the TLB model still had
  walk    misses of the TLB model, one access a map  find    checker: hazards and violations
  cheap, mid   modelled cycles of xen / of this engine, in two cost profiles
  even    TLBI latency, all others in proportion, beyond (>) or below (<) which it beats xen
Profiles, cycles: CPI, TLBI by VA / range / all, DSB SY / ST / after TLBI, ISB, table walk"""

HEADER = ("row            hit%   probe      plain   TLBI    DSB    ISB store  call"
          "  mask idle linger  walk  find  cheap   mid  even")


def legend() -> str:
    """What the columns mean, and the rows."""
    lines = [LEGEND]
    for p in PROFILES:
        lines.append(f"  {p.name:6} {p.cpi}, {p.tlbi_va} / {p.tlbi_range} / {p.tlbi_all}, "
                     f"{p.dsb_sy} / {p.dsb_st} / {p.dsb_nsh}, {p.isb}, {p.walks}")
    lines += [f"  {name:14} {note}" for name, note in ROW_NOTES.items()]
    return "\n".join(lines)


def findings(r: Result) -> str:
    """Of the checker, if it ran."""
    return str(r["hazards"] + r["violations"]) if r.checked else "-"


def line(r: Result, xen: Result) -> str:
    """A row of a trace's table."""
    probes = f"{r.per_pair('probes'):.2f}/{r['probe_max']}"
    return (f"{r.row:13}{100 * r.hit_ratio:6.2f} {probes:>9} "
            f"{r.plain / r['pairs']:9.1f} {r.tlbi / r['pairs']:6.3f} {r.dsb / r['pairs']:6.3f} "
            f"{r.per_pair('isb'):6.3f} {r.per_pair('entry_stores'):5.2f} {r['call']:5} "
            f"{r['masked']:5} {r['idle']:4} {r['linger']:6} {r.per_pair('walks'):5.3f} "
            f"{findings(r):>5} {speedup(CHEAP, r, xen):6.2f}{speedup(MID, r, xen):6.2f} "
            f"{break_even(r, xen):>5}")


def trace_table(title: str, results: list[Result]) -> str:
    """All rows of a trace."""
    xen = results[0]
    return "\n".join(["", title, HEADER, *(line(r, xen) for r in results)])


def ratio_table(results: dict[tuple[str, str], Result], rows: list[str]) -> str:
    """Modelled speed-up over engine xen: a line a trace, a pair of columns a row."""
    traces = list(dict.fromkeys(trace for trace, _ in results))
    width = 14
    lines = ["", "Modelled speed-up over xen, cheap / mid:",
             f"{'':14}" + "".join(f"{row:>{width}}" for row in rows)]
    for trace in traces:
        xen = results[trace, "xen"]
        cells = (f"{speedup(CHEAP, results[trace, row], xen):.2f} / "
                 f"{speedup(MID, results[trace, row], xen):.2f}" for row in rows)
        lines.append(f"{trace:14}" + "".join(f"{cell:>{width}}" for cell in cells))
    return "\n".join(lines)


def as_json(r: Result, xen: Result) -> dict:
    """A result for other programs."""
    return {"trace": r.trace, "row": r.row, "counts": r.counts, "plain": r.plain,
            "hit_ratio": round(r.hit_ratio, 6), "shortest_pair": r.hit_pair,
            "checked": r.checked, "cheap": round(speedup(CHEAP, r, xen), 4),
            "mid": round(speedup(MID, r, xen), 4), "break_even": break_even(r, xen)}
