/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/elf_image.h"

#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The last file that was read: a viewer asks for the same one many times a second. */
static struct {
    char path[PATH_MAX];
    struct stat status;
    const char *const *names;
    struct elf_image image;
    struct elf_symbol symbol[ELF_SYMBOLS_MAX];
} last;

static bool is_last(const char *path, const struct stat *now, const char *const names[])
{
    const struct stat *s = &last.status;

    return last.names == names && strcmp(path, last.path) == 0 && s->st_dev == now->st_dev &&
           s->st_ino == now->st_ino && s->st_size == now->st_size &&
           s->st_mtim.tv_sec == now->st_mtim.tv_sec && s->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

/* From the first byte that is loaded to the last. */
static void read_loads(struct elf_image *image, Elf *elf)
{
    uint64_t low = UINT64_MAX, high = 0;
    GElf_Phdr head;
    size_t nr = 0;

    elf_getphdrnum(elf, &nr);
    for (size_t i = 0; i < nr; i++) {
        if (!gelf_getphdr(elf, (int)i, &head) || head.p_type != PT_LOAD)
            continue;
        low = head.p_vaddr < low ? head.p_vaddr : low;
        high = head.p_vaddr + head.p_memsz > high ? head.p_vaddr + head.p_memsz : high;
    }
    image->va = high > low ? low : 0;
    image->size = high > low ? high - low : 0;
}

static void read_notes(struct elf_image *image, Elf_Data *data, uint64_t va)
{
    size_t at = 0, next, name, desc;
    GElf_Nhdr note;

    while (data && (next = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
        if (note.n_type == NT_GNU_BUILD_ID && note.n_descsz <= ELF_BUILD_ID_MAX) {
            image->build_id_va = va + desc;
            image->build_id_size = note.n_descsz;
            memcpy(image->build_id, (const char *)data->d_buf + desc, note.n_descsz);
        }
        at = next;
    }
}

static void read_symbols(Elf *elf, Elf_Data *data, const GElf_Shdr *head, const char *const names[],
                         unsigned int nr, struct elf_symbol symbol[])
{
    for (size_t i = 0; data && i < head->sh_size / head->sh_entsize; i++) {
        const char *name;
        GElf_Sym sym;

        if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF)
            continue;
        name = elf_strptr(elf, head->sh_link, sym.st_name);
        for (unsigned int n = 0; name && n < nr; n++) {
            if (strcmp(names[n], name) == 0)
                symbol[n] = (struct elf_symbol){sym.st_value, sym.st_size};
        }
    }
}

/* Its sections; false if there is no symbol table. */
static bool read_sections(struct elf_image *image, Elf *elf, const char *const names[],
                          unsigned int nr, struct elf_symbol symbol[])
{
    Elf_Scn *section = NULL;
    bool has_symbols = false;
    GElf_Shdr head;

    while ((section = elf_nextscn(elf, section)) != NULL) {
        if (!gelf_getshdr(section, &head))
            continue;
        if (head.sh_type == SHT_NOTE && (head.sh_flags & SHF_ALLOC))
            read_notes(image, elf_getdata(section, NULL), head.sh_addr);
        if (head.sh_type != SHT_SYMTAB || !head.sh_entsize)
            continue;
        has_symbols = true;
        read_symbols(elf, elf_getdata(section, NULL), &head, names, nr, symbol);
    }
    return has_symbols;
}

/* Into last, whose names are set. */
static int read_elf(Elf *elf, const char *path, unsigned int nr, struct failure *f)
{
    GElf_Ehdr head;

    if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &head) ||
        (head.e_machine != EM_ARM && head.e_machine != EM_AARCH64))
        return failure_set(f, EXIT_NOT_UNDERSTOOD, "%s is no ELF file for Arm: no symbols", path);
    last.image.is_arm32 = head.e_machine == EM_ARM;
    read_loads(&last.image, elf);
    if (!read_sections(&last.image, elf, last.names, nr, last.symbol))
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "%s has no symbol table (it is stripped): name the file with the "
                           "symbols with --elf",
                           path);
    return 0;
}

static int read_file(const char *path, const char *const names[], unsigned int nr,
                     struct failure *f)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), ret;
    Elf *elf;

    memset(&last, 0, sizeof(last));
    if (fd < 0)
        return failure_set(f, EXIT_NOT_UNDERSTOOD, "cannot read %s: no symbols", path);
    fstat(fd, &last.status);
    elf_version(EV_CURRENT);
    elf = elf_begin(fd, ELF_C_READ, NULL);
    last.names = names;
    ret = read_elf(elf, path, nr, f);
    elf_end(elf);
    close(fd);
    if (ret)
        last.names = NULL;
    else
        snprintf(last.path, sizeof(last.path), "%s", path);
    return ret;
}

int source_read_elf(const char *path, const char *const names[], unsigned int nr,
                    struct elf_image *image, struct elf_symbol symbol[], struct failure *f)
{
    struct stat now;

    if ((stat(path, &now) != 0 || !is_last(path, &now, names)) && read_file(path, names, nr, f))
        return -1;
    *image = last.image;
    memcpy(symbol, last.symbol, nr * sizeof(*symbol));
    return 0;
}
