/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/json.h"

#include <inttypes.h>

const char *boolean_text(bool value)
{
    return value ? "true" : "false";
}

void put_hex(FILE *out, const char *key, bool known, uint64_t value)
{
    if (known)
        fprintf(out, ",\"%s\":\"0x%" PRIx64 "\"", key, value);
    else
        fprintf(out, ",\"%s\":null", key);
}

void put_number(FILE *out, const char *key, bool known, uint64_t value)
{
    if (known)
        fprintf(out, ",\"%s\":%" PRIu64, key, value);
    else
        fprintf(out, ",\"%s\":null", key);
}

void put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

void put_string(FILE *out, const char *key, const char *value)
{
    fprintf(out, ",\"%s\":", key);
    if (value)
        put_text(out, value);
    else
        fputs("null", out);
}
