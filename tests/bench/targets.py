# SPDX-License-Identifier: GPL-2.0-or-later
"""What the engines are meant to reach, and what they do."""

from collections.abc import Iterator

from cost import PROFILES, speedup
from measure import Result

Results = dict[tuple[str, str], Result]
Verdict = tuple[str, str, bool]  # target, measured, met

COMPLIANT = ("bbm", "clock", "clock-va", "clock-zap", "clock-strict")
CALL_MARGIN = 16  # instructions that bbm's longest call may be above xen's
PROBES_PINNED = 8
TLBI_RATIOS = {"zipf-4096": 0.02, "unif-64GB": 0.07}
DSB_RATIOS = {"zipf-4096": 0.12, "unif-64GB": 0.30}
# Of the full size: the first map of each frame is a miss, which counts more in a short trace.
HIT_RATIOS_FULL = {"zipf-1024": 0.99, "boot": 0.9995, "io": 0.997}


def traces_of(results: Results) -> list[str]:
    """In order."""
    return list(dict.fromkeys(trace for trace, _ in results))


def no_findings(results: Results) -> Verdict:
    """The checker's verdict on every trace."""
    rows = [r for (_, row), r in results.items() if row in COMPLIANT]
    total = sum(r["hazards"] + r["violations"] for r in rows)
    checked = all(r.checked for r in rows)
    return ("bbm and clock: no findings, every trace",
            f"{total} in {len(rows)} runs" if checked else "the image has no checker", checked and
            total == 0)


def bbm_never_above(results: Results) -> Iterator[Verdict]:
    """bbm against xen, count by count."""
    above = {"TLBI": 0, "DSB": 0, "ISB": 0, "probes": 0}
    longest = -10 ** 9
    for trace in traces_of(results):
        xen, bbm = results[trace, "xen"], results[trace, "bbm"]
        above["TLBI"] += bbm.tlbi > xen.tlbi
        above["DSB"] += bbm.dsb > xen.dsb
        above["ISB"] += bbm["isb"] > xen["isb"]
        above["probes"] += bbm["probes"] > xen["probes"]
        longest = max(longest, bbm["call"] - xen["call"])
    for name, n in above.items():
        yield (f"bbm: {name} never above xen", f"above on {n} traces", n == 0)
    yield (f"bbm: longest call at most {CALL_MARGIN} instructions above xen", f"{longest:+}",
           longest <= CALL_MARGIN)


def clock_ahead(results: Results) -> Iterator[Verdict]:
    """clock against xen and bbm, each profile: its worst trace."""
    for other in ("xen", "bbm"):
        for profile in PROFILES:
            ratios = {trace: speedup(profile, results[trace, "clock"], results[trace, other])
                      for trace in traces_of(results)}
            worst = min(ratios, key=ratios.__getitem__)
            behind = [trace for trace, ratio in ratios.items() if ratio <= 1]
            measured = f"worst {ratios[worst]:.3f}, {worst}"
            if len(behind) > 1:
                measured += f"; behind on {len(behind)}"
            yield (f"clock: ahead of {other} on every trace, {profile.name}", measured, not behind)


def clock_counts(results: Results, full: bool) -> Iterator[Verdict]:
    """Ratios of counts to xen's, hit ratios, the longest probe."""
    for kind, ratios in (("tlbi", TLBI_RATIOS), ("dsb", DSB_RATIOS)):
        for trace, limit in ratios.items():
            if (trace, "clock") in results:
                ratio = (getattr(results[trace, "clock"], kind) /
                         getattr(results[trace, "xen"], kind))
                yield (f"clock: {kind.upper()} at most {limit:.2f} of xen's, {trace}",
                       f"{ratio:.4f}", ratio <= limit)
    for trace, limit in (HIT_RATIOS_FULL if full else {}).items():
        if (trace, "clock") in results:
            r = results[trace, "clock"]
            yield (f"clock: hits at least {100 * limit:g} %, {trace}",
                   f"{100 * r.hit_ratio:.3f} %", r.hit_ratio >= limit)
    if ("stride-2GB", "clock") in results:
        r = results["stride-2GB", "clock"]
        misses = r["pairs"] - r["hits"]
        yield ("clock: all maps hit but the first of each frame, stride-2GB", f"{misses} misses",
               misses <= 8)
    for trace in ("pin99", "pin99-scrub"):
        if (trace, "clock") in results:
            probes = results[trace, "clock"]["probe_max"]
            yield (f"clock: longest probe at most {PROBES_PINNED}, {trace}", str(probes),
                   probes <= PROBES_PINNED)


def verdicts(results: Results, full: bool) -> list[Verdict]:
    """All targets that these results can be held against."""
    return [no_findings(results), *bbm_never_above(results), *clock_ahead(results),
            *clock_counts(results, full)]


def table(found: list[Verdict]) -> str:
    """Target, measured, met."""
    lines = ["", f"{'target':57} {'measured':34} met"]
    lines += [f"{target:57} {measured:34} {'yes' if met else 'NO'}"
              for target, measured, met in found]
    return "\n".join(lines)
