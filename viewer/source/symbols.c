/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/symbols.h"

#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALL_BYTES 4 /* a return address lies behind the call */

struct function {
    uint64_t start, end;
    char *name;
};

struct line {
    uint64_t address;
    int number; /* 0: nothing is known from here on */
    char *file; /* shared by many lines */
};

struct symbols {
    unsigned int nr_functions, nr_lines, nr_files;
    struct function *function; /* ascending */
    struct line *line;         /* ascending */
    char **file;
};

static int compare_functions(const void *a, const void *b)
{
    const struct function *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return (x->number != 0) - (y->number != 0);
}

/* Room for one more in an array of nr elements of that size; NULL if there is none. */
static void *grow(void *array, unsigned int nr, size_t size)
{
    return nr & (nr - 1) ? array : realloc(array, (nr ? nr * 2 : 1) * size);
}

static void add_function(struct symbols *s, const GElf_Sym *sym, const char *name)
{
    struct function *grown;

    if (GELF_ST_TYPE(sym->st_info) != STT_FUNC || !sym->st_value || !name || !*name)
        return;
    grown = grow(s->function, s->nr_functions, sizeof(*grown));
    if (!grown)
        return;
    s->function = grown;
    grown[s->nr_functions++] = (struct function){
        sym->st_value, sym->st_value + (sym->st_size ? sym->st_size : 4), strdup(name)};
}

static void read_functions(struct symbols *s, Elf *elf)
{
    Elf_Scn *section = NULL;
    GElf_Shdr head;

    while ((section = elf_nextscn(elf, section)) != NULL) {
        Elf_Data *data;

        if (!gelf_getshdr(section, &head) || head.sh_type != SHT_SYMTAB || !head.sh_entsize)
            continue;
        data = elf_getdata(section, NULL);
        for (size_t i = 0; data && i < head.sh_size / head.sh_entsize; i++) {
            GElf_Sym sym;

            if (gelf_getsym(data, (int)i, &sym))
                add_function(s, &sym, elf_strptr(elf, head.sh_link, sym.st_name));
        }
    }
    if (s->nr_functions)
        qsort(s->function, s->nr_functions, sizeof(*s->function), compare_functions);
}

/* One copy of a name; the directory is left out. */
static char *keep_file(struct symbols *s, const char *path)
{
    const char *name = path && strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char **grown;

    if (!name)
        return NULL;
    for (unsigned int i = s->nr_files; i > 0; i--) {
        if (strcmp(s->file[i - 1], name) == 0)
            return s->file[i - 1];
    }
    grown = grow(s->file, s->nr_files, sizeof(*grown));
    if (!grown)
        return NULL;
    s->file = grown;
    grown[s->nr_files] = strdup(name);
    return grown[s->nr_files] ? grown[s->nr_files++] : NULL;
}

static void add_line(struct symbols *s, Dwarf_Line *from)
{
    struct line *grown = grow(s->line, s->nr_lines, sizeof(*grown));
    Dwarf_Addr address;
    bool end = false;
    int number = 0;

    if (!grown)
        return;
    s->line = grown;
    if (dwarf_lineaddr(from, &address) != 0 || dwarf_lineno(from, &number) != 0)
        return;
    dwarf_lineendsequence(from, &end);
    grown[s->nr_lines++] =
        (struct line){address, end ? 0 : number, keep_file(s, dwarf_linesrc(from, NULL, NULL))};
}

static void read_lines(struct symbols *s, Dwarf *dwarf)
{
    Dwarf_Off at = 0, next;
    size_t head;

    while (dwarf_nextcu(dwarf, at, &next, &head, NULL, NULL, NULL) == 0) {
        Dwarf_Die die;
        Dwarf_Lines *lines;
        size_t n;

        if (dwarf_offdie(dwarf, at + head, &die) && dwarf_getsrclines(&die, &lines, &n) == 0) {
            for (size_t i = 0; i < n; i++)
                add_line(s, dwarf_onesrcline(lines, i));
        }
        at = next;
    }
    if (s->nr_lines)
        qsort(s->line, s->nr_lines, sizeof(*s->line), compare_lines);
}

static bool is_build_id(Elf_Data *data, const uint8_t *build_id, size_t size)
{
    size_t at = 0, next, name, desc;
    GElf_Nhdr note;

    while ((next = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
        if (note.n_type == NT_GNU_BUILD_ID && note.n_descsz == size &&
            memcmp((const char *)data->d_buf + desc, build_id, size) == 0)
            return true;
        at = next;
    }
    return false;
}

static bool matches(Elf *elf, const uint8_t *build_id, size_t size)
{
    Elf_Scn *section = NULL;
    GElf_Shdr head;

    while ((section = elf_nextscn(elf, section)) != NULL) {
        Elf_Data *data;

        if (!gelf_getshdr(section, &head) || head.sh_type != SHT_NOTE)
            continue;
        data = elf_getdata(section, NULL);
        if (data && is_build_id(data, build_id, size))
            return true;
    }
    return false;
}

static int load(struct symbols *s, const char *path, Elf *elf, const uint8_t *build_id,
                size_t build_id_size, struct failure *f)
{
    Dwarf *dwarf;

    if (!elf || elf_kind(elf) != ELF_K_ELF)
        return failure_set(f, EXIT_NOT_UNDERSTOOD, "no symbols: no ELF file: %s", path);
    if (!matches(elf, build_id, build_id_size))
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "no symbols: of another build than the image that runs: %s", path);
    read_functions(s, elf);
    dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
    if (dwarf)
        read_lines(s, dwarf);
    dwarf_end(dwarf);
    return 0;
}

struct symbols *symbols_open(const char *path, const uint8_t *build_id, size_t build_id_size,
                             struct failure *f)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), ret;
    struct symbols *s = calloc(1, sizeof(*s));
    Elf *elf;

    if (fd < 0 || !s) {
        failure_set(f, EXIT_NOT_UNDERSTOOD, "no symbols: cannot read %s", path);
        if (fd >= 0)
            close(fd);
        free(s);
        return NULL;
    }
    elf_version(EV_CURRENT);
    elf = elf_begin(fd, ELF_C_READ, NULL);
    ret = load(s, path, elf, build_id, build_id_size, f);
    elf_end(elf);
    close(fd);
    if (ret) {
        symbols_close(s);
        return NULL;
    }
    return s;
}

void symbols_close(struct symbols *s)
{
    if (!s)
        return;
    for (unsigned int i = 0; i < s->nr_functions; i++)
        free(s->function[i].name);
    for (unsigned int i = 0; i < s->nr_files; i++)
        free(s->file[i]);
    free(s->function);
    free(s->line);
    free(s->file);
    free(s);
}

/* The function that holds address; several may begin there, the first is as good. */
static const struct function *find_function(const struct symbols *s, uint64_t address)
{
    unsigned int low = 0, high = s ? s->nr_functions : 0;

    while (low < high) {
        unsigned int middle = (low + high) / 2;

        if (s->function[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low && address < s->function[low - 1].end ? &s->function[low - 1] : NULL;
}

/* By the call: what follows it may be another function already. */
void symbols_where(const struct symbols *s, uint64_t address, char *buf, size_t size)
{
    const struct function *function = find_function(s, address - CALL_BYTES);

    buf[0] = '\0';
    if (function && function->name)
        snprintf(buf, size, "%s+0x%llx", function->name,
                 (unsigned long long)(address - function->start));
}

void symbols_at(const struct symbols *s, uint64_t address, char *buf, size_t size)
{
    const struct function *function = find_function(s, address);

    buf[0] = '\0';
    if (!function || !function->name)
        return;
    if (address == function->start)
        snprintf(buf, size, "%s", function->name);
    else
        snprintf(buf, size, "%s+0x%llx", function->name,
                 (unsigned long long)(address - function->start));
}

const char *symbols_function(const struct symbols *s, uint64_t address)
{
    const struct function *function = find_function(s, address - CALL_BYTES);

    return function ? function->name : NULL;
}

void symbols_line(const struct symbols *s, uint64_t address, char *buf, size_t size)
{
    unsigned int low = 0, high = s ? s->nr_lines : 0;

    buf[0] = '\0';
    while (low < high) {
        unsigned int middle = (low + high) / 2;

        if (s->line[middle].address <= address - CALL_BYTES)
            low = middle + 1;
        else
            high = middle;
    }
    if (low && s->line[low - 1].number && s->line[low - 1].file)
        snprintf(buf, size, "%s:%d", s->line[low - 1].file, s->line[low - 1].number);
}

uint64_t symbols_address(const struct symbols *s, const char *name)
{
    for (unsigned int i = 0; s && i < s->nr_functions; i++) {
        if (s->function[i].name && strcmp(s->function[i].name, name) == 0)
            return s->function[i].start;
    }
    return 0;
}
