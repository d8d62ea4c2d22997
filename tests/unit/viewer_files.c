/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files: symbols, recordings that cannot be right, disks that are full.
 */
#include "source/crc.h"
#include "source/ram.h"
#include "source/recording.h"
#include "source/symbols.h"

#include <fcntl.h>
#include <gelf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char file_path[] = "/tmp/hvscope-file-XXXXXX";

static const struct failure no_failure;

static void make_file(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

/* This program itself has functions, lines and a build ID. */
static const uint8_t *own_build_id(size_t *size)
{
    static uint8_t id[64];
    int fd = open("/proc/self/exe", O_RDONLY);
    size_t at = 0, next, name, desc;
    Elf_Scn *section = NULL;
    GElf_Shdr head;
    GElf_Nhdr note;
    Elf *elf;

    *size = 0;
    elf_version(EV_CURRENT);
    elf = elf_begin(fd, ELF_C_READ, NULL);
    while (!*size && (section = elf_nextscn(elf, section)) != NULL) {
        Elf_Data *data = elf_getdata(section, NULL);

        if (!gelf_getshdr(section, &head) || head.sh_type != SHT_NOTE)
            continue;
        for (at = 0; (next = gelf_getnote(data, at, &note, &name, &desc)) > 0; at = next) {
            if (note.n_type == NT_GNU_BUILD_ID && note.n_descsz <= sizeof(id)) {
                *size = note.n_descsz;
                memcpy(id, (const char *)data->d_buf + desc, *size);
            }
        }
    }
    elf_end(elf);
    close(fd);
    return id;
}

static void test_symbols(void **state)
{
    size_t size;
    const uint8_t *id = own_build_id(&size);
    struct failure f = no_failure;
    struct symbols *s;
    char text[64];
    uint64_t at;

    (void)state;
    if (!size)
        skip();
    s = symbols_open("/proc/self/exe", id, size, &f);
    if (!s)
        fail_msg("%s", f.text);
    at = symbols_address(s, "test_symbols");
    assert_true(at);
    symbols_at(s, at, text, sizeof(text));
    assert_string_equal(text, "test_symbols");
    symbols_at(s, at + 8, text, sizeof(text));
    assert_string_equal(text, "test_symbols+0x8");
    symbols_where(s, at + 8, text, sizeof(text));
    assert_string_equal(text, "test_symbols+0x8");
    assert_string_equal(symbols_function(s, at + 8), "test_symbols");
    symbols_line(s, at + 4, text, sizeof(text));
    assert_memory_equal(text, "viewer_files.c:", 15);
    symbols_at(s, 1, text, sizeof(text));
    assert_string_equal(text, "");
    symbols_where(s, 1, text, sizeof(text));
    assert_string_equal(text, "");
    symbols_line(s, 4, text, sizeof(text));
    assert_string_equal(text, "");
    assert_null(symbols_function(s, 4));
    assert_int_equal(symbols_address(s, "no such function"), 0);
    symbols_close(s);
    symbols_close(NULL);
    assert_null(symbols_open("/proc/self/exe", id, size - 1, &f));
    assert_non_null(strstr(f.text, "of another build than the image"));
    assert_null(symbols_open("/dev/null", id, size, &f));
    assert_non_null(strstr(f.text, "no ELF file"));
    assert_null(symbols_open("/nonexistent", id, size, &f));
    assert_non_null(strstr(f.text, "cannot read"));
}

/* A disk that is full: what was written before stays whole. */
static void test_disk_full(void **state)
{
    struct recording_header header = {.base = RAM_BASE};
    struct frame_head about = {.time = 1, .word = "running"};
    struct page_set now = {0};
    struct failure f = no_failure;
    struct recorder r;

    (void)state;
    assert_int_equal(recorder_open(&r, "/dev/full", 0, &header, &f), -1);
    assert_non_null(strstr(f.text, "cannot write to /dev/full: No space left"));
    assert_int_equal(recorder_open(&r, "/nonexistent/file", 0, &header, &f), -1);
    assert_non_null(page_add(&now, RAM_BASE));
    assert_int_equal(recorder_open(&r, file_path, 0, &header, &f), 0);
    assert_int_equal(recorder_add(&r, &now, true, &about, &f), 0);
    close(r.fd);
    r.fd = open("/dev/full", O_WRONLY);
    assert_int_equal(recorder_add(&r, &now, true, &about, &f), -1);
    assert_int_equal(f.status, EXIT_USAGE);
    close(r.fd);
    assert_int_equal(recorder_close(&r, &f), -1);
    page_set_free(&now);
}

/* Sound to the checksum, and wrong all the same. */
static void check_frame(uint64_t pa, uint32_t length, size_t bytes, const char *part)
{
    struct {
        struct recording_header header;
        struct frame_head frame;
        struct piece_head piece;
        char data[32];
    } file = {.header = {RECORDING_MAGIC, RECORDING_VERSION, sizeof(file.header), RAM_BASE},
              .frame = {.magic = FRAME_MAGIC, .key = 1, .length = (uint32_t)bytes},
              .piece = {.pa = pa, .length = length}};
    struct failure f = no_failure;
    struct source *src;

    file.frame.crc = crc32_add(0, &file.frame, sizeof(file.frame) + bytes);
    make_file(file_path, (const char *)&file, sizeof(file.header) + sizeof(file.frame) + bytes);
    src = recording_open(file_path, &f);
    assert_int_equal(src == NULL, part != NULL);
    if (part && !strstr(f.text, part))
        fail_msg("%s", f.text);
    source_close(src);
}

static void test_bad_recordings(void **state)
{
    struct recording_header header = {.magic = RECORDING_MAGIC, .version = 99};
    struct failure f;

    (void)state;
    check_frame(RAM_BASE, 16, sizeof(struct piece_head) + 16, NULL);
    check_frame(RAM_BASE + 4, 16, sizeof(struct piece_head) + 16, "no whole frame");
    check_frame(RAM_BASE, 12, sizeof(struct piece_head) + 12, "no whole frame");
    check_frame(RAM_BASE + 4088, 16, sizeof(struct piece_head) + 16, "no whole frame");
    check_frame(RAM_BASE, 24, sizeof(struct piece_head) + 16, "no whole frame");
    check_frame(RAM_BASE, 8, 8, "no whole frame");
    make_file(file_path, (const char *)&header, sizeof(header));
    assert_null(recording_open(file_path, &f));
    assert_non_null(strstr(f.text, "has version 99"));
    header.magic = 1;
    make_file(file_path, (const char *)&header, sizeof(header));
    assert_null(recording_open(file_path, &f));
    assert_non_null(strstr(f.text, "is no recording"));
    assert_null(recording_open("/tmp", &f));
    assert_non_null(strstr(f.text, "is no recording"));
}

static int make_path(void **state)
{
    int fd = mkstemp(file_path);

    (void)state;
    close(fd);
    return fd < 0;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(file_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_bad_recordings),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
