/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --gdb and --core: a gdb stub made by hand, good and bad; cores, whole and not.
 */
#include "gdb_stub.h"
#include "source/core.h"
#include "source/gdb.h"
#include "source/gdb_packet.h"
#include "source/gdb_registers.h"
#include "source/mtree.h"
#include "source/places.h"

#include <elf.h>

static void check_source(struct source *src)
{
    unsigned char bytes[5000], four[4];
    struct source_piece piece;
    uint64_t value;

    assert_int_equal(source_cpus(src), 2);
    assert_int_equal(source_piece(src, 0, &piece), 0);
    assert_true(piece.base == RAM && piece.size == 0x10000000);
    assert_int_equal(source_piece(src, 1, &piece), -ENOENT);
    assert_int_equal(source_read_phys(src, RAM + 0x1000, bytes, sizeof(bytes)), 0);
    for (size_t i = 0; i < sizeof(bytes); i++)
        assert_int_equal(bytes[i], (0x1000 + i) / 8 & 0xff);
    assert_int_equal(source_read_phys(src, RAM, four, sizeof(four)), 0);
    assert_memory_equal(four, "\0\0\0\0", 4);
    assert_int_equal(source_read_phys(src, RAM - 8, bytes, 16), -EFAULT);
    assert_int_equal(source_register(src, 0, "PC", &value), 0);
    assert_true(value == 0xd0c0b0a0);
    assert_int_equal(source_register(src, 1, "CPSR", &value), 0);
    assert_int_equal(value, 0x600003c9);
    assert_int_equal(source_register(src, 1, "TCR_EL2", &value), 0);
    assert_int_equal(value, 0x80843510);
    assert_int_equal(source_register(src, 1, "TTBR1_EL2", &value), -ENOENT);
    assert_int_equal(source_register(src, 1, "VTCR_EL2", &value), -ENOENT);
    assert_int_equal(source_register(src, 2, "PC", &value), -ENOENT);
    assert_int_equal(source_health(src), SOURCE_OK);
}

/* All of it works in spite of the flaw; the machine goes on with physical mode off. */
static void check_good(enum flaw flaw)
{
    pid_t stub = start_stub(flaw);
    struct failure f;
    struct source *src = gdb_open(socket_path, &f);

    if (!src)
        fail_msg("flaw %d: %s", flaw, f.text);
    assert_true(source_is_gdb(src));
    check_source(src);
    source_close(src);
    waitpid(stub, NULL, 0);
    assert_true(logged("Qqemu.PhyMemMode:1") && logged("Qqemu.PhyMemMode:0") && logged("D;1"));
}

static void check_refused(enum flaw flaw, const char *said)
{
    pid_t stub = start_stub(flaw);
    struct failure f;

    assert_null(gdb_open(socket_path, &f));
    assert_int_equal(f.status, EXIT_NO_TARGET);
    if (!strstr(f.text, said))
        fail_msg("flaw %d: %s", flaw, f.text);
    waitpid(stub, NULL, 0);
}

static void test_stub(void **state)
{
    (void)state;
    check_good(FLAW_NONE);
    check_good(FLAW_NAK);
    check_good(FLAW_CHECKSUM);
    check_good(FLAW_STOPS);
}

/* What a debugger had halted is not set going. */
static void test_halted_before(void **state)
{
    struct failure f;
    pid_t stub;

    (void)state;
    halted_before = true;
    stub = start_stub(FLAW_NONE);
    source_close(gdb_open(socket_path, &f));
    waitpid(stub, NULL, 0);
    assert_true(logged("Qqemu.PhyMemMode:0"));
    assert_false(logged("D;1"));
    halted_before = false;
}

static void test_bad_stubs(void **state)
{
    struct failure f;

    (void)state;
    check_refused(FLAW_NOT_QEMU, "none of QEMU's");
    check_refused(FLAW_GARBAGE, "it is no gdb stub");
    check_refused(FLAW_ALWAYS_BAD, "wrong checksums");
    check_refused(FLAW_LONG, "without an end");
    check_refused(FLAW_NO_RAM, "where RAM is");
    unlink(socket_path);
    assert_null(gdb_open(socket_path, &f));
    assert_non_null(strstr(f.text, "No such file"));
    assert_null(gdb_open("localhost:1", &f));
    assert_non_null(strstr(f.text, "no gdb stub answers at localhost:1"));
}

static void check_end(enum flaw flaw)
{
    pid_t stub = start_stub(flaw);
    struct failure f;
    struct source *src = gdb_open(socket_path, &f);
    uint64_t value;

    assert_non_null(src);
    assert_int_equal(source_read_u64(src, RAM, &value), -EIO);
    assert_int_equal(source_read_u64(src, RAM, &value), -EIO);
    assert_int_equal(source_health(src), SOURCE_GONE);
    source_close(src);
    waitpid(stub, NULL, 0);
}

static void test_dropped(void **state)
{
    (void)state;
    check_end(FLAW_DROP);
}

/* Half a packet is no answer. */
static void test_cut(void **state)
{
    (void)state;
    check_end(FLAW_CUT);
}

/* Ended by a signal, it detaches all the same. */
static void test_signal(void **state)
{
    pid_t stub = start_stub(FLAW_NONE), client = fork();
    int status;

    (void)state;
    if (client == 0) {
        struct failure f;

        gdb_open(socket_path, &f);
        raise(SIGTERM);
        _exit(0);
    }
    waitpid(client, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    waitpid(stub, NULL, 0);
    assert_true(logged("Qqemu.PhyMemMode:0") && logged("D;1"));
}

static void test_unpacking(void **state)
{
    char wire[32];
    uint64_t value = 0;

    (void)state;
    assert_int_equal(gdb_frame("D", wire, sizeof(wire)), 5);
    assert_string_equal(wire, "$D#44");
    assert_int_equal(gdb_unhex("0aF0", &value, sizeof(value)), 2);
    assert_int_equal(value, 0xf00a);
    assert_int_equal(gdb_unhex("0", &value, sizeof(value)), -1);
    assert_int_equal(gdb_unhex("0g", &value, sizeof(value)), -1);
    assert_int_equal(gdb_unhex("000000000000000000", &value, sizeof(value)), -1);
}

/* Descriptions that no stub should send. */
static void test_bad_descriptions(void **state)
{
    static const char *const bad[] = {"",
                                      "<",
                                      "<reg",
                                      "<reg name=",
                                      "<reg name=\">",
                                      "<reg name='x",
                                      "<xi:include href=>",
                                      "<reg name='' regnum='-1'/>"};
    struct gdb_registers r = {0};
    char name[8];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *at = bad[i];

        assert_int_equal(gdb_registers_add(&r, bad[i]), 0);
        assert_int_equal(gdb_next_include(&at, name, sizeof(name)), 0);
        assert_int_equal(gdb_registers_find(&r, "x"), -1);
    }
    gdb_registers_free(&r);
}

static void test_mtree(void **state)
{
    struct mtree_range range[2];

    (void)state;
    assert_int_equal(mtree_ram("", range, 2), 0);
    assert_int_equal(
        mtree_ram("  0000000040000000-000000004fffffff (prio 0, ram): ram\n", range, 2), 0);
    assert_int_equal(mtree_ram("AS \"memory\"\n 2-1 (prio 0, ram): a\n 0-1 (prio -1, ram): b\n"
                               " 8-f (prio 0, romd): c\n 10-1f (prio 0, ram): d\n 20-2f (prio 0, "
                               "ram): e\n",
                               range, 2),
                     2);
    assert_string_equal(range[0].name, "b");
    assert_true(range[1].base == 0x10 && range[1].size == 0x10);
}

/* As QEMU prints it, through JSON and not, in pieces of every length. */
static void test_places(void **state)
{
    static const char *const texts[] = {
        "{\"return\": \"\\r\\nCPU#0\\r\\n PC=00000a0000206280 X00=0000000000000001 "
        "X01=00000000000000PC\\r\\nPSTATE=600003c9 -ZC- EL2h\\r\\n\\r\\nCPU#1\\r\\nR00=00 "
        "R15=1234\\r\\nPSR=1d3\\r\\nCPU#2\\r\\n PC=0000000080000234 X00=0\\r\\nPSTATE=3c5 EL1h"
        "\\r\\nFPCR=0 FPSR=0\\r\\n\"}",
        "\r\nCPU#0\r\n PC=00000a0000206280 X00=1\r\nPSTATE=600003c9 -ZC- EL2h\r\nCPU#1\r\nPSR=1\r\n"
        "\r\nCPU#2\r\n PC=80000234 X00=0\r\nPSTATE=3c5 EL1h\r\nCPU#99999999999\r\n PC=1 "
        "\r\nPSTATE=1 "};
    struct place_scan scan;
    struct places places;

    (void)state;
    for (size_t n = 1; n < 40; n++) {
        const char *text = texts[n % 2];
        size_t len = strlen(text);

        place_scan_begin(&scan, &places);
        for (size_t at = 0; at < len; at += n)
            place_scan_add(&scan, text + at, at + n < len ? n : len - at);
        assert_int_equal(places.nr, 3);
        assert_true(places.cpu[0].known && places.cpu[0].pc == 0xa0000206280);
        assert_int_equal(places.cpu[0].el, 2);
        assert_false(places.cpu[1].known);
        assert_true(places.cpu[2].known && places.cpu[2].pc == 0x80000234);
        assert_int_equal(places.cpu[2].el, 1);
    }
}

/* A core of two pieces of memory and two CPUs; each word of memory is its address. */
struct small_core {
    Elf64_Ehdr head;
    Elf64_Phdr segment[3];
    struct {
        Elf64_Nhdr head;
        char name[8];
        unsigned char status[392];
    } note[2];
    uint64_t memory[2][512];
};

static void make_core(struct small_core *c)
{
    memset(c, 0, sizeof(*c));
    memcpy(c->head.e_ident, ELFMAG "\2\1\1", 7);
    c->head.e_type = ET_CORE;
    c->head.e_machine = EM_AARCH64;
    c->head.e_version = 1;
    c->head.e_phoff = sizeof(c->head);
    c->head.e_ehsize = sizeof(c->head);
    c->head.e_phentsize = sizeof(Elf64_Phdr);
    c->head.e_phnum = 3;
    c->segment[0] = (Elf64_Phdr){.p_type = PT_NOTE,
                                 .p_offset = offsetof(struct small_core, note),
                                 .p_filesz = sizeof(c->note)};
    for (unsigned int i = 0; i < 2; i++) {
        uint64_t pc = 0xa0000200000 + i, cpsr = 0x3c9, pa = RAM + i * 0x100000;

        c->note[i].head = (Elf64_Nhdr){5, sizeof(c->note[i].status), NT_PRSTATUS};
        memcpy(c->note[i].name, "CORE", 5);
        memcpy(c->note[i].status + 112 + 32 * 8, &pc, 8);
        memcpy(c->note[i].status + 112 + 33 * 8, &cpsr, 8);
        c->segment[1 + i] = (Elf64_Phdr){.p_type = PT_LOAD,
                                         .p_offset = offsetof(struct small_core, memory) + i * 4096,
                                         .p_paddr = pa,
                                         .p_filesz = 4096,
                                         .p_memsz = 4096};
        for (unsigned int w = 0; w < 512; w++)
            c->memory[i][w] = pa + 8 * w;
    }
}

static struct source *open_core(const struct small_core *c, size_t size, struct failure *f)
{
    int fd = open(core_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(write(fd, c, size), size);
    close(fd);
    return core_open(core_path, f);
}

static void test_core(void **state)
{
    struct source_piece piece;
    struct small_core c;
    struct source *src;
    struct failure f;
    uint64_t value;

    (void)state;
    make_core(&c);
    src = open_core(&c, sizeof(c), &f);
    assert_non_null(src);
    assert_int_equal(source_read_u64(src, RAM + 0x100ff8, &value), 0);
    assert_int_equal(value, RAM + 0x100ff8);
    assert_int_equal(source_read_u64(src, RAM + 0x1000, &value), -EFAULT);
    assert_int_equal(source_piece(src, 1, &piece), 0);
    assert_true(piece.base == RAM + 0x100000 && piece.size == 4096);
    assert_int_equal(source_piece(src, 2, &piece), -ENOENT);
    assert_int_equal(source_cpus(src), 2);
    assert_int_equal(source_register(src, 1, "PC", &value), 0);
    assert_true(value == 0xa0000200001);
    assert_int_equal(source_register(src, 1, "CPSR", &value), 0);
    assert_int_equal(value, 0x3c9);
    assert_int_equal(source_register(src, 1, "TCR_EL2", &value), -ENOENT);
    assert_int_equal(source_health(src), SOURCE_OK);
    source_close(src);
}

static void check_core(const struct small_core *c, size_t size, const char *said)
{
    struct failure f;

    assert_null(open_core(c, size, &f));
    assert_int_equal(f.status, EXIT_NOT_UNDERSTOOD);
    if (!strstr(f.text, said))
        fail_msg("%s: not %s", f.text, said);
}

static void test_bad_cores(void **state)
{
    struct small_core c;
    struct failure f;

    (void)state;
    make_core(&c);
    check_core(&c, 0, "is no core");
    check_core(&c, 10, "is no core");
    check_core(&c, sizeof(c) - 1, "is truncated");
    c.segment[1].p_offset = UINT64_MAX - 100;
    check_core(&c, sizeof(c), "is truncated");
    make_core(&c);
    c.head.e_phnum = 1;
    check_core(&c, sizeof(c), "holds no memory");
    c.head.e_machine = EM_X86_64;
    check_core(&c, sizeof(c), "of another machine");
    c.head.e_type = ET_EXEC;
    check_core(&c, sizeof(c), "did you mean --elf");
    memcpy(&c, "KDUMP   ", 8);
    check_core(&c, sizeof(c), "compressed dump");
    memcpy(&c, "garbage!", 8);
    check_core(&c, sizeof(c), "is no core");
    unlink(core_path);
    assert_null(core_open(core_path, &f));
    assert_int_equal(f.status, EXIT_NO_TARGET);
}

/* Whatever the headers say: a source, or a sentence. */
static void test_core_noise(void **state)
{
    struct small_core c;
    struct source *src;
    struct failure f;
    uint64_t value;

    (void)state;
    srand(7);
    for (int round = 0; round < 300; round++) {
        make_core(&c);
        for (int i = rand() % 8; i >= 0; i--)
            ((unsigned char *)&c)[16 + rand() % (offsetof(struct small_core, memory) - 16)] =
                (unsigned char)rand();
        src = open_core(&c, sizeof(c), &f);
        if (!src)
            continue;
        source_read_u64(src, RAM, &value);
        source_register(src, 0, "PC", &value);
        source_close(src);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stub),       cmocka_unit_test(test_halted_before),
        cmocka_unit_test(test_bad_stubs),  cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_cut),        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_unpacking),  cmocka_unit_test(test_bad_descriptions),
        cmocka_unit_test(test_places),     cmocka_unit_test(test_mtree),
        cmocka_unit_test(test_core),       cmocka_unit_test(test_bad_cores),
        cmocka_unit_test(test_core_noise),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
