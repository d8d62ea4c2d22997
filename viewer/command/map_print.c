/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope.ranges/1, and the same for people, 80 columns wide.
 */
#include "command/json.h"
#include "command/walking.h"

#include <inttypes.h>
#include <string.h>

static void json_range(FILE *out, const struct range *r)
{
    fprintf(out, "{\"va\":\"0x%" PRIx64 "\"", r->va);
    put_hex(out, "size", true, r->size);
    put_hex(out, "pa", true, r->pa);
    fprintf(out, ",\"level\":%d,\"leaves\":%u", r->level, r->leaves);
    put_string(out, "perm", r->a.perm);
    put_string(out, "perm_el0", r->a.perm_el0[0] ? r->a.perm_el0 : NULL);
    put_string(out, "type", r->a.type);
    put_string(out, "share", r->a.share);
    put_hex(out, "software", true, r->a.software);
    put_string(out, "region", r->region);
    fputc('}', out);
}

void ranges_json(FILE *out, const struct stage *s, unsigned int cpu, const struct ranges *list)
{
    fprintf(out, "{\"schema\":\"hvscope.ranges/1\",\"regime\":\"%s\",\"cpu\":%u",
            regime_word(s->r.name), cpu);
    put_hex(out, "root", true, s->root);
    fputs(",\"ranges\":[", out);
    for (unsigned int i = 0; i < list->nr; i++) {
        if (i)
            fputc(',', out);
        json_range(out, &list->range[i]);
    }
    fputs("]}\n", out);
}

void size_short(uint64_t size, char *buf, size_t len)
{
    static const char *const units[] = {"", "K", "M", "G", "T"};
    unsigned int unit = 0;

    while (size >= 1024 && size % 1024 == 0 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        size >>= 10;
        unit++;
    }
    snprintf(buf, len, "%" PRIu64 "%s", size, units[unit]);
}

/* Cut every old out of text, and put new (not longer) in its place. */
static void replace(char *text, const char *old, const char *new)
{
    size_t gone = strlen(old), put = strlen(new);

    for (char *at = strstr(text, old); at; at = strstr(at + put, old)) {
        /* Inside a text. NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
        memcpy(at, new, put);
        memmove(at + put, at + gone, strlen(at + gone) + 1);
    }
}

/* "wb", "nc", "nGnRE", "i:wt o:nc". */
static void type_short(const char *type, char buf[MEMORY_TYPE_MAX])
{
    strcpy(buf, type);
    replace(buf, "normal-", "");
    replace(buf, "device-", "");
    replace(buf, "-transient", "t");
    replace(buf, "inner-", "i:");
    replace(buf, "-outer-", " o:");
}

static const char *share_short(const char *share)
{
    switch (share[0]) {
    case 'n':
        return "ns";
    case 'i':
        return "is";
    case 'o':
        return "os";
    default:
        return "??";
    }
}

static void text_range(FILE *out, const struct range *r)
{
    char va[24], pa[24], size[24], both[8], software[8] = "", type[MEMORY_TYPE_MAX];

    snprintf(va, sizeof(va), "0x%" PRIx64, r->va);
    snprintf(pa, sizeof(pa), "0x%" PRIx64, r->pa);
    size_short(r->size, size, sizeof(size));
    snprintf(both, sizeof(both), "%s%s%s", r->a.perm, r->a.perm_el0[0] ? "/" : "", r->a.perm_el0);
    if (r->a.software)
        snprintf(software, sizeof(software), "sw=%x", r->a.software & 0xf);
    type_short(r->a.type, type);
    fprintf(out, "  %-18s %8s  %-15s L%-2d %-7s  %s  %-4s  %s\n", va, size, pa, r->level, both,
            share_short(r->a.share), software, type);
}

static bool same_region(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

void ranges_text(FILE *out, const struct stage *s, unsigned int cpu, const struct ranges *list)
{
    const char *region = NULL;
    uint64_t total = 0, leaves = 0;
    char size[24];

    fprintf(out, "%s of CPU%u, root 0x%" PRIx64 ", %s pages, %u-bit addresses from 0x%" PRIx64 "\n",
            regime_word(s->r.name), cpu, s->root, regime_page_name(&s->r), s->r.in_bits,
            regime_base(&s->r));
    if (list->nr)
        fputs("  va                     size  pa              L   rights   sh  sw    type\n", out);
    for (unsigned int i = 0; i < list->nr; i++) {
        const struct range *r = &list->range[i];

        if (!same_region(r->region, region))
            fprintf(out, "%s:\n", r->region ? r->region : "outside all regions");
        region = r->region;
        text_range(out, r);
        total += r->size;
        leaves += r->leaves;
    }
    size_short(total, size, sizeof(size));
    fprintf(out, "  %u ranges, %" PRIu64 " leaves, %s mapped\n", list->nr, leaves, size);
    for (unsigned int i = 0; i < list->faults; i++)
        fprintf(out, "  %u entries translate nothing: %s\n", list->fault[i].entries,
                list->fault[i].why);
}
