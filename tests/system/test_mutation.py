# SPDX-License-Identifier: GPL-2.0-or-later
"""The pattern check can fail: it does when the image is broken on purpose."""

import shutil
import subprocess

from conftest import ROOT


def mutant(tmp_path, old: str, new: str):
    """The image, built with one change in its engine."""
    tree = tmp_path / "tree"
    for name in ("hv", "include"):
        shutil.copytree(ROOT / name, tree / name)
    shutil.copy(ROOT / "Makefile", tree)
    engine = tree / "hv/mm/domain_page_xen.c"
    text = engine.read_text()
    assert text.count(old) == 1
    engine.write_text(text.replace(old, new))
    subprocess.run(["make", "-s", "-C", tree, "build/hv-xen.bin", "BUILD=build"], check=True,
                   capture_output=True)
    return tree / "build/hv-xen.bin"


def test_without_the_tlbi_stale_data_is_seen(machine, tmp_path):
    """QEMU really keeps the old translation of a commandeered slot."""
    image = mutant(tmp_path, "    tlb_flush_va_local(va);\n", "")
    m = machine(smp=1, image=image, ready="")
    assert m.wait(60) == 1
    assert "CHECK(" in m.console() and "PANIC" in m.console()
    assert "pattern of mfn" in m.console() or "p2m of mfn" in m.console()


def test_a_wrong_frame_is_seen(machine, tmp_path):
    """An entry that is one block off does not verify."""
    image = mutant(tmp_path, "mfn_to_xen_entry(slot_mfn, MAIR_NORMAL)",
                   "mfn_to_xen_entry(mfn_x(mfn) % 7 ? slot_mfn : mfn_add(slot_mfn, 512), "
                   "MAIR_NORMAL)")
    m = machine(smp=1, image=image, ready="")
    assert m.wait(60) == 1
    assert "PANIC" in m.console()
