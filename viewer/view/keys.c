/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/keys.h"

#include "view/words.h"

#include <string.h>

#define KEYS_MAX  64 /* characters of the keys of one action */
#define NAME_COLS 7  /* of the help */

static struct key_row rows[] = {
/* NOLINTBEGIN(bugprone-macro-parentheses): members of an initializer, strings and flags */
#define KEY(act, key_name, key_label, key_help, key_names)                                         \
    {.action = ACTION_##act,                                                                       \
     .word = #act,                                                                                 \
     .name = key_name,                                                                             \
     .label = key_label,                                                                           \
     .help = key_help,                                                                             \
     .keys = key_names},
/* NOLINTEND(bugprone-macro-parentheses) */
#include "view/keys.def"
#undef KEY
};

/* Keys that are more than their character. */
static const struct {
    const char *name;
    int code;
} named[] = {
    {"Space", ' '},
    {"Tab", '\t'},
    {"Shift-Tab", UI_KEY_BACKTAB},
    {"Enter", UI_KEY_ENTER},
    {"Esc", UI_KEY_ESC},
    {"Backspace", UI_KEY_BACKSPACE},
    {"Left", UI_KEY_LEFT},
    {"Right", UI_KEY_RIGHT},
    {"Up", UI_KEY_UP},
    {"Down", UI_KEY_DOWN},
    {"PgUp", UI_KEY_PAGE_UP},
    {"PgDn", UI_KEY_PAGE_DOWN},
    {"Home", UI_KEY_HOME},
    {"End", UI_KEY_END},
    {"F1", UI_KEY_F1},
    {"F2", UI_KEY_F2},
    {"F3", UI_KEY_F3},
    {"F4", UI_KEY_F4},
    {"F5", UI_KEY_F5},
    {"F6", UI_KEY_F6},
    {"F7", UI_KEY_F7},
    {"F8", UI_KEY_F8},
    {"F9", UI_KEY_F9},
    {"F10", UI_KEY_F10},
    {"F11", UI_KEY_F11},
    {"F12", UI_KEY_F12},
    {"Digit", UI_KEY_DIGIT},
    {"Mouse", UI_KEY_MOUSE},
};

#define NR_NAMED (sizeof(named) / sizeof(named[0]))

/* 0: there is no such key. */
static int code_of(const char *name)
{
    for (size_t i = 0; i < NR_NAMED; i++) {
        if (strcmp(name, named[i].name) == 0)
            return named[i].code;
    }
    if (name[0] == '^' && name[1] >= 'A' && name[1] <= 'Z' && !name[2])
        return CTRL(name[1]);
    return name[0] > ' ' && name[0] < 0x7f && !name[1] ? name[0] : 0;
}

static void name_of(int code, char name[KEY_TEXT_MAX])
{
    for (size_t i = 0; i < NR_NAMED; i++) {
        if (named[i].code == code) {
            snprintf(name, KEY_TEXT_MAX, "%s", named[i].name);
            return;
        }
    }
    snprintf(name, KEY_TEXT_MAX, code < ' ' ? "^%c" : "%c", code < ' ' ? code + '@' : code);
}

static bool is_fixed(int code)
{
    return code == UI_KEY_DIGIT || code == UI_KEY_MOUSE || (code >= '0' && code <= '9');
}

/* Never reaches us: it interrupts, or holds the output. */
static bool is_terminals(int code)
{
    return code == CTRL('C') || code == CTRL('Q') || code == CTRL('S');
}

/* 0 behind the last; NULL, or what is wrong. "none": no key at all. */
static const char *parse_keys(const char *keys, int codes[KEY_CODES_MAX + 1])
{
    char copy[KEYS_MAX], *rest = copy, *word;
    int nr = 0;

    snprintf(copy, sizeof(copy), "%s", keys);
    memset(codes, 0, sizeof(int) * (KEY_CODES_MAX + 1));
    while ((word = word_next(&rest)) != NULL && strcmp(word, "none") != 0) {
        if (nr == KEY_CODES_MAX)
            return "an action has at most four keys";
        codes[nr] = code_of(word);
        if (!codes[nr++])
            return "there is no such key: they are called a, A, ?, ^A, F1 to F12, Space, Enter, "
                   "Tab, Esc, Left, PgUp";
    }
    return NULL;
}

static void load(void)
{
    static bool loaded;

    for (int i = 0; i < KEY_ROWS && !loaded; i++)
        parse_keys(rows[i].keys, rows[i].codes);
    loaded = true;
}

const struct key_row *key_rows(void)
{
    load();
    return rows;
}

enum action key_action(int code)
{
    load();
    if (code >= '0' && code <= '9')
        code = UI_KEY_DIGIT;
    if (code == '\n' || code == '\r')
        code = UI_KEY_ENTER;
    for (int row = 0; row < KEY_ROWS; row++) {
        for (const int *c = rows[row].codes; *c; c++) {
            if (*c == code)
                return rows[row].action;
        }
    }
    return ACTION_NONE;
}

/* A key does one thing. */
static void take_away(int code)
{
    for (int i = 0; i < KEY_ROWS; i++) {
        int *to = rows[i].codes;

        for (const int *from = rows[i].codes; *from; from++) {
            if (*from != code)
                *to++ = *from;
            else
                rows[i].changed = true;
        }
        *to = 0;
    }
}

const char *key_bind(const char *action, const char *keys)
{
    int codes[KEY_CODES_MAX + 1];
    struct key_row *row = rows;
    const char *wrong = parse_keys(keys, codes);

    load();
    if (wrong)
        return wrong;
    while (row < rows + KEY_ROWS && !word_is(action, row->word))
        row++;
    if (row == rows + KEY_ROWS)
        return "there is no such action: `hvscope config` lists them";
    if (memcmp(codes, row->codes, sizeof(codes)) == 0)
        return NULL;
    if (is_fixed(row->codes[0]))
        return "digits and the mouse are what they are";
    for (const int *code = codes; *code; code++) {
        if (is_fixed(*code))
            return "digits and the mouse are what they are";
        if (is_terminals(*code))
            return "the terminal keeps ^C, ^Q and ^S for itself";
    }
    for (const int *code = codes; *code; code++)
        take_away(*code);
    memcpy(row->codes, codes, sizeof(codes));
    row->changed = true;
    return NULL;
}

static bool group_changed(const struct key_row *row)
{
    bool changed = row->changed;

    while (++row < rows + KEY_ROWS && !row->name[0])
        changed |= row->changed;
    return changed;
}

void key_group_name(const struct key_row *row, char name[KEY_TEXT_MAX])
{
    const struct key_row *first = row;
    size_t len = 0;

    snprintf(name, KEY_TEXT_MAX, "%s", row->name);
    if (!group_changed(row))
        return;
    name[0] = '\0';
    do {
        char one[KEY_TEXT_MAX];

        if (!row->codes[0])
            continue;
        name_of(row->codes[0], one);
        if (len + strlen(one) + (len > 0) > NAME_COLS)
            return;
        len += (size_t)snprintf(name + len, KEY_TEXT_MAX - len, "%s%s", len ? " " : "", one);
    } while (++row < rows + KEY_ROWS && !row->name[0] && first->name[0]);
}

void key_group_help(const struct key_row *row, char *help, size_t size)
{
    const char *keys = strstr(row->help, " (");
    size_t len = keys && group_changed(row) ? (size_t)(keys - row->help) : strlen(row->help);

    snprintf(help, size, "%.*s", (int)len, row->help);
}

void key_print(FILE *out)
{
    load();
    for (int i = 0; i < KEY_ROWS; i++) {
        char word[KEYS_MAX], name[KEY_TEXT_MAX];

        if (is_fixed(rows[i].codes[0]))
            continue;
        word_of(rows[i].word, word, sizeof(word));
        fprintf(out, "key %s%s", word, rows[i].codes[0] ? "" : " none");
        for (const int *code = rows[i].codes; *code; code++) {
            name_of(*code, name);
            fprintf(out, " %s", name);
        }
        fputc('\n', out);
    }
}
