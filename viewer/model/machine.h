/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of the machine: what its beacon says, or what a profile has
 * found out about one that has none.
 *
 * All of it is guest data. Nothing above this file uses a number of the beacon
 * that the profile has not bounded.
 */
#ifndef VIEWER_MODEL_MACHINE_H
#define VIEWER_MODEL_MACHINE_H

#include "source/failure.h"
#include "source/source.h"
#include "source/target.h"

#include <hvscope/beacon.h>
#include <hvscope/layout.h>
#include <stdbool.h>

enum machine_status {
    MACHINE_OK,      /* every field of struct machine is valid */
    MACHINE_WAITING, /* of the profile's kind, but not ready to be read (yet) */
    MACHINE_FOREIGN, /* of another kind, or it says what cannot be right */
};

struct profile;

/* Profile xen: where (VA) its variables are; 0: it has none such. See xen.h. */
struct machine_xen {
    unsigned int word;       /* bytes of a pointer */
    unsigned int mask_bytes; /* of a mask of CPUs that are read */
    uint64_t build_id;       /* its bytes in the image */
    uint64_t online, present;
    uint64_t offsets, percpu_start;
    uint64_t pgtable;        /* per CPU: pointer to the root */
    uint64_t shared_pgtable; /* the root of all CPUs */
    uint64_t dommap;         /* per CPU: pointer to the slots */
    uint64_t system_state;   /* enum system_state; 0: not known */
    uint64_t root;           /* PA of CPU0's root; 0: not known (yet) */
    bool booted;             /* it was set to SYS_STATE_active, or suspends and resumes */
};

/* The CPUs' blocks that have the rings: the beacon's own, or those of a tracer's file. */
struct machine_events {
    uint64_t pa, size; /* of the beacon; what the file has, 0 for the beacon's own */
    uint64_t cpu_offset, cpu_stride;
};

struct machine {
    const struct profile *profile;
    const char *arch;     /* "arm64" or "arm32" */
    const char *note;     /* what is assumed, for a person; NULL: nothing */
    bool wants_registers; /* not found, for want of EL2's registers */
    uint64_t root;        /* profile el2 without registers: what was named */
    struct machine_xen xen;
    uint64_t pa;                          /* of the beacon; 0: it has none */
    struct machine_events events;         /* of the rings */
    struct beacon beacon;                 /* ncpu, nr_banks, entries, stride, … are in bounds */
    char message[BEACON_MESSAGE_MAX + 1]; /* printable ASCII, NUL-terminated */
};

/*
 * What the target is: by the profile that spec names, else by the first that
 * finds its own. Unless MACHINE_OK is returned, f says why not
 * (EXIT_NOT_UNDERSTOOD).
 */
enum machine_status machine_find(const struct source *src, const struct target_spec *spec,
                                 struct machine *m, struct failure *f);

/*
 * Our own image alone. Find and read the beacon: at *beacon_pa, or (NULL) through the image header
 * behind the start of a piece of RAM. Unless MACHINE_OK is returned, f says why
 * not (EXIT_NOT_UNDERSTOOD).
 */
enum machine_status machine_read(const struct source *src, const uint64_t *beacon_pa,
                                 struct machine *m, struct failure *f);

/* Is it, right now, still the boot that m was read from? */
bool machine_is_same_boot(const struct source *src, const struct machine *m);

/* 0, or -1 with f (EXIT_NO_MAPCACHE) if no CPU has a mapcache, or can have one yet. */
int machine_require_mapcache(const struct machine *m, struct failure *f);

/* Block of CPU cpu (below ncpu). 0, or a negative errno of source_read_phys(). */
int machine_read_cpu(const struct source *src, const struct machine *m, unsigned int cpu,
                     struct beacon_cpu *info);

/*
 * A system register of a CPU, by its name in the Arm ARM ("TCR_EL2"): as the
 * source tells it, else as the profile knows it to be. 0, or -ENOENT.
 */
int machine_read_register(const struct source *src, const struct machine *m, unsigned int cpu,
                          const char *name, uint64_t *value);

/*
 * How the vCPU that a CPU has loaded translates, all of one moment. 0; -EAGAIN if
 * the CPU is loading another one; -ENOENT if this kind of machine does not tell.
 */
int machine_read_guest(const struct source *src, const struct machine *m, unsigned int cpu,
                       struct beacon_guest *g);

/* Are maps and unmaps counted: by the image itself, or by the tracer? */
bool machine_counts(const struct machine *m);

/* The region of the EL2 layout that va lies in: "domheap", "image", …; or NULL. */
const char *machine_region(const struct machine *m, uint64_t va);

/* Does the range lie in RAM that the image uses, or in the image itself? */
bool machine_has_memory(const struct machine *m, uint64_t pa, uint64_t size);

/* Does any byte of the 2 MiB from pa lie in a bank of RAM? */
bool machine_slot_in_ram(const struct machine *m, uint64_t pa);

/* Words that tools use: "xen", "bbm", "clock", NULL if it names none; "on", "off", "mmu-off". */
const char *machine_engine_name(const struct machine *m);
const char *machine_cpu_state_name(enum beacon_cpu_state state);

/* "booting", "mapcache ready", "panicked: " (the message follows), "powered off". */
const char *machine_state_text(const struct machine *m);

#endif /* VIEWER_MODEL_MACHINE_H */
