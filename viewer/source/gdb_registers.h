/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which number a register has: the target description of a gdb stub.
 */
#ifndef VIEWER_SOURCE_GDB_REGISTERS_H
#define VIEWER_SOURCE_GDB_REGISTERS_H

#include <stddef.h>

#define GDB_REGISTER_NAME_MAX 40

struct gdb_register {
    char name[GDB_REGISTER_NAME_MAX];
    unsigned int number;
};

struct gdb_registers {
    unsigned int nr, room;
    struct gdb_register *reg;
    unsigned int next; /* number of the next one that tells none */
};

/* Take in one file of it; its <reg> in order. 0, or -1 if memory is short. */
int gdb_registers_add(struct gdb_registers *r, const char *xml);

/* Number of the register called name, whatever its case; -1 if there is none such. */
int gdb_registers_find(const struct gdb_registers *r, const char *name);

/*
 * The value of attribute href of the next <xi:include> from *xml on, which is
 * moved behind it. 1, or 0 if there is none.
 */
int gdb_next_include(const char **xml, char *name, size_t size);

void gdb_registers_free(struct gdb_registers *r);

#endif /* VIEWER_SOURCE_GDB_REGISTERS_H */
