# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace on an engine: everything counted, and held against each other."""

from dataclasses import dataclass, field

from run import Counts, Lab, Part, Row

# What the plugin and the ring both count.
EVENTS = ("tlbi_va", "tlbi_range", "tlbi_all", "tlbi_other", "dsb_sy", "dsb_nsh", "dsb_st",
          "dsb_ld", "isb", "entry_stores")
# Engines that choose the slots that the patch chooses.
AS_THE_PATCH = ("xen", "bbm", "bbm-write-pte", "bbm-flush")
TOTALS = ("pairs", "insns", *EVENTS, "hits", "commandeers", "probes", "walks", "stale")
MAXIMA = ("probe_max", "call", "masked", "idle", "linger")
FINDINGS = ("hazards", "violations")


@dataclass
class Result:
    """What a trace cost an engine: totals of all its streams, and maxima."""
    trace: str
    row: str
    counts: dict[str, int] = field(default_factory=dict)
    hit_pair: int = 0  # instructions of the shortest map and unmap
    checked: bool = False  # the image's checker saw it

    def __getitem__(self, name: str) -> int:
        return self.counts[name]

    def per_pair(self, name: str) -> float:
        """A total, a map and its unmap."""
        return self.counts[name] / self.counts["pairs"]

    @property
    def tlbi(self) -> int:
        """Of all kinds."""
        return sum(self.counts[name] for name in EVENTS if name.startswith("tlbi"))

    @property
    def dsb(self) -> int:
        """Of all kinds."""
        return sum(self.counts[name] for name in EVENTS if name.startswith("dsb"))

    @property
    def plain(self) -> int:
        """Instructions that are no TLBI, DSB or ISB."""
        return self.counts["insns"] - self.tlbi - self.dsb - self.counts["isb"]

    @property
    def hit_ratio(self) -> float:
        """Of all maps."""
        return self.per_pair("hits")


def differences(what: str, one: dict[str, int], other: dict[str, int], names: tuple[str, ...]
                ) -> list[str]:
    """A sentence for each number that is not the same."""
    return [f"{what}: {name} is {one.get(name)} and {other.get(name)}" for name in names
            if one.get(name) != other.get(name)]


def events_of(plugin: Counts) -> dict[str, int]:
    """Maps and unmaps together."""
    return {name: plugin["map"][name] + plugin["unmap"][name] for name in EVENTS}


def disagreements(row: Row, part: Part, image: Counts, plugin: Counts, ring: Counts) -> list[str]:
    """Wherever two count the same thing and do not get the same."""
    found = []
    for call in ("map", "unmap"):
        found += differences(f"{call}: PMU and plugin", image[call], plugin[call],
                             ("calls", "insns", "least", "most"))
    found += differences("plugin and ring", events_of(plugin), ring["ring"] | ring["barriers"],
                         EVENTS)
    for name, counts in (("bare image", image), ("image", ring)):
        found += differences(f"model and {name}", part.model["trace"], counts["trace"],
                             ("records", "hash", "live"))
    if row.name in AS_THE_PATCH:
        found += differences("model and image", part.model["engine"], ring["engine"],
                             ("maps", "hits", "commandeers", "probes", "probe_max"))
    found += differences("table at the end of both images", image["idle"], ring["idle"],
                         ("most", "end"))
    if ring["tlb"]["stale"]:
        found.append(f"TLB model: {ring['tlb']['stale']} accesses reached another frame")
    if ring["check"]["produced"] != ring["check"]["checked"]:
        found.append("the checker did not see every event")
    return found


def counts_of(image: Counts, plugin: Counts, ring: Counts) -> dict[str, int]:
    """The numbers of one stream."""
    return {
        "pairs": image["map"]["calls"],
        "insns": image["map"]["insns"] + image["unmap"]["insns"],
        **events_of(plugin),
        **{name: ring["engine"][name] for name in ("hits", "commandeers", "probes", "probe_max")},
        "call": max(image["map"]["most"], image["unmap"]["most"]),
        "masked": max(plugin["map"]["masked"], plugin["unmap"]["masked"]),
        "idle": ring["idle"]["most"],
        "linger": ring["tlb"]["linger"],
        "walks": ring["tlb"]["walks"],
        "stale": ring["tlb"]["stale"],
        "hazards": ring["check"]["hazards"],
        "violations": ring["check"]["violations"],
    }


def merge(into: dict[str, int], counts: dict[str, int]) -> None:
    """Add another stream's."""
    for name in TOTALS + FINDINGS:
        into[name] = into.get(name, 0) + counts[name]
    for name in MAXIMA:
        into[name] = max(into.get(name, 0), counts[name])


def measure(lab: Lab, trace: str, parts: list[Part], row: Row, twice: bool
            ) -> tuple[Result, list[str]]:
    """Boot all that is needed; returns the result, and what is wrong with it."""
    result, wrong = Result(trace, row.name), []
    for part in parts:
        image, plugin = lab.measured(row, part)
        ring = lab.recorded(row, part)
        wrong += disagreements(row, part, image, plugin, ring)
        if twice and (image, plugin) != lab.measured(row, part):
            wrong.append("two runs differ")
        merge(result.counts, counts_of(image, plugin, ring))
        result.hit_pair = image["map"]["least"] + image["unmap"]["least"]
        result.checked = bool(ring["check"]["on"])
    return result, [f"{trace}, {row.name}: {text}" for text in wrong]
