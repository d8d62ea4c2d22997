/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracer/symbols.h"
#include "tracer/decode.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

#define WIDE_T32 29 /* [15:11] of a halfword from here on: an instruction of two */

/* What the search is for: a name, or the address of any of its instructions. */
struct wanted {
    const char *name;
    uint64_t va;
};

/* A function of the file. */
struct function {
    struct symbol at;
    bool thumb;
};

/* The file, and the parts found so far. */
struct search {
    Elf *elf;
    bool aarch32;
    struct function part[SYMBOL_PARTS_MAX];
    unsigned int nr;
};

/* In AArch32, [0] of the value says T32. */
static struct function function_of(const struct search *s, const GElf_Sym *symbol)
{
    return (struct function){{symbol->st_value & ~UINT64_C(1), symbol->st_size},
                             s->aarch32 && (symbol->st_value & 1)};
}

static bool is_wanted(const struct wanted *w, const struct function *f, const char *name)
{
    if (w->name)
        return name && strcmp(name, w->name) == 0;
    return w->va - f->at.va < f->at.size;
}

static bool find_in(const struct search *s, Elf_Scn *section, const GElf_Shdr *header,
                    const struct wanted *w, struct function *found)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t nr = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
    GElf_Sym symbol;

    for (size_t i = 0; data && i < nr; i++) {
        if (!gelf_getsym(data, (int)i, &symbol) || GELF_ST_TYPE(symbol.st_info) != STT_FUNC)
            continue;
        *found = function_of(s, &symbol);
        if (is_wanted(w, found, elf_strptr(s->elf, header->sh_link, symbol.st_name)))
            return true;
    }
    return false;
}

static bool find(const struct search *s, const struct wanted *w, struct function *found)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    while ((section = elf_nextscn(s->elf, section))) {
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB &&
            find_in(s, section, &header, w, found))
            return found->at.size != 0;
    }
    return false;
}

/* The code of a function; NULL if the file has symbols only. */
static const uint8_t *code_of(Elf *elf, const struct symbol *s)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    while ((section = elf_nextscn(elf, section))) {
        Elf_Data *data;

        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS ||
            !(header.sh_flags & SHF_ALLOC) || s->va - header.sh_addr >= header.sh_size ||
            header.sh_size - (s->va - header.sh_addr) < s->size)
            continue;
        data = elf_rawdata(section, NULL);
        if (data && data->d_buf && data->d_size == header.sh_size)
            return (const uint8_t *)data->d_buf + (s->va - header.sh_addr);
    }
    return NULL;
}

/* Bytes of the instruction at code, of which left are there. */
static unsigned int length_at(const uint8_t *code, uint64_t left, bool thumb)
{
    unsigned int length = thumb && code[1] >> 3 < WIDE_T32 ? 2 : 4;

    return length <= left ? length : 0;
}

static struct decoded decode_at(const struct search *s, const uint8_t *code, unsigned int length,
                                bool thumb)
{
    uint32_t insn = 0;

    memcpy(&insn, code, length);
    if (thumb)
        return decode_t32(insn, length);
    return s->aarch32 ? decode_a32(insn) : decode_a64(insn);
}

static bool is_known(const struct search *s, uint64_t va)
{
    for (unsigned int i = 0; i < s->nr; i++) {
        if (va - s->part[i].at.va < s->part[i].at.size)
            return true;
    }
    return false;
}

static void reach(struct search *s, uint64_t va)
{
    const struct wanted w = {.va = va};
    struct function f;

    if (s->nr < SYMBOL_PARTS_MAX && !is_known(s, va) && find(s, &w, &f))
        s->part[s->nr++] = f;
}

/* Add what a part branches to. */
static void scan(struct search *s, struct function f)
{
    const uint8_t *code = code_of(s->elf, &f.at);
    unsigned int length;

    for (uint64_t at = 0; code && at + 2 <= f.at.size; at += length) {
        struct decoded d;

        length = length_at(code + at, f.at.size - at, f.thumb);
        if (!length)
            return;
        d = decode_at(s, code + at, length, f.thumb);
        if (d.kind == DECODED_BRANCH)
            reach(s, f.at.va + at + (uint64_t)(int64_t)d.offset);
    }
}

static unsigned int search(Elf *elf, const char *name, struct symbol parts[])
{
    const struct wanted w = {.name = name};
    struct search s = {.elf = elf};
    GElf_Ehdr header;

    s.aarch32 = gelf_getehdr(elf, &header) && header.e_machine == EM_ARM;
    if (!find(&s, &w, &s.part[0]))
        return 0;
    s.nr = 1;
    for (unsigned int i = 0; i < s.nr; i++)
        scan(&s, s.part[i]);
    for (unsigned int i = 0; i < s.nr; i++)
        parts[i] = s.part[i].at;
    return s.nr;
}

unsigned int symbol_parts(const char *path, const char *name, struct symbol parts[SYMBOL_PARTS_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    unsigned int nr = 0;
    Elf *elf = NULL;

    elf_version(EV_CURRENT);
    if (fd >= 0)
        elf = elf_begin(fd, ELF_C_READ, NULL);
    if (elf)
        nr = search(elf, name, parts);
    elf_end(elf);
    if (fd >= 0)
        close(fd);
    return nr;
}
