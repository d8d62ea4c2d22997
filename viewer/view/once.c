/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/output.h"
#include "view/clock.h"
#include "view/config.h"
#include "view/draw.h"
#include "view/screen.h"
#include "view/session.h"
#include "view/view.h"

#include <poll.h>
#include <stdlib.h>

#define SIZE_MAX_CELLS 1000

static unsigned int size_from_env(const char *name, unsigned int usual)
{
    const char *text = getenv(name);
    long n = text ? strtol(text, NULL, 10) : 0;

    return n > 0 && n <= SIZE_MAX_CELLS ? (unsigned int)n : usual;
}

/* One answer of QEMU, or none within its deadline. */
static void ask_once(struct session *s)
{
    uint64_t next = session_query(s, clock_now());

    while (session_query_fd(s) >= 0) {
        struct pollfd fd = {.fd = session_query_fd(s), .events = POLLIN};

        poll(&fd, 1, clock_timeout_ms(next, clock_now()));
        next = session_query(s, clock_now());
    }
}

static int print_picture(const struct canvas *c, struct failure *f)
{
    struct output out;

    if (output_begin(&out, f))
        return -1;
    canvas_print_text(c, out.file);
    return output_end(&out, f);
}

int view_once(const struct options *o)
{
    struct canvas canvas;
    struct session s;
    struct failure f;
    struct frame frame;
    struct ui ui;
    struct session_wants wants;
    struct config config;
    uint64_t now;
    int ret = -1;

    if (session_open(&s, o, clock_now(), &f))
        return failure_report(&f);
    if (s.target.note[0])
        fprintf(stderr, "hvscope: %s\n", s.target.note);
    if (s.symbols_why.text[0])
        failure_report(&s.symbols_why);
    ask_once(&s);
    config_load(&config, stderr);
    now = clock_now();
    ui_init(&ui, o->hz);
    ui.view = config.view >= 0 ? (enum view_id)config.view : VIEW_SLOTS;
    if (o->some_cpus)
        ui.cpu = __builtin_ctzll(o->cpu_mask);
    wants = view_wants(&ui);
    session_frame(&s, ui.hz, now, &wants, &frame);
    if (frame.snap && options_check_cpus(o, frame.snap->ncpu, &f)) {
        session_close(&s);
        return failure_report(&f);
    }
    ui_clamp(&ui, &frame); /* without slots it is another view, which wants something else */
    wants = view_wants(&ui);
    session_frame(&s, ui.hz, now, &wants, &frame);
    if (canvas_init(&canvas, size_from_env("LINES", SINGLE_ROWS),
                    size_from_env("COLUMNS", SINGLE_COLS), COLOR_MONO,
                    screen_is_ascii(o->ascii)) == 0) {
        draw_picture(&canvas, &frame, &ui);
        ret = print_picture(&canvas, &f);
        canvas_free(&canvas);
    } else {
        failure_set(&f, EXIT_NO_TARGET, "out of memory");
    }
    session_close(&s);
    return ret ? failure_report(&f) : EXIT_DONE;
}
