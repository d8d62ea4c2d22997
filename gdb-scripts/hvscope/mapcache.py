# SPDX-License-Identifier: GPL-2.0-or-later
"""The mapcache of each CPU: its chain of tables, its slots, their totals; as JSON and text.

The slots are found by walking from the root, as the CPU does. Table memory is
read in as few pieces as possible: a round trip to QEMU costs more than the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from hvscope.beacon import MAPCACHE_READY, MMU_ON, PANICKED, Beacon, BeaconCpu, ReadPhys
from hvscope.columns import PA, REFS, STATE, Mixed, Slot, Sorter, Usual, hex_json
from hvscope.pte import (PAGE_SHIFT, PAGE_SIZE, PTE_ADDR_MASK, PTE_REFS_MAX, PTE_REFS_SHIFT,
                         PTE_VALID, SLOT_ADDR_MASK, SLOT_ATTR_MASK, SLOT_SHIFT, SLOT_SIZE,
                         SLOT_STATES, pte_is_table, pte_refs, slot_is_block, slot_state)

SCHEMA = "hvscope.mapcache/1"
TABLE_ENTRIES = PAGE_SIZE // 8
NO_PROBE_ENGINES = ("clock",)  # a slot there is not found by its frame number

Object = dict[str, Any]


class Decoder:
    """What slots' entries say: called with (slot, entry); many() takes many at once.

    What all slots share is worked out once, and a usual entry takes the short way.
    """

    def __init__(self, beacon: Beacon) -> None:
        self.start, self.attr, self.entries = (beacon.domheap_va, beacon.slot_attr,
                                               beacon.domheap_entries)
        self.banks = [(base - SLOT_SIZE, base + size) for base, size in beacon.banks if size]
        if beacon.foreign_pa:
            self.banks = [(-1, 1 << 64)]
        self.placed = beacon.engine_name not in NO_PROBE_ENGINES
        self.usual = [slot_state(self.attr | refs << PTE_REFS_SHIFT, self.attr, True)
                      for refs in range(PTE_REFS_MAX + 1)]

    def __call__(self, slot: int, pte: int) -> Slot:
        va = self.start + (slot << SLOT_SHIFT)
        refs = pte_refs(pte)
        if not slot_is_block(pte):
            return slot, va, pte, slot_state(pte, self.attr, True), refs, None, None, None, None
        pa = pte & SLOT_ADDR_MASK
        state = slot_state(pte, self.attr, any(low < pa < high for low, high in self.banks))
        if not self.placed:
            return slot, va, pte, state, refs, pa >> PAGE_SHIFT, pa, None, None
        home = (pa >> SLOT_SHIFT) % self.entries
        return (slot, va, pte, state, refs, pa >> PAGE_SHIFT, pa, home,
                (slot - home) % self.entries)

    def many(self, ptes: Iterable[tuple[int, int]]) -> list[Slot]:
        """Slots of (slot, entry)."""
        start, attr, entries, usual = self.start, self.attr, self.entries, self.usual
        short = self.banks and self.placed and slot_is_block(attr)
        low, high = self.banks[0] if short else (0, 0)
        slots: list[Slot] = []
        for slot, pte in ptes:
            pa = pte & SLOT_ADDR_MASK
            if low < pa < high and pte & SLOT_ATTR_MASK == attr:
                refs = pte >> PTE_REFS_SHIFT & PTE_REFS_MAX
                home = (pa >> SLOT_SHIFT) % entries
                slots.append((slot, start + (slot << SLOT_SHIFT), pte, usual[refs], refs,
                              pa >> PAGE_SHIFT, pa, home, (slot - home) % entries))
            else:
                slots.append(self(slot, pte))
        return slots


def is_odd(beacon: Beacon, slot: Slot) -> bool:
    """Does it map what is not RAM, as a Xen's slot may?"""
    pa = slot[PA]
    return beacon.foreign_pa and pa is not None and slot[STATE] != "broken" and \
        not any(size and base - SLOT_SIZE < pa < base + size for base, size in beacon.banks)


def read_entries(read: ReadPhys, pa: int, count: int) -> tuple[int, ...]:
    """`count` entries of a table."""
    return struct.unpack(f"<{count}Q", read(pa, count * 8))


def chain_row(beacon: Beacon, level: int, index: int, pte: int) -> Object:
    """One entry of the chain; next is where it leads, None if nowhere."""
    pa = pte & PTE_ADDR_MASK
    good = pte_is_table(pte) and beacon.readable(pa, PAGE_SIZE)
    return {"level": level, "index": index, "pte": pte, "next": pa if good else None}


def mapcache_chain(read: ReadPhys, beacon: Beacon, root: int) -> list[Object]:
    """The entries that lead from a root to the pages of slots; those that can be read."""
    if root % PAGE_SIZE or not beacon.readable(root, PAGE_SIZE):
        return []
    rows, index, table = [], beacon.l0_index, root
    if beacon.root_level == 0:  # on arm32 the root itself leads to the slots
        rows = [chain_row(beacon, 0, index, read_entries(read, root + index * 8, 1)[0])]
        index, table = 0, rows[0]["next"]
    if table is not None:
        pages = -(-beacon.domheap_entries // TABLE_ENTRIES)
        ptes = read_entries(read, table + index * 8, pages)
        rows += [chain_row(beacon, 1, index + n, pte) for n, pte in enumerate(ptes)]
    return rows


def slot_rows(beacon: Beacon, rows: Sequence[Object]) -> Sequence[Object]:
    """The entries of a chain that lead to pages of slots."""
    return rows if beacon.root_level else rows[1:]


def read_pages(read: ReadPhys, beacon: Beacon, rows: Sequence[Object]) -> list[tuple[int, bytes]]:
    """(first slot, entries) of all slots that can be read; neighbouring pages in one read."""
    pieces: list[list[int]] = []  # first slot, PA, slots
    for page, row in enumerate(slot_rows(beacon, rows)):
        first = page * TABLE_ENTRIES
        count = min(TABLE_ENTRIES, beacon.domheap_entries - first)
        if row["next"] is None:
            continue
        if pieces and sum(pieces[-1][0::2]) == first and \
                pieces[-1][1] + pieces[-1][2] * 8 == row["next"]:
            pieces[-1][2] += count
        else:
            pieces.append([first, row["next"], count])
    return [(first, read(pa, count * 8)) for first, pa, count in pieces]


def read_slots(read: ReadPhys, beacon: Beacon, rows: Sequence[Object]
               ) -> list[tuple[int, tuple[int, ...]]]:
    """The same, as numbers."""
    return [(first, struct.unpack(f"<{len(data) // 8}Q", data))
            for first, data in read_pages(read, beacon, rows)]


def decoded(beacon: Beacon, first: int, ptes: Sequence[int], want_all: bool,
            broken: Collection[int]) -> list[Slot]:
    """Slots of neighbouring entries; those that are not free, or all. broken: whatever they say."""
    slots = Decoder(beacon).many([(slot, pte) for slot, pte in enumerate(ptes, first)
                                  if pte or want_all or slot in broken])
    if broken:
        slots = [(*slot[:STATE], "broken", *slot[REFS:]) if slot[0] in broken else slot
                 for slot in slots]
    return slots if want_all else [slot for slot in slots if slot[STATE] != "free"]


def mapcache_cpu(read: ReadPhys, beacon: Beacon, n: int, want_all: bool) -> Object:
    """The slots of CPU n, each decoded, for questions about them; its chain and its state."""
    cpu: BeaconCpu = beacon.cpus[n]
    if cpu.state_name != "on":
        return {"state": cpu.state_name}
    rows = mapcache_chain(read, beacon, cpu.root)
    pieces = read_slots(read, beacon, rows)
    broken = index_broken(read, beacon, n, (pte for _, ptes in pieces for pte in ptes))
    slots = [slot for first, ptes in pieces
             for slot in decoded(beacon, first, ptes, want_all, broken)]
    return {"state": "on", "tables": rows, "slots": slots,
            "counts": totals([Mixed(slots)], sum(len(ptes) for _, ptes in pieces))}


def totals(slots: Sequence[Usual | Mixed], entries: int) -> dict[str, int]:
    """Counts of so many slots: what is in no batch is free."""
    counted = [batch.counts() for batch in slots]
    counts = {key: sum(one[key] for one in counted) for key in (*SLOT_STATES, "refs")}
    counts["free"] = entries - sum(counts[state] for state in SLOT_STATES if state != "free")
    return counts


def sorter_of(beacon: Beacon) -> Sorter:
    """For the slots of an image."""
    return Sorter(beacon.domheap_va, beacon.domheap_entries, beacon.slot_attr,
                  beacon.engine_name not in NO_PROBE_ENGINES, beacon.banks)


def batches(beacon: Beacon, sorter: Sorter, pages: Sequence[tuple[int, bytes]], want_all: bool,
            broken: Collection[int]) -> Iterator[Usual | Mixed]:
    """What is in slots, page by page."""
    for start, data in pages:
        for at in range(0, len(data), PAGE_SIZE):
            first, page = start + at // 8, data[at:at + PAGE_SIZE]
            ptes = struct.unpack(f"<{len(page) // 8}Q", page)
            usual = None
            if not want_all and not any(first <= slot < first + len(ptes) for slot in broken):
                usual = sorter.usual(first, page)
            if usual is None:
                slots = decoded(beacon, first, ptes, want_all, broken)
                yield Mixed(slots, {slot[0] for slot in slots if is_odd(beacon, slot)})
            else:
                yield usual


def dump_cpu(read: ReadPhys, beacon: Beacon, n: int, want_all: bool) -> Object:
    """The mapcache of CPU n; keys as in the JSON dump, addresses still numbers."""
    cpu: BeaconCpu = beacon.cpus[n]
    if cpu.state_name != "on":
        return {"cpu": n, "state": cpu.state_name}
    rows = mapcache_chain(read, beacon, cpu.root)
    pages = read_pages(read, beacon, rows)
    broken = index_broken(read, beacon, n, (pte for _, data in pages
                                            for pte, in struct.iter_unpack("<Q", data)))
    slots = list(batches(beacon, sorter_of(beacon), pages, want_all, broken))
    entries = sum([len(data) for _, data in pages]) // 8
    return {"cpu": n, "state": "on",
            "consistent": cpu.generation % 2 == 0 if beacon.counted else None,
            "root": hex(cpu.root), "tables": rows, "counts": totals(slots, entries),
            "slots": slots}


def index_broken(read: ReadPhys, beacon: Beacon, n: int, ptes: Iterable[int]) -> Collection[int]:
    """Engine clock: slots of CPU n whose entry, chain and state byte disagree."""
    if not beacon.counted or beacon.engine_name != "clock":
        return ()
    from hvscope import clock
    return {slot for slot, _ in clock.cpu_index_faults(read, beacon, n, list(ptes))
            if slot is not None}


def usual_attr(read: ReadPhys, beacon: Beacon) -> int:
    """What most valid slots of a Xen have; of several, what comes first."""
    times: dict[int, int] = {}
    for cpu in beacon.cpus:
        if cpu.state_name == "on":
            pieces = read_slots(read, beacon, mapcache_chain(read, beacon, cpu.root))
            for pte in [pte for _, ptes in pieces for pte in ptes if slot_is_block(pte)]:
                attr = pte & SLOT_ATTR_MASK
                times[attr] = times.get(attr, 0) + 1
    return max(times, key=lambda attr: times[attr], default=beacon.slot_attr)


def target_object(beacon: Beacon, ncpu: int | None = None) -> Object:
    """What is looked at."""
    return {"kind": beacon.kind, "engine": beacon.engine_name, "arch": beacon.arch,
            "ncpu": beacon.ncpu if ncpu is None else ncpu}


def mapcache_read(read: ReadPhys, beacon: Beacon, cpus: Sequence[int] | None = None,
                  want_all: bool = False) -> Object:
    """The whole dump of a halted machine; cpus: which ones, None for all."""
    beacon.require_mapcache()
    wanted = range(beacon.ncpu) if cpus is None else sorted(set(cpus))
    return {
        "schema": SCHEMA,
        "target": target_object(beacon),
        "domheap": {"va": hex(beacon.domheap_va), "size": hex(beacon.domheap_size),
                    "entries": beacon.domheap_entries, "root_level": beacon.root_level,
                    "l0_index": beacon.l0_index if beacon.root_level == 0 else None},
        "cpus": [dump_cpu(read, beacon, n, want_all) for n in wanted],
    }


def mapcache_json(dump: Object) -> Iterator[str]:
    """The dump on one line, in pieces: it may be half a megabyte."""
    import json
    yield json.dumps({**dump, "cpus": []}, separators=(",", ":"))[:-2]
    for n, cpu in enumerate(dump["cpus"]):
        if n:
            yield ","
        yield from cpu_json(cpu)
    yield "]}"


def cpu_json(cpu: Object) -> Iterator[str]:
    """One CPU in pieces."""
    import json
    if cpu["state"] != "on":
        yield json.dumps(cpu, separators=(",", ":"))
        return
    head = {key: cpu[key] for key in ("cpu", "state", "consistent", "root")}
    yield json.dumps(head, separators=(",", ":"))[:-1]
    yield ',"tables":[' + ",".join(row_json(row) for row in cpu["tables"])
    yield '],"counts":' + json.dumps(cpu["counts"], separators=(",", ":")) + ',"slots":['
    comma = 1  # before the first slot there is none
    for batch in cpu["slots"]:
        text = batch.json()
        yield text[comma:]
        comma = comma and not text
    yield "]}"


def row_json(row: Object) -> str:
    """A row of the chain."""
    return (f'{{"level":{row["level"]},"index":{row["index"]},"pte":{hex_json(row["pte"])},'
            f'"next":{hex_json(row["next"])}}}')


def image_words(beacon: Beacon) -> str:
    """What the image is and does, for people."""
    cpus = "CPU" if beacon.ncpu == 1 else "CPUs"
    if not beacon.counted:
        end = f"{beacon.arch}" if beacon.has_mapcache else "no mapcache that is known"
        return f"Xen, {beacon.ncpu} {cpus}, {end}"
    return (f"hvscope image, engine {beacon.engine_name}, {beacon.ncpu} {cpus}, "
            f"{state_words(beacon)}")


def state_words(beacon: Beacon) -> str:
    """What the image is doing, for people."""
    if beacon.state == PANICKED:
        return f"panicked: {beacon.message}"
    return {MMU_ON: "booting", MAPCACHE_READY: "mapcache ready"}.get(beacon.state, "powered off")


def row_target(row: Object, page: int, entries: int) -> str:
    """Where an entry of the chain leads, or why nowhere."""
    if row["next"] is None:
        if not row["pte"] & PTE_VALID:
            return "nothing: invalid entry"
        if not pte_is_table(row["pte"]):
            return "nothing: a block, not a table"
        return f"nothing: {row['pte'] & PTE_ADDR_MASK:#x} is outside RAM"
    text = f"L{row['level'] + 1} at {row['next']:#x}"
    if page < 0:
        return text
    first = page * TABLE_ENTRIES
    return f"{text}, slots {first}-{min(first + TABLE_ENTRIES, entries) - 1}"


def cpu_text(cpu: Object, entries: int) -> Iterator[str]:
    """The lines of one CPU, each behind a line's end, in pieces."""
    if cpu["state"] != "on":
        yield f"\nCPU{cpu['cpu']}  {cpu['state']}"
        return
    lines = ["", f"CPU{cpu['cpu']}  root {cpu['root']}"
             + ("  (changing while it was read)" if cpu["consistent"] is False else "")]
    above = len([row for row in cpu["tables"] if row["level"] == 0])
    for n, row in enumerate(cpu["tables"]):
        name = f"L{row['level']}[{row['index']}]"
        lines.append(f"  {name:<9}{row['pte']:<#20x}-> {row_target(row, n - above, entries)}")
    if any(batch.slots for batch in cpu["slots"]):
        lines.append("  slot  va              mfn        pa              "
                     "refs  state      home  probe")
    yield "\n".join(lines)
    for batch in cpu["slots"]:
        yield batch.text()
    states = ", ".join(f"{cpu['counts'][state]} {state}" for state in SLOT_STATES)
    yield f"\n  {states}; {cpu['counts']['refs']} refs"


def mapcache_text(beacon: Beacon, dump: Object) -> Iterator[str]:
    """The dump for people, 80 columns wide, in pieces."""
    entries = beacon.domheap_entries
    yield f"{image_words(beacon)}; {entries} slots at {beacon.domheap_va:#x}"
    for cpu in dump["cpus"]:
        yield from cpu_text(cpu, entries)
