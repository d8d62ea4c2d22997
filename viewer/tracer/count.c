/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plugin for QEMU that counts what one CPU executes between two marks
 * (hvscope/bench.h), by opcode:
 *   -plugin count.so,out=FILE,slots=VA
 * slots: where the 1024 slot entries are; stores there are counted apart. On
 * exit the file has a line for the maps and one for the unmaps.
 */
#include "tracer/a64.h"
#include "tracer/qemu_plugin.h"
#include <hvscope/bench.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_BYTES 8192

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

enum counter {
    INSNS,
    TLBI_VA,
    TLBI_RANGE,
    TLBI_ALL,
    TLBI_OTHER,
    DSB_SY, /* full, wider than non-shareable */
    DSB_NSH,
    DSB_ST,
    DSB_LD,
    ISB,
    ENTRY_STORES,
    COUNTERS
};

static const char *const names[COUNTERS] = {
    "insns",   "tlbi_va", "tlbi_range", "tlbi_all", "tlbi_other",   "dsb_sy",
    "dsb_nsh", "dsb_st",  "dsb_ld",     "isb",      "entry_stores",
};

/* All calls of one function. */
struct calls {
    const char *name;
    uint64_t nr;
    uint64_t total[COUNTERS];
    uint64_t least, most; /* instructions of one call */
    uint64_t masked;      /* instructions of the longest section with interrupts masked */
};

static struct calls map = {.name = "map", .least = UINT64_MAX};
static struct calls unmap = {.name = "unmap", .least = UINT64_MAX};

static uint64_t now[COUNTERS];   /* executed ever; the translated code adds */
static uint64_t start[COUNTERS]; /* at the mark that began the call */
static struct calls *current;    /* NULL: outside */
static unsigned int mask_depth;
static uint64_t mask_since;
static uint64_t slots_va;
static const char *out_path;

static void call_begin(unsigned int vcpu, void *data)
{
    (void)vcpu;
    current = data;
    mask_depth = 0;
    memcpy(start, now, sizeof(start));
}

/*
 * The function alone, from its first instruction to its RET: the mark that
 * began it and the BL are counted in `now`, the mark that ends it is not yet.
 */
static void call_end(unsigned int vcpu, void *data)
{
    uint64_t insns = now[INSNS] - start[INSNS] - 2;

    (void)vcpu;
    (void)data;
    if (!current)
        return;
    for (unsigned int i = 0; i < COUNTERS; i++)
        current->total[i] += now[i] - start[i];
    current->total[INSNS] -= 2;
    current->nr++;
    if (insns < current->least)
        current->least = insns;
    if (insns > current->most)
        current->most = insns;
    current = NULL;
}

static void irq_masked(unsigned int vcpu, void *data)
{
    (void)vcpu;
    (void)data;
    if (current && mask_depth++ == 0)
        mask_since = now[INSNS];
}

/* What lies between the two MSRs, the second one included. */
static void irq_restored(unsigned int vcpu, void *data)
{
    (void)vcpu;
    (void)data;
    if (current && mask_depth && --mask_depth == 0 && now[INSNS] - mask_since > current->masked)
        current->masked = now[INSNS] - mask_since;
}

static void stored(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t va, void *data)
{
    (void)vcpu;
    (void)data;
    now[ENTRY_STORES] += qemu_plugin_mem_is_store(info) && va - slots_va < SLOT_BYTES;
}

static enum counter tlbi_counter(enum a64_tlbi tlbi)
{
    switch (tlbi) {
    case A64_TLBI_VA:
        return TLBI_VA;
    case A64_TLBI_RANGE:
        return TLBI_RANGE;
    case A64_TLBI_ALL:
        return TLBI_ALL;
    default:
        return TLBI_OTHER;
    }
}

static enum counter dsb_counter(int crm)
{
    switch (crm & 3) {
    case 1:
        return DSB_LD;
    case 2:
        return DSB_ST;
    default:
        return crm >> 2 == 1 ? DSB_NSH : DSB_SY;
    }
}

/* The counter of what this instruction is, COUNTERS if it is nothing special. */
static enum counter counter_of(uint32_t code)
{
    if (a64_tlbi(code) != A64_TLBI_NONE)
        return tlbi_counter(a64_tlbi(code));
    if (a64_dsb(code) >= 0)
        return dsb_counter(a64_dsb(code));
    return a64_is_isb(code) ? ISB : COUNTERS;
}

static void call_on(struct qemu_plugin_insn *insn, qemu_plugin_exec_cb cb, void *data)
{
    qemu_plugin_register_vcpu_insn_exec_cb(insn, cb, QEMU_PLUGIN_CB_NO_REGS, data);
}

static void instrument(struct qemu_plugin_insn *insn)
{
    uint32_t code;
    enum counter c;

    memcpy(&code, qemu_plugin_insn_data(insn), sizeof(code));
    if (a64_hint(code) == BENCH_MARK_MAP)
        call_on(insn, call_begin, &map);
    if (a64_hint(code) == BENCH_MARK_UNMAP)
        call_on(insn, call_begin, &unmap);
    if (a64_hint(code) == BENCH_MARK_END)
        call_on(insn, call_end, NULL);
    if (a64_masks_irq(code))
        call_on(insn, irq_masked, NULL);
    if (a64_restores_irq(code))
        call_on(insn, irq_restored, NULL);

    c = counter_of(code);
    if (c != COUNTERS)
        qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &now[c], 1);
    qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &now[INSNS], 1);
    qemu_plugin_register_vcpu_mem_cb(insn, stored, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_W, NULL);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++)
        instrument(qemu_plugin_tb_get_insn(tb, i));
}

static void print(FILE *out, const struct calls *c)
{
    fprintf(out, "%s calls=%" PRIu64, c->name, c->nr);
    for (unsigned int i = 0; i < COUNTERS; i++)
        fprintf(out, " %s=%" PRIu64, names[i], c->total[i]);
    fprintf(out, " least=%" PRIu64 " most=%" PRIu64 " masked=%" PRIu64 "\n", c->nr ? c->least : 0,
            c->most, c->masked);
}

static void finish(qemu_plugin_id_t id, void *data)
{
    FILE *out = fopen(out_path, "w");

    (void)id;
    (void)data;
    if (!out) {
        perror(out_path);
        return;
    }
    print(out, &map);
    print(out, &unmap);
    if (fclose(out))
        perror(out_path);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0)
            out_path = strdup(argv[i] + 4);
        else if (strncmp(argv[i], "slots=", 6) == 0)
            slots_va = strtoull(argv[i] + 6, NULL, 0);
    }
    if (!out_path || !slots_va) {
        fprintf(stderr, "count: write -plugin count.so,out=FILE,slots=VA\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
