/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope walk and map. GDB's pt-walk prints the same bytes as walk.
 */
#include "command/context.h"
#include "command/json.h"
#include "model/lookup.h"
#include "model/pte_text.h"
#include "model/ranges.h"

#include <inttypes.h>

/* Whose tables, and where they begin. */
struct subject {
    const struct cpu_snapshot *c;
    uint64_t root;
    struct regime r;
};

static int choose(const struct context *ctx, struct subject *s, struct failure *f)
{
    if (context_one_cpu(ctx, &s->c, f) || regime_of_machine(&s->r, &ctx->snap->machine, f))
        return -1;
    s->root = ctx->o->has_root ? ctx->o->root : s->c->info.root;
    return 0;
}

static void json_step(FILE *out, const struct walk_step *s)
{
    fprintf(out, "{\"level\":%d", s->level);
    put_hex(out, "table", true, s->table);
    put_number(out, "index", true, s->index);
    put_hex(out, "pte", true, s->pte);
    put_string(out, "kind", pte_kind_name(s->kind));
    fputc('}', out);
}

static void json_walk_result(FILE *out, const struct walk *w)
{
    if (w->fault) {
        fprintf(out, ",\"result\":null,\"fault\":{\"level\":%d", w->fault_level);
        put_string(out, "reason", w->fault);
        fputs("}}\n", out);
        return;
    }
    fprintf(out, ",\"result\":{\"pa\":\"0x%" PRIx64 "\"", w->pa);
    put_hex(out, "size", true, w->size);
    put_string(out, "perm", w->perm);
    put_string(out, "perm_el0", NULL);
    put_string(out, "type", w->type);
    put_string(out, "share", w->share);
    put_hex(out, "software", true, pte_refs(w->pte));
    fputs("},\"fault\":null}\n", out);
}

static void json_walk(FILE *out, unsigned int cpu, const struct walk *w)
{
    fprintf(out, "{\"schema\":\"hvscope.walk/1\",\"regime\":\"el2\",\"cpu\":%u", cpu);
    put_hex(out, "root", true, w->root);
    put_hex(out, "va", true, w->va);
    fputs(",\"steps\":[", out);
    for (unsigned int i = 0; i < w->nr; i++) {
        if (i)
            fputc(',', out);
        json_step(out, &w->step[i]);
    }
    fputc(']', out);
    json_walk_result(out, w);
}

static void size_text(uint64_t size, char *buf, size_t len)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    unsigned int unit = 0;

    while (size >= 1024 && size % 1024 == 0 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        size >>= 10;
        unit++;
    }
    snprintf(buf, len, "%" PRIu64 " %s", size, units[unit]);
}

/* Names as pt-walk has them. */
static void print_flags(FILE *out, const struct walk_step *s)
{
    static const struct {
        uint64_t bit;
        const char *name;
    } leaf[] = {{PTE_NS, "ns"},   {PTE_AP1, "ap1"}, {PTE_RO, "ro"},   {PTE_AF, "af"},
                {PTE_NG, "ng"},   {PTE_GP, "gp"},   {PTE_DBM, "dbm"}, {PTE_CONT, "cont"},
                {PTE_PXN, "pxn"}, {PTE_XN, "xn"}},
      table[] = {{PTE_XN_TABLE, "xntable"}, {PTE_RO_TABLE, "rotable"}};
    bool is_table = s->kind == KIND_TABLE;
    size_t n = is_table ? sizeof(table) / sizeof(table[0]) : sizeof(leaf) / sizeof(leaf[0]);
    const char *gap = "           ";

    if (!is_table) {
        fprintf(out, "%sattr%u", gap, (unsigned int)(s->pte >> PTE_ATTR_SHIFT & 7));
        gap = " ";
    }
    for (size_t i = 0; i < n; i++) {
        if (s->pte & (is_table ? table[i].bit : leaf[i].bit)) {
            fprintf(out, "%s%s", gap, is_table ? table[i].name : leaf[i].name);
            gap = " ";
        }
    }
    if (!is_table)
        fprintf(out, " sw=0x%x", pte_refs(s->pte));
    if (gap[1] == '\0')
        fputc('\n', out);
}

static void text_step(FILE *out, const struct regime *r, const struct walk_step *s)
{
    unsigned int shift = regime_shift(r, s->level);
    char name[24], pte[24], size[32];

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
    if (pte_valid(s->pte))
        print_flags(out, s);
}

static void text_walk(FILE *out, const struct subject *s, const struct walk *w)
{
    fprintf(out, "0x%" PRIx64 " at EL2, CPU%u root 0x%" PRIx64 ", %s pages, %u-bit addresses\n",
            w->va, s->c->cpu, w->root, regime_page_name(&s->r), s->r.in_bits);
    for (unsigned int i = 0; i < w->nr; i++)
        text_step(out, &s->r, &w->step[i]);
    if (w->fault)
        fprintf(out, "  faults at level %d: %s\n", w->fault_level, w->fault);
    else
        fprintf(out, "  = 0x%" PRIx64 "  %s  %s  %s%s  software 0x%x\n", w->pa, w->perm, w->type,
                w->share[0] == 'n' ? "not" : w->share, " shareable", pte_refs(w->pte));
}

int print_walk(const struct context *ctx, FILE *out, struct failure *f)
{
    struct machine_memory memory = {ctx->src, &ctx->snap->machine};
    struct subject s;
    struct walk w;
    uint64_t va;

    if (!parse_number(ctx->o->operand[0], &va))
        return failure_set(f, EXIT_USAGE, "%s is no address: write it as 0x7f8000000000",
                           ctx->o->operand[0]);
    if (choose(ctx, &s, f) || walk_va(&s.r, machine_read_entry, &memory, s.root, va, &w, f))
        return -1;
    if (ctx->o->json)
        json_walk(out, s.c->cpu, &w);
    else
        text_walk(out, &s, &w);
    return 0;
}

static void json_range(FILE *out, const struct range *r)
{
    fprintf(out, "{\"va\":\"0x%" PRIx64 "\"", r->va);
    put_hex(out, "size", true, r->size);
    put_hex(out, "pa", true, r->pa);
    fprintf(out, ",\"level\":%d,\"leaves\":%u", r->level, r->leaves);
    put_string(out, "perm", r->perm);
    put_string(out, "perm_el0", NULL);
    put_string(out, "type", r->type);
    put_string(out, "share", r->share);
    put_hex(out, "software", true, r->software);
    put_string(out, "region", r->region);
    fputc('}', out);
}

static void json_map(FILE *out, const struct subject *s, const struct ranges *list)
{
    fprintf(out, "{\"schema\":\"hvscope.ranges/1\",\"regime\":\"el2\",\"cpu\":%u", s->c->cpu);
    put_hex(out, "root", true, s->root);
    fputs(",\"ranges\":[", out);
    for (unsigned int i = 0; i < list->nr; i++) {
        if (i)
            fputc(',', out);
        json_range(out, &list->range[i]);
    }
    fputs("]}\n", out);
}

static void text_map(FILE *out, const struct subject *s, const struct ranges *list)
{
    char size[32];

    fprintf(out, "CPU%u, EL2, root 0x%" PRIx64 ", %s pages; %u ranges, %u tables\n", s->c->cpu,
            s->root, regime_page_name(&s->r), list->nr, list->tables);
    fputs("va              size       pa            L leaves perm type         sw region\n", out);
    for (unsigned int i = 0; i < list->nr; i++) {
        const struct range *r = &list->range[i];

        size_text(r->size, size, sizeof(size));
        fprintf(out, "0x%-13" PRIx64 " %-10s 0x%-11" PRIx64 " %d %6u %s  %-12s %2u %s\n", r->va,
                size, r->pa, r->level, r->leaves, r->perm, r->type, r->software,
                r->region ? r->region : "-");
    }
    if (list->faults)
        fprintf(out, "%u %s could not be read: outside RAM\n", list->faults,
                list->faults == 1 ? "table" : "tables");
}

int print_map(const struct context *ctx, FILE *out, struct failure *f)
{
    struct subject s;
    struct ranges list;

    if (choose(ctx, &s, f) || ranges_read(ctx->src, &ctx->snap->machine, &s.r, s.root, &list, f))
        return -1;
    if (ctx->o->json)
        json_map(out, &s, &list);
    else
        text_map(out, &s, &list);
    ranges_free(&list);
    return 0;
}
