/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop: keys, signals, the sampling timer and QEMU's answers, one poll()
 * for all of them.
 */
#include "view/view.h"

#include "command/line.h"
#include "command/output.h"
#include "source/gdb.h"
#include "view/clock.h"
#include "view/config.h"
#include "view/control.h"
#include "view/draw.h"
#include "view/picture.h"
#include "view/screen.h"
#include "view/session.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define KEYS_MAX 256 /* taken at once, so that pasted text does not hold up sampling */

struct view {
    struct session session;
    struct ui ui;
    struct frame frame;
    struct canvas next, shown;
    bool ascii;
    bool fading; /* the picture changes with time alone */
    bool owed;   /* a picture that the terminal had no room for */
    bool sent;   /* shown is on the terminal */
    bool sized;  /* nothing was heard of another size since it was asked for */
    int timer_fd;
    int signal_fd;
    unsigned int timer_hz;
    sigset_t signals, old_mask;
    int end_signal; /* 0: none yet */
};

static int take_signals(struct view *v, struct failure *f)
{
    static const int numbers[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGWINCH, SIGCONT};

    sigemptyset(&v->signals);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(&v->signals, numbers[i]);
    sigprocmask(SIG_BLOCK, &v->signals, &v->old_mask);
    v->signal_fd = signalfd(-1, &v->signals, SFD_NONBLOCK | SFD_CLOEXEC);
    v->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (v->signal_fd < 0 || v->timer_fd < 0)
        return failure_set(f, EXIT_NO_TARGET, "no timer or signal descriptors left");
    return 0;
}

static void set_timer(struct view *v)
{
    long ns = 1000000000L / v->ui.hz;
    struct itimerspec spec = {
        .it_interval = {ns / 1000000000L, ns % 1000000000L},
        .it_value = {ns / 1000000000L, ns % 1000000000L},
    };

    if (v->timer_hz != v->ui.hz)
        timerfd_settime(v->timer_fd, 0, &spec, NULL);
    v->timer_hz = v->ui.hz;
}

static int resize(struct view *v)
{
    unsigned int rows, cols;

    if (v->sized)
        return 0;
    screen_resize(&rows, &cols);
    v->sized = true;
    if (v->next.cell && v->next.rows == rows && v->next.cols == cols)
        return 0;
    canvas_free(&v->next);
    canvas_free(&v->shown);
    v->sent = false;
    if (canvas_init(&v->next, rows, cols, screen_color_mode(), v->ascii) ||
        canvas_init(&v->shown, rows, cols, screen_color_mode(), v->ascii))
        return -1;
    return 0;
}

struct session_wants view_wants(const struct ui *ui)
{
    return (struct session_wants){
        .cpu = ui->cpu,
        .table = ui->view == VIEW_TABLES,
        .ranges = ui->view == VIEW_MAP,
        .findings = ui->view == VIEW_CHECK,
        .path = ui->path,
        .stage = ui->shown,
    };
}

static void draw(struct view *v)
{
    struct canvas before = v->shown;
    struct session_wants wants = view_wants(&v->ui);

    session_frame(&v->session, v->ui.hz, clock_now(), &wants, &v->frame);
    ui_clamp(&v->ui, &v->frame);
    ui_follow(&v->ui, &v->frame);
    draw_picture(&v->next, &v->frame, &v->ui);
    v->fading = (v->frame.marks && marks_fading(v->frame.marks)) || v->frame.word == RUN_REBOOTED;
    v->owed = !screen_flush();
    if (v->owed || (v->sent && canvas_same(&v->next, &v->shown)))
        return;
    screen_show(&v->next, v->sent ? &v->shown : NULL);
    v->shown = v->next;
    v->next = before;
    v->sent = true;
}

/* Stop like any program; what follows raise() happens after fg. */
static void suspend(struct view *v)
{
    sigset_t stop;

    session_rest(&v->session);
    screen_leave();
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    signal(SIGTSTP, SIG_DFL);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, NULL);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    screen_enter();
    v->sent = v->sized = false;
}

static void handle_signal(struct view *v, int sig)
{
    switch (sig) {
    case SIGWINCH:
        v->sized = false;
        break;
    case SIGTSTP:
        suspend(v);
        break;
    case SIGCONT:
        v->sent = v->sized = false;
        break;
    default:
        v->end_signal = sig;
    }
}

static void handle_signals(struct view *v)
{
    struct signalfd_siginfo info;

    while (read(v->signal_fd, &info, sizeof(info)) == sizeof(info))
        handle_signal(v, info.ssi_signo);
}

/* ":": the same commands as the command line, on what is on the screen. */
static void run_line(struct view *v)
{
    const struct snapshot *shown = session_shown(&v->session);
    struct failure f = {.text = "there is no machine to ask"};
    struct context ctx = {.src = shown ? session_memory(&v->session, &f) : NULL,
                          .snap = shown,
                          .symbols = v->session.symbols,
                          .places = v->frame.places,
                          .target = TARGET_NONE};
    char *text = ctx.src ? line_run(&ctx, v->ui.line) : NULL;

    ui_show_text(&v->ui, text ? text : ctx.src ? "out of memory" : f.text);
    free(text);
}

static void write_picture(struct view *v)
{
    if (!session_shown(&v->session))
        return;
    picture_write(&v->shown, session_shown(&v->session), v->ui.notice, sizeof(v->ui.notice));
}

static void copy_selected(struct view *v)
{
    char text[NOTE_MAX];

    ui_selected_text(&v->ui, &v->frame, text, sizeof(text));
    if (!text[0])
        snprintf(v->ui.notice, sizeof(v->ui.notice), "there is nothing selected to copy");
    else if (screen_copy(text))
        snprintf(v->ui.notice, sizeof(v->ui.notice), "copied: %.*s", LINE_MAX_CHARS - 8, text);
    else
        snprintf(v->ui.notice, sizeof(v->ui.notice), "this terminal has no clipboard: %.*s",
                 LINE_MAX_CHARS - 33, text);
}

static void step(struct view *v)
{
    v->ui.paused = true;
    session_freeze(&v->session, true);
    if (!session_step(&v->session, v->ui.step, v->ui.leap))
        snprintf(v->ui.notice, sizeof(v->ui.notice), "there is nothing to step through");
    v->ui.step = v->ui.leap = 0;
}

/* What a key asked for that only the loop can do. */
static void obey(struct view *v)
{
    session_freeze(&v->session, v->ui.paused);
    set_timer(v);
    if (v->ui.redraw)
        v->sent = false;
    if (v->ui.suspend)
        suspend(v);
    if (v->ui.step || v->ui.leap)
        step(v);
    session_mark(&v->session, v->ui.marked);
    if (v->ui.command)
        run_line(v);
    if (v->ui.write)
        write_picture(v);
    if (v->ui.copy)
        copy_selected(v);
    if (v->ui.control)
        control_machine(&v->session, v->ui.control, v->ui.notice, sizeof(v->ui.notice));
    v->ui.control = CONTROL_NONE;
    v->ui.redraw = v->ui.suspend = v->ui.command = v->ui.write = v->ui.copy = false;
}

static void handle_keys(struct view *v)
{
    int key, row = 0, col = 0;

    for (int i = 0; i < KEYS_MAX && (key = screen_key(&row, &col)) != UI_KEY_NONE; i++) {
        if (key == UI_KEY_MOUSE)
            ui_click(&v->ui, &v->frame, &v->shown, row, col);
        else
            ui_key(&v->ui, &v->frame, v->next.rows, v->next.cols, key, clock_now());
        obey(v);
    }
}

static bool tick(struct view *v)
{
    uint64_t expired;

    if (read(v->timer_fd, &expired, sizeof(expired)) != sizeof(expired))
        return false;
    session_sample(&v->session, clock_now());
    return v->session.changed || v->fading;
}

static void run_once(struct view *v)
{
    uint64_t next = session_query(&v->session, clock_now());
    struct pollfd fds[] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = v->signal_fd, .events = POLLIN},
        {.fd = v->timer_fd, .events = POLLIN},
        {.fd = session_query_fd(&v->session), .events = POLLIN},
        {.fd = screen_waits_for(), .events = POLLOUT},
    };
    bool dirty = false;

    session_rest(&v->session);
    if (poll(fds, 5, clock_timeout_ms(next, clock_now())) < 0)
        return;
    if (fds[4].revents && screen_flush())
        dirty = v->owed;
    if (fds[1].revents) {
        handle_signals(v);
        dirty = true;
    }
    if (fds[2].revents)
        dirty |= tick(v);
    if (fds[0].revents & POLLIN) {
        handle_keys(v);
        dirty = true;
    }
    if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
        v->end_signal = SIGHUP;
    if (v->end_signal || v->ui.quit || !(dirty || v->session.changed))
        return;
    if (resize(v))
        v->ui.quit = true;
    else
        draw(v);
}

/* What has to be known before anything else, on the message line until a key is pressed. */
static void first_notice(struct view *v, const struct config *config)
{
    const struct source *src = v->session.target.src;
    char *notice = v->ui.notice;
    size_t size = sizeof(v->ui.notice);

    if (source_is_gdb(src))
        snprintf(notice, size, "the connection of --gdb halts the machine: %s",
                 gdb_was_halted(src) ? "it was so before, and stays so" : "it resumes on quit");
    else
        snprintf(notice, size, "%.*s", LINE_MAX_CHARS,
                 v->session.target.note[0] ? v->session.target.note
                 : config->wrong           ? config->first
                                           : v->session.symbols_why.text);
}

static int start(struct view *v, const struct options *o, struct failure *f)
{
    struct screen_options screen = {.no_color = o->no_color, .mouse = !o->no_mouse};
    const struct snapshot *snap;
    struct config config;

    if (session_open(&v->session, o, clock_now(), f))
        return -1;
    snap = v->session.snap;
    if (v->session.target.note[0])
        fprintf(stderr, "hvscope: %s\n", v->session.target.note);
    if (v->session.symbols_why.text[0])
        failure_report(&v->session.symbols_why);
    v->ascii = screen.ascii = screen_is_ascii(o->ascii);
    if ((snap && options_check_cpus(o, snap->ncpu, f)) || take_signals(v, f) ||
        screen_open(&screen, f)) {
        session_close(&v->session);
        return -1;
    }
    config_load(&config, stderr);
    ui_init(&v->ui, o->has_hz || !config.rate ? o->hz : config.rate);
    v->ui.allow_control = o->allow_control;
    v->ui.view = config.view >= 0 ? (enum view_id)config.view : VIEW_SLOTS;
    first_notice(v, &config);
    if (o->some_cpus)
        v->ui.cpu = __builtin_ctzll(o->cpu_mask);
    return 0;
}

static void finish(struct view *v)
{
    screen_close();
    sigprocmask(SIG_SETMASK, &v->old_mask, NULL);
    close(v->timer_fd);
    close(v->signal_fd);
    canvas_free(&v->next);
    canvas_free(&v->shown);
    ui_free(&v->ui);
    session_close(&v->session);
}

int command_view(const struct options *o)
{
    struct view v = {0};
    struct failure f;

    if (o->once)
        return view_once(o);
    if (start(&v, o, &f))
        return failure_report(&f);
    set_timer(&v);
    if (resize(&v) == 0)
        draw(&v);
    while (!v.ui.quit && !v.end_signal)
        run_once(&v);
    finish(&v);
    return v.end_signal ? EXIT_SIGNAL + v.end_signal : EXIT_DONE;
}
