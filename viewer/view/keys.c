/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/keys.h"

const struct key_row key_table[] = {
#define KEY(act, key_name, key_label, key_help, ...)                                               \
    {.action = ACTION_##act,                                                                       \
     .name = key_name,                                                                             \
     .label = key_label,                                                                           \
     .help = key_help,                                                                             \
     .codes = {__VA_ARGS__}},
#include "view/keys.def"
#undef KEY
};

enum action key_action(int code)
{
    if (code >= '0' && code <= '9')
        code = UI_KEY_DIGIT;
    for (int row = 0; row < KEY_ROWS; row++) {
        for (const int *c = key_table[row].codes; *c; c++) {
            if (*c == code)
                return key_table[row].action;
        }
    }
    return ACTION_NONE;
}
