/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/places.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PSTATE_EL_SHIFT 2
#define PSTATE_EL_MASK  3

void place_scan_begin(struct place_scan *s, struct places *places)
{
    *places = (struct places){0};
    *s = (struct place_scan){.places = places, .cpu = -1};
}

/* The number behind a prefix that word must have; false if it is another word. */
static bool number_behind(const char *word, const char *prefix, int base, uint64_t *value)
{
    size_t len = strlen(prefix);
    char *end;

    if (strncmp(word, prefix, len) != 0 || !isxdigit((unsigned char)word[len]))
        return false;
    *value = strtoull(word + len, &end, base);
    return *end == '\0';
}

/* "CPU#1", " PC=0000a00002062a0", "PSTATE=600003c9": in this order for each CPU. */
static void take_word(struct place_scan *s)
{
    struct places *p = s->places;
    uint64_t value;

    s->word[s->len] = '\0';
    s->len = 0;
    if (number_behind(s->word, "CPU#", 10, &value)) {
        s->cpu = value < PLACES_MAX ? (int)value : -1;
        s->has_pc = false;
        if (s->cpu >= (int)p->nr)
            p->nr = (unsigned int)s->cpu + 1;
    } else if (number_behind(s->word, "PC=", 16, &value)) {
        s->pc = value;
        s->has_pc = true;
    } else if (s->cpu >= 0 && s->has_pc && number_behind(s->word, "PSTATE=", 16, &value)) {
        p->cpu[s->cpu] = (struct cpu_place){
            true, (unsigned int)(value >> PSTATE_EL_SHIFT & PSTATE_EL_MASK), s->pc};
    }
}

void place_scan_add(struct place_scan *s, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (s->escaped) {
            s->escaped = false;
        } else if (c == '\\') {
            s->escaped = true;
            take_word(s);
        } else if (c <= ' ' || c == '"') {
            take_word(s);
        } else if (s->len + 1 < sizeof(s->word)) {
            s->word[s->len++] = (char)c;
        }
    }
}
