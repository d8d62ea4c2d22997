/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/fdt.h"
#include "core/string.h"
#include <stddef.h>

#define FDT_MAGIC      0xd00dfeedu
#define FDT_HEADER     40
#define FDT_BEGIN_NODE 1u
#define FDT_END_NODE   2u
#define FDT_PROP       3u
#define FDT_NOP        4u

/* Words of the header. */
enum {
    H_MAGIC,
    H_TOTAL,
    H_STRUCT,
    H_STRINGS,
    H_RESERVED,
    H_VERSION,
    H_COMPATIBLE,
    H_BOOT_CPU,
    H_STRINGS_SIZE,
    H_STRUCT_SIZE
};

static uint32_t be32(const void *p)
{
    const uint8_t *b = p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint32_t header(const void *fdt, unsigned int word)
{
    return be32((const char *)fdt + (size_t)word * 4);
}

uint64_t fdt_cells(const void *p, uint32_t cells)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < cells; i++)
        value = value << 32 | be32((const char *)p + (size_t)i * 4);
    return value;
}

uint64_t fdt_check(const void *fdt, uint64_t max)
{
    uint64_t total, structure, strings;

    if (max < FDT_HEADER)
        return 0;
    total = header(fdt, H_TOTAL);
    structure = header(fdt, H_STRUCT);
    strings = header(fdt, H_STRINGS);
    if (header(fdt, H_MAGIC) != FDT_MAGIC || total < FDT_HEADER || total > max)
        return 0;
    if (header(fdt, H_VERSION) < 17 || header(fdt, H_COMPATIBLE) > 17)
        return 0;
    if (structure % 4 || structure + header(fdt, H_STRUCT_SIZE) > total)
        return 0;
    if (strings + header(fdt, H_STRINGS_SIZE) > total || header(fdt, H_RESERVED) > total)
        return 0;
    return total;
}

static const char *structure_at(const void *fdt, uint32_t offset)
{
    return (const char *)fdt + header(fdt, H_STRUCT) + offset;
}

/* Do `bytes` at offset lie in the structure block? */
static bool structure_has(const void *fdt, uint32_t offset, uint64_t bytes)
{
    return offset + bytes <= header(fdt, H_STRUCT_SIZE);
}

/* Length of a string at p, NUL not counted; limit if it does not end before. */
static uint32_t bounded_length(const char *p, uint32_t limit)
{
    uint32_t n = 0;

    while (n < limit && p[n])
        n++;
    return n;
}

static uint32_t align4(uint32_t n)
{
    return (n + 3) & ~3u;
}

/* Offset behind the token at offset, 0 at the end or if it is broken. */
static uint32_t token_skip(const void *fdt, uint32_t offset)
{
    uint32_t size = header(fdt, H_STRUCT_SIZE), left, length;

    if (!structure_has(fdt, offset, 4))
        return 0;
    left = size - offset - 4;
    switch (be32(structure_at(fdt, offset))) {
    case FDT_BEGIN_NODE:
        length = bounded_length(structure_at(fdt, offset + 4), left);
        return length < left ? offset + 4 + align4(length + 1) : 0;
    case FDT_PROP:
        if (left < 8)
            return 0;
        length = be32(structure_at(fdt, offset + 4));
        return length <= left - 8 ? offset + 12 + align4(length) : 0;
    case FDT_END_NODE:
    case FDT_NOP:
        return offset + 4;
    default:
        return 0;
    }
}

/* From offset on, the next FDT_BEGIN_NODE; depth is kept. */
static bool seek_node(const void *fdt, uint32_t offset, uint32_t depth, struct fdt_node *node)
{
    for (; offset && structure_has(fdt, offset, 4); offset = token_skip(fdt, offset)) {
        uint32_t token = be32(structure_at(fdt, offset));

        if (token == FDT_BEGIN_NODE) {
            *node = (struct fdt_node){offset, depth};
            return token_skip(fdt, offset) != 0;
        }
        if (token == FDT_END_NODE && depth-- == 0)
            return false;
    }
    return false;
}

bool fdt_root(const void *fdt, struct fdt_node *node)
{
    *node = (struct fdt_node){0, 0};
    return structure_has(fdt, 0, 4) && be32(structure_at(fdt, 0)) == FDT_BEGIN_NODE &&
           token_skip(fdt, 0);
}

bool fdt_next(const void *fdt, struct fdt_node *node)
{
    return seek_node(fdt, token_skip(fdt, node->offset), node->depth + 1, node);
}

const char *fdt_name(const void *fdt, struct fdt_node node)
{
    return token_skip(fdt, node.offset) ? structure_at(fdt, node.offset + 4) : NULL;
}

static bool property_is(const void *fdt, uint32_t offset, const char *name)
{
    uint32_t at = be32(structure_at(fdt, offset + 8)), size = header(fdt, H_STRINGS_SIZE);
    const char *s = (const char *)fdt + header(fdt, H_STRINGS) + at;

    return at < size && bounded_length(s, size - at) < size - at && strcmp(s, name) == 0;
}

const void *fdt_property(const void *fdt, struct fdt_node node, const char *name, uint32_t *length)
{
    uint32_t next, offset = token_skip(fdt, node.offset);

    for (; offset; offset = next) {
        uint32_t token;

        next = token_skip(fdt, offset);
        token = next ? be32(structure_at(fdt, offset)) : 0;
        if (token == FDT_PROP && property_is(fdt, offset, name)) {
            *length = be32(structure_at(fdt, offset + 4));
            return structure_at(fdt, offset + 12);
        }
        if (token != FDT_PROP && token != FDT_NOP)
            break;
    }
    return NULL;
}

bool fdt_find(const void *fdt, const char *path, struct fdt_node *node)
{
    size_t n = strlen(path + 1);

    if (!fdt_root(fdt, node))
        return false;
    while (fdt_next(fdt, node)) {
        const char *name = fdt_name(fdt, *node);

        /* Up to the NUL at the latest. */
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
        if (node->depth == 1 && name && strncmp(name, path + 1, n) == 0 &&
            (name[n] == '\0' || name[n] == '@'))
            return true;
    }
    return false;
}

/* A property whose value is a string: it must end inside the value. */
static const char *string_property(const void *fdt, struct fdt_node node, const char *name)
{
    uint32_t length;
    const char *value = fdt_property(fdt, node, name, &length);

    return value && bounded_length(value, length) < length ? value : NULL;
}

const char *fdt_string(const void *fdt, const char *path, const char *name)
{
    struct fdt_node node;

    return fdt_find(fdt, path, &node) ? string_property(fdt, node, name) : NULL;
}

/* A property of one cell; otherwise what the specification says it defaults to. */
static uint32_t cell_property(const void *fdt, struct fdt_node node, const char *name,
                              uint32_t otherwise)
{
    uint32_t length;
    const void *value = fdt_property(fdt, node, name, &length);

    return value && length == 4 ? be32(value) : otherwise;
}

/* #address-cells and #size-cells of a node, for its children. */
static bool cells_of(const void *fdt, struct fdt_node node, uint32_t *address, uint32_t *size)
{
    *address = cell_property(fdt, node, "#address-cells", 2);
    *size = cell_property(fdt, node, "#size-cells", 1);
    return *address >= 1 && *address <= 2 && *size <= 2;
}

static bool node_is(const void *fdt, struct fdt_node node, const char *property, const char *value)
{
    const char *s = string_property(fdt, node, property);

    return s && strcmp(s, value) == 0;
}

/* How the "reg" of the root's children is made up. */
struct reg_shape {
    uint32_t address; /* cells */
    uint32_t size;
    uint32_t bytes; /* of a pair */
};

static bool reg_shape(const void *fdt, struct fdt_node *root, struct reg_shape *shape)
{
    if (!fdt_root(fdt, root) || !cells_of(fdt, *root, &shape->address, &shape->size))
        return false;
    shape->bytes = (shape->address + shape->size) * 4;
    return true;
}

/* The *n-th pair of a node; else *n is less by as many as it has. */
static bool reg_pair(const void *fdt, struct fdt_node node, const struct reg_shape *shape,
                     unsigned int *n, uint64_t *base, uint64_t *size)
{
    uint32_t bytes;
    const char *reg = fdt_property(fdt, node, "reg", &bytes);
    unsigned int pairs = reg ? bytes / shape->bytes : 0;

    if (*n >= pairs) {
        *n -= pairs;
        return false;
    }
    *base = fdt_cells(reg + (size_t)*n * shape->bytes, shape->address);
    *size = fdt_cells(reg + (size_t)*n * shape->bytes + (size_t)shape->address * 4, shape->size);
    return true;
}

/* The n-th pair of all top-level nodes whose property has that value. */
static bool find_pair(const void *fdt, const char *property, const char *value, unsigned int n,
                      uint64_t *base, uint64_t *size)
{
    struct reg_shape shape;
    struct fdt_node node;

    if (!reg_shape(fdt, &node, &shape))
        return false;
    while (fdt_next(fdt, &node)) {
        if (node.depth == 1 && node_is(fdt, node, property, value) &&
            reg_pair(fdt, node, &shape, &n, base, size))
            return true;
    }
    return false;
}

bool fdt_find_reg(const void *fdt, const char *compatible, unsigned int n, uint64_t *base,
                  uint64_t *size)
{
    return find_pair(fdt, "compatible", compatible, n, base, size);
}

bool fdt_find_uart(const void *fdt, uint64_t *pa)
{
    uint64_t size;

    return fdt_find_reg(fdt, "arm,pl011", 0, pa, &size);
}

bool fdt_reg(const void *fdt, const char *device_type, unsigned int n, uint64_t *base,
             uint64_t *size)
{
    return find_pair(fdt, "device_type", device_type, n, base, size);
}

bool fdt_reserved(const void *fdt, unsigned int n, uint64_t *base, uint64_t *size)
{
    uint64_t at = header(fdt, H_RESERVED) + UINT64_C(16) * n;

    if (at + 16 > header(fdt, H_TOTAL))
        return false;
    *base = fdt_cells((const char *)fdt + at, 2);
    *size = fdt_cells((const char *)fdt + at + 8, 2);
    return *base || *size;
}

bool fdt_cpu(const void *fdt, unsigned int n, uint64_t *mpidr)
{
    struct fdt_node node;
    uint32_t address, size, length;

    if (!fdt_find(fdt, "/cpus", &node) || !cells_of(fdt, node, &address, &size))
        return false;
    while (fdt_next(fdt, &node) && node.depth > 1) {
        const void *reg = fdt_property(fdt, node, "reg", &length);

        if (node.depth != 2 || !node_is(fdt, node, "device_type", "cpu") || !reg ||
            length < address * 4)
            continue;
        if (n-- == 0) {
            *mpidr = fdt_cells(reg, address);
            return true;
        }
    }
    return false;
}
