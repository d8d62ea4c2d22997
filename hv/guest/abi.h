/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest and the hypervisor agree on. A hypercall is HVC #0 with its
 * number in x0 and arguments in x1 to x4; x0 holds the result. A number that
 * is not known, a pointer that the guest's own tables do not translate, or a
 * length out of range is misbehaviour: the guest is killed.
 */
#ifndef HV_GUEST_ABI_H
#define HV_GUEST_ABI_H

#define GUEST_RAM_IPA   0x40000000 /* where its RAM begins, and its first instruction is */
#define GUEST_RAM_PAGES 192
#define GUEST_VA        0x80000000 /* where it runs once its MMU is on */
#define GUEST_VCPUS     2
#define GUEST_GRANTS    4

enum hypercall {
    HC_YIELD,       /* () */
    HC_CONSOLE,     /* (va, bytes): print; at most HC_CONSOLE_MAX bytes */
    HC_CHECKSUM,    /* (va, bytes): sum of the 64-bit words that the hypervisor reads there */
    HC_FILL,        /* (va, bytes, seed): the hypervisor writes seed, seed + 1, … there */
    HC_GRANT,       /* (ref, va): let other domains copy from this page; ref < GUEST_GRANTS */
    HC_COPY_GRANT,  /* (va, ref): copy a page from another domain's grant to va; 0 if none has it */
    HC_BALLOON_OUT, /* (ipa): give a page back; the guest must not touch it */
    HC_BALLOON_IN,  /* (ipa): get one there, zeroed; 0 without memory */
    HC_PASS,        /* (): one more round of the guest's work was right */
    HC_FAIL,        /* (what, expected, seen): the guest saw a wrong value */
    HC_NR
};

#define HC_CONSOLE_MAX 64

/* What x0 tells a guest to do at its start: work, or one kind of misbehaviour after a while. */
enum guest_mode {
    GUEST_GOOD,
    GUEST_BAD_POINTER,
    GUEST_BAD_HYPERCALL,
    GUEST_STAGE2_FAULT,
    GUEST_ENDLESS_LOOP,
    GUEST_FLOOD,
    GUEST_MODES
};

#endif /* HV_GUEST_ABI_H */
