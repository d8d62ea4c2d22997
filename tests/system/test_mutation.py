# SPDX-License-Identifier: GPL-2.0-or-later
"""The pattern check can fail: it does when the image is broken on purpose."""

ENGINE = "hv/mm/domain_page_xen.c"
SLOT = "hv/mm/domain_page_slot.h"


def test_without_the_tlbi_stale_data_is_seen(machine, mutant):
    """QEMU really keeps the old translation of a commandeered slot."""
    image = mutant(SLOT, "    tlb_flush_va_local(va);\n", "    (void)va;\n")
    m = machine(smp=1, image=image, cmdline="workload=copy", ready="")
    assert m.wait(60) == 1
    assert "CHECK(" in m.console() and "PANIC" in m.console()
    assert any(what in m.console() for what in ("pattern of mfn", "p2m of mfn", "interrupt's page"))


def test_a_wrong_frame_is_seen(machine, mutant):
    """An entry that is one block off does not verify."""
    image = mutant(ENGINE, "mfn_to_xen_entry(slot_mfn, MAIR_NORMAL)",
                   "mfn_to_xen_entry(mfn_x(mfn) % 7 ? slot_mfn : mfn_add(slot_mfn, 512), "
                   "MAIR_NORMAL)")
    m = machine(smp=1, image=image, cmdline="workload=copy", ready="")
    assert m.wait(60) == 1
    assert "PANIC" in m.console()
