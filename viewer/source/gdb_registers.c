/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/gdb_registers.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REGISTERS_MAX 4096

/* The value of an attribute of the element at tag, which ends at end. */
static bool attribute(const char *tag, const char *end, const char *name, char *value, size_t size)
{
    size_t len = strlen(name);

    for (const char *at = tag; at + len + 2 < end; at++) {
        const char *from = at + len + 2, *to;

        if ((at[0] != ' ' && at[0] != '\n' && at[0] != '\t') || strncmp(at + 1, name, len) != 0 ||
            at[len + 1] != '=')
            continue;
        to = from < end && (*from == '"' || *from == '\'') ? memchr(from + 1, *from, end - from - 1)
                                                           : NULL;
        if (!to || (size_t)(to - from) > size)
            return false;
        snprintf(value, size, "%.*s", (int)(to - from - 1), from + 1);
        return true;
    }
    return false;
}

/* The next element called name from *xml on, from '<' to its end. */
static const char *next_element(const char **xml, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = *xml; (at = strchr(at, '<')) != NULL; at++) {
        const char *end = strchr(at, '>');

        if (!end)
            return NULL;
        if (strncmp(at + 1, name, len) == 0 && strchr(" \t\n/>", at[len + 1])) {
            *xml = end;
            return at;
        }
    }
    return NULL;
}

static int add(struct gdb_registers *r, const char *name, unsigned int number)
{
    if (r->nr == r->room) {
        unsigned int room = r->room ? r->room * 2 : 256;
        struct gdb_register *grown = realloc(r->reg, room * sizeof(*grown));

        if (!grown)
            return -1;
        r->reg = grown;
        r->room = room;
    }
    snprintf(r->reg[r->nr].name, sizeof(r->reg[r->nr].name), "%s", name);
    r->reg[r->nr++].number = number;
    return 0;
}

int gdb_registers_add(struct gdb_registers *r, const char *xml)
{
    char name[GDB_REGISTER_NAME_MAX], number[16];
    const char *tag;

    while (r->nr < REGISTERS_MAX && (tag = next_element(&xml, "reg")) != NULL) {
        if (attribute(tag, xml, "regnum", number, sizeof(number)))
            r->next = (unsigned int)strtoul(number, NULL, 10);
        if (attribute(tag, xml, "name", name, sizeof(name)) && add(r, name, r->next))
            return -1;
        r->next++;
    }
    return 0;
}

int gdb_registers_find(const struct gdb_registers *r, const char *name)
{
    for (unsigned int i = 0; i < r->nr; i++) {
        if (strcasecmp(r->reg[i].name, name) == 0)
            return (int)r->reg[i].number;
    }
    return -1;
}

int gdb_next_include(const char **xml, char *name, size_t size)
{
    const char *tag = next_element(xml, "xi:include");

    return tag && attribute(tag, *xml, "href", name, size);
}

void gdb_registers_free(struct gdb_registers *r)
{
    free(r->reg);
    *r = (struct gdb_registers){0};
}
