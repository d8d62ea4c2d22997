/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Xen made by hand, arm64 and arm32: its file of symbols, its per-CPU data and its tables.
 */
#include "model/capture.h"
#include "model/profile.h"
#include "model/xen.h"
#include "viewer_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define IMAGE_SIZE 0x100000
#define NOTE       0x100 /* offsets in the image */
#define ONLINE     0x1000
#define PRESENT    0x1008
#define STATE      0x1010
#define OFFSETS    0x1100
#define PERCPU     0x2000
#define PGTABLE    0x2010
#define DOMMAP     0x2018
#define SLOTS      0x4000
#define ROOT       0xa000
#define FIRST      0xb000
#define SECOND     0xc000
#define DOM_FIRST  0xd000
#define TABLE      0xf7f
#define BLOCK      UINT64_C(0x0040000000000f7d)
#define APART      0x100 /* per-CPU data of CPU1 */

static const uint8_t build_id[20] = "0123456789abcdefghi";
static char path[] = "/tmp/hvscope-xen-XXXXXX";

/* The Xen that is made. */
struct xen {
    bool arm32;
    uint64_t va;
    const char *left_out; /* a symbol that it has not */
    uint64_t slots_bytes;
    size_t build_id_size;
};

static const struct xen arm64 = {false, 0xa0000200000, NULL, 8192, sizeof(build_id)};
static const struct xen arm32 = {true, 0x210000, NULL, 4096, sizeof(build_id)};

static const struct {
    const char *name;
    uint64_t offset, size;
} symbols[] = {
    {"cpu_online_map", ONLINE, 8},
    {"cpu_present_map", PRESENT, 8},
    {"__per_cpu_offset", OFFSETS, 64},
    {"__per_cpu_start", PERCPU, 0},
    {"per_cpu__xen_pgtable", PGTABLE, 8},
    {"per_cpu__xen_dommap", DOMMAP, 8},
    {"cpu0_dommap", SLOTS, 0},
    {"system_state", STATE, 4},
};

#define NR_SYMBOLS (sizeof(symbols) / sizeof(symbols[0]))

static Elf_Data *add_section(Elf *elf, GElf_Word type, GElf_Word name, GElf_Word link, void *bytes,
                             size_t size, GElf_Xword entry)
{
    Elf_Scn *section = elf_newscn(elf);
    Elf_Data *data = elf_newdata(section);
    GElf_Shdr head;

    data->d_buf = bytes;
    data->d_size = size;
    data->d_type = type == SHT_SYMTAB ? ELF_T_SYM : ELF_T_BYTE;
    data->d_align = 1;
    gelf_getshdr(section, &head);
    head.sh_type = type;
    head.sh_name = name;
    head.sh_link = link;
    head.sh_entsize = entry;
    gelf_update_shdr(section, &head);
    return data;
}

/* Sections: 1 the names of sections, 2 of symbols, 3 the symbols, 4 the build ID. */
static void add_sections(Elf *elf, const struct xen *x)
{
    static char section_names[] = "\0.shstrtab\0.strtab\0.symtab\0.note", strings[256];
    static char syms[(NR_SYMBOLS + 1) * sizeof(Elf64_Sym)];
    static struct {
        Elf64_Nhdr head;
        char name[4];
        uint8_t id[sizeof(build_id)];
    } note;
    size_t at = 1, entry = gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
    Elf_Data *data;
    GElf_Shdr head;

    add_section(elf, SHT_STRTAB, 1, 0, section_names, sizeof(section_names), 0);
    add_section(elf, SHT_STRTAB, 11, 0, strings, sizeof(strings), 0);
    data = add_section(elf, SHT_SYMTAB, 19, 2, syms, entry * (NR_SYMBOLS + 1), entry);
    memset(syms, 0, sizeof(syms));
    for (size_t i = 0; i < NR_SYMBOLS; i++) {
        bool out = x->left_out && strcmp(x->left_out, symbols[i].name) == 0;
        GElf_Sym sym = {.st_name = (GElf_Word)at, .st_shndx = out ? SHN_UNDEF : SHN_ABS};

        sym.st_value = x->va + symbols[i].offset;
        sym.st_size = symbols[i].offset == SLOTS ? x->slots_bytes : symbols[i].size;
        gelf_update_sym(data, (int)i + 1, &sym);
        at += (size_t)sprintf(strings + at, "%s", symbols[i].name) + 1;
    }
    note.head = (Elf64_Nhdr){4, (Elf64_Word)x->build_id_size, NT_GNU_BUILD_ID};
    memcpy(note.name, "GNU", 4);
    memcpy(note.id, build_id, sizeof(build_id));
    if (!x->build_id_size)
        return;
    add_section(elf, SHT_NOTE, 27, 0, &note, sizeof(note), 0);
    gelf_getshdr(elf_getscn(elf, 4), &head);
    head.sh_flags = SHF_ALLOC;
    head.sh_addr = x->va + NOTE - 16; /* the bytes come after 16 of the note */
    gelf_update_shdr(elf_getscn(elf, 4), &head);
}

static void make_symbols(const struct xen *x)
{
    int fd = open(path, O_RDWR | O_TRUNC);
    GElf_Ehdr head;
    GElf_Phdr load;
    Elf *elf;

    elf_version(EV_CURRENT);
    elf = elf_begin(fd, ELF_C_WRITE, NULL);
    gelf_newehdr(elf, x->arm32 ? ELFCLASS32 : ELFCLASS64);
    gelf_getehdr(elf, &head);
    head.e_machine = x->arm32 ? EM_ARM : EM_AARCH64;
    head.e_type = ET_EXEC;
    head.e_ident[EI_DATA] = ELFDATA2LSB;
    head.e_shstrndx = 1;
    gelf_update_ehdr(elf, &head);
    gelf_newphdr(elf, 1);
    gelf_getphdr(elf, 0, &load);
    load.p_type = PT_LOAD;
    load.p_vaddr = x->va;
    load.p_memsz = IMAGE_SIZE;
    gelf_update_phdr(elf, 0, &load);
    add_sections(elf, x);
    assert_true(elf_update(elf, ELF_C_WRITE) > 0);
    elf_end(elf);
    close(fd);
}

static void put_word(struct fake_source *fake, const struct xen *x, uint64_t pa, uint64_t value)
{
    fake_put(fake, pa, &value, x->arm32 ? 4 : 8);
}

/* Two CPUs that are up and have one root; CPU0's slots; the image at pa. */
static struct fake_source *make_xen(const struct xen *x, uint64_t pa)
{
    struct fake_source *fake = fake_open(RAM_START, RAM_SIZE);

    make_symbols(x);
    fake_put(fake, pa + NOTE, build_id, sizeof(build_id));
    fake_put_u64(fake, pa + ONLINE, 3);
    put_word(fake, x, pa + OFFSETS + (x->arm32 ? 4 : 8), APART);
    put_word(fake, x, pa + PGTABLE, x->va + ROOT);
    put_word(fake, x, pa + PGTABLE + APART, x->va + ROOT);
    put_word(fake, x, pa + DOMMAP, x->va + SLOTS);
    if (x->arm32) {
        fake_put_u64(fake, pa + ROOT, (pa + SECOND) | TABLE);
        fake_put_u64(fake, pa + ROOT + 2 * 8, (pa + SLOTS) | TABLE);
    } else {
        fake_put_u64(fake, pa + ROOT + pt_index(x->va, 0) * 8, (pa + FIRST) | TABLE);
        fake_put_u64(fake, pa + FIRST, (pa + SECOND) | TABLE);
        fake_put_u64(fake, pa + ROOT + 255 * 8, (pa + DOM_FIRST) | TABLE);
        fake_put_u64(fake, pa + DOM_FIRST, (pa + SLOTS) | TABLE);
        fake_put_u64(fake, pa + DOM_FIRST + 8, (pa + SLOTS + PAGE_SIZE) | TABLE);
    }
    fake_put_u64(fake, pa + SECOND + pt_index(x->va, 2) * 8, (pa & ~(SLOT_SIZE - 1)) | BLOCK);
    fake_put_u64(fake, pa + SLOTS + 36 * 8, SLOT_PTE(UINT64_C(0x40800000), 2));
    fake_put_u64(fake, pa + SLOTS + 37 * 8, SLOT_PTE(UINT64_C(0x09000000), 0));
    return fake;
}

static const struct target_spec spec = {.elf = path, .profile = "xen"};

static struct snapshot *read_xen(struct fake_source *fake)
{
    struct failure f = {0};
    struct machine m;
    struct snapshot *snap;

    if (machine_find(&fake->src, &spec, &m, &f) != MACHINE_OK)
        fail_msg("%s", f.text);
    snap = snapshot_new(m.beacon.ncpu);
    assert_int_equal(snapshot_read(&fake->src, &m, snap, &f), 0);
    return snap;
}

static void test_arm64(void **state)
{
    struct fake_source *fake = make_xen(&arm64, HEADER_PA);
    struct snapshot *snap = read_xen(fake);
    const struct machine *m = &snap->machine;
    const struct cpu_snapshot *c = &snap->cpu[0];
    uint64_t value;

    (void)state;
    assert_int_equal(snap->ncpu, 2);
    assert_true(m->beacon.domheap_va == 0x7f8000000000 && m->beacon.domheap_entries == 1024);
    assert_int_equal(m->beacon.l0_index, 255);
    assert_int_equal(m->beacon.state, BEACON_MAPCACHE_READY);
    assert_int_equal(c->counts[SLOT_IN_USE], 1);
    assert_int_equal(c->counts[SLOT_CACHED], 1); /* a device's frame is no fault on a Xen */
    assert_int_equal(c->counts[SLOT_BROKEN], 0);
    assert_true(cpu_slot(m, c, 37).odd);
    assert_string_equal(machine_region(m, 0x7f8000000000), "domheap");
    assert_string_equal(machine_region(m, arm64.va), "image");
    assert_null(machine_region(m, 0));
    assert_int_equal(machine_read_register(&fake->src, m, 1, "TTBR0_EL2", &value), 0);
    assert_int_equal(value, HEADER_PA + ROOT);
    assert_int_equal(machine_read_register(&fake->src, m, 0, "TCR_EL2", &value), 0);
    assert_int_equal(value & 0x3f, 16);
    assert_int_equal(machine_read_register(&fake->src, m, 0, "MAIR_EL2", &value), 0);
    assert_int_equal(machine_read_register(&fake->src, m, 0, "SCTLR_EL2", &value), 0);
    assert_int_equal(value & 1, 1);
    assert_int_equal(machine_read_register(&fake->src, m, 0, "VTCR_EL2", &value), -ENOENT);
    assert_true(machine_is_same_boot(&fake->src, m));
    fake_put_u64(fake, HEADER_PA + NOTE, 0);
    assert_false(machine_is_same_boot(&fake->src, m));
    free(snap);
    source_close(&fake->src);
}

/* CPU1 is present and not up; CPU2 is up, and has no root yet. */
static void test_cpus(void **state)
{
    struct fake_source *fake = make_xen(&arm64, HEADER_PA);
    struct beacon_cpu info;
    struct snapshot *snap;

    (void)state;
    fake_put_u64(fake, HEADER_PA + ONLINE, 5);
    fake_put_u64(fake, HEADER_PA + PRESENT, 7);
    snap = read_xen(fake);
    assert_int_equal(snap->ncpu, 3);
    assert_int_equal(machine_read_cpu(&fake->src, &snap->machine, 1, &info), 0);
    assert_int_equal(info.state, BEACON_CPU_OFF);
    fake_put_u64(fake, HEADER_PA + OFFSETS + 2 * 8, 0x800);
    assert_int_equal(machine_read_cpu(&fake->src, &snap->machine, 2, &info), 0);
    assert_int_equal(info.state, BEACON_CPU_MMU_OFF);
    free(snap);
    source_close(&fake->src);
}

/* A boot is told from what comes after it, where the symbols say where that stands. */
static void test_booted(void **state)
{
    struct xen without = arm64;

    (void)state;
    without.left_out = "system_state";
    for (unsigned int now = 0; now <= 5; now++) {
        struct fake_source *known = make_xen(&arm64, HEADER_PA);
        struct snapshot *snap;

        fake_put(known, HEADER_PA + STATE, &now, sizeof(now));
        snap = read_xen(known);
        assert_int_equal(snap->machine.xen.booted, now >= 3);
        free(snap);
        make_symbols(&without);
        snap = read_xen(known);
        assert_false(snap->machine.xen.booted);
        free(snap);
        source_close(&known->src);
    }
}

/* What was captured is found as the machine was. */
static void test_capture(void **state)
{
    struct fake_source *fake = make_xen(&arm64, HEADER_PA), *copy;
    struct snapshot *snap, *again;
    struct page_set set = {0};
    struct failure f;

    (void)state;
    fake_put_u64(fake, HEADER_PA + STATE, 3);
    snap = read_xen(fake);
    assert_int_equal(capture_pages(&fake->src, snap, &set, &f), 0);
    copy = fake_open(RAM_START, RAM_SIZE);
    for (unsigned int i = 0; i < set.nr; i++)
        fake_put(copy, set.page[i].pa, set.page[i].word, PAGE_BYTES);
    again = read_xen(copy);
    assert_memory_equal(again->cpu[0].pte, snap->cpu[0].pte, sizeof(snap->cpu[0].pte));
    assert_int_equal(again->ncpu, 2);
    assert_true(again->machine.xen.booted);
    page_set_free(&set);
    free(snap);
    free(again);
    source_close(&copy->src);
    source_close(&fake->src);
}

static const struct fake_register registers32[] = {
    {"HTTBR", HEADER_PA + ROOT}, {"TCR_EL2", 0x80003500}, {"VTCR", 0x80003558},
    {"VTTBR", 0x1234000},        {"HCR", 0x38},           {NULL, 0},
};

static void test_arm32(void **state)
{
    struct fake_source *fake = make_xen(&arm32, RAM_START + 0x10000);
    struct snapshot *snap = read_xen(fake);
    const struct machine *m = &snap->machine;
    uint64_t value;

    (void)state;
    assert_string_equal(m->arch, "arm32");
    assert_int_equal(m->beacon.root_level, 1);
    assert_int_equal(m->beacon.domheap_entries, 512);
    assert_int_equal(m->beacon.domheap_va, 0x80000000);
    assert_int_equal(snap->cpu[0].refs, 2);
    assert_int_equal(machine_read_register(&fake->src, m, 0, "TCR_EL2", &value), 0);
    assert_int_equal(value & 0x3f, 32);
    fake->ncpu = 1;
    fake->registers = registers32;
    assert_int_equal(machine_read_register(&fake->src, m, 0, "TTBR0_EL2", &value), 0);
    assert_int_equal(value, HEADER_PA + ROOT);
    assert_int_equal(machine_read_register(&fake->src, m, 0, "TCR_EL2", &value), 0);
    assert_int_equal(value, 0x23520);
    assert_int_equal(machine_read_register(&fake->src, m, 0, "VTCR_EL2", &value), 0);
    assert_int_equal(value, 0x23540 | 24); /* T0SZ is -8 */
    assert_int_equal(machine_read_register(&fake->src, m, 0, "VTTBR_EL2", &value), 0);
    assert_int_equal(value, 0x1234000);
    assert_int_equal(machine_read_register(&fake->src, m, 0, "MAIR_EL2", &value), 0);
    assert_int_equal(machine_read_register(&fake->src, m, 0, "SPSR_EL2", &value), -ENOENT);
    free(snap);
    source_close(&fake->src);
}

/* Loaded by firmware, where CPU0's root says. */
static void test_placed_by_root(void **state)
{
    static struct fake_register where[] = {{"TTBR0_EL2", RAM_START + 0x600000 + ROOT}, {NULL, 0}};
    struct fake_source *fake = make_xen(&arm64, RAM_START + 0x600000);
    struct snapshot *snap;

    (void)state;
    fake->ncpu = 1;
    fake->registers = where;
    snap = read_xen(fake);
    assert_int_equal(snap->machine.beacon.image_pa, RAM_START + 0x600000);
    free(snap);
    source_close(&fake->src);
}

static void check_not_found(struct fake_source *fake, const struct target_spec *with,
                            enum machine_status status, const char *part)
{
    struct machine m;
    struct failure f;

    assert_int_equal(machine_find(&fake->src, with, &m, &f), status);
    assert_int_equal(f.status, EXIT_NOT_UNDERSTOOD);
    if (!strstr(f.text, part))
        fail_msg("%s", f.text);
}

static void test_not_started(void **state)
{
    struct fake_source *fake = make_xen(&arm64, HEADER_PA);

    (void)state;
    fake_put_u64(fake, HEADER_PA + ONLINE, 0);
    check_not_found(fake, &spec, MACHINE_WAITING, "Xen has not started yet");
    fake_put_u64(fake, HEADER_PA + ONLINE, 3);
    fake_put_u64(fake, HEADER_PA + SECOND + pt_index(arm64.va, 2) * 8, 0);
    check_not_found(fake, &spec, MACHINE_WAITING, "its final page tables are not in use");
    source_close(&fake->src);
}

/* Its slots do not exist yet, or no entry leads to them. */
static void test_no_slots_yet(void **state)
{
    struct fake_source *fake = make_xen(&arm64, HEADER_PA);
    struct snapshot *snap;

    (void)state;
    fake_put_u64(fake, HEADER_PA + DOMMAP, 0);
    snap = read_xen(fake);
    assert_int_equal(snap->machine.beacon.state, BEACON_MMU_ON);
    free(snap);
    fake_put_u64(fake, HEADER_PA + DOMMAP, arm64.va + SLOTS + 0x800);
    snap = read_xen(fake);
    assert_int_equal(snap->machine.beacon.state, BEACON_MMU_ON);
    free(snap);
    source_close(&fake->src);
}

static void refuse(struct xen x, const char *part)
{
    struct fake_source *fake = make_xen(&x, HEADER_PA);

    check_not_found(fake, &spec, MACHINE_FOREIGN, part);
    source_close(&fake->src);
}

static struct xen without(const char *name)
{
    struct xen x = arm64;

    x.left_out = name;
    return x;
}

static void test_wrong_symbols(void **state)
{
    struct xen x = arm64;

    (void)state;
    refuse(without("cpu_online_map"), "has no symbol cpu_online_map");
    refuse(without("per_cpu__xen_pgtable"), "has no symbol per_cpu__xen_pgtable");
    refuse(without("__per_cpu_offset"), "has no symbol __per_cpu_offset");
    refuse(without("cpu0_dommap"), "has no symbol cpu0_dommap");
    x.build_id_size = 0;
    refuse(x, "has no build ID");
    x = arm64;
    x.slots_bytes = 8200;
    refuse(x, "this Xen's mapcache has 1025 slots");
}

static void test_no_symbols(void **state)
{
    struct fake_source *fake = fake_open(RAM_START, RAM_SIZE);
    const struct target_spec none = {.profile = "xen", .nr_ram = 1},
                             missing = {.profile = "xen", .elf = "/nonexistent"},
                             other = {.profile = "xen", .elf = "/proc/self/exe"};

    (void)state;
    check_not_found(fake, &none, MACHINE_FOREIGN, "name them with --elf");
    check_not_found(fake, &missing, MACHINE_FOREIGN, "cannot read /nonexistent");
    check_not_found(fake, &other, MACHINE_FOREIGN, "is no ELF file for Arm");
    make_symbols(&arm64);
    check_not_found(fake, &spec, MACHINE_FOREIGN, "memory does not hold the build");
    source_close(&fake->src);
}

/* As Debian's arm64 Xen: there are tables, and no mapcache. */
static void test_without_mapcache(void **state)
{
    struct fake_source *fake;
    struct snapshot *snap;
    struct xen x = without("per_cpu__xen_dommap");
    struct failure f;

    (void)state;
    fake = make_xen(&x, HEADER_PA);
    snap = read_xen(fake);
    assert_int_equal(machine_require_mapcache(&snap->machine, &f), -1);
    assert_int_equal(f.status, EXIT_NO_MAPCACHE);
    assert_non_null(strstr(f.text, "this Xen has no mapcache"));
    free(snap);
    source_close(&fake->src);
}

static int make_path(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    close(fd);
    return fd < 0;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arm64),          cmocka_unit_test(test_cpus),
        cmocka_unit_test(test_capture),        cmocka_unit_test(test_arm32),
        cmocka_unit_test(test_placed_by_root), cmocka_unit_test(test_not_started),
        cmocka_unit_test(test_no_slots_yet),   cmocka_unit_test(test_wrong_symbols),
        cmocka_unit_test(test_no_symbols),     cmocka_unit_test(test_without_mapcache),
        cmocka_unit_test(test_booted),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
