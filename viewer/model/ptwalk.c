/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/ptwalk.h"

#define TCR_TBI PTE_BIT(20)
#define TCR_HA  PTE_BIT(21)

int machine_read_entry(void *memory, uint64_t pa, uint64_t *pte)
{
    const struct machine_memory *mm = memory;

    if (!machine_has_memory(mm->m, pa, sizeof(*pte)))
        return -1;
    return source_read_u64(mm->src, pa, pte);
}

static void end(struct walk *w, int level, const char *reason)
{
    w->fault = reason;
    w->fault_level = level;
}

/* The last entry: the result, or the fault that it makes. */
static void finish(const struct regime *r, struct walk *w, lpae_t above, uint64_t offset)
{
    const struct walk_step *s = &w->step[w->nr - 1];
    unsigned int shift = regime_shift(r, s->level);
    uint64_t base;

    if (s->kind == KIND_INVALID || s->kind == KIND_RESERVED) {
        end(w, s->level, s->kind == KIND_INVALID ? "invalid entry" : "reserved entry");
        return;
    }
    base = regime_output(r, s->pte, shift);
    if (base >> r->out_bits) {
        end(w, s->level, "address size");
        return;
    }
    if (!(s->pte & PTE_AF) && !(r->tcr & TCR_HA)) {
        end(w, s->level, "access flag");
        return;
    }
    w->size = UINT64_C(1) << shift;
    w->pa = base | (offset & (w->size - 1));
    w->pte = s->pte;
    regime_permissions(r, above, s->pte, w->perm);
    regime_memory_type(r, s->pte, w->type, sizeof(w->type));
    w->share = regime_share(r, s->pte);
}

static void walk_tables(const struct regime *r, entry_reader read, void *memory, struct walk *w,
                        uint64_t offset)
{
    uint64_t table = w->root;
    lpae_t above = 0;

    for (int level = r->start_level; level <= PT_LEVEL_LAST; level++) {
        struct walk_step *s = &w->step[w->nr];

        s->level = level;
        s->table = table;
        s->index = offset >> regime_shift(r, level) & (regime_entries(r, level) - 1);
        if (read(memory, table + s->index * sizeof(lpae_t), &s->pte)) {
            end(w, level, "table outside RAM");
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

int walk_va(const struct regime *r, entry_reader read, void *memory, uint64_t root, uint64_t va,
            struct walk *w, struct failure *f)
{
    uint64_t offset = r->tcr & TCR_TBI ? va & ((UINT64_C(1) << 56) - 1) : va;

    *w = (struct walk){.root = root, .va = va};
    if (regime_check_root(r, root, f))
        return -1;
    if (offset >> r->in_bits)
        end(w, 0, "address out of range");
    else if (root >> r->out_bits)
        end(w, 0, "address size");
    else
        walk_tables(r, read, memory, w, offset);
    return 0;
}
