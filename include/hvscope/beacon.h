/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The beacon: where a tool finds everything in the image's memory.
 *
 * The image starts with an arm64 Linux Image header. Its reserved words say
 * where the beacon is: res3 holds BEACON_IMAGE_MAGIC, res2 the offset of the
 * beacon page from the start of the image. QEMU's virt machine loads the image
 * 2 MiB above the start of RAM (0x40200000), so no memory has to be searched.
 *
 * The page is part of the loaded file, with a magic of 0: a reset loads it
 * anew, and the first instructions clear it again, so a beacon of an earlier
 * run is never seen as this one's. `magic` is the last field to be written;
 * a reader checks it first and again, with boot_id, after it has read.
 * To a reader, everything here is guest data: bounded, never trusted.
 */
#ifndef HVSCOPE_BEACON_H
#define HVSCOPE_BEACON_H

#include <stddef.h>
#include <stdint.h>

/* The arm64 Linux Image header (kernel.org, "Booting AArch64 Linux"). */
struct image_header {
    uint32_t code[2];
    uint64_t text_offset;
    uint64_t image_size;
    uint64_t flags;
    uint64_t beacon_offset; /* res2 */
    uint64_t beacon_magic;  /* res3: BEACON_IMAGE_MAGIC */
    uint64_t res4;
    uint32_t magic; /* IMAGE_MAGIC */
    uint32_t res5;
};

_Static_assert(sizeof(struct image_header) == 64, "fixed by the boot protocol");

#define IMAGE_MAGIC        0x644d5241u                  /* "ARM\x64" */
#define BEACON_IMAGE_MAGIC UINT64_C(0x31474d4943535648) /* "HVSCIMG1" */
#define BEACON_MAGIC       UINT64_C(0x3145504f43535648) /* "HVSCOPE1" */
#define BEACON_VERSION     2

/* Where the image is, from the start of the RAM it is loaded to. */
#define BEACON_LOAD_OFFSET UINT64_C(0x200000)

enum beacon_state {
    BEACON_BOOTING,        /* MMU off; never seen with the magic set */
    BEACON_MMU_ON,         /* published; no CPU has a mapcache yet */
    BEACON_MAPCACHE_READY, /* the CPUs whose state is BEACON_CPU_ON have one */
    BEACON_PANICKED,
    BEACON_OFF,
};

enum beacon_cpu_state {
    BEACON_CPU_OFF,
    BEACON_CPU_MMU_OFF, /* started, its own tables not in use yet */
    BEACON_CPU_ON,      /* root, l1 and l2 are valid */
};

enum beacon_engine {
    BEACON_ENGINE_XEN,
    BEACON_ENGINE_BBM,
    BEACON_ENGINE_CLOCK,
    BEACON_ENGINES,
};

/* Exit statuses of a run that are not the image's own choice. */
#define BEACON_EXIT_OK    0
#define BEACON_EXIT_PANIC 1
#define BEACON_EXIT_NONE  70 /* none written: the machine ended in another way */

#define BEACON_BANKS_MAX    8
#define BEACON_CPUS_MAX     64
#define BEACON_BUILD_ID_MAX 20
#define BEACON_MESSAGE_MAX  128

/* What a filter of the trace points looks at; the fields below say which one. */
#define BEACON_FILTER_SLOT       (1u << 0)
#define BEACON_FILTER_MFN        (1u << 1)
#define BEACON_FILTER_REFS       (1u << 2)
#define BEACON_FILTER_COMMANDEER (1u << 3)
#define BEACON_FILTER_SATURATE   (1u << 4)

struct beacon_bank {
    uint64_t base; /* PA */
    uint64_t size; /* bytes */
};

struct beacon {
    uint64_t magic;
    uint32_t version;
    uint32_t size;    /* of this struct, bytes */
    uint64_t boot_id; /* differs from boot to boot, reset included */
    uint32_t state;   /* enum beacon_state */
    uint32_t exit_status;

    uint32_t engine;   /* enum beacon_engine */
    uint32_t ncpu;     /* CPUs of the machine that the image uses; blocks below */
    uint64_t image_pa; /* PA and VA of the image header */
    uint64_t image_va;
    uint64_t image_size; /* in memory, bytes */
    uint64_t cntfrq;     /* Hz of record times */
    uint64_t tcr;        /* TCR_EL2 of every CPU */

    uint64_t domheap_va;
    uint64_t domheap_size;    /* bytes */
    uint32_t domheap_entries; /* slots */
    uint32_t root_level;
    uint32_t l0_index;     /* the root's entry above the domheap */
    uint32_t bbm_level;    /* ID_AA64MMFR2_EL1.BBM */
    uint64_t slot_attr;    /* a valid slot's bits under SLOT_ATTR_MASK */
    uint64_t directmap_va; /* VA of PA 0 in slots 256-265 */

    uint32_t trace_mode; /* enum trace_mode */
    uint32_t directmap;  /* 1: all RAM is in slots 256-265; 0: the xenheap only */
    uint64_t xenheap_pa;
    uint64_t xenheap_size;

    uint32_t cpu_offset; /* of the first struct beacon_cpu, from this struct */
    uint32_t cpu_stride; /* bytes from one to the next */
    uint32_t nr_banks;
    uint32_t build_id_size;
    uint8_t build_id[BEACON_BUILD_ID_MAX]; /* of the ELF file, NT_GNU_BUILD_ID */
    uint32_t reserved;
    struct beacon_bank bank[BEACON_BANKS_MAX]; /* RAM that the image uses */
    char message[BEACON_MESSAGE_MAX];          /* why it panicked; NUL-terminated */

    /* Written by a debugger while the machine is halted: when trace points are called. */
    uint32_t filter; /* BEACON_FILTER_* */
    uint32_t filter_slot;
    uint64_t filter_mfn;
    uint32_t filter_refs; /* at least */
    uint32_t check;       /* 1: the image checks itself (check=on) */

    uint64_t findings;     /* with check=on: PA of what it found, finding.h; 0 if none */
    uint32_t findings_max; /* rows there */
    uint32_t finding_size; /* bytes of one */

    uint64_t mmfr0; /* ID_AA64MMFR0_EL1 and ID_AA64MMFR1_EL1: what tables can be */
    uint64_t mmfr1;
};

/*
 * How the vCPU that a CPU has loaded translates, by registers. generation is odd
 * while they are being loaded, so what was read between two equal even values
 * belongs together. A guest that changes them is stopped on the way (HCR_EL2.TVM),
 * so this is what the CPU has, whether it is in EL1 or works for the guest.
 * Without a vCPU both stages are off.
 */
struct beacon_guest {
    uint64_t generation;
    uint64_t hcr; /* HCR_EL2 */
    uint64_t vtcr;
    uint64_t vttbr;
    uint64_t sctlr; /* from here on: EL1's */
    uint64_t tcr;
    uint64_t ttbr[2];
    uint64_t mair;
};

/*
 * What one CPU says. Counters only grow and wrap at 2^64.
 *
 * generation is odd while this CPU changes its slots (inside map_domain_page()
 * and unmap_domain_page(), interrupts masked), so slots read between two equal
 * even values belong together.
 */
struct beacon_cpu {
    uint32_t state; /* enum beacon_cpu_state */
    uint32_t reserved;
    uint64_t mpidr;
    uint64_t root;  /* PA of its level 0 table */
    uint64_t l1;    /* PA of its level 1 table under l0_index */
    uint64_t l2[2]; /* PA of its slots: 512 entries each */
    uint64_t generation;
    uint64_t ring;         /* PA of the records, 0 if none */
    uint64_t ring_entries; /* a power of two */
    uint64_t ring_head;    /* records ever written: trace.h */

    uint64_t maps;        /* map_domain_page() calls that took or shared a slot */
    uint64_t unmaps;      /* unmap_domain_page() calls that released one */
    uint64_t hits;        /* maps that found their frame in a slot */
    uint64_t commandeers; /* maps that overwrote the valid entry of another frame */
    uint64_t probes;      /* slots passed over, all maps */
    uint64_t bypasses;    /* maps answered from the directmap */
    uint64_t work;        /* operations of the workload done */
    uint64_t verified;    /* pages whose pattern was checked and right */
    uint64_t irqs;        /* interrupts taken in EL2 */
    uint64_t irqs_inside; /* those that came inside map_domain_page() or unmap_domain_page() */

    uint64_t ring_va;         /* of the records, at EL2 */
    uint64_t ring_sides;      /* BARRIERS and DETAIL records among them: trace.h */
    uint64_t ring_barriers;   /* barriers in BARRIERS records */
    uint64_t slots_pa_offset; /* PA of the slots' entries less their VA at EL2 */

    /* With check=on: what passed the choke points, and what the checker said of it. */
    uint64_t produced;   /* stores, TLBIs, barriers and the like, counted where they are made */
    uint64_t checked;    /* of them, seen by the checker */
    uint64_t hazards;    /* findings on tables that this CPU alone can walk */
    uint64_t violations; /* findings on tables that several CPUs can walk */
    uint64_t notes;

    uint64_t clock_index; /* engine clock: PA of the CPU's struct clock_index (clock.h), else 0 */

    struct beacon_guest guest;
};

_Static_assert(sizeof(struct beacon) == 504, "shared with tools");
_Static_assert(offsetof(struct beacon, filter) == 448, "shared with tools");

_Static_assert(sizeof(struct beacon_cpu) == 312, "shared with tools");
_Static_assert(offsetof(struct beacon, bank) == 192, "shared with tools");

#endif /* HVSCOPE_BEACON_H */
