# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes walks.json: stage 1 walks of the EL2 regime, and what every tool has to say of them.

Shares no code with the tools and decodes nothing. Each case states by hand, from the
Arm ARM's rules, the entries that the walk meets (level, table, index, entry, kind)
and what comes of them; memory is filled from those statements, and from `extra`:
entries that a wrong walk would meet. An entry that is not in `memory` lies outside RAM.
`error` in place of `expect`: the registers or the root must be refused in a sentence.
"""
import json
import pathlib

MAIR = 0xFF000004EEAA4400
PS = {32: 0, 36: 1, 40: 2, 42: 3, 44: 4, 48: 5, 52: 6}
TG = {"4K": 0 << 14, "64K": 1 << 14, "16K": 2 << 14}
TBI, HA, HD, HPD, DS = 1 << 20, 1 << 21, 1 << 22, 1 << 24, 1 << 32
WXN, EE = 1 << 19, 1 << 25
E2H = 1 << 34
L0, L1, L2, L3 = 0x4032B000, 0x4032C000, 0x4032D000, 0x4032E000
TABLE_L1, TABLE_L2, TABLE_L3 = 0x4032CF7F, 0x4032DF7F, 0x4032EF7F

CASES: list[dict] = []


def tcr(ps=44, t0sz=16, tg="4K", flags=0):
    """A TCR_EL2 value with E2H = 0: RES1 [31] [23], SH0 [13:12] = inner, ORGN0 = IRGN0 = WB."""
    return 1 << 31 | 1 << 23 | PS.get(ps, ps) << 16 | TG.get(tg, tg) | 0x3500 | t0sz | flags


def leaf(pa, size, perm="rw-", kind="normal-wb", share="inner", software=0):
    """A result."""
    return {"pa": hex(pa), "size": hex(size), "perm": perm, "perm_el0": None, "type": kind,
            "share": share, "software": hex(software)}


def case(name, va, steps, outcome, *, control=None, root=L0, extra=(), **registers):
    """outcome: a result, (level, reason) of a fault, or None: refused."""
    memory = {hex(table + 8 * index): hex(pte) for _, table, index, pte, _ in steps}
    memory.update({hex(pa): hex(pte) for pa, pte in extra})
    row = {"name": name, "tcr": hex(tcr() if control is None else control),
           "mair": hex(registers.pop("mair", MAIR)), "hcr": hex(registers.pop("hcr", 0x80000038)),
           "sctlr": hex(registers.pop("sctlr", 0x30C51835)),
           "tcr2": hex(registers.pop("tcr2", 0)), "pa_bits": registers.pop("pa_bits", 52),
           "root": hex(root), "memory": memory, "va": hex(va)}
    assert not registers
    if outcome is None:
        CASES.append({**row, "error": True})
        return
    fault = None if isinstance(outcome, dict) else {"level": outcome[0], "reason": outcome[1]}
    CASES.append({**row, "expect": {
        "steps": [{"level": level, "table": hex(table), "index": index, "pte": hex(pte),
                   "kind": kind} for level, table, index, pte, kind in steps],
        "result": outcome if fault is None else None, "fault": fault}})


def down(*last, i0=255, i1=0, i2=36, depth=2):
    """The usual way down to level `depth`, then the step `last`."""
    way = [(0, L0, i0, TABLE_L1, "table"), (1, L1, i1, TABLE_L2, "table"),
           (2, L2, i2, TABLE_L3, "table")]
    return [*way[:depth], tuple(last)]


def four_k():
    """Four levels of nine bits; blocks at levels 1 and 2."""
    va = 0x7F8004800000
    block = 0x0040000084800F7D
    case("domheap slot 36, count 0", va, down(2, L2, 36, block, "block"), leaf(0x84800000, 1 << 21))
    case("domheap slot 36, count 2, inside the block", va + 0x12345F,
         down(2, L2, 36, block | 2 << 55, "block"), leaf(0x8492345F, 1 << 21, software=2))
    case("last byte of the block", va + 0x1FFFFF, down(2, L2, 36, block | 15 << 55, "block"),
         leaf(0x849FFFFF, 1 << 21, software=15))
    case("page", 0x0A0000201ABC, down(3, L3, 1, 0x0000000040201FFF, "page", i0=20, i2=1, depth=3),
         leaf(0x40201ABC, 1 << 12, perm="r-x"))
    case("page that is data", 0x0A0000244008,
         down(3, L3, 68, 0x0040000040244F7F, "page", i0=20, i2=1, depth=3),
         leaf(0x40244008, 1 << 12))
    case("1 GiB block", 0x800057654321,
         down(1, L1, 1, 0x0040000040000F7D, "block", i0=256, depth=1), leaf(0x57654321, 1 << 30))
    case("VA 0", 0, down(3, L3, 0, 0x0040000080000F7F, "page", i0=0, i2=0, depth=3),
         leaf(0x80000000, 1 << 12))
    case("highest VA", 0xFFFFFFFFFFFF,
         down(3, L3, 511, 0x00400000800FFF7F, "page", i0=511, i1=511, i2=511, depth=3),
         leaf(0x800FFFFF, 1 << 12))
    case("a block ignores bits below its size", va + 5,
         down(2, L2, 36, 0x00400000849FFF7D, "block"), leaf(0x84800005, 1 << 21))
    case("a 1 GiB block ignores bits below its size", 0x800040000010,
         down(1, L1, 1, 0x0040000044200F7D, "block", i0=256, depth=1), leaf(0x40000010, 1 << 30))
    case("contiguous, guarded and ignored bits change nothing", va,
         down(2, L2, 36, 0x8854000084800F7D, "block"), leaf(0x84800000, 1 << 21))
    case("44-bit output address", va, down(2, L2, 36, 0x00400FFFFFE00F7D, "block"),
         leaf(0xFFFFFE00000, 1 << 21))
    case("48-bit output address", va, down(2, L2, 36, 0x0040FFFFFFE00F7D, "block"),
         leaf(0xFFFFFFE00000, 1 << 21), control=tcr(48))


def faults():
    """Each way in which a walk ends without a result."""
    va = 0x7F8004800000
    block = 0x0040000084800F7D
    for level, steps in ((0, [(0, L0, 255, 0, "invalid")]),
                         (1, down(1, L1, 0, 0, "invalid", depth=1)),
                         (2, down(2, L2, 36, 0, "invalid")),
                         (3, down(3, L3, 0, 0, "invalid", depth=3))):
        case(f"invalid entry at level {level}", va, steps, (level, "invalid entry"))
    case("a count on an invalid entry", va, down(2, L2, 36, 0x01C0000084800F7C, "invalid"),
         (2, "invalid entry"))
    case("bit 1 alone is not valid", va, down(2, L2, 36, 0x84800F7E, "invalid"),
         (2, "invalid entry"))
    case("block at level 0", va, [(0, L0, 255, 0x0040008000000F7D, "reserved")],
         (0, "reserved entry"))
    case("bit 1 clear at level 3", va, down(3, L3, 0, block, "reserved", depth=3),
         (3, "reserved entry"))
    case("AF clear in a block", va, down(2, L2, 36, block & ~(1 << 10), "block"),
         (2, "access flag"))
    case("AF clear in a page", va, down(3, L3, 0, 0x0040000084800B7F, "page", depth=3),
         (3, "access flag"))
    case("AF clear, HA set", va, down(2, L2, 36, block & ~(1 << 10), "block"),
         leaf(0x84800000, 1 << 21), control=tcr(flags=HA))
    case("AF clear in tables means nothing", va,
         [(0, L0, 255, 0x4032CB7F, "table"), (1, L1, 0, 0x4032DB7F, "table"),
          (2, L2, 36, block, "block")], leaf(0x84800000, 1 << 21))
    case("output address of a block beyond PS", va, down(2, L2, 36, 0x0040100084800F7D, "block"),
         (2, "address size"))
    case("AF clear and address size: address size first", va,
         down(2, L2, 36, 0x0040100084800B7D, "block"), (2, "address size"))
    case("output address beyond PS = 32 bits", va, down(2, L2, 36, 0x0040000104800F7D, "block"),
         (2, "address size"), control=tcr(32))
    case("PS = 36 bits", va, down(2, L2, 36, 0x0040000FFFE00F7D, "block"),
         leaf(0xFFFE00000, 1 << 21), control=tcr(36))
    case("output address beyond PS = 36 bits", va, down(2, L2, 36, 0x0040001000000F7D, "block"),
         (2, "address size"), control=tcr(36))
    case("output address beyond PS = 40 bits", va, down(2, L2, 36, 0x0040010000000F7D, "block"),
         (2, "address size"), control=tcr(40))
    case("output address beyond PS = 42 bits", va, down(2, L2, 36, 0x0040040000000F7D, "block"),
         (2, "address size"), control=tcr(42))
    case("PS of 48 bits on a CPU of 40", va, down(2, L2, 36, 0x0040010000000F7D, "block"),
         (2, "address size"), control=tcr(48), pa_bits=40)
    case("next table beyond PS", va, [(0, L0, 255, 0x10004032CF7F, "table")], (0, "address size"),
         extra=[(L1, TABLE_L2)])
    case("next table of level 2 beyond PS", va, down(2, L2, 36, 0x10004032EF7F, "table"),
         (2, "address size"))
    case("root beyond PS", va, [], (0, "address size"), root=0x100040000000)
    case("first table outside RAM", va, [], (0, "table outside RAM"))
    case("next table outside RAM", va, [(0, L0, 255, TABLE_L1, "table")], (1, "table outside RAM"))
    case("last table outside RAM", va, down(2, L2, 36, TABLE_L3, "table"), (3, "table outside RAM"))
    case("a root that points to itself ends", 0x7FBFDFEFF000,
         [(n, L0, 255, 0x4032BF7F, "table") for n in (0, 1, 2)]
         + [(3, L0, 255, 0x4032BF7F, "page")], leaf(L0, 1 << 12, perm="rwx"))


def ranges():
    """Addresses that T0SZ and TBI let in or keep out; no entry is read for the others."""
    block = 0x0040000084800F7D
    ok = leaf(0x84800000, 1 << 21)
    way = down(2, L2, 36, block, "block")
    out = (0, "address out of range")
    extra = [(L0 + 8 * 255, TABLE_L1), (L1, TABLE_L2), (L2 + 8 * 36, block)]
    case("bit 48 set", 0x1_7F8004800000, [], out, extra=extra)
    case("bit 55 set", 0x80_7F8004800000, [], out, extra=extra)
    case("bit 63 set", 0x8000_7F8004800000, [], out, extra=extra)
    case("top bits all set: no TTBR1 here", 0xFFFF_7F8004800000, [], out, extra=extra)
    case("highest address of all", 0xFFFFFFFFFFFFFFFF, [], out)
    case("TBI: the top byte is ignored", 0xA5_00_7F8004800000, way, ok, control=tcr(flags=TBI))
    case("TBI: bits [55:48] are not", 0xA5_01_7F8004800000, [], out, control=tcr(flags=TBI),
         extra=extra)
    case("T0SZ 17: 47 bits, half a root", 0x7F8004800000, way, ok, control=tcr(t0sz=17))
    case("T0SZ 17: bit 47 set", 0x800004800000, [], out, control=tcr(t0sz=17))
    case("T0SZ 24: 40 bits, a root of two entries", 0x8004800000,
         down(2, L2, 36, block, "block", i0=1), ok, control=tcr(t0sz=24))
    case("T0SZ 24: bit 40 set", 0x10004800000, [], out, control=tcr(t0sz=24))
    case("T0SZ 25: 39 bits, the root is at level 1", 0x4800000,
         [(1, L0, 0, 0x4032DF7F, "table"), (2, L2, 36, block, "block")], ok, control=tcr(t0sz=25))
    case("T0SZ 25: highest address", 0x7FFFFFFFFF,
         [(1, L0, 511, 0x0040000040000F7D, "block")], leaf(0x7FFFFFFF, 1 << 30),
         control=tcr(t0sz=25))
    case("T0SZ 33: 31 bits, a level 1 root of two entries", 0x44800010,
         [(1, L0, 1, 0x4032DF7F, "table"), (2, L2, 36, block, "block")],
         leaf(0x84800010, 1 << 21), control=tcr(t0sz=33))
    case("T0SZ 34: 30 bits, the root is at level 2", 0x4800000, [(2, L0, 36, block, "block")], ok,
         control=tcr(t0sz=34))
    case("T0SZ 39: 25 bits, 16 entries", 0x1E00123, [(2, L0, 15, block, "block")],
         leaf(0x84800123, 1 << 21), control=tcr(t0sz=39))
    case("T0SZ 39: bit 25 set", 0x2000000, [], out, control=tcr(t0sz=39))
    case("T0SZ 43: 21 bits, the root is at level 3", 0x1FF008,
         [(3, L0, 511, 0x0040000084800F7F, "page")], leaf(0x84800008, 1 << 12),
         control=tcr(t0sz=43))
    case("a short root need only be aligned to its size", 0x8004800000,
         [(0, 0x4032B010, 1, TABLE_L1, "table"), (1, L1, 0, TABLE_L2, "table"),
          (2, L2, 36, block, "block")], ok, control=tcr(t0sz=24), root=0x4032B010)


def rights():
    """Permissions: AP[2], XN, what tables take away, HPD, WXN, and the dirty bit."""
    va = 0x7F8004800000
    rwx, xn, ro = 0x84800F7D, 1 << 54, 1 << 7
    rotable, xntable = 1 << 62, 1 << 60

    def one(name, pte, perm, above=0, **more):
        case(name, va, [(0, L0, 255, TABLE_L1 | above, "table"), (1, L1, 0, TABLE_L2, "table"),
                        (2, L2, 36, pte, "block")], leaf(0x84800000, 1 << 21, perm=perm), **more)

    one("read, write, execute", rwx, "rwx")
    one("read-only, execute", rwx | ro, "r-x")
    one("read-only, XN", rwx | ro | xn, "r--")
    one("AP[1] means nothing at EL2", rwx & ~(1 << 6) | xn, "rw-")
    one("bit 53 means nothing at EL2", rwx | 1 << 53, "rwx")
    one("APTable[1] takes writing", rwx | xn, "r--", above=rotable)
    one("APTable[0] takes nothing at EL2", rwx | xn, "rw-", above=1 << 61)
    one("XNTable takes executing", rwx, "rw-", above=xntable)
    one("PXNTable takes nothing at EL2", rwx, "rwx", above=1 << 59)
    one("both taken", rwx, "r--", above=rotable | xntable)
    one("HPD: tables take nothing", rwx, "rwx", above=rotable | xntable, control=tcr(flags=HPD))
    one("software bits of a table are not the leaf's", rwx | xn, "rw-", above=5 << 55)
    one("WXN: writable is not executable", rwx, "rw-", sctlr=0x30C51835 | WXN)
    one("WXN: read-only is", rwx | ro, "r-x", sctlr=0x30C51835 | WXN)
    one("WXN: made read-only by a table", rwx, "r-x", above=rotable, sctlr=0x30C51835 | WXN)
    one("DBM without HD is read-only", rwx | ro | xn | 1 << 51, "r--", control=tcr(flags=HA))
    one("DBM with HD may be written", rwx | ro | xn | 1 << 51, "rw-", control=tcr(flags=HA | HD))
    one("HD without DBM is read-only", rwx | ro | xn, "r--", control=tcr(flags=HA | HD))
    one("DBM with HD below APTable", rwx | ro | xn | 1 << 51, "r--", above=rotable,
        control=tcr(flags=HA | HD))
    case("rights taken at level 1 and 2", va,
         [(0, L0, 255, TABLE_L1, "table"), (1, L1, 0, TABLE_L2 | rotable, "table"),
          (2, L2, 36, TABLE_L3 | xntable, "table"), (3, L3, 0, 0x84800F7F, "page")],
         leaf(0x84800000, 1 << 12, perm="r--"))


def memory():
    """AttrIndx through MAIR_EL2, and SH."""
    va = 0x7F8004800000

    def one(name, pte, kind, share="inner", mair=MAIR):
        case(name, va, down(2, L2, 36, pte, "block"),
             leaf(0x84800000, 1 << 21, kind=kind, share=share), mair=mair)

    xen = ("device-nGnRnE", "normal-nc", "normal-wt", "normal-wb", "device-nGnRE",
           "device-nGnRnE", "device-nGnRnE", "normal-wb")
    for index, kind in enumerate(xen):
        one(f"Xen's MAIR, AttrIndx {index}", 0x0040000084800F61 | index << 2, kind)
    others = ((0x08, "device-nGRE"), (0x0C, "device-GRE"), (0x01, "device-nGnRnE-nxs"),
              (0x40, "normal-nc-nxs"), (0xA0, "normal-wt-nxs"), (0xF0, "normal-wb-tagged"),
              (0x77, "normal-wb-transient"), (0x33, "normal-wt-transient"), (0x88, "normal-wt"),
              (0xFE, "normal-wb"), (0x4F, "normal-inner-wb-outer-nc"),
              (0xF4, "normal-inner-nc-outer-wb"), (0xBF, "normal-inner-wb-outer-wt"),
              (0x10, "reserved-0x10"), (0x02, "reserved-0x02"))
    for attr, kind in others:
        one(f"MAIR byte {attr:#04x}", 0x0040000084800F6D, kind, mair=attr << 24 | 0xFF)
    one("not shareable", 0x0040000084800C7D, "normal-wb", share="none")
    one("outer shareable", 0x0040000084800E7D, "normal-wb", share="outer")
    one("reserved shareability", 0x0040000084800D7D, "normal-wb", share="reserved")


def sixteen_k():
    """16 KiB pages: eleven bits a level, blocks of 32 MiB at level 2."""
    va = 0x7F8004801234
    # VA 0x7f8004801234: [47] = 0, [46:36] = 0x7f8, [35:25] = 2, [24:14] = 0x200
    walk48 = [(0, 0x40400000, 0, 0x40404003, "table"), (1, 0x40404000, 0x7F8, 0x40408003, "table"),
              (2, 0x40408000, 2, 0x4040C003, "table"),
              (3, 0x4040C000, 0x200, 0x0040000084804F7F, "page")]
    case("16K, 48 bits: page", va, walk48, leaf(0x84805234, 1 << 14), root=0x40400000,
         control=tcr(tg="16K"))
    case("16K, 47 bits: the root is at level 1", va,
         [(1, 0x40400000, 0x7F8, 0x40408003, "table"), *walk48[2:]], leaf(0x84805234, 1 << 14),
         root=0x40400000, control=tcr(tg="16K", t0sz=17))
    case("16K: 32 MiB block", va,
         [*walk48[:2], (2, 0x40408000, 2, 0x0040000084000F7D, "block")],
         leaf(0x84801234, 1 << 25), root=0x40400000, control=tcr(tg="16K"))
    case("16K: block at level 1", va, [walk48[0], (1, 0x40404000, 0x7F8, 0x84000F7D, "reserved")],
         (1, "reserved entry"), root=0x40400000, control=tcr(tg="16K"))
    case("16K: the root of two entries", 0x800004801234,
         [(0, 0x40400010, 1, 0x40404003, "table"), (1, 0x40404000, 0, 0, "invalid")],
         (1, "invalid entry"), root=0x40400010, control=tcr(tg="16K"))
    case("16K: bits [13:12] of a page are no address", va,
         [*walk48[:3], (3, 0x4040C000, 0x200, 0x0040000084807F7F, "page")],
         leaf(0x84805234, 1 << 14), root=0x40400000, control=tcr(tg="16K"))


def sixty_four_k():
    """64 KiB pages: thirteen bits a level, no level 0, blocks of 512 MiB at level 2."""
    # VA 0x7f8004801234: [47:42] = 0x1f, [41:29] = 0x1c00, [28:16] = 0x480
    root, l2, l3 = 0x40400000, 0x40410000, 0x40420000
    va = 0x7F8004801234
    up = [(1, root, 0x1F, 0x40410003, "table"), (2, l2, 0x1C00, 0x40420003, "table")]
    con = tcr(tg="64K")
    case("64K, 48 bits: page", va, [*up, (3, l3, 0x480, 0x0040000084800F7F, "page")],
         leaf(0x84801234, 1 << 16), root=root, control=con)
    case("64K: 512 MiB block", va, [up[0], (2, l2, 0x1C00, 0x0040000080000F7D, "block")],
         leaf(0x84801234, 1 << 29), root=root, control=con)
    case("64K: 42 bits, the root is at level 2", 0x4801234,
         [(2, root, 0, 0x40420003, "table"), (3, l3, 0x480, 0x0040000084800F7F, "page")],
         leaf(0x84801234, 1 << 16), root=root, control=tcr(tg="64K", t0sz=22))
    case("64K: block at level 1 on a CPU without 52-bit addresses", va,
         [(1, root, 0x1F, 0x84000F7D, "reserved")], (1, "reserved entry"), root=root, control=con,
         pa_bits=48)
    case("64K: 4 TiB block on a CPU with them", 0x7F8004801234,
         [(1, root, 0x1F, 0x0040040000000F7D, "block")], leaf(0x78004801234, 1 << 42), root=root,
         control=tcr(48, tg="64K"))
    case("64K: a block's address beyond PS", va, [(1, root, 0x1F, 0x0040800000000F7D, "block")],
         (1, "address size"), root=root, control=con)
    case("64K: bits [15:12] are address bits [51:48]", va,
         [*up, (3, l3, 0x480, 0x004000008480AF7F, "page")], leaf(0xA000084801234, 1 << 16),
         root=root, control=tcr(52, tg="64K"))
    case("64K: bits [15:12] with PS of 48 bits", va,
         [*up, (3, l3, 0x480, 0x004000008480AF7F, "page")], (3, "address size"), root=root,
         control=tcr(48, tg="64K"))
    case("64K: bits [15:12] on a CPU without 52-bit addresses", va,
         [*up, (3, l3, 0x480, 0x004000008480AF7F, "page")], leaf(0x84801234, 1 << 16), root=root,
         control=tcr(48, tg="64K"), pa_bits=48)
    case("64K: a table above 48 bits", va,
         [up[0], (2, l2, 0x1C00, 0x40425003, "table"),
          (3, 0x5000040420000, 0x480, 0x0040000084800F7F, "page")],
         leaf(0x84801234, 1 << 16), root=root, control=tcr(52, tg="64K"))
    # T0SZ 12: [51:42] index level 1; VA 0xf7f8004801234: 0x3df
    case("64K: 52-bit VA", 0xF7F8004801234,
         [(1, root, 0x3DF, 0x40410003, "table"), (2, l2, 0x1C00, 0x40420003, "table"),
          (3, l3, 0x480, 0x0040000084800F7F, "page")], leaf(0x84801234, 1 << 16), root=root,
         control=tcr(tg="64K", t0sz=12))
    case("64K: DS means nothing", va, [*up, (3, l3, 0x480, 0x0040000084800C7F, "page")],
         leaf(0x84801234, 1 << 16, share="none"), root=root, control=tcr(tg="64K", flags=DS))


def lpa2():
    """DS = 1: output address [51:50] in bits [9:8], [49:48] in place, shareability from SH0."""
    four, sixteen = tcr(52, flags=DS), tcr(52, tg="16K", flags=DS)
    va = 0x7F8004800000

    def low(*last):
        return [(0, L0, 255, 0x4032C003, "table"), (1, L1, 0, 0x4032D003, "table"), last]

    case("DS: shareability comes from TCR", va, low(2, L2, 36, 0x0040000084800C7D, "block"),
         leaf(0x84800000, 1 << 21), control=four)
    case("DS: SH0 of TCR is outer", va, low(2, L2, 36, 0x0040000084800C7D, "block"),
         leaf(0x84800000, 1 << 21, share="outer"), control=four & ~0x3000 | 0x2000)
    case("DS: bits [9:8] are address bits [51:50]", va,
         low(2, L2, 36, 0x0040000084800F7D, "block"), leaf(0xC000084800000, 1 << 21),
         control=four)
    case("DS: bits [49:48] are address bits", va, low(2, L2, 36, 0x0043000084800D7D, "block"),
         leaf(0x7000084800000, 1 << 21), control=four)
    case("DS: with PS of 48 bits they are too much", va,
         low(2, L2, 36, 0x0041000084800C7D, "block"), (2, "address size"),
         control=tcr(48, flags=DS))
    case("without DS they are not address bits", va, down(2, L2, 36, 0x0043000084800F7D, "block"),
         leaf(0x84800000, 1 << 21))
    case("PS of 52 bits without DS is 48", va, down(2, L2, 36, 0x0040FFFFFFE00F7D, "block"),
         leaf(0xFFFFFFE00000, 1 << 21), control=tcr(52))
    case("DS: 512 GiB block at level 0", 0x7F8123456789,
         [(0, L0, 255, 0x0040008000000C7D, "block")], leaf(0x8123456789, 1 << 39), control=four)
    case("DS: a table above 48 bits", va,
         [(0, L0, 255, 0x000100004032C27F | 0x3, "table"),
          (1, 0x900004032C000, 0, 0x4032DC7F, "table"),
          (2, L2, 36, 0x0040000084800C7D, "block")], leaf(0x84800000, 1 << 21), control=four)
    # T0SZ 12: level -1 has [51:48]: 16 entries
    minus = [(-1, 0x4032A000, 5, 0x4032B003, "table"), (0, L0, 255, 0x4032C003, "table"),
             (1, L1, 0, 0x4032D003, "table"), (2, L2, 36, 0x0040000084800C7D, "block")]
    case("DS: 52 bits start at level -1", 0x5_7F8004800000, minus, leaf(0x84800000, 1 << 21),
         root=0x4032A000, control=tcr(52, t0sz=12, flags=DS))
    case("DS: invalid at level -1", 0x5_7F8004800000, [(-1, 0x4032A000, 5, 0, "invalid")],
         (-1, "invalid entry"), root=0x4032A000, control=tcr(52, t0sz=12, flags=DS))
    case("DS: no block at level -1", 0x5_7F8004800000,
         [(-1, 0x4032A000, 5, 0x0040000084800C7D, "reserved")], (-1, "reserved entry"),
         root=0x4032A000, control=tcr(52, t0sz=12, flags=DS))
    case("DS: 51 bits start at level -1, eight entries", 0x5_7F8004800000,
         [(-1, 0x4032A040, 5, 0x4032B003, "table"), *minus[1:]], leaf(0x84800000, 1 << 21),
         root=0x4032A040, control=tcr(52, t0sz=13, flags=DS))
    case("DS: bit 52 set", 0x15_7F8004800000, [], (0, "address out of range"), root=0x4032A000,
         control=tcr(52, t0sz=12, flags=DS))
    # 16K, T0SZ 12: level 0 has [51:47]; VA 0xf7f8004801234: 0x1e, then 0x7f8, 2, 0x200
    way = [(0, 0x40400000, 0x1E, 0x40404003, "table"), (1, 0x40404000, 0x7F8, 0x40408003, "table"),
           (2, 0x40408000, 2, 0x4040C003, "table"),
           (3, 0x4040C000, 0x200, 0x0040000084804C7F, "page")]
    case("DS, 16K: 52 bits", 0xF7F8004801234, way, leaf(0x84805234, 1 << 14), root=0x40400000,
         control=tcr(52, 12, "16K", DS))
    case("DS, 16K: 64 GiB block at level 1", 0xF7F8004801234,
         [way[0], (1, 0x40404000, 0x7F8, 0x0040001000000C7D, "block")],
         leaf(0x1004801234, 1 << 36), root=0x40400000,
         control=tcr(52, 12, "16K", DS))
    case("DS, 16K: address bits [51:50]", 0xF7F8004801234,
         [*way[:3], (3, 0x4040C000, 0x200, 0x0040000084804E7F, "page")],
         leaf(0x8000084805234, 1 << 14), root=0x40400000, control=sixteen & ~63 | 12)


def refused():
    """Not understood: a sentence, never a guess."""
    va = 0x7F8004800000
    way = down(2, L2, 36, 0x0040000084800F7D, "block")
    case("E2H = 1", va, way, None, hcr=0x80000038 | E2H)
    case("big-endian tables", va, way, None, sctlr=0x30C51835 | EE)
    case("TG0 = 3", va, way, None, control=tcr(tg=3 << 14))
    case("PS = 7", va, way, None, control=tcr(ps=7))
    case("T0SZ 0", va, way, None, control=tcr(t0sz=0))
    case("T0SZ 12 without DS", va, way, None, control=tcr(t0sz=12))
    case("T0SZ 15 without DS", va, way, None, control=tcr(t0sz=15))
    case("T0SZ 11 with DS", va, way, None, control=tcr(52, t0sz=11, flags=DS))
    case("T0SZ 49", va, way, None, control=tcr(t0sz=49))
    case("T0SZ 48 with 64K pages", va, way, None, control=tcr(t0sz=48, tg="64K"))
    case("T0SZ 11 with 64K pages", va, way, None, control=tcr(t0sz=11, tg="64K"))
    case("indirect permissions (TCR2_EL2.PIE)", va, way, None, tcr2=2)
    case("128-bit entries (TCR2_EL2.D128)", va, way, None, tcr2=0x20)
    case("a root that is not aligned", va, way, None, root=L0 + 8)
    case("a half root that is not aligned", va, way, None, root=L0 + 0x400, control=tcr(t0sz=17))


if __name__ == "__main__":
    for group in (four_k, faults, ranges, rights, memory, sixteen_k, sixty_four_k, lpa2, refused):
        group()
    assert len({c["name"] for c in CASES}) == len(CASES)
    text = ",\n".join(json.dumps(c) for c in CASES)
    pathlib.Path(__file__).with_name("walks.json").write_text(f"[\n{text}\n]\n")
    print(len(CASES))
