/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/attributes.h"

#include <stdio.h>
#include <string.h>

#define PTE_PXN_TABLE  PTE_BIT(59)
#define PTE_USER_TABLE PTE_BIT(61) /* APTable[0]: nothing for EL0 below */
#define S2_READ        PTE_BIT(6)
#define S2_WRITE       PTE_BIT(7)
#define MEMATTR_MASK   15

static unsigned int field(uint64_t value, unsigned int hi, unsigned int lo)
{
    return value >> lo & ((1u << (hi - lo + 1)) - 1);
}

static void rights(char perm[4], bool read, bool write, bool execute)
{
    snprintf(perm, 4, "%c%c%c", read ? 'r' : '-', write ? 'w' : '-', execute ? 'x' : '-');
}

/* AP[1] lets EL0 in; what EL0 may write is not executed above it. */
static void two_level_rights(const struct regime *r, lpae_t above, lpae_t pte, bool write,
                             struct attributes *a)
{
    bool user = (pte & PTE_AP1) && !(above & PTE_USER_TABLE);
    bool user_write = user && write;
    bool execute = !(above & PTE_PXN_TABLE) && !(pte & PTE_PXN) && !user_write;
    bool user_execute = !(above & PTE_XN_TABLE) && !(pte & PTE_XN);

    if (r->wxn) {
        execute = execute && !write;
        user_execute = user_execute && !user_write;
    }
    rights(a->perm, true, write, execute);
    if (r->e0pd)
        rights(a->perm_el0, false, false, false);
    else
        rights(a->perm_el0, user, user_write, user_execute);
}

/* S2AP, and XN[1:0] of FEAT_XNX, which tells EL1 from EL0. */
static void stage2_rights(const struct regime *r, lpae_t pte, bool dirty, struct attributes *a)
{
    bool read = pte & S2_READ, write = (pte & S2_WRITE) || dirty;
    bool never = pte & PTE_XN, differs = r->xnx && (pte & PTE_PXN);

    rights(a->perm, read, write, never == differs);
    rights(a->perm_el0, read, write, !never);
}

static void set_rights(const struct regime *r, lpae_t above, lpae_t pte, struct attributes *a)
{
    bool dirty = r->ha && r->hd && (pte & PTE_DBM), write, execute;

    a->perm_el0[0] = '\0';
    if (r->name == REGIME_S2) {
        stage2_rights(r, pte, dirty, a);
        return;
    }
    if (r->hpd)
        above = 0;
    write = !(above & PTE_RO_TABLE) && (!(pte & PTE_RO) || dirty);
    execute = !(above & PTE_XN_TABLE) && !(pte & PTE_XN) && !(r->wxn && write);
    if (regime_has_halves(r->name))
        two_level_rights(r, above, pte, write, a);
    else
        rights(a->perm, true, write, execute);
}

static const char *const devices[] = {"nGnRnE", "nGnRE", "nGRE", "GRE"};

/* One half of a MAIR byte of Normal memory; allocation hints are left out. */
static void cache_policy(unsigned int nibble, char *buf, size_t size)
{
    if (nibble == 4)
        snprintf(buf, size, "nc");
    else
        snprintf(buf, size, "%s%s", nibble & 4 ? "wb" : "wt", nibble & 8 ? "" : "-transient");
}

static void both_policies(const char *inner, const char *outer, char *buf, size_t size)
{
    if (strcmp(inner, outer) == 0)
        snprintf(buf, size, "normal-%s", inner);
    else
        snprintf(buf, size, "normal-inner-%.12s-outer-%.12s", inner, outer);
}

/* Types of one value each; NULL if attr is none of them. */
static const char *fixed_type(unsigned int attr)
{
    switch (attr) {
    case 0x40:
        return "normal-nc-nxs";
    case 0xa0:
        return "normal-wt-nxs";
    case 0xf0:
        return "normal-wb-tagged";
    default:
        return NULL;
    }
}

static void mair_type(unsigned int attr, char *buf, size_t size)
{
    char inner[16], outer[16];

    if ((attr & ~0xdu) == 0) {
        snprintf(buf, size, "device-%s%s", devices[attr >> 2], attr & 1 ? "-nxs" : "");
    } else if (fixed_type(attr)) {
        snprintf(buf, size, "%s", fixed_type(attr));
    } else if (!(attr & 0xf) || !(attr >> 4)) {
        snprintf(buf, size, "reserved-0x%02x", attr);
    } else {
        cache_policy(attr & 0xf, inner, sizeof(inner));
        cache_policy(attr >> 4, outer, sizeof(outer));
        both_policies(inner, outer, buf, size);
    }
}

/* MemAttr[3:0]; with FEAT_S2FWB it may say: as stage 1 says. */
static void stage2_type(unsigned int attr, bool fwb, char *buf, size_t size)
{
    static const char *const policies[] = {NULL, "nc", "wt", "wb"}, *const forced[] = {"normal-nc",
                                                                                       "normal-wb",
                                                                                       "stage-1"};
    unsigned int inner = attr & 3, outer = attr >> 2;

    if (outer == 0)
        snprintf(buf, size, "device-%s", devices[inner]);
    else if (fwb && attr >= 5 && attr <= 7)
        snprintf(buf, size, "%s", forced[attr - 5]);
    else if (fwb || inner == 0)
        snprintf(buf, size, "reserved-0x%x", attr);
    else
        both_policies(policies[inner], policies[outer], buf, size);
}

void leaf_attributes(const struct regime *r, lpae_t above, lpae_t pte, struct attributes *a)
{
    static const char *const shares[] = {"none", "reserved", "outer", "inner"};
    unsigned int index = field(pte, 4, 2);

    set_rights(r, above, pte, a);
    if (r->name == REGIME_S2)
        stage2_type(pte >> PTE_ATTR_SHIFT & MEMATTR_MASK, r->fwb, a->type, sizeof(a->type));
    else if (r->mair_known)
        mair_type(r->mair >> (8 * index) & 0xff, a->type, sizeof(a->type));
    else
        snprintf(a->type, sizeof(a->type), "attr%u", index);
    a->share = shares[r->lpa2 ? r->sh : field(pte, 9, 8)];
    a->software = pte_refs(pte);
}

static void combine_rights(char perm[4], const char *other)
{
    for (int i = 0; i < 3; i++)
        perm[i] = perm[i] == other[i] ? perm[i] : '-';
}

static int device_order(const char *type)
{
    for (int i = 0; i < 4; i++) {
        if (strncmp(type, "device-", 7) == 0 && strcmp(type + 7, devices[i]) == 0)
            return i;
    }
    return strncmp(type, "device-", 7) == 0 ? 0 : 4;
}

/* The stricter device type, or the weaker caching. */
static void combine_types(char *type, const char *stage2)
{
    char both[MEMORY_TYPE_MAX];

    if (strcmp(stage2, "normal-wb") == 0 || strcmp(stage2, "stage-1") == 0 ||
        strcmp(type, stage2) == 0)
        return;
    if (strcmp(type, "normal-wb") == 0)
        snprintf(both, sizeof(both), "%s", stage2);
    else if (device_order(type) < 4 || device_order(stage2) < 4)
        snprintf(both, sizeof(both), "%s",
                 device_order(stage2) < device_order(type) ? stage2 : type);
    else if (strcmp(type, "normal-nc") == 0 || strcmp(stage2, "normal-nc") == 0)
        snprintf(both, sizeof(both), "normal-nc");
    else
        snprintf(both, sizeof(both), "%.22s+%.22s", type, stage2);
    strcpy(type, both);
}

void attributes_combine(struct attributes *a, const struct attributes *stage2)
{
    combine_rights(a->perm, stage2->perm);
    if (a->perm_el0[0] && stage2->perm_el0[0])
        combine_rights(a->perm_el0, stage2->perm_el0);
    else
        a->perm_el0[0] = '\0';
    combine_types(a->type, stage2->type);
    a->software = stage2->software;
}

bool attributes_same(const struct attributes *a, const struct attributes *b)
{
    return strcmp(a->perm, b->perm) == 0 && strcmp(a->perm_el0, b->perm_el0) == 0 &&
           strcmp(a->type, b->type) == 0 && strcmp(a->share, b->share) == 0 &&
           a->software == b->software;
}

struct flag {
    uint64_t bit;
    const char *name, *two_levels, *stage2; /* NULL: not shown in that regime */
};

static const struct flag leaf_flags[] = {
    {PTE_NS, "ns", "ns", NULL},     {PTE_AP1, "ap1", "el0", "r"},
    {PTE_RO, "ro", "ro", "w"},      {PTE_AF, "af", "af", "af"},
    {PTE_NG, "ng", "ng", "bit11"},  {PTE_GP, "gp", "gp", "gp"},
    {PTE_DBM, "dbm", "dbm", "dbm"}, {PTE_CONT, "cont", "cont", "cont"},
    {PTE_PXN, "pxn", "pxn", "xn0"}, {PTE_XN, "xn", "uxn", "xn1"},
};

static const struct flag table_flags[] = {
    {PTE_XN_TABLE, "xntable", "uxntable", NULL},
    {PTE_RO_TABLE, "rotable", "rotable", NULL},
    {PTE_PXN_TABLE, NULL, "pxntable", NULL},
    {PTE_USER_TABLE, NULL, "noel0table", NULL},
};

static const char *flag_name(const struct regime *r, const struct flag *flag)
{
    if (r->name == REGIME_S2)
        return flag->stage2;
    return regime_has_halves(r->name) ? flag->two_levels : flag->name;
}

void entry_flags(const struct regime *r, lpae_t pte, bool leaf, char *buf, size_t size)
{
    const struct flag *flags = leaf ? leaf_flags : table_flags;
    size_t n = leaf ? sizeof(leaf_flags) / sizeof(leaf_flags[0])
                    : sizeof(table_flags) / sizeof(table_flags[0]);
    size_t len = 0;

    buf[0] = '\0';
    if (leaf && r->name == REGIME_S2)
        len = snprintf(buf, size, "memattr0x%x",
                       (unsigned int)(pte >> PTE_ATTR_SHIFT & MEMATTR_MASK));
    else if (leaf)
        len = snprintf(buf, size, "attr%u", field(pte, 4, 2));
    for (size_t i = 0; i < n && len < size; i++) {
        const char *name = pte & flags[i].bit ? flag_name(r, &flags[i]) : NULL;

        if (name)
            len += snprintf(buf + len, size - len, "%s%s", len ? " " : "", name);
    }
    if (leaf && len < size)
        snprintf(buf + len, size - len, " sw=0x%x", pte_refs(pte));
}
