/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control registers into a regime's geometry.
 */
#include "model/granule.h"
#include "model/regime.h"

#include <stddef.h>

#define HCR_VM        PTE_BIT(0)
#define HCR_E2H       PTE_BIT(34)
#define HCR_NV1       PTE_BIT(43)
#define HCR_FWB       PTE_BIT(46)
#define SCTLR_M       PTE_BIT(0)
#define SCTLR_WXN     PTE_BIT(19)
#define SCTLR_EE      PTE_BIT(25)
#define TCR2_UNKNOWN  UINT64_C(0x3e) /* PIE, E0POE, POE, AIE, D128: entries mean other things */
#define VTCR_UNKNOWN  (UINT64_C(7) << 36) /* S2PIE, S2POE, D128 */
#define XNX_SHIFT     28                  /* ID_AA64MMFR1_EL1 */
#define TTBR_LOW52    6                   /* bits [5:2] are then address bits [51:48] */
#define TSZ_MIN       16
#define TSZ_MIN_BIG   12 /* with 52-bit addresses */
#define CONCATENATED  4  /* stage 2 may begin with up to 16 tables side by side */
#define PARANGE_KNOWN 5  /* 48 bits, if the CPU does not say */

/* Bits of a control register; hi 0: it has no such field. */
struct field {
    unsigned char hi, lo;
};

struct tcr_layout {
    struct field tsz, epd, sl0, sh, tg, ps, ha, hd, ds, sl2, tbi, hpd, e0pd;
};

static const struct tcr_layout one_range = {.tsz = {5, 0},
                                            .sh = {13, 12},
                                            .tg = {15, 14},
                                            .ps = {18, 16},
                                            .tbi = {20, 20},
                                            .ha = {21, 21},
                                            .hd = {22, 22},
                                            .hpd = {24, 24},
                                            .ds = {32, 32}},
                               low_half = {.tsz = {5, 0},
                                           .epd = {7, 7},
                                           .sh = {13, 12},
                                           .tg = {15, 14},
                                           .ps = {34, 32},
                                           .tbi = {37, 37},
                                           .ha = {39, 39},
                                           .hd = {40, 40},
                                           .hpd = {41, 41},
                                           .e0pd = {55, 55},
                                           .ds = {59, 59}},
                               high_half = {.tsz = {21, 16},
                                            .epd = {23, 23},
                                            .sh = {29, 28},
                                            .tg = {31, 30},
                                            .ps = {34, 32},
                                            .tbi = {38, 38},
                                            .ha = {39, 39},
                                            .hd = {40, 40},
                                            .hpd = {42, 42},
                                            .e0pd = {56, 56},
                                            .ds = {59, 59}},
                               stage_2 = {.tsz = {5, 0},
                                          .sl0 = {7, 6},
                                          .sh = {13, 12},
                                          .tg = {15, 14},
                                          .ps = {18, 16},
                                          .ha = {21, 21},
                                          .hd = {22, 22},
                                          .ds = {32, 32},
                                          .sl2 = {33, 33}};

/* What is being decoded. */
struct decoder {
    struct regime *r;
    const struct registers *regs;
    const struct tcr_layout *layout;
    const char *tcr_name;
    uint64_t tcr;
    unsigned int pa_bits; /* of the CPU */
    struct failure *f;
};

static uint64_t bits(uint64_t value, unsigned int hi, unsigned int lo)
{
    return value >> lo & (UINT64_MAX >> (63 - (hi - lo)));
}

static unsigned int field(const struct decoder *d, struct field place)
{
    return place.hi ? (unsigned int)bits(d->tcr, place.hi, place.lo) : 0;
}

static int refuse(struct failure *f, const char *what)
{
    return failure_set(f, EXIT_NOT_UNDERSTOOD, "%s", what);
}

static uint64_t optional(const struct registers *regs, const char *name)
{
    uint64_t value;

    return regs->read(regs->of, name, &value) == 0 ? value : 0;
}

/* A register without which there is no such regime. */
static int require(const struct registers *regs, const char *name, uint64_t *value,
                   struct failure *f)
{
    if (regs->read(regs->of, name, value) == 0)
        return 0;
    return failure_set(f, EXIT_NOT_UNDERSTOOD,
                       "no register %s of this CPU can be read here; only --gdb knows more of them",
                       name);
}

static const unsigned int address_sizes[] = {32, 36, 40, 42, 44, 48, 52};

#define NR_SIZES (sizeof(address_sizes) / sizeof(address_sizes[0]))

static unsigned int cpu_pa_bits(const struct registers *regs)
{
    uint64_t parange;

    if (regs->read(regs->of, "ID_AA64MMFR0_EL1", &parange) != 0)
        parange = PARANGE_KNOWN;
    parange &= 15;
    return address_sizes[parange < NR_SIZES ? parange : NR_SIZES - 1];
}

/* TG0 and TG1 count differently. */
static int decode_granule(struct decoder *d)
{
    static const struct granule *const tg0[4] = {&granule_4k, &granule_64k, &granule_16k, NULL},
                                       *const tg1[4] = {NULL, &granule_16k, &granule_4k,
                                                        &granule_64k};
    struct regime *r = d->r;
    unsigned int tg = field(d, d->layout->tg);

    r->granule = r->epd ? &granule_4k : (r->high ? tg1 : tg0)[tg];
    if (!r->granule)
        return failure_set(d->f, EXIT_NOT_UNDERSTOOD, "%s.TG%d is %u, a reserved granule",
                           d->tcr_name, r->high, tg);
    r->page_shift = r->granule->shift;
    r->stride = r->page_shift - 3;
    r->lpa2 = field(d, d->layout->ds) && r->granule != &granule_64k;
    r->lpa = r->granule == &granule_64k && d->pa_bits >= 52;
    return 0;
}

/* PS or IPS, and what CPU and granule can have. */
static int decode_output(struct decoder *d)
{
    struct regime *r = d->r;
    unsigned int ps = field(d, d->layout->ps), limit = d->pa_bits;

    if (ps >= NR_SIZES)
        return failure_set(d->f, EXIT_NOT_UNDERSTOOD, "%s.%s is 7, a reserved size", d->tcr_name,
                           regime_has_halves(r->name) ? "IPS" : "PS");
    if (!r->lpa2 && !r->lpa && limit > 48)
        limit = 48;
    r->out_bits = address_sizes[ps] < limit ? address_sizes[ps] : limit;
    return 0;
}

static int decode_input(struct decoder *d)
{
    struct regime *r = d->r;
    unsigned int tsz = r->epd ? TSZ_MIN : field(d, d->layout->tsz);
    unsigned int low = r->lpa2 || r->granule == &granule_64k ? TSZ_MIN_BIG : TSZ_MIN;

    if (tsz < low || tsz > r->granule->tsz_max)
        return failure_set(d->f, EXIT_NOT_UNDERSTOOD,
                           "%s.T%dSZ is %u: not from %u to %u for %s pages", d->tcr_name, r->high,
                           tsz, low, r->granule->tsz_max, r->granule->name);
    r->in_bits = 64 - tsz;
    r->start_level =
        PT_LEVEL_LAST + 1 - (int)((r->in_bits - r->page_shift + r->stride - 1) / r->stride);
    return 0;
}

/* The level that SL0 (with SL2) stands for; above 3 if for none. */
static int sl0_level(const struct decoder *d)
{
    static const int four[4] = {2, 1, 0, 3};
    unsigned int sl0 = field(d, d->layout->sl0);

    if (d->r->granule != &granule_4k)
        return PT_LEVEL_LAST - (int)sl0;
    if (d->r->lpa2 && field(d, d->layout->sl2))
        return sl0 ? PT_LEVEL_LAST + 1 : -1;
    return four[sl0];
}

/* Levels that only a CPU with more than so many bits can begin at. */
static bool level_too_high(const struct decoder *d, int level)
{
    const struct granule *g = d->r->granule;

    return (g == &granule_4k && level == 0 && d->pa_bits <= 42) ||
           (g == &granule_16k && level == 1 && d->pa_bits <= 40) ||
           (g == &granule_64k && level == 1 && d->pa_bits <= 42) ||
           (g != &granule_4k && level == 0 && !d->r->lpa2);
}

/* Stage 2 says where it begins; size and concatenation must fit that. */
static int decode_start(struct decoder *d)
{
    struct regime *r = d->r;
    int level = sl0_level(d), index;

    if (level > PT_LEVEL_LAST || level_too_high(d, level))
        return failure_set(d->f, EXIT_NOT_UNDERSTOOD,
                           "VTCR_EL2.SL0 is %u: no level where this CPU can begin with %s pages",
                           field(d, d->layout->sl0), r->granule->name);
    index = (int)r->in_bits - (int)regime_shift(r, level);
    if (index < 1 || index > (int)r->stride + CONCATENATED)
        return failure_set(d->f, EXIT_NOT_UNDERSTOOD,
                           "VTCR_EL2 begins at level %d with addresses of %u bits: they do not "
                           "fit each other",
                           level, r->in_bits);
    if (r->in_bits > d->pa_bits)
        return failure_set(d->f, EXIT_NOT_UNDERSTOOD,
                           "VTCR_EL2.T0SZ asks for %u-bit addresses; this CPU has %u bits",
                           r->in_bits, d->pa_bits);
    r->start_level = level;
    return 0;
}

static int decode_geometry(struct decoder *d)
{
    const struct tcr_layout *l = d->layout;
    struct regime *r = d->r;

    r->epd = field(d, l->epd);
    r->tbi = field(d, l->tbi);
    r->ha = field(d, l->ha);
    r->hd = field(d, l->hd);
    r->hpd = field(d, l->hpd);
    r->e0pd = field(d, l->e0pd);
    r->sh = field(d, l->sh);
    if (decode_granule(d) || decode_output(d) || decode_input(d))
        return -1;
    return r->name == REGIME_S2 ? decode_start(d) : 0;
}

static int check_entries(const char *el, uint64_t sctlr, uint64_t tcr2, struct failure *f)
{
    if (sctlr & SCTLR_EE)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "SCTLR_%s.EE is 1: big-endian tables are not understood here", el);
    if (tcr2 & TCR2_UNKNOWN)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "TCR2_%s is 0x%llx: indirect permissions and 128-bit entries are not "
                           "understood here",
                           el, (unsigned long long)tcr2);
    return 0;
}

static int decode_stage1(struct decoder *d, bool el1)
{
    uint64_t sctlr = optional(d->regs, el1 ? "SCTLR_EL1" : "SCTLR_EL2");

    d->tcr_name = el1 ? "TCR_EL1" : "TCR_EL2";
    if (check_entries(el1 ? "EL1" : "EL2", sctlr, optional(d->regs, el1 ? "TCR2_EL1" : "TCR2_EL2"),
                      d->f) ||
        require(d->regs, d->tcr_name, &d->tcr, d->f) || decode_geometry(d))
        return -1;
    d->r->mair_known = d->regs->read(d->regs->of, el1 ? "MAIR_EL1" : "MAIR_EL2", &d->r->mair) == 0;
    d->r->wxn = sctlr & SCTLR_WXN;
    return 0;
}

static int decode_el2(struct decoder *d)
{
    if (optional(d->regs, "HCR_EL2") & HCR_E2H)
        return refuse(d->f, "HCR_EL2.E2H is 1: EL2 is a VHE host; --regime el2-e2h");
    d->layout = &one_range;
    return decode_stage1(d, false);
}

static int decode_two(struct decoder *d)
{
    uint64_t hcr = optional(d->regs, "HCR_EL2");

    if (d->r->name == REGIME_EL2_E2H && !(hcr & HCR_E2H))
        return refuse(d->f, "HCR_EL2.E2H is 0: EL2 has one range of addresses; --regime el2");
    if (d->r->name == REGIME_EL1 && (hcr & HCR_NV1))
        return refuse(d->f, "HCR_EL2.NV1 is 1: nested virtualization's tables are not understood "
                            "here");
    d->layout = d->r->high ? &high_half : &low_half;
    return decode_stage1(d, d->r->name == REGIME_EL1);
}

static int decode_s2(struct decoder *d)
{
    d->layout = &stage_2;
    d->tcr_name = "VTCR_EL2";
    if (require(d->regs, "VTCR_EL2", &d->tcr, d->f) ||
        check_entries("EL2", optional(d->regs, "SCTLR_EL2"), 0, d->f))
        return -1;
    if (d->tcr & VTCR_UNKNOWN)
        return failure_set(d->f, EXIT_NOT_UNDERSTOOD,
                           "VTCR_EL2 is 0x%llx: indirect permissions and 128-bit entries are not "
                           "understood here",
                           (unsigned long long)d->tcr);
    d->r->fwb = optional(d->regs, "HCR_EL2") & HCR_FWB;
    d->r->xnx = optional(d->regs, "ID_AA64MMFR1_EL1") >> XNX_SHIFT & 15;
    return decode_geometry(d);
}

static const char *root_register(enum regime_name name, bool high)
{
    switch (name) {
    case REGIME_S2:
        return "VTTBR_EL2";
    case REGIME_EL1:
        return high ? "TTBR1_EL1" : "TTBR0_EL1";
    default:
        return high ? "TTBR1_EL2" : "TTBR0_EL2";
    }
}

/* Without CnP and ASID or VMID. */
static uint64_t root_of(const struct regime *r, uint64_t ttbr)
{
    if (r->out_bits == 52)
        return bits(ttbr, 47, TTBR_LOW52) << TTBR_LOW52 | bits(ttbr, 5, 2) << 48;
    return bits(ttbr, 47, 1) << 1;
}

int regime_decode(struct regime *r, enum regime_name name, bool high, const struct registers *regs,
                  uint64_t *root, struct failure *f)
{
    struct decoder d = {.r = r, .regs = regs, .f = f, .pa_bits = cpu_pa_bits(regs)};
    uint64_t ttbr;
    int ret;

    *r = (struct regime){.name = name, .high = high};
    if (name == REGIME_EL2)
        ret = decode_el2(&d);
    else if (name == REGIME_S2)
        ret = decode_s2(&d);
    else
        ret = decode_two(&d);
    if (ret || !root)
        return ret;
    ret = require(regs, root_register(name, high), &ttbr, f);
    if (ret == 0)
        *root = root_of(r, ttbr);
    return ret;
}

bool regime_is_on(enum regime_name name, const struct registers *regs, struct failure *f)
{
    static const struct {
        const char *reg;
        uint64_t bit;
        const char *why;
    } gates[REGIMES] = {
        [REGIME_EL2] = {"SCTLR_EL2", SCTLR_M, "SCTLR_EL2.M is 0: EL2's MMU is off on this CPU"},
        [REGIME_EL2_E2H] = {"SCTLR_EL2", SCTLR_M, "SCTLR_EL2.M is 0: EL2's MMU is off on this CPU"},
        [REGIME_EL1] = {"SCTLR_EL1", SCTLR_M,
                        "SCTLR_EL1.M is 0: EL1 runs without stage 1 on this CPU"},
        [REGIME_S2] = {"HCR_EL2", HCR_VM, "HCR_EL2.VM is 0: stage 2 is off on this CPU"},
    };
    uint64_t value;

    if (require(regs, gates[name].reg, &value, f))
        return false;
    if (!(value & gates[name].bit))
        refuse(f, gates[name].why);
    return value & gates[name].bit;
}
