/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracer/symbols.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

static bool find_in(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, const char *name,
                    GElf_Sym *symbol)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t nr = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;

    for (size_t i = 0; data && i < nr; i++) {
        const char *found;

        if (!gelf_getsym(data, (int)i, symbol))
            continue;
        found = elf_strptr(elf, header->sh_link, symbol->st_name);
        if (found && GELF_ST_TYPE(symbol->st_info) == STT_FUNC && strcmp(found, name) == 0)
            return true;
    }
    return false;
}

static bool find(Elf *elf, const char *name, GElf_Sym *symbol)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    while ((section = elf_nextscn(elf, section))) {
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB &&
            find_in(elf, section, &header, name, symbol))
            return true;
    }
    return false;
}

bool symbol_find(const char *path, const char *name, uint64_t *value, uint64_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    GElf_Sym symbol = {0};
    Elf *elf = NULL;
    bool found;

    elf_version(EV_CURRENT);
    if (fd >= 0)
        elf = elf_begin(fd, ELF_C_READ, NULL);
    found = elf && find(elf, name, &symbol) && symbol.st_size;
    *value = symbol.st_value & ~UINT64_C(1); /* [0]: T32 code */
    *size = symbol.st_size;
    elf_end(elf);
    if (fd >= 0)
        close(fd);
    return found;
}
