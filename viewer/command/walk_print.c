/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope.walk/1, and the same for people, 80 columns wide.
 */
#include "command/json.h"
#include "command/walking.h"
#include "model/lookup.h"
#include "model/profile.h"

#include <inttypes.h>
#include <string.h>

static void json_steps(FILE *out, const struct walk *w)
{
    fputs("\"steps\":[", out);
    for (unsigned int i = 0; i < w->nr; i++) {
        const struct walk_step *s = &w->step[i];

        fprintf(out, "%s{\"level\":%d", i ? "," : "", s->level);
        put_hex(out, "table", true, s->table);
        put_number(out, "index", true, s->index);
        put_hex(out, "pte", true, s->pte);
        put_string(out, "kind", pte_kind_name(s->kind));
        fputc('}', out);
    }
    fputc(']', out);
}

static void json_result(FILE *out, const struct walk *w)
{
    if (w->faults) {
        fprintf(out, ",\"result\":null,\"fault\":{\"level\":%d", w->fault_level);
        put_string(out, "reason", w->fault);
        fputc('}', out);
        return;
    }
    fprintf(out, ",\"result\":{\"pa\":\"0x%" PRIx64 "\"", w->pa);
    put_hex(out, "size", true, w->size);
    put_string(out, "perm", w->a.perm);
    put_string(out, "perm_el0", w->a.perm_el0[0] ? w->a.perm_el0 : NULL);
    put_string(out, "type", w->a.type);
    put_string(out, "share", w->a.share);
    put_hex(out, "software", true, w->a.software);
    fputs("},\"fault\":null", out);
}

static void json_head(FILE *out, const char *regime, unsigned int cpu, uint64_t root, uint64_t va)
{
    fprintf(out, "{\"schema\":\"hvscope.walk/1\",\"regime\":\"%s\",\"cpu\":%u", regime, cpu);
    put_hex(out, "root", true, root);
    put_hex(out, "va", true, va);
    fputc(',', out);
}

void walk_json(FILE *out, const struct stage *s, unsigned int cpu, const struct walk *w)
{
    json_head(out, regime_word(s->r.name), cpu, w->root, w->va);
    json_steps(out, w);
    json_result(out, w);
    fputs("}\n", out);
}

void size_text(uint64_t size, char *buf, size_t len)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    unsigned int unit = 0;

    while (size >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        size >>= 10;
        unit++;
    }
    snprintf(buf, len, "%" PRIu64 " %s", size, units[unit]);
}

static void text_step(FILE *out, const struct regime *r, const struct walk_step *s)
{
    unsigned int shift = regime_shift(r, s->level);
    char name[24], pte[24], size[32], flags[128];

    snprintf(name, sizeof(name), "L%d[%u]", s->level, s->index);
    snprintf(pte, sizeof(pte), "0x%" PRIx64, s->pte);
    fprintf(out, "  %-9s%-20s-> ", name, pte);
    size_text(UINT64_C(1) << shift, size, sizeof(size));
    if (s->kind == KIND_INVALID)
        fputs("nothing: invalid entry\n", out);
    else if (s->kind == KIND_RESERVED)
        fputs("nothing: a reserved encoding\n", out);
    else if (s->kind == KIND_TABLE)
        fprintf(out, "table at 0x%" PRIx64 "\n", regime_output(r, s->pte, r->page_shift));
    else
        fprintf(out, "%s at 0x%" PRIx64 ", %s\n", pte_kind_name(s->kind),
                regime_output(r, s->pte, shift), size);
    if (!pte_valid(s->pte))
        return;
    entry_flags(r, s->pte, s->kind != KIND_TABLE, flags, sizeof(flags));
    if (flags[0])
        fprintf(out, "%11s%s\n", "", flags);
}

static void text_end(FILE *out, const struct walk *w)
{
    const struct attributes *a = &w->a;

    if (w->faults) {
        fprintf(out, "  faults at level %d: %s\n", w->fault_level, w->fault);
        return;
    }
    fprintf(out, "  = 0x%" PRIx64 "  %s%s%s  %s  %s shareable  software 0x%x\n", w->pa, a->perm,
            a->perm_el0[0] ? "  EL0 " : "", a->perm_el0, a->type,
            strcmp(a->share, "none") == 0 ? "not" : a->share, a->software);
}

void walk_text(FILE *out, const struct stage *s, unsigned int cpu, const struct walk *w)
{
    fprintf(out, "0x%" PRIx64 " %s, CPU%u root 0x%" PRIx64 ", %s pages, %u-bit addresses\n", w->va,
            regime_where(s->r.name), cpu, w->root, regime_page_name(&s->r), s->r.in_bits);
    for (unsigned int i = 0; i < w->nr; i++)
        text_step(out, &s->r, &w->step[i]);
    text_end(out, w);
}

/* Slots that map the frame: called for each; how many there are. */
static unsigned int each_slot(FILE *out, const struct context *ctx, const struct guest_walk *g,
                              void (*print)(FILE *, unsigned int, const struct slot_info *,
                                            uint64_t))
{
    const struct snapshot *snap = ctx->snap;
    unsigned int found = 0;

    if (g->both.faults || !snap->machine.profile->mapcache)
        return 0;
    for (unsigned int cpu = 0; cpu < snap->ncpu; cpu++) {
        const struct cpu_snapshot *c = &snap->cpu[cpu];

        for (unsigned int s = 0; c->on && s < snap->machine.beacon.domheap_entries; s++) {
            struct slot_info i;

            if (!slot_maps(c, s, g->both.pa >> PAGE_SHIFT))
                continue;
            i = cpu_slot(&snap->machine, c, s);
            if (found++ && ctx->o->json)
                fputc(',', out);
            print(out, cpu, &i, i.va + g->both.pa % SLOT_SIZE);
        }
    }
    return found;
}

static void json_slot(FILE *out, unsigned int cpu, const struct slot_info *i, uint64_t va)
{
    fprintf(out, "{\"cpu\":%u,\"slot\":%u", cpu, i->slot);
    put_hex(out, "va", true, va);
    fputc('}', out);
}

static void text_slot(FILE *out, unsigned int cpu, const struct slot_info *i, uint64_t va)
{
    fprintf(out, "  mapped by CPU%u, slot %u, at 0x%" PRIx64 ", count %u\n", cpu, i->slot, va,
            i->refs);
}

void guest_json(FILE *out, const struct context *ctx, unsigned int cpu, uint64_t va,
                const struct guest_walk *g)
{
    static const struct walk nothing;

    json_head(out, "guest", cpu, g->has_stage1 ? g->stage1.root : g->stage2.root, va);
    json_steps(out, g->has_stage1 ? &g->first : &nothing);
    json_result(out, &g->both);
    put_hex(out, "ipa", g->has_ipa, g->ipa);
    if (g->has_stage2 && g->has_ipa) {
        fprintf(out, ",\"s2\":{\"root\":\"0x%" PRIx64 "\",", g->stage2.root);
        json_steps(out, &g->second);
        json_result(out, &g->second);
        fputc('}', out);
    } else {
        fputs(",\"s2\":null", out);
    }
    fputs(",\"slots\":[", out);
    each_slot(out, ctx, g, json_slot);
    fputs("]}\n", out);
}

static void text_steps(FILE *out, const struct stage *s, const struct walk *w)
{
    for (unsigned int i = 0; i < w->nr; i++)
        text_step(out, &s->r, &w->step[i]);
}

void guest_text(FILE *out, const struct context *ctx, uint64_t va, const struct guest_walk *g)
{
    fprintf(out, "0x%" PRIx64 " of the guest\n", va);
    if (g->has_stage1) {
        fprintf(out, "stage 1, root 0x%" PRIx64 " (an IPA), %s pages\n", g->stage1.root,
                regime_page_name(&g->stage1.r));
        text_steps(out, &g->stage1, &g->first);
    } else {
        fputs("stage 1 is off: the address is an IPA\n", out);
    }
    if (g->has_ipa && !g->has_stage2) {
        fprintf(out, "stage 2 is off: PA 0x%" PRIx64 "\n", g->ipa);
    } else if (g->has_ipa) {
        fprintf(out, "stage 2 of IPA 0x%" PRIx64 ", root 0x%" PRIx64 "\n", g->ipa, g->stage2.root);
        text_steps(out, &g->stage2, &g->second);
    }
    text_end(out, &g->both);
    if (!g->both.faults && ctx->snap->machine.profile->mapcache &&
        each_slot(out, ctx, g, text_slot) == 0)
        fputs("  no slot of any CPU maps it now\n", out);
}
