# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes slots.json: one mapcache slot each, and what every tool has to say of it.

Shares no code with the tools. What is judged (state, count, frame) stands in the
table by hand; only the fields that follow by arithmetic are computed here.
"""
import json
import pathlib

ATTR = 0x0040000000000F7D
DOMHEAP = 0x7F8000000000
RAM = [(0x40000000, 0x100000000)]
MIB2 = 1 << 21
NOT_A_BLOCK = None

CASES: list[dict] = []


def case(name, pte, state, refs, block, *, slot=36, attr=ATTR, entries=1024, va=DOMHEAP, ram=None):
    """One case; block is the physical address that a valid level 2 block maps, else NOT_A_BLOCK."""
    banks = RAM if ram is None else ram
    home = None if block is None else block // MIB2 % entries
    expect = {
        "slot": slot,
        "va": hex(va + slot * MIB2),
        "pte": hex(pte),
        "state": state,
        "odd": False,
        "refs": refs,
        "mfn": None if block is None else hex(block // 4096),
        "pa": None if block is None else hex(block),
        "home": home,
        "probe": None if home is None else (slot - home) % entries,
    }
    CASES.append({
        "name": name, "slot": slot, "pte": hex(pte), "slot_attr": hex(attr), "entries": entries,
        "domheap_va": hex(va), "ram": [[hex(b), hex(s)] for b, s in banks], "expect": expect,
    })


def invalid_entries():
    """Bit 0 clear: nothing is mapped, and nobody may count on it."""
    case("free, all bits zero", 0, "free", 0, None, slot=0)
    case("free, last slot", 0, "free", 0, None, slot=1023)
    case("free, what is left of a block", 0x0040000084800F7C, "free", 0, None)
    case("free, only bit 1", 0x2, "free", 0, None)
    case("free, every bit but valid and the count", 0xF87FFFFFFFFFFFFE, "free", 0, None)
    case("broken, count 1 on an invalid entry", 0x0080000000000000, "broken", 1, None)
    case("broken, count 15 on an invalid entry", 0x0780000000000000, "broken", 15, None)
    case("broken, count 3 on the rest of a block", 0x01C0000084800F7C, "broken", 3, None)
    case("broken, count 8 on bit 1 alone", 0x0400000000000002, "broken", 8, None)


def counts():
    """The count is bits [58:55] of a usual entry."""
    for refs in range(16):
        state = "cached" if refs == 0 else "saturated" if refs == 15 else "in-use"
        case(f"count {refs} at home", 0x0040000084800F7D | refs << 55, state, refs, 0x84800000)


def places():
    """Home is the 2 MiB frame modulo the slots; the probe goes forward and wraps."""
    case("home slot 0", 0x00C0000080000F7D, "in-use", 1, 0x80000000, slot=0)
    case("home slot 1023", 0x00C00000FFE00F7D, "in-use", 1, 0xFFE00000, slot=1023)
    case("probe 1", 0x00C0000084800F7D, "in-use", 1, 0x84800000, slot=37)
    case("probe 1023: one slot before home", 0x00C0000084800F7D, "in-use", 1, 0x84800000, slot=35)
    case("wrap: home 1023 in slot 0", 0x00C00000FFE00F7D, "in-use", 1, 0xFFE00000, slot=0)
    case("wrap: home 1020 in slot 5", 0x01400000FF800F7D, "in-use", 2, 0xFF800000, slot=5)
    case("same home, 2 GiB higher", 0x0040000104800F7D, "cached", 0, 0x104800000, slot=37)
    case("first block of RAM", 0x0040000040000F7D, "cached", 0, 0x40000000, slot=512)
    case("last block of RAM", 0x004000013FE00F7D, "cached", 0, 0x13FE00000, slot=511)
    case("second L2 page, first slot", 0x00C0000040000F7D, "in-use", 1, 0x40000000, slot=512)
    case("512 slots", 0x00C0000040000F7D, "in-use", 1, 0x40000000, slot=7, entries=512)
    case("512 slots, last", 0x00C000007FE00F7D, "in-use", 1, 0x7FE00000, slot=511, entries=512)
    case("another domheap", 0x00C0000084800F7D, "in-use", 1, 0x84800000, va=0x0A0000000000)
    case("a domheap at 0", 0x00C0000084800F7D, "in-use", 1, 0x84800000, slot=40, va=0)


def attributes():
    """Any bit outside address and count that is not as usual."""
    flips = [
        ("AttrIndx 3 in place of 7", 0x00C0000084800F6D), ("AttrIndx 0", 0x00C0000084800F61),
        ("NS clear", 0x00C0000084800F5D), ("AP[1] clear", 0x00C0000084800F3D),
        ("AP[2] set: read-only", 0x00C0000084800FFD), ("not shareable", 0x00C0000084800C7D),
        ("outer shareable", 0x00C0000084800E7D), ("AF clear", 0x00C0000084800B7D),
        ("nG clear", 0x00C000008480077D), ("XN clear: executable", 0x0080000084800F7D),
        ("PXN set", 0x00E0000084800F7D), ("contiguous", 0x00D0000084800F7D),
        ("DBM set", 0x00C8000084800F7D), ("guarded page", 0x00C4000084800F7D),
        ("bit 48 set", 0x00C1000084800F7D), ("bit 49 set", 0x00C2000084800F7D),
        ("bit 59 set", 0x08C0000084800F7D), ("bit 63 set", 0x80C0000084800F7D),
    ]
    for name, pte in flips:
        case(name, pte, "broken", 1, 0x84800000)
    case("bit 12 set: not an address bit of a block", 0x00C0000084801F7D, "broken", 1, 0x84800000)
    case("bit 16 set (nT)", 0x00C0000084810F7D, "broken", 1, 0x84800000)
    case("bit 20 set", 0x00C0000084900F7D, "broken", 1, 0x84800000)
    case("unusual attributes, count 0", 0x0040000084800F6D, "broken", 0, 0x84800000)
    case("unusual attributes, count 15", 0x07C0000084800F6D, "broken", 15, 0x84800000)
    case("usual there: AttrIndx 3, global", 0x00C000008480076D, "in-use", 1, 0x84800000,
         attr=0x004000000000076D)
    case("Xen's attributes where others are usual", 0x00C0000084800F7D, "broken", 1, 0x84800000,
         attr=0x004000000000076D)


def tables():
    """Bit 1 set at level 2: a table, whatever else it says."""
    case("a table as Xen writes it", 0x0000000084800F7F, "broken", 0, NOT_A_BLOCK)
    case("a slot with bit 1 set", 0x00C0000084800F7F, "broken", 1, NOT_A_BLOCK)
    case("a table with count 15", 0x07C0000084800F7F, "broken", 15, NOT_A_BLOCK)
    case("all ones", 0xFFFFFFFFFFFFFFFF, "broken", 15, NOT_A_BLOCK)
    case("bits 0 and 1 alone", 0x3, "broken", 0, NOT_A_BLOCK)
    case("a table where bit 1 is usual", 0x00C0000084800F7F, "broken", 1, NOT_A_BLOCK,
         attr=0x0040000000000F7F)


def memory():
    """The slot's 2 MiB must touch a bank of RAM."""
    case("below RAM", 0x00C000003FE00F7D, "broken", 1, 0x3FE00000, slot=511)
    case("behind RAM", 0x00C0000140000F7D, "broken", 1, 0x140000000, slot=512)
    case("PA 0", 0x00C0000000000F7D, "broken", 1, 0x0, slot=0)
    case("highest address", 0x00C0FFFFFFE00F7D, "broken", 1, 0xFFFFFFE00000, slot=1023)
    case("outside RAM, count 0", 0x0040000140000F7D, "broken", 0, 0x140000000, slot=512)
    case("outside RAM, count 15", 0x07C0000140000F7D, "broken", 15, 0x140000000, slot=512)
    two = [(0x40000000, 0x40000000), (0x880000000, 0x40000000)]
    case("two banks, in the second", 0x00C0000880000F7D, "in-use", 1, 0x880000000, slot=0, ram=two)
    case("two banks, between them", 0x00C0000080000F7D, "broken", 1, 0x80000000, slot=0, ram=two)
    case("two banks, behind both", 0x00C00008C0000F7D, "broken", 1, 0x8C0000000, slot=512, ram=two)
    page = [(0x84900000, 0x1000)]
    case("a bank of one page inside the block", 0x00C0000084800F7D, "in-use", 1, 0x84800000,
         ram=page)
    case("a bank that begins at the block's last byte", 0x00C0000084800F7D, "in-use", 1, 0x84800000,
         ram=[(0x849FFFFF, 0x1000)])
    case("a bank that begins right behind the block", 0x00C0000084800F7D, "broken", 1, 0x84800000,
         ram=[(0x84A00000, 0x200000)])
    case("a bank that ends one byte into the block", 0x00C0000084800F7D, "in-use", 1, 0x84800000,
         ram=[(0x84000000, 0x800001)])
    case("a bank that ends where the block begins", 0x00C0000084800F7D, "broken", 1, 0x84800000,
         ram=[(0x84000000, 0x800000)])
    case("a bank of no size", 0x00C0000084800F7D, "broken", 1, 0x84800000, ram=[(0x84800000, 0)])
    case("no RAM at all", 0x00C0000084800F7D, "broken", 1, 0x84800000, ram=[])
    case("a bank up to the end of all addresses", 0x00C0FFFFFFE00F7D, "in-use", 1, 0xFFFFFFE00000,
         slot=1023, ram=[(0x40000000, 0xFFFFFFFFBFFFFFFF)])
    case("RAM above 1 TiB", 0x00C0010004800F7D, "in-use", 1, 0x10004800000,
         ram=[(0x40000000, 0x10000000000)])


if __name__ == "__main__":
    for group in (invalid_entries, counts, places, attributes, tables, memory):
        group()
    assert len({c["name"] for c in CASES}) == len(CASES)
    text = ",\n".join(json.dumps(c) for c in CASES)
    pathlib.Path(__file__).with_name("slots.json").write_text(f"[\n{text}\n]\n")
