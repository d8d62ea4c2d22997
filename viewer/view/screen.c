/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/screen.h"

#include "view/guard.h"
#include "view/keys.h"
#include "view/paint.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ESC          27
#define ESC_DELAY_MS 25
#define COPY_BEGIN   "\033]52;c;"
#define COPY_END     "\a"
#define WHEEL_UP     BUTTON4_PRESSED
#define WHEEL_DOWN   BUTTON5_PRESSED
#define BUTTONS      (BUTTON1_PRESSED | BUTTON1_CLICKED | WHEEL_UP | WHEEL_DOWN)
#define MOUSE_OFF    "\033[?1006l\033[?1002l\033[?1000l"

/* What the terminal did not take yet; out: the terminal, opened anew, never waits. */
static struct {
    struct ink ink;
    size_t done;
    int out;
} pending = {.out = -1};

#define FLUSH_TRIES   20
#define FLUSH_WAIT_MS 10

static SCREEN *screen;
static WINDOW *keyboard; /* a pad: reading from it does not refresh anything */
static unsigned int screen_rows, screen_cols;
static enum color_mode color_mode;
static bool mouse_on;
static struct ink restore_sequence; /* ends with a NUL */

bool screen_is_ascii(bool ascii_wanted)
{
    setlocale(LC_CTYPE, "");
    return ascii_wanted || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

enum color_mode screen_color_mode(void)
{
    return color_mode;
}

/* Without an alternate screen, our picture would stay behind the shell's prompt. */
static bool has_alternate_screen(void)
{
    const char *s = tigetstr("rmcup");

    return s && s != (char *)-1 && *s;
}

static void make_restore_sequence(void)
{
    const char *const names[] = {
        "sgr0", "op", "rmkx", has_alternate_screen() ? "rmcup" : "clear", "cnorm",
    };

    restore_sequence.len = 0;
    if (mouse_on)
        ink_add(&restore_sequence, MOUSE_OFF, strlen(MOUSE_OFF));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        paint_capability(&restore_sequence, names[i]);
    ink_add(&restore_sequence, "", 1);
}

static void start_mouse(bool wanted)
{
    mouse_on = wanted && mousemask(BUTTONS, NULL) != 0;
    mouseinterval(0);
}

/*
 * A terminal sends more than terminfo knows of it, vt100 on anything of today above all: byte by
 * byte F5 would be Esc, a step back in the history, and the digits of a CPU.
 */
static void learn_keys(void)
{
    static const struct {
        const char *sequence;
        int key;
    } usual[] = {
        {"\033[A", KEY_UP},     {"\033[B", KEY_DOWN},   {"\033[C", KEY_RIGHT},
        {"\033[D", KEY_LEFT},   {"\033[H", KEY_HOME},   {"\033[F", KEY_END},
        {"\033[Z", KEY_BTAB},   {"\033OA", KEY_UP},     {"\033OB", KEY_DOWN},
        {"\033OC", KEY_RIGHT},  {"\033OD", KEY_LEFT},   {"\033OH", KEY_HOME},
        {"\033OF", KEY_END},    {"\033[1~", KEY_HOME},  {"\033[4~", KEY_END},
        {"\033[7~", KEY_HOME},  {"\033[8~", KEY_END},   {"\033[5~", KEY_PPAGE},
        {"\033[6~", KEY_NPAGE}, {"\033OP", KEY_F(1)},   {"\033OQ", KEY_F(2)},
        {"\033OR", KEY_F(3)},   {"\033OS", KEY_F(4)},   {"\033[11~", KEY_F(1)},
        {"\033[12~", KEY_F(2)}, {"\033[13~", KEY_F(3)}, {"\033[14~", KEY_F(4)},
        {"\033[15~", KEY_F(5)}, {"\033[17~", KEY_F(6)}, {"\033[18~", KEY_F(7)},
        {"\033[[A", KEY_F(1)},  {"\033[[B", KEY_F(2)},  {"\033[[C", KEY_F(3)},
        {"\033[[D", KEY_F(4)},  {"\033[[E", KEY_F(5)},
    };

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        if (key_defined(usual[i].sequence) == 0)
            define_key(usual[i].sequence, usual[i].key);
    }
}

static void set_modes(void)
{
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keyboard = newpad(1, 1);
    keypad(keyboard, TRUE);
    learn_keys();
    nodelay(keyboard, TRUE);
    set_escdelay(ESC_DELAY_MS);
}

static void open_output(void)
{
    pending.out = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (pending.out < 0)
        pending.out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

static void close_output(void)
{
    close(pending.out);
    ink_free(&pending.ink);
    pending.out = -1;
}

bool screen_flush(void)
{
    while (pending.done < pending.ink.len) {
        ssize_t n =
            write(pending.out, pending.ink.data + pending.done, pending.ink.len - pending.done);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (n <= 0)
            break; /* gone: nothing to wait for */
        pending.done += (size_t)n;
    }
    pending.done = pending.ink.len = 0;
    return true;
}

int screen_waits_for(void)
{
    return pending.done < pending.ink.len ? pending.out : -1;
}

/* Before curses writes for itself: a sequence must not be cut in the middle. */
static void drain(void)
{
    for (int i = 0; i < FLUSH_TRIES && !screen_flush(); i++)
        usleep(FLUSH_WAIT_MS * 1000);
    pending.done = pending.ink.len = 0;
}

int screen_open(const struct screen_options *options, struct failure *f)
{
    const char *term = getenv("TERM");

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return failure_set(f, EXIT_USAGE, "view needs a terminal: use view --once, or dump");
    setlocale(LC_CTYPE, "");
    guard_save();
    screen = term && *term ? newterm(NULL, stdout, stdin) : NULL;
    if (!screen)
        return failure_set(f, EXIT_USAGE,
                           "the terminal type \"%s\" is not known: set TERM, or "
                           "use view --once",
                           term ? term : "");
    if (!paint_open()) {
        endwin();
        delscreen(screen);
        return failure_set(f, EXIT_USAGE,
                           "the terminal type \"%s\" cannot place its cursor: use view --once",
                           term);
    }
    set_modes();
    color_mode = options->no_color ? COLOR_MONO : paint_color_mode();
    start_mouse(options->mouse);
    make_restore_sequence();
    open_output();
    guard_hold_stderr();
    guard_arm(restore_sequence.data);
    refresh(); /* the alternate screen; from now on it is painted by us alone */
    return 0;
}

static void end_curses(void)
{
    drain();
    paint_capability(&pending.ink, "sgr0");
    paint_capability(&pending.ink, "op");
    paint_capability(&pending.ink, "cnorm");
    if (!has_alternate_screen())
        paint_capability(&pending.ink, "clear");
    drain();
    endwin();
}

void screen_close(void)
{
    guard_disarm();
    end_curses();
    delwin(keyboard);
    delscreen(screen);
    close_output();
    ink_free(&restore_sequence);
    guard_release_stderr();
}

void screen_leave(void)
{
    guard_disarm();
    def_prog_mode();
    end_curses();
    guard_release_stderr();
}

void screen_enter(void)
{
    guard_hold_stderr();
    guard_arm(restore_sequence.data);
    reset_prog_mode();
    clearok(curscr, TRUE);
    refresh();
}

void screen_resize(unsigned int *rows, unsigned int *cols)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
        screen_rows = size.ws_row;
        screen_cols = size.ws_col;
    } else if (!screen_rows) {
        screen_rows = LINES;
        screen_cols = COLS;
    }
    *rows = screen_rows;
    *cols = screen_cols;
}

void screen_show(const struct canvas *c, const struct canvas *last)
{
    if (!last)
        paint_clear(&pending.ink);
    paint_cells(&pending.ink, c, last);
    screen_flush();
}

static void add_base64(struct ink *ink, const char *text, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        uint32_t three = (uint32_t)(unsigned char)text[i] << 16;
        char four[4] = {0, 0, '=', '='};

        three |= i + 1 < len ? (uint32_t)(unsigned char)text[i + 1] << 8 : 0;
        three |= i + 2 < len ? (unsigned char)text[i + 2] : 0;
        four[0] = digits[three >> 18];
        four[1] = digits[three >> 12 & 63];
        if (i + 1 < len)
            four[2] = digits[three >> 6 & 63];
        if (i + 2 < len)
            four[3] = digits[three & 63];
        ink_add(ink, four, sizeof(four));
    }
}

bool screen_copy(const char *text)
{
    static const char *const without[] = {"vt", "linux", "ansi"};
    const char *term = getenv("TERM");

    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        if (!term || strncmp(term, without[i], strlen(without[i])) == 0)
            return false;
    }
    ink_add(&pending.ink, COPY_BEGIN, strlen(COPY_BEGIN));
    add_base64(&pending.ink, text, strlen(text));
    ink_add(&pending.ink, COPY_END, strlen(COPY_END));
    screen_flush();
    return true;
}

static int translate(int key)
{
    static const struct {
        int curses, ours;
    } keys[] = {
        {ESC, UI_KEY_ESC},           {KEY_BACKSPACE, UI_KEY_BACKSPACE},
        {127, UI_KEY_BACKSPACE},     {8, UI_KEY_BACKSPACE},
        {KEY_LEFT, UI_KEY_LEFT},     {KEY_RIGHT, UI_KEY_RIGHT},
        {KEY_UP, UI_KEY_UP},         {KEY_DOWN, UI_KEY_DOWN},
        {KEY_HOME, UI_KEY_HOME},     {KEY_END, UI_KEY_END},
        {KEY_FIND, UI_KEY_HOME},     {KEY_SELECT, UI_KEY_END},
        {KEY_BTAB, UI_KEY_BACKTAB},  {KEY_ENTER, UI_KEY_ENTER},
        {KEY_MOUSE, UI_KEY_MOUSE},   {KEY_RESIZE, UI_KEY_RESIZE},
        {KEY_PPAGE, UI_KEY_PAGE_UP}, {KEY_NPAGE, UI_KEY_PAGE_DOWN},
    };

    if (key >= KEY_F(1) && key <= KEY_F(12))
        return UI_KEY_F1 + key - KEY_F(1);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i].curses == key)
            return keys[i].ours;
    }
    return key < KEY_MIN ? key : UI_KEY_RESIZE;
}

/* After an Esc: the rest of a sequence that nobody knows, which is no key of ours. */
static bool skip_sequence(void)
{
    int key = wgetch(keyboard), end = ERR;

    if (key == '[') {
        do
            end = wgetch(keyboard);
        while (end >= 0x20 && end < 0x40);
    }
    if (key != ERR && end == ERR)
        ungetch(key); /* typed by hand, one after the other */
    return end != ERR;
}

int screen_key(int *row, int *col)
{
    int key = wgetch(keyboard);
    MEVENT mouse;

    if (key == ERR)
        return UI_KEY_NONE;
    if (key == ESC && skip_sequence())
        return UI_KEY_RESIZE;
    if (key == KEY_MOUSE) {
        if (getmouse(&mouse) != OK)
            return UI_KEY_RESIZE;
        if (mouse.bstate & (WHEEL_UP | WHEEL_DOWN))
            return mouse.bstate & WHEEL_UP ? UI_KEY_UP : UI_KEY_DOWN;
        *row = mouse.y;
        *col = mouse.x;
    }
    return translate(key);
}
