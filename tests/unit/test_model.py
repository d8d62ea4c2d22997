# SPDX-License-Identifier: GPL-2.0-or-later
"""Engines on the model of a TLB (tests/model): all short sequences, random long ones, and mutants.

A mutant is an engine with one thing wrong. QEMU forgives most of them; here each must be found.
Random runs are told to the break-before-make checker (hv/core/bbm.h) as well.
"""

import subprocess
from pathlib import Path

import pytest
from conftest import BUILD, ROOT
from hvscope.beacon import ENGINES

# Depths to which all sequences are tried: seconds each. What to look for is in explore.c.
RUNS = {
    "xen": ["small all 8", "small all 10 quiet", "big random 100000"],
    "bbm": ["small all 8", "small all 10 quiet", "big random 100000"],
    "clock": [f"small all {depth} {policy} {tlbi}" for tlbi in ("", "range")
              for policy, depth in (("lazy", 4), ("zap", 4), ("strict", 6))]
    + [f"small all {depth} {policy} quiet" for policy, depth in (("lazy", 10), ("zap", 10))]
    + [f"big random 100000 {policy} {tlbi}"
       for policy in ("lazy", "zap", "strict") for tlbi in ("", "range")],
}
CLOCK, BBM = "hv/mm/domain_page_clock.c", "hv/mm/domain_page_bbm.c"

# What is wrong, where, the text and what it becomes.
MUTANTS = [
    ("no DSB before the TLBI", CLOCK, "    dsb_nshst();\n    if (__b", "    if (__b"),
    ("no DSB before the TLBI", BBM, "    slot_store(entry, 0);\n", "    pte_store(entry, 0);\n"),
    ("no TLBI", CLOCK, "        arc_flush(first, arc);\n",
     "        if (!n)\n            arc_flush(first, arc);\n"),
    ("no TLBI", BBM, "    slot_flush(va);\n    dsb_nsh();\n}", "    (void)va;\n    dsb_nsh();\n}"),
    ("no DSB after the TLBI", CLOCK, "    dsb_nsh();\n    c->recl", "    c->recl"),
    ("no DSB after the TLBI", BBM, "    dsb_nsh();\n}", "}"),
    ("TLBI of the next block", CLOCK, "slot_va(first, _mfn(0))", "slot_va(first + 4, _mfn(0))"),
    ("TLBI of the next block", CLOCK, "slot_va(slots[i], _mfn(0))",
     "slot_va(slots[i] + 1u, _mfn(0))"),
    ("TLBI of the next block", BBM, "slot_break(&map[slot], slot_va(slot, mfn))",
     "slot_break(&map[slot], slot_va(slot + 1, mfn))"),
    ("ishst as last DSB", CLOCK, "    dsb_nsh();\n    c->recl",
     "    dsb_ishst();\n    c->recl"),
    ("ishst as last DSB", BBM, "    dsb_nsh();\n}", "    dsb_ishst();\n}"),
    ("make before TLBI", CLOCK, "    c->state[slot] = CLOCK_OWED;\n",
     "    slot_put(c, slot);\n    if (slot < SLOTS)\n        return;\n"),
    ("make before TLBI", BBM, "    slot_store(entry, 0);\n    slot_flush(va);\n    dsb_nsh();\n",
     "    slot_store(entry, 0);\n    slot_store(entry, PTE_XEN_BLOCK);\n    slot_flush(va);\n"
     "    dsb_nsh();\n"),
    ("range length as last - first", CLOCK, "? step - from : 0",
     "? step - from - CLOCK_STATES_SLOTS : 0"),
    ("range from the hand's start", CLOCK, "(start + from) % SLOTS", "(start + from * 0) % SLOTS"),
    ("breaks what is held", CLOCK, "held(entries) & cold;", "held(entries) & cold & 0;"),
    ("victims stay on their chains", CLOCK, "        chain_unlink(c, first + n, block_of(pte));\n",
     ""),
    ("one turn of the hand only", CLOCK, "end < 2 * SLOTS", "end < SLOTS"),
    ("flush skipped at batch wrap", CLOCK, "    arc_flush_ops(0, n - before_end);\n", ""),
    ("resurrect without re-link", CLOCK, "        owed_remove(c, *slot);\n",
     "        owed_remove(c, *slot), chain_unlink(c, *slot, block);\n"),
    ("resurrect, still owed", CLOCK, "        owed_remove(c, *slot);\n",
     "        owed_remove(c, *slot), c->nr_owed++;\n"),
    ("resurrect for another frame", CLOCK, " || c->block[slot] != block)", ")"),
    ("no DSB after the make", CLOCK, "want + REFS_ONE);\n    dsb_nshst();\n",
     "want + REFS_ONE);\n"),
    ("no ISB after the make", CLOCK, "    dsb_nshst();\n    isb();\n", "    dsb_nshst();\n"),
    ("no ISB after the make", BBM, "    isb();\n}\n\n/* The search", "}\n\n/* The search"),
    ("flush on no map", "hv/mm/domain_page_xen.c", "    slot_flush(va);\n", ""),
    ("the reserve does not come back", CLOCK, "    if (c->nr_free >= CLOCK_RESERVE)\n",
     "    if (c)\n"),
]
TLB = ("another frame", "may fault", "linger")
# What the checker, which knows the order of stores, TLBIs and barriers alone, finds too.
BY_CHECKER = {
    "no DSB before the TLBI", "no TLBI", "no DSB after the TLBI", "TLBI of the next block",
    "ishst as last DSB", "make before TLBI", "range length as last - first",
    "flush skipped at batch wrap"}
SMALL = ("-DDOMHEAP_ENTRIES=4", "-DPTE_REFS_MAX=UINT64_C(3)", "-DCLOCK_HEADS=2", "-DBATCH_RANGE=2",
         "-DBATCH_VA=2")  # as in model.mk
# Tried before RUNS on a mutant: most are found by less.
SHORT = {"xen": [], "bbm": [],
         "clock": [f"small all 3 {policy} {tlbi}" for policy in ("lazy", "zap", "strict")
                   for tlbi in ("", "range")] + ["small all 8 lazy quiet", "small all 8 zap quiet"]}
OBJECTS = ("explore", "machine", "checker", "core_bbm", "core_bbm_text")
caught = []


def run(binary, words):
    """One run of explore: its exit status and what it said."""
    out = subprocess.run([binary, *words.split()[1:]], capture_output=True, text=True, timeout=120,
                         check=False)
    return out.returncode, out.stdout


def test_every_engine_has_runs():
    """A new one too."""
    assert set(RUNS) == set(ENGINES)


@pytest.mark.parametrize("engine,words", [(e, w) for e, runs in RUNS.items() for w in runs])
def test_clean(engine, words):
    """Nothing that must not be; xen makes live entries over live ones, the others never."""
    status, said = run(BUILD / f"model/{words.split()[0]}_{engine}", words)
    assert status == 0, said
    assert ("hazards made" in said) == (engine == "xen"), said


class Mutant:
    """An engine whose text was changed, in both sizes; built when it is asked for."""

    def __init__(self, folder, file, text):
        self.engine = file[18:-2]
        self.source = folder / Path(file).name
        self.source.write_text(text)

    def __call__(self, size):
        """The binary: the objects of the real one, but for the engine."""
        binary = self.source.with_name(f"{size}_{self.engine}")
        if not binary.exists():
            subprocess.run(
                ["gcc", "-O1", "-std=gnu11", *(SMALL if size == "small" else ()),
                 *(f"-I{ROOT / folder}" for folder in ("tests/model", "include", "hv")),
                 self.source, *(BUILD / f"model/{size}_{name}.o" for name in OBJECTS),
                 "-o", binary], check=True)
        return binary


@pytest.mark.parametrize("what,file,old,new", MUTANTS,
                         ids=[f"{m[0]}-{m[1][18:-2]}" for m in MUTANTS])
def test_mutant(tmp_path, what, file, old, new):
    """Each is found, by what may be in a TLB or by what must be true of slots and index; and by
    the checker, if it is one of order."""
    text = (ROOT / file).read_text()
    assert text.count(old) == 1, old
    mutant = Mutant(tmp_path, file, text.replace(old, new))
    words = [*(w for w in RUNS[mutant.engine] if w.startswith("big")), *SHORT[mutant.engine],
             *(w for w in RUNS[mutant.engine] if w.startswith("small"))]  # the quick ones first
    found = first_fault(mutant, words)
    assert found, f"{what}: not found"
    size, fault = found
    by = "checker" if fault.startswith("checker") else \
        "TLB model" if any(w in fault for w in TLB) else "exploration"
    told = what in BY_CHECKER and first_fault(
        mutant, [f"big random 20000 {' '.join(w.split()[3:])} checker"
                 for w in words if w.startswith("big")])
    assert told or what not in BY_CHECKER, f"{what}: the checker did not find it"
    caught.append((what, mutant.engine, by, "checker too" if told else "-", f"{size}: {fault}"))


def first_fault(mutant, runs):
    """(size, fault) of the first run that finds one."""
    for words in runs:
        status, said = run(mutant(words.split()[0]), words)
        if status:
            assert status == 1 and said.startswith("FAULT: "), said
            return words.split()[0], said.splitlines()[0][7:]
    return None


def test_table():
    """Prints which mutant was found by what; pytest -s shows it."""
    for row in caught:
        print("{:32} {:6} {:12} {:12} {}".format(*row))
    assert len(caught) == len(MUTANTS)
