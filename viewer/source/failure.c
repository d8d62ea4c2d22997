/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/failure.h"

#include <stdarg.h>
#include <stdio.h>

int failure_set(struct failure *f, enum exit_status status, const char *format, ...)
{
    va_list args;

    f->status = status;
    va_start(args, format);
    vsnprintf(f->text, sizeof(f->text), format, args);
    va_end(args);
    for (char *p = f->text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    }
    return -1;
}
