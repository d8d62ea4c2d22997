/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plugin for QEMU 9.2 and later that records what EL2 code does to its page
 * tables, of any hypervisor, AArch64 or AArch32:
 *
 *   -plugin trace.so,out=FILE,ram=FILE[@PA]…[,elf=FILE][,domheap=VA,slots=N][,entries=N][,el1=on]
 *
 * out:     the trace file (hvscope/trace_file.h)
 * ram:     the guest's RAM, a file that QEMU shares; the next one lies behind it
 * elf:     symbols: map_domain_page() and unmap_domain_page() are recorded too
 * domheap: where the slots are, and how many
 * entries: records a CPU
 * el1:     EL1's stores to its tables and its TLBIs are recorded too; a guest is slower then
 *
 * Whose code is it? A block of QEMU's is translated for one exception level, so
 * CPSR is read when one is translated: code of other levels, a guest's at the same
 * addresses too, is left as it is and runs at full speed. In EL2's, barriers, TLBIs
 * and root registers are called before they execute, and stores after, except
 * those through SP: no table is on a stack.
 */
#define QEMU_PLUGIN_VERSION 4
#include "tracer/calls.h"
#include "tracer/decode.h"
#include "tracer/guest.h"
#include "tracer/qemu_plugin.h"
#include "tracer/ring.h"
#include "tracer/roots.h"
#include "tracer/symbols.h"
#include "tracer/tables.h"

#include <hvscope/layout.h>
#include <hvscope/pte.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM_BASE  UINT64_C(0x40000000) /* of QEMU's virt machine */
#define BBM_SHIFT 52                   /* ID_AA64MMFR2_EL1.BBM */

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* An instruction that is called when it executes: data of its callback. */
struct site {
    uint64_t va;
    unsigned int el;
    struct decoded d;
};

static struct trace_file *file;
static bool follows_el1;

/*
 * Never freed: a block that QEMU translates again gets new sites, and the old block may
 * still be running elsewhere.
 */
static struct site *site_new(uint64_t va, unsigned int el, struct decoded d)
{
    struct site *s = malloc(sizeof(*s));

    if (!s) {
        fprintf(stderr, "tracer: out of memory\n");
        abort();
    }
    *s = (struct site){va, el, d};
    return s;
}

static void on_barrier(unsigned int cpu, void *data)
{
    const struct site *s = data;

    if (s->d.condition == DECODED_ALWAYS || guest_condition_holds(cpu, s->d.condition))
        ring_barrier(cpu, s->d.code);
}

/* A TLBI's operand as AArch64 has it: the address from bit 12 on, the ASID in [63:48]. */
static uint64_t operand_of(const struct decoded *d, uint64_t value)
{
    bool of_asid = d->op == TRACE_TLBI_VAE1 || d->op == TRACE_TLBI_VALE1;
    uint64_t asid = (value & 255) << TRACE_TLBI_ASID_SHIFT;

    if (!d->shifted)
        return value;
    if (d->op == TRACE_TLBI_ASIDE1)
        return asid;
    return value >> PAGE_SHIFT | (of_asid ? asid : 0);
}

static void on_tlbi(unsigned int cpu, void *data)
{
    const struct site *s = data;
    uint64_t operand = operand_of(&s->d, guest_register(cpu, s->d.rt));

    if (!guest_condition_holds(cpu, s->d.condition))
        return;
    ring_event(cpu, TRACE_TLBI, s->d.op | s->d.scope << TRACE_TLBI_SCOPE_SHIFT, operand, s->va);
}

static void on_root(unsigned int cpu, void *data)
{
    const struct site *s = data;

    if (guest_condition_holds(cpu, s->d.condition))
        roots_write(cpu, &s->d, s->el, s->va);
}

static void on_call(unsigned int cpu, void *data)
{
    const struct site *s = data;

    calls_enter(cpu, s->va);
}

static void on_return(unsigned int cpu, void *data)
{
    const struct site *s = data;

    if (guest_condition_holds(cpu, s->d.condition))
        calls_return(cpu, s->d.popped);
}

/* As wide as the access was, in 16 bytes, low ones first. */
static void value_of(qemu_plugin_meminfo_t info, unsigned int size, uint64_t value[2])
{
    struct qemu_plugin_mem_value v = qemu_plugin_mem_get_value(info);

    value[0] = value[1] = 0;
    memcpy(value, &v.data, size < sizeof(v.data) ? size : sizeof(v.data));
}

static void on_table_store(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t pa, uint64_t pc)
{
    unsigned int size = 1u << qemu_plugin_mem_size_shift(info), nr;
    struct table_store stores[TABLE_STORES_MAX];
    uint64_t value[2];

    value_of(info, size, value);
    nr = tables_store(pa, size, value, stores);
    for (unsigned int i = 0; i < nr; i++) {
        ring_store(cpu, &stores[i], pc);
        calls_store(cpu, &stores[i]);
    }
}

static void on_store(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t va, void *pc)
{
    const struct qemu_plugin_hwaddr *at = qemu_plugin_get_hwaddr(info, va);
    uint64_t pa;

    if (!at)
        return;
    pa = qemu_plugin_hwaddr_phys_addr(at);
    if (tables_hold(pa))
        on_table_store(cpu, info, pa, (uintptr_t)pc);
}

static struct decoded decode(struct qemu_plugin_insn *insn, bool aarch32, bool thumb)
{
    uint32_t code = 0;
    size_t size = qemu_plugin_insn_data(insn, &code, sizeof(code));

    if (!aarch32)
        return decode_a64(code);
    return thumb ? decode_t32(code, size) : decode_a32(code);
}

static void call_on(struct qemu_plugin_insn *insn, qemu_plugin_exec_cb cb, unsigned int el,
                    struct decoded d)
{
    bool needs_registers = cb != on_barrier || d.condition != DECODED_ALWAYS;

    qemu_plugin_register_vcpu_insn_exec_cb(
        insn, cb, needs_registers ? QEMU_PLUGIN_CB_R_REGS : QEMU_PLUGIN_CB_NO_REGS,
        site_new(qemu_plugin_insn_vaddr(insn), el, d));
}

/* What EL2's code alone is asked. */
static void instrument_el2(struct qemu_plugin_insn *insn, struct decoded d)
{
    uint64_t va = qemu_plugin_insn_vaddr(insn);

    if (calls_is_entry(va))
        call_on(insn, on_call, 2, d);
    if (d.kind == DECODED_BARRIER)
        call_on(insn, on_barrier, 2, d);
    else if (d.kind == DECODED_RETURN && calls_is_inside(va))
        call_on(insn, on_return, 2, d);
}

static void instrument(struct qemu_plugin_insn *insn, unsigned int el, bool aarch32, bool thumb)
{
    struct decoded d = decode(insn, aarch32, thumb);

    if (el == 2)
        instrument_el2(insn, d);
    if (d.kind == DECODED_TLBI)
        call_on(insn, on_tlbi, el, d);
    else if (roots_take(d.kind))
        call_on(insn, on_root, el, d);
    if (!d.on_stack)
        qemu_plugin_register_vcpu_mem_cb(insn, on_store, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_W,
                                         (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn));
}

#define CPSR_THUMB (1u << 5)

static __thread unsigned int this_cpu; /* of the thread, once it has started */

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    unsigned int el = guest_el(this_cpu);
    bool aarch32 = guest_is_aarch32(), thumb;

    (void)id;
    if (el != 2 && !(el == 1 && follows_el1))
        return;
    thumb = aarch32 && guest_cpsr(this_cpu) & CPSR_THUMB;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++)
        instrument(qemu_plugin_tb_get_insn(tb, i), el, aarch32, thumb);
}

static void cpu_started(qemu_plugin_id_t id, unsigned int cpu)
{
    (void)id;
    this_cpu = cpu;
    guest_cpu_init(cpu);
    if (!guest_is_aarch32())
        file->beacon.bbm_level = guest_system_register(cpu, GUEST_MMFR2_EL1) >> BBM_SHIFT & 15;
}

static void finish(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    ring_finish();
    file->beacon.state = BEACON_OFF;
}

struct arguments {
    const char *out, *elf;
    uint64_t next_ram, domheap, slots, entries;
    bool el1;
};

static bool take_ram(struct arguments *a, char *value)
{
    char *at = strrchr(value, '@');
    uint64_t pa = at ? strtoull(at + 1, NULL, 0) : a->next_ram;

    if (at)
        *at = '\0';
    if (!guest_ram_add(value, pa))
        return false;
    a->next_ram = pa + guest_bank_of(pa)->size;
    return true;
}

static bool take_argument(struct arguments *a, const char *name, char *value)
{
    if (strcmp(name, "out") == 0)
        a->out = value;
    else if (strcmp(name, "elf") == 0)
        a->elf = value;
    else if (strcmp(name, "ram") == 0)
        return take_ram(a, value);
    else if (strcmp(name, "domheap") == 0)
        a->domheap = strtoull(value, NULL, 0);
    else if (strcmp(name, "slots") == 0)
        a->slots = strtoull(value, NULL, 0);
    else if (strcmp(name, "entries") == 0)
        a->entries = strtoull(value, NULL, 0);
    else if (strcmp(name, "el1") == 0)
        a->el1 = strcmp(value, "on") == 0;
    else {
        fprintf(stderr, "tracer: there is no argument %s\n", name);
        return false;
    }
    return true;
}

static bool take_arguments(struct arguments *a, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        char *word = strdup(argv[i]), *value; /* kept: out= and elf= are read later */

        if (!word)
            return false;
        value = strchr(word, '=');
        if (!value)
            value = word + strlen(word);
        else
            *value++ = '\0';
        if (!take_argument(a, word, value))
            return false;
    }
    if (a->out && a->next_ram != RAM_BASE && a->entries >= TRACE_FILE_ENTRIES_LEAST &&
        (a->entries & (a->entries - 1)) == 0 && a->slots <= DOMHEAP_ENTRIES)
        return true;
    fprintf(stderr, "tracer: write -plugin trace.so,out=FILE,ram=FILE; entries= is a power of two "
                    "from 4096 on, slots= at most 1024\n");
    return false;
}

static struct calls_config calls_of(const struct arguments *a)
{
    struct calls_config c = {.domheap_va = a->domheap, .domheap_entries = (unsigned int)a->slots};

    if (!a->elf || !a->slots)
        return c;
    c.map.nr = symbol_parts(a->elf, "map_domain_page", c.map.part);
    c.unmap.nr = symbol_parts(a->elf, "unmap_domain_page", c.unmap.part);
    if (!c.map.nr || !c.unmap.nr)
        c.map.nr = c.unmap.nr = 0;
    return c;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
    struct arguments a = {.next_ram = RAM_BASE, .entries = TRACE_FILE_ENTRIES};
    struct calls_config calls;

    if (!take_arguments(&a, argc, argv))
        return -1;
    if (info->system.max_vcpus > GUEST_CPUS_MAX) {
        fprintf(stderr, "tracer: at most %d CPUs\n", GUEST_CPUS_MAX);
        return -1;
    }
    guest_set_aarch32(strcmp(info->target_name, "arm") == 0);
    file = ring_create(a.out, (unsigned int)info->system.smp_vcpus, a.entries);
    if (!file || !tables_init(&file->totals))
        return -1;
    file->totals.aarch32 = guest_is_aarch32();
    follows_el1 = a.el1;
    roots_init(file, a.el1);
    calls = calls_of(&a);
    calls_init(&calls, file);
    ring_publish();
    qemu_plugin_register_vcpu_init_cb(id, cpu_started);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
