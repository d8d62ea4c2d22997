/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/ptwalk.h"

#include <stdio.h>

static int machine_memory_read(struct table_memory *memory, uint64_t pa, void *buf, size_t len,
                               char why[FAULT_TEXT_MAX])
{
    const struct machine_memory *mm = (const struct machine_memory *)memory;

    if (machine_has_memory(mm->m, pa, len) && source_read_phys(mm->src, pa, buf, len) == 0)
        return 0;
    snprintf(why, FAULT_TEXT_MAX, "table outside RAM");
    return -1;
}

struct machine_memory machine_memory(const struct source *src, const struct machine *m)
{
    return (struct machine_memory){{machine_memory_read}, src, m};
}

/* The frame of a guest's page. */
static int translate_page(struct guest_memory *g, uint64_t page, char why[FAULT_TEXT_MAX])
{
    struct failure f;
    struct walk w;

    if (g->known && g->page == page)
        return 0;
    if (walk_va(g->s2, g->below, g->root, page, &w, &f)) {
        snprintf(why, FAULT_TEXT_MAX, "%.*s", FAULT_TEXT_MAX - 1, f.text);
        return -1;
    }
    if (w.faults) {
        snprintf(why, FAULT_TEXT_MAX, "stage 2 of the table at 0x%llx: %.32s",
                 (unsigned long long)page, w.fault);
        return -1;
    }
    g->known = true;
    g->page = page;
    g->pa = w.pa;
    return 0;
}

static int guest_memory_read(struct table_memory *memory, uint64_t ipa, void *buf, size_t len,
                             char why[FAULT_TEXT_MAX])
{
    struct guest_memory *g = (struct guest_memory *)memory;
    char *to = buf;

    while (len) {
        uint64_t in = ipa & PAGE_MASK;
        size_t n = PAGE_SIZE - in < len ? PAGE_SIZE - in : len;

        if (translate_page(g, ipa - in, why) || g->below->read(g->below, g->pa + in, to, n, why))
            return -1;
        ipa += n;
        to += n;
        len -= n;
    }
    return 0;
}

struct guest_memory guest_memory(struct table_memory *below, const struct regime *s2, uint64_t root)
{
    return (struct guest_memory){
        .memory = {guest_memory_read}, .below = below, .s2 = s2, .root = root};
}

static void end(struct walk *w, int level, const char *reason)
{
    w->faults = true;
    w->fault_level = level;
    if (reason != w->fault)
        snprintf(w->fault, sizeof(w->fault), "%s", reason);
}

const char *leaf_fault(const struct regime *r, enum pte_kind kind, lpae_t pte, uint64_t base)
{
    if (kind == KIND_INVALID)
        return "invalid entry";
    if (kind == KIND_RESERVED)
        return "reserved entry";
    if (base >> r->out_bits)
        return "address size";
    return !(pte & PTE_AF) && !r->ha ? "access flag" : NULL;
}

/* The last entry: the result, or the fault that it makes. */
static void finish(const struct regime *r, struct walk *w, lpae_t above, uint64_t offset)
{
    const struct walk_step *s = &w->step[w->nr - 1];
    unsigned int shift = regime_shift(r, s->level);
    uint64_t base = regime_output(r, s->pte, shift);
    const char *fault = leaf_fault(r, s->kind, s->pte, base);

    if (fault) {
        end(w, s->level, fault);
        return;
    }
    w->size = UINT64_C(1) << shift;
    w->pa = base | (offset & (w->size - 1));
    w->pte = s->pte;
    leaf_attributes(r, above, s->pte, &w->a);
}

static void walk_tables(const struct regime *r, struct table_memory *memory, struct walk *w,
                        uint64_t offset)
{
    uint64_t table = w->root;
    lpae_t above = 0;

    for (int level = r->start_level; level <= PT_LEVEL_LAST; level++) {
        struct walk_step *s = &w->step[w->nr];

        s->level = level;
        s->table = table;
        s->index = offset >> regime_shift(r, level) & (regime_entries(r, level) - 1);
        if (memory->read(memory, table + s->index * sizeof(lpae_t), &s->pte, sizeof(s->pte),
                         w->fault)) {
            end(w, level, w->fault);
            return;
        }
        s->kind = regime_kind(r, s->pte, level);
        w->nr++;
        if (s->kind != KIND_TABLE)
            break;
        above |= s->pte;
        table = regime_output(r, s->pte, r->page_shift);
        if (table >> r->out_bits) {
            end(w, level, "address size");
            return;
        }
    }
    finish(r, w, above, offset);
}

int walk_va(const struct regime *r, struct table_memory *memory, uint64_t root, uint64_t va,
            struct walk *w, struct failure *f)
{
    uint64_t offset;

    *w = (struct walk){.root = root, .va = va};
    if (regime_check_root(r, root, f))
        return -1;
    if (!regime_offset(r, va, &offset))
        end(w, 0, "address out of range");
    else if (r->epd)
        end(w, 0, "walks disabled");
    else if (root >> r->out_bits)
        end(w, 0, "address size");
    else
        walk_tables(r, memory, w, offset);
    return 0;
}
