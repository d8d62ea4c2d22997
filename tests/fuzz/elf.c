/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Symbols and lines of an ELF file, and what it loads. */
#include "fuzz.h"
#include "source/elf_image.h"
#include "source/symbols.h"

/* libdw reads a few bytes too many of a broken file by itself: not ours to mend. */
const char *__asan_default_suppressions(void);
const char *__asan_default_suppressions(void)
{
    return "interceptor_via_lib:libdw\ninterceptor_via_lib:libelf\n";
}

/* Of the file that seeds.py makes. */
static const uint8_t build_id[] = {1, 2, 3, 4, 5, 6, 7, 8};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"main", "start", ""};
    const char *path = fuzz_file(data, size);
    struct elf_symbol symbol[3];
    struct elf_image image;
    struct symbols *s;
    struct failure f;
    char text[64];

    source_read_elf(path, names, 3, &image, symbol, &f);
    s = symbols_open(path, build_id, sizeof(build_id), &f);
    if (!s)
        return 0;
    for (uint64_t at = 0x400000; at < 0x400200; at += 12) {
        symbols_where(s, at, text, sizeof(text));
        symbols_at(s, at, text, 6);
        symbols_line(s, at, text, sizeof(text));
        symbols_function(s, at);
    }
    symbols_address(s, "main");
    symbols_close(s);
    return 0;
}
