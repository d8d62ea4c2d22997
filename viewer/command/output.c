/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int output_begin(struct output *out, struct failure *f)
{
    *out = (struct output){0};
    out->file = open_memstream(&out->text, &out->size);
    return out->file ? 0 : failure_set(f, EXIT_NO_TARGET, "out of memory");
}

static int write_all(const char *text, size_t size)
{
    while (size) {
        ssize_t n = write(STDOUT_FILENO, text, size);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            text += n;
            size -= n;
        }
    }
    return 0;
}

/* close() too: some file systems tell only then that the disk is full. */
int output_end(struct output *out, struct failure *f)
{
    int ret = 0;

    if (fclose(out->file) != 0)
        ret = failure_set(f, EXIT_NO_TARGET, "out of memory");
    else if (write_all(out->text, out->size) != 0 || close(STDOUT_FILENO) != 0)
        ret =
            failure_set(f, EXIT_USAGE, "cannot write to the standard output: %s", strerror(errno));
    free(out->text);
    return ret;
}

void output_drop(struct output *out)
{
    fclose(out->file);
    free(out->text);
}

int failure_report(const struct failure *f)
{
    fprintf(stderr, "hvscope: %s\n", f->text);
    return f->status;
}
