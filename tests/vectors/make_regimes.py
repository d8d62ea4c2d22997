# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes regimes.json: walks of EL1, of EL2 with E2H, of stage 2, and of both stages.

Shares no code with the tools. What levels there are, where each begins and what rights
follow from which bits are tables written out here from the Arm ARM; a case is made by
putting entries on the way that these tables give. `registers`: the control registers by
name; one that is not there is 0 or absent. An entry that is not in `memory` lies outside
RAM. `error` in place of `expect`: the registers must be refused in a sentence.
"""
import json
import pathlib

LEVEL_SHIFT = {"4K": {-1: 48, 0: 39, 1: 30, 2: 21, 3: 12}, "16K": {0: 47, 1: 36, 2: 25, 3: 14},
               "64K": {1: 42, 2: 29, 3: 16}}
ENTRIES = {"4K": 512, "16K": 2048, "64K": 8192}
TG0 = {"4K": 0, "64K": 1, "16K": 2}
TG1 = {"16K": 1, "4K": 2, "64K": 3}
PARANGE = {32: 0, 36: 1, 40: 2, 42: 3, 44: 4, 48: 5, 52: 6}
E2H, NV1, FWB, VM = 1 << 34, 1 << 43, 1 << 46, 1
TABLES, S2_TABLES = 0x41000000, 0x51000000
PAGE = 0x84800000
AF, INNER = 1 << 10, 3 << 8
PXN, UXN = 1 << 53, 1 << 54

CASES: list[dict] = []


def leaf(pa, size, perm="rwx", el0="--x", kind="normal-wb", share="inner", software=0):
    """A result."""
    return {"pa": hex(pa), "size": hex(size), "perm": perm, "perm_el0": el0, "type": kind,
            "share": share, "software": hex(software)}


def fault(level, reason):
    """A walk's end without a result."""
    return {"level": level, "reason": reason}


def add(name, regime, registers, va, memory=None, **expect):
    """A case; without `expect` it is refused."""
    row = {"name": name, "regime": regime,
           "registers": {key: hex(value) for key, value in registers.items()},
           "memory": {hex(pa): hex(pte) for pa, pte in (memory or {}).items()}, "va": hex(va)}
    CASES.append({**row, "expect": expect} if expect else {**row, "error": True})


def tcr_low(tsz, tg="4K", ips=48, flags=0):
    """TCR_EL1, or TCR_EL2 with E2H: the half of TTBR0; the other one is reserved nonsense."""
    return tsz | TG0[tg] << 14 | 3 << 12 | PARANGE[ips] << 32 | flags


def tcr_high(tsz, tg="4K", ips=48, flags=0):
    """The same: the half of TTBR1."""
    return tsz << 16 | TG1[tg] << 30 | 3 << 28 | PARANGE[ips] << 32 | flags


def way(tg, start, offset, final, tables=TABLES, top=None):
    """(steps, memory) down to level 3 for an offset; final: the last entry; top: the first."""
    steps, memory = [], {}
    shifts = LEVEL_SHIFT[tg]
    for level in range(start, 4):
        index = offset // (1 << shifts[level])
        if level != start:
            index %= ENTRIES[tg]
        here = tables + 0x100000 * (level + 1)
        pte = final if level == 3 else here + 0x100000 | 3 | (top or 0 if level == start else 0)
        memory[here + 8 * index] = pte
        steps.append({"level": level, "table": hex(here), "index": index, "pte": hex(pte),
                      "kind": "page" if level == 3 else "table"})
    return steps, memory


def first_level(tg, in_bits):
    """Where stage 1 begins: the tables of the Arm ARM, D8.2.5 to D8.2.7."""
    limits = {"4K": ((48, -1), (39, 0), (30, 1), (21, 2), (0, 3)),
              "16K": ((47, 0), (36, 1), (25, 2), (0, 3)), "64K": ((42, 1), (29, 2), (0, 3))}[tg]
    return next(level for above, level in limits if in_bits > above)


def stage1(name, regime, high, tg, tsz, *, ips=48, flags=0, extra=None, offset=None, final=None,
           outcome=None, top=None, tag=0):
    """A walk of one half of EL1 or of EL2 with E2H."""
    in_bits = 64 - tsz
    start = first_level(tg, in_bits)
    offset = (0x9A5C3E781D2B4F60 % (1 << in_bits)) if offset is None else offset
    size = 1 << LEVEL_SHIFT[tg][3]
    plain = PAGE | AF | 3 | (0 if flags & 1 << 59 and tg != "64K" else INNER)
    steps, memory = way(tg, start, offset, plain if final is None else final, top=top)
    el = "EL1" if regime == "el1" else "EL2"
    root = TABLES + 0x100000 * (start + 1)
    registers = {f"TCR_{el}": (tcr_high if high else tcr_low)(tsz, tg, ips, flags),
                 f"MAIR_{el}": 0xFF, f"SCTLR_{el}": 1, "ID_AA64MMFR0_EL1": PARANGE[ips],
                 f"TTBR{int(high)}_{el}": root | 0x00A5000000000000,
                 "HCR_EL2": E2H if el == "EL2" else VM, **(extra or {})}
    va = (1 << 64) - (1 << in_bits) + offset if high else offset
    expect = {"steps": steps, "result": None, "fault": None}
    if isinstance(outcome, tuple):
        expect["fault"] = fault(*outcome)
        expect["steps"] = [step for step in steps if step["level"] <= outcome[0]] \
            if outcome[1] not in ("walks disabled", "address out of range") else []
    else:
        expect["result"] = outcome or leaf(PAGE + offset % size, size)
    add(name, regime, registers, va ^ tag, memory, root=hex(root), **expect)


def sizes():
    """Every TxSZ of every granule, for both halves."""
    for tg, low, top in (("4K", 16, 48), ("16K", 16, 48), ("64K", 12, 47)):
        for tsz in range(low, top + 1):
            stage1(f"el1 TTBR0 {tg} T0SZ {tsz}", "el1", False, tg, tsz)
            if tsz % 3 == 0 or tsz == low:
                stage1(f"el1 TTBR1 {tg} T1SZ {tsz}", "el1", True, tg, tsz)
            if tsz % 4 == 1:
                stage1(f"E2H TTBR0 {tg} T0SZ {tsz}", "el2-e2h", False, tg, tsz)
                stage1(f"E2H TTBR1 {tg} T1SZ {tsz}", "el2-e2h", True, tg, tsz)
    for tg in ("4K", "16K"):
        for tsz in (12, 13, 15, 16, 17, 20, 25, 30, 34, 39, 48):
            for high in (False, True):
                stage1(f"el1 DS {tg} T{int(high)}SZ {tsz}", "el1", high, tg, tsz, ips=52,
                       flags=1 << 59)


def rights1():
    """AP, PXN, UXN: EL1's rights and EL0's, as in the Arm ARM's table D8-60."""
    table = {  # AP[2:1], PXN, UXN
        (0, 0, 0): ("rwx", "--x"), (0, 0, 1): ("rwx", "---"), (0, 1, 0): ("rw-", "--x"),
        (0, 1, 1): ("rw-", "---"), (1, 0, 0): ("rw-", "rwx"), (1, 0, 1): ("rw-", "rw-"),
        (1, 1, 0): ("rw-", "rwx"), (1, 1, 1): ("rw-", "rw-"), (2, 0, 0): ("r-x", "--x"),
        (2, 0, 1): ("r-x", "---"), (2, 1, 0): ("r--", "--x"), (2, 1, 1): ("r--", "---"),
        (3, 0, 0): ("r-x", "r-x"), (3, 0, 1): ("r-x", "r--"), (3, 1, 0): ("r--", "r-x"),
        (3, 1, 1): ("r--", "r--")}
    for (ap, pxn, uxn), (el1, el0) in table.items():
        pte = PAGE | AF | INNER | 3 | ap << 6 | pxn * PXN | uxn * UXN
        for regime in ("el1", "el2-e2h"):
            stage1(f"{regime} AP {ap} PXN {pxn} UXN {uxn}", regime, False, "4K", 25, offset=0x123,
                   final=pte, outcome=leaf(PAGE + 0x123, 4096, el1, el0))
    data = PAGE | AF | INNER | 3
    for name, pte, top, sctlr, flags, el1, el0 in (
            ("WXN takes EL1's execution of what EL1 writes", data, 0, 1 << 19, 0, "rw-", "--x"),
            ("WXN takes EL0's too", data | 1 << 6, 0, 1 << 19, 0, "rw-", "rw-"),
            ("WXN leaves read-only", data | 3 << 6, 0, 1 << 19, 0, "r-x", "r-x"),
            ("APTable[0]: nothing for EL0", data | 1 << 6, 1 << 61, 0, 0, "rwx", "--x"),
            ("APTable[1]: nobody writes", data | 1 << 6, 1 << 62, 0, 0, "r-x", "r-x"),
            ("APTable both", data | 1 << 6, 3 << 61, 0, 0, "r-x", "--x"),
            ("PXNTable", data, 1 << 59, 0, 0, "rw-", "--x"),
            ("UXNTable", data, 1 << 60, 0, 0, "rwx", "---"),
            ("HPD0: tables take nothing", data | 1 << 6, 15 << 59, 0, 1 << 41, "rw-", "rwx"),
            ("HPD1 is the other half's", data, 1 << 59, 0, 1 << 42, "rw-", "--x"),
            ("E0PD0: EL0 gets nothing", data | 1 << 6, 0, 0, 1 << 55, "rw-", "---"),
            ("E0PD1 is the other half's", data | 1 << 6, 0, 0, 1 << 56, "rw-", "rwx"),
            ("DBM with HA and HD", data | 1 << 51 | 2 << 6, 0, 0, 3 << 39, "rwx", "--x"),
            ("DBM without HD", data | 1 << 51 | 2 << 6, 0, 0, 1 << 39, "r-x", "--x")):
        stage1("el1 " + name, "el1", False, "4K", 25, offset=0, final=pte, top=top, flags=flags,
               extra={"SCTLR_EL1": sctlr | 1}, outcome=leaf(PAGE, 4096, el1, el0))


def switches():
    """TBI, EPD, AF, addresses out of range, and what is refused."""
    half = (1 << 41) - 1
    for high in (False, True):
        n = int(high)
        stage1(f"el1 EPD{n}", "el1", high, "4K", 16, flags=1 << (23 if high else 7),
               outcome=(0, "walks disabled"))
        stage1(f"el1 EPD{1 - n} is the other half's", "el1", high, "4K", 16,
               flags=1 << (7 if high else 23))
        stage1(f"el1 TBI{n}", "el1", high, "4K", 16, flags=1 << (38 if high else 37),
               tag=0x5A << 56)
        stage1(f"el1 no TBI{n}", "el1", high, "4K", 16, tag=0x5A << 56,
               outcome=(0, "address out of range"))
        stage1(f"el1 TBI{1 - n} is the other half's", "el1", high, "4K", 16, tag=0x5A << 56,
               flags=1 << (37 if high else 38), outcome=(0, "address out of range"))
        stage1(f"el1 bit 50 of a 48-bit half {n}", "el1", high, "4K", 16, tag=1 << 50,
               outcome=(0, "address out of range"))
        stage1(f"el1 AF clear, half {n}", "el1", high, "4K", 16, final=PAGE | INNER | 3,
               outcome=(3, "access flag"))
        stage1(f"el1 AF clear, HA, half {n}", "el1", high, "4K", 16, final=PAGE | INNER | 3,
               flags=1 << 39)
    stage1("el1 address beyond IPS", "el1", False, "4K", 16, ips=40,
           final=1 << 41 | AF | INNER | 3, outcome=(3, "address size"))
    low = {"TCR_EL1": tcr_low(16), "MAIR_EL1": 0xFF, "TTBR0_EL1": TABLES}
    two = {"TCR_EL2": tcr_low(16), "MAIR_EL2": 0xFF, "TTBR0_EL2": TABLES, "HCR_EL2": E2H}
    for name, regime, registers in (
            ("el1 TCR2_EL1.PIE", "el1", {**low, "TCR2_EL1": 2}),
            ("el1 TCR2_EL1.D128", "el1", {**low, "TCR2_EL1": 0x20}),
            ("el1 big-endian", "el1", {**low, "SCTLR_EL1": 1 << 25}),
            ("el1 NV1", "el1", {**low, "HCR_EL2": NV1}),
            ("el1 TG0 reserved", "el1", {**low, "TCR_EL1": tcr_low(16) | 3 << 14}),
            ("el1 IPS reserved", "el1", {**low, "TCR_EL1": tcr_low(16) | 7 << 32}),
            ("el1 T0SZ 15", "el1", {**low, "TCR_EL1": tcr_low(15)}),
            ("el1 T0SZ 49", "el1", {**low, "TCR_EL1": tcr_low(49)}),
            ("el1 without its registers", "el1", {}),
            ("E2H but E2H is 0", "el2-e2h", {**two, "HCR_EL2": 0}),
            ("el2 but E2H is 1", "el2", two),
            ("E2H TCR2_EL2.PIE", "el2-e2h", {**two, "TCR2_EL2": 2}),
            ("E2H root not aligned", "el2-e2h", {**two, "TTBR0_EL2": TABLES + 16})):
        add(name, regime, registers, half & 0x7FFFF000)
    high = {"TCR_EL1": tcr_high(16) & ~(3 << 30), "MAIR_EL1": 0xFF, "TTBR1_EL1": TABLES}
    add("el1 TG1 reserved", "el1", high, 0xFFFF800000000000)


def stage2(name, tg, start, in_bits, *, sl0=None, final=None, outcome=None, extra=None, pa_bits=52,
           vtcr=0, offset=None):
    """A walk of stage 2 that begins at `start`."""
    sl0 = ({"4K": {2: 0, 1: 1, 0: 2, 3: 3}, "16K": {3: 0, 2: 1, 1: 2, 0: 3},
            "64K": {3: 0, 2: 1, 1: 2}}[tg][start]) if sl0 is None else sl0
    offset = (0xF9A5C3E781D2B4F6 >> 64 - in_bits) if offset is None else offset
    size = 1 << LEVEL_SHIFT[tg][3]
    plain = PAGE | AF | INNER | 3 << 6 | 0xF << 2 | 3
    steps, memory = way(tg, start, offset, plain if final is None else final, S2_TABLES)
    root = S2_TABLES + 0x100000 * (start + 1)
    registers = {"VTCR_EL2": 1 << 31 | 64 - in_bits | sl0 << 6 | 3 << 12 | TG0[tg] << 14
                 | min(PARANGE[pa_bits], 5) << 16 | vtcr, "VTTBR_EL2": root | 7 << 48,
                 "HCR_EL2": VM, "ID_AA64MMFR0_EL1": PARANGE[pa_bits],
                 "ID_AA64MMFR1_EL1": 1 << 28, **(extra or {})}
    expect = {"steps": steps, "result": None, "fault": None}
    if isinstance(outcome, tuple):
        expect["fault"] = fault(*outcome)
    else:
        expect["result"] = outcome or leaf(PAGE + offset % size, size, "rwx", "rwx")
    add(name, "s2", registers, offset, memory, root=hex(root), **expect)


def sizes2():
    """Each first level with each size that fits it, up to 16 tables side by side."""
    fits = {("4K", 3): (16, 25), ("4K", 2): (22, 34), ("4K", 1): (31, 43), ("4K", 0): (40, 48),
            ("16K", 3): (16, 29), ("16K", 2): (26, 40), ("16K", 1): (37, 48),
            ("64K", 3): (17, 33), ("64K", 2): (30, 46), ("64K", 1): (43, 48)}
    for (tg, start), (least, most) in fits.items():
        for in_bits in range(least, most + 1):
            stage2(f"s2 {tg} from level {start}, {in_bits} bits", tg, start, in_bits)
    for tg, sl0, in_bits, pa_bits in (
            ("4K", 0, 35, 52), ("4K", 1, 44, 52), ("4K", 1, 30, 52), ("4K", 2, 39, 52),
            ("4K", 3, 26, 52), ("16K", 0, 30, 52), ("16K", 1, 41, 52), ("16K", 2, 36, 52),
            ("16K", 3, 48, 52), ("64K", 0, 34, 52), ("64K", 1, 47, 52), ("64K", 2, 42, 52),
            ("64K", 3, 40, 52), ("4K", 1, 41, 40), ("4K", 2, 40, 42), ("16K", 2, 40, 40),
            ("64K", 2, 43, 42)):
        vtcr = 64 - in_bits | sl0 << 6 | TG0[tg] << 14 | PARANGE[48] << 16
        add(f"s2 {tg} SL0 {sl0}, {in_bits} bits on a CPU of {pa_bits}", "s2",
            {"VTCR_EL2": vtcr, "VTTBR_EL2": S2_TABLES, "ID_AA64MMFR0_EL1": PARANGE[pa_bits]}, 0)
    for bit in (36, 37, 38):
        add(f"s2 VTCR bit {bit}", "s2", {"VTCR_EL2": 1 << bit | 1 << 6 | 25,
                                         "ID_AA64MMFR0_EL1": 5}, 0)
    add("s2 big-endian", "s2", {"VTCR_EL2": 1 << 6 | 25, "SCTLR_EL2": 1 << 25,
                                "ID_AA64MMFR0_EL1": 5}, 0)


def rights2():
    """S2AP and XN with and without FEAT_XNX; MemAttr with and without FEAT_S2FWB."""
    base = PAGE | AF | INNER | 3
    execute = {(0, 1): ("x", "x"), (1, 1): ("-", "x"), (2, 1): ("-", "-"), (3, 1): ("x", "-"),
               (0, 0): ("x", "x"), (1, 0): ("x", "x"), (2, 0): ("-", "-"), (3, 0): ("-", "-")}
    for (xn, xnx), (el1, el0) in execute.items():
        for s2ap, data in ((0, "--"), (1, "r-"), (2, "-w"), (3, "rw")):
            stage2(f"s2 S2AP {s2ap} XN {xn} XNX {xnx}", "4K", 1, 39, offset=0x456,
                   final=base | 15 << 2 | s2ap << 6 | xn << 53,
                   extra={"ID_AA64MMFR1_EL1": xnx << 28},
                   outcome=leaf(PAGE + 0x456, 4096, data + el1, data + el0))
    kinds = ["device-nGnRnE", "device-nGnRE", "device-nGRE", "device-GRE"]
    plain = kinds + ["reserved-0x4", "normal-nc", "normal-inner-wt-outer-nc",
                     "normal-inner-wb-outer-nc", "reserved-0x8", "normal-inner-nc-outer-wt",
                     "normal-wt", "normal-inner-wb-outer-wt", "reserved-0xc",
                     "normal-inner-nc-outer-wb", "normal-inner-wt-outer-wb", "normal-wb"]
    forced = kinds + ["reserved-0x4", "normal-nc", "normal-wb", "stage-1"]
    for attr, kind in enumerate(plain):
        stage2(f"s2 MemAttr {attr}", "4K", 1, 39, offset=0, final=base | attr << 2 | 3 << 6,
               outcome=leaf(PAGE, 4096, "rwx", "rwx", kind))
    for attr, kind in enumerate(forced):
        stage2(f"s2 MemAttr {attr} with FWB", "4K", 1, 39, offset=0,
               final=base | attr << 2 | 3 << 6, extra={"HCR_EL2": FWB | VM},
               outcome=leaf(PAGE, 4096, "rwx", "rwx", kind))
    stage2("s2 AF clear", "4K", 1, 39, final=(base | 0xFC) & ~AF, outcome=(3, "access flag"))
    stage2("s2 AF clear, HA", "4K", 1, 39, final=(base | 0xFC) & ~AF, vtcr=1 << 21)
    stage2("s2 software bits", "4K", 1, 39, offset=0, final=base | 0xFC | 9 << 55,
           outcome=leaf(PAGE, 4096, "rwx", "rwx", software=9))
    stage2("s2 DBM with HD", "4K", 1, 39, offset=0, final=base | 0x7C | 1 << 51,
           vtcr=3 << 21, outcome=leaf(PAGE, 4096, "rwx", "rwx"))
    stage2("s2 the highest address, 16 tables", "4K", 1, 43, offset=(1 << 43) - 1)


def both():
    """A guest's address through both stages: its tables lie at guest addresses too."""
    s1 = {"TCR_EL1": tcr_low(25), "MAIR_EL1": 0xFF, "SCTLR_EL1": 1, "TTBR0_EL1": 0x2000,
          "ID_AA64MMFR0_EL1": 5, "ID_AA64MMFR1_EL1": 1 << 28}
    s2 = {"VTCR_EL2": 25 | 1 << 6 | PARANGE[48] << 16, "VTTBR_EL2": 0x50000000, "HCR_EL2": VM}
    attributes = AF | INNER | 3 << 6 | 0xF << 2 | 3
    frames = {0x2: 0x60007, 0x3: 0x60003, 0x4: 0x60009, 0x5: 0x61234}  # IPA page -> frame
    memory = {0x50000000: 0x50001003, 0x50001000: 0x50002003,
              0x60007000: 0x3003, 0x60003000: 0x4003, 0x60009008: 0x5000 | AF | INNER | 3}
    memory.update({0x50002000 + 8 * page: frame << 12 | attributes
                   for page, frame in frames.items()})

    def step(level, table, index, pte, kind):
        return {"level": level, "table": hex(table), "index": index, "pte": hex(pte), "kind": kind}

    first = [step(1, 0x2000, 0, 0x3003, "table"), step(2, 0x3000, 0, 0x4003, "table"),
             step(3, 0x4000, 1, 0x5000 | AF | INNER | 3, "page")]
    down = [step(1, 0x50000000, 0, 0x50001003, "table"),
            step(2, 0x50001000, 0, 0x50002003, "table"),
            step(3, 0x50002000, 5, 0x61234000 | attributes, "page")]
    end2 = {"root": "0x50000000", "steps": down, "result": leaf(0x61234678, 4096, "rwx", "rwx"),
            "fault": None}
    add("guest: both stages", "guest", {**s1, **s2}, 0x1678, memory, steps=first,
        result=leaf(0x61234678, 4096, "rwx", "--x"), fault=None, ipa="0x5678", s2=end2)
    add("guest: stage 1 off", "guest", {**s1, **s2, "SCTLR_EL1": 0}, 0x5678, memory, steps=[],
        result=leaf(0x61234678, 4096, "rwx", "rwx"), fault=None, ipa="0x5678", s2=end2)
    add("guest: stage 2 off", "guest", {**s1, **s2, "HCR_EL2": 0, "TTBR0_EL1": 0x60007000}, 0x1678,
        {**memory, 0x60007000: 0x60003003, 0x60003000: 0x60009003},
        steps=[step(1, 0x60007000, 0, 0x60003003, "table"),
               step(2, 0x60003000, 0, 0x60009003, "table"),
               step(3, 0x60009000, 1, 0x5000 | AF | INNER | 3, "page")],
        result=leaf(0x5678, 4096), fault=None, ipa="0x5678", s2=None)
    add("guest: stage 1 faults", "guest", {**s1, **s2}, 0x2000, {**memory, 0x60009010: 0},
        steps=[*first[:2], step(3, 0x4000, 2, 0, "invalid")], result=None,
        fault=fault(3, "invalid entry"), ipa=None, s2=None)
    gone = {**memory, 0x50002000 + 8 * 5: 0}
    end3 = {"root": "0x50000000", "steps": [*down[:2], step(3, 0x50002000, 5, 0, "invalid")],
            "result": None, "fault": fault(3, "invalid entry")}
    add("guest: the page is not in stage 2", "guest", {**s1, **s2}, 0x1678, gone, steps=first,
        result=None, fault=fault(3, "stage 2: invalid entry"), ipa="0x5678", s2=end3)
    lost = {**memory, 0x50002000 + 8 * 3: 0}
    add("guest: a stage 1 table is not in stage 2", "guest", {**s1, **s2}, 0x1678, lost,
        steps=first[:1], result=None,
        fault=fault(2, "stage 2 of the table at 0x3000: invalid entry"), ipa=None, s2=None)
    readonly = {**memory, 0x50002000 + 8 * 5: 0x61234000 | attributes & ~(2 << 6) | 2 << 53}
    end4 = {"root": "0x50000000",
            "steps": [*down[:2], step(3, 0x50002000, 5, readonly[0x50002028], "page")],
            "result": leaf(0x61234678, 4096, "r--", "r--"), "fault": None}
    add("guest: stage 2 takes rights", "guest", {**s1, **s2}, 0x1678, readonly, steps=first,
        result=leaf(0x61234678, 4096, "r--", "---"), fault=None, ipa="0x5678", s2=end4)


if __name__ == "__main__":
    for group in (sizes, rights1, switches, sizes2, rights2, both):
        group()
    assert len({c["name"] for c in CASES}) == len(CASES)
    text = ",\n".join(json.dumps(c) for c in CASES)
    pathlib.Path(__file__).with_name("regimes.json").write_text(f"[\n{text}\n]\n")
    print(len(CASES))
