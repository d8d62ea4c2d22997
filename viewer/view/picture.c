/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/picture.h"

#include "command/dump.h"
#include "model/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NUMBERS 1000

/* A file that was not there before; NULL if none can be made. */
static FILE *create(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd < 0 ? NULL : fdopen(fd, "w");
}

void picture_write(const struct canvas *c, const struct snapshot *snap, char *notice, size_t size)
{
    const struct options all = {.json = true, .all = true};
    FILE *text = NULL, *json;
    char name[32];
    int n;

    for (n = 1; n < NUMBERS && !text; n++) {
        snprintf(name, sizeof(name), "hvscope-%d.txt", n);
        text = create(name);
        if (!text && errno != EEXIST)
            break;
    }
    if (!text) {
        snprintf(notice, size, "cannot write %s: %s", name, strerror(errno));
        return;
    }
    canvas_print_text(c, text);
    if (!snap->machine.profile->mapcache) {
        snprintf(notice, size, "%s hvscope-%d.txt",
                 fclose(text) ? "cannot write" : "written:", n - 1);
        return;
    }
    snprintf(name, sizeof(name), "hvscope-%d.json", n - 1);
    json = create(name);
    if (json)
        dump_json(json, snap, &all);
    if (fclose(text) != 0 || !json || fclose(json) != 0)
        snprintf(notice, size, "cannot write hvscope-%d: %s", n - 1, strerror(errno));
    else
        snprintf(notice, size, "written: hvscope-%d.txt and hvscope-%d.json", n - 1, n - 1);
}
