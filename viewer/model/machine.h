/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the beacon says about the machine, checked.
 *
 * All of it is guest data. Nothing above this file uses a number of the beacon
 * that machine_read() has not bounded.
 */
#ifndef VIEWER_MODEL_MACHINE_H
#define VIEWER_MODEL_MACHINE_H

#include "source/failure.h"
#include "source/source.h"

#include <hvscope/beacon.h>
#include <hvscope/layout.h>
#include <stdbool.h>

enum machine_status {
    MACHINE_OK,      /* every field of struct machine is valid */
    MACHINE_WAITING, /* our image, but it has published no beacon (yet) */
    MACHINE_FOREIGN, /* no image of ours, or a beacon that cannot be right */
};

struct machine {
    uint64_t pa;                          /* of the beacon */
    struct beacon beacon;                 /* ncpu, nr_banks, entries, stride, … are in bounds */
    char message[BEACON_MESSAGE_MAX + 1]; /* printable ASCII, NUL-terminated */
};

/*
 * Find and read the beacon: at *beacon_pa, or (NULL) through the image header
 * behind the start of a piece of RAM. Unless MACHINE_OK is returned, f says why
 * not (EXIT_NOT_UNDERSTOOD).
 */
enum machine_status machine_read(const struct source *src, const uint64_t *beacon_pa,
                                 struct machine *m, struct failure *f);

/* Is it, right now, still the boot that m was read from? */
bool machine_is_same_boot(const struct source *src, const struct machine *m);

/* 0, or -1 with f (EXIT_NO_MAPCACHE) if no CPU can have a mapcache yet. */
int machine_require_mapcache(const struct machine *m, struct failure *f);

/* Block of CPU cpu (below ncpu). 0, or a negative errno of source_read_phys(). */
int machine_read_cpu(const struct source *src, const struct machine *m, unsigned int cpu,
                     struct beacon_cpu *info);

/* Does the range lie in RAM that the image uses, or in the image itself? */
bool machine_has_memory(const struct machine *m, uint64_t pa, uint64_t size);

/* Does any byte of the 2 MiB from pa lie in a bank of RAM? */
bool machine_slot_in_ram(const struct machine *m, uint64_t pa);

/* Words that tools use: "xen", "bbm", "clock"; "on", "off", "mmu-off". */
const char *machine_engine_name(const struct machine *m);
const char *machine_cpu_state_name(enum beacon_cpu_state state);

/* "booting", "mapcache ready", "panicked: " (the message follows), "powered off". */
const char *machine_state_text(const struct machine *m);

#endif /* VIEWER_MODEL_MACHINE_H */
