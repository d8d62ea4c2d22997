/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/screen.h"

#include "view/guard.h"
#include "view/keys.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#define ESC_DELAY_MS 25
#define MOUSE_OFF    "\033[?1006l\033[?1002l\033[?1000l"

/*
 * Curses writes in many small pieces, and waits for a terminal that is slow.
 * While it updates, its standard output is a file in memory; what it wrote goes
 * to the terminal from there, in one piece, without waiting.
 */
static struct {
    int memory, tty, out; /* out: the same terminal, opened anew, never waits */
    char *data;
    size_t len, done, room;
} pending = {.memory = -1, .tty = -1, .out = -1};

#define FLUSH_TRIES   20
#define FLUSH_WAIT_MS 10
#define PAIRS_PLENTY  4096 /* so many that curses never has to give one to another use */

static int pair_cache[257][257]; /* by colours + 1; 0: not asked for yet */
static SCREEN *screen;
static enum color_mode color_mode;
static bool default_colors;
static bool mouse_on;
static char restore_sequence[256];

bool screen_is_ascii(bool ascii_wanted)
{
    setlocale(LC_CTYPE, "");
    return ascii_wanted || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

enum color_mode screen_color_mode(void)
{
    return color_mode;
}

/* A capability without its padding, which write(2) would send as text. */
static void append_capability(char *buf, size_t size, const char *name)
{
    const char *s = tigetstr(name);
    size_t len = strlen(buf);

    if (!s || s == (char *)-1)
        return;
    while (*s && len + 1 < size) {
        if (s[0] == '$' && s[1] == '<' && strchr(s, '>')) {
            s = strchr(s, '>') + 1;
            continue;
        }
        buf[len++] = *s++;
    }
    buf[len] = '\0';
}

/* Without an alternate screen, our picture would stay behind the shell's prompt. */
static bool has_alternate_screen(void)
{
    const char *s = tigetstr("rmcup");

    return s && s != (char *)-1 && *s;
}

static void make_restore_sequence(void)
{
    restore_sequence[0] = '\0';
    if (mouse_on)
        strcpy(restore_sequence, MOUSE_OFF);
    append_capability(restore_sequence, sizeof(restore_sequence), "sgr0");
    append_capability(restore_sequence, sizeof(restore_sequence), "op");
    append_capability(restore_sequence, sizeof(restore_sequence), "rmkx");
    append_capability(restore_sequence, sizeof(restore_sequence),
                      has_alternate_screen() ? "rmcup" : "clear");
    append_capability(restore_sequence, sizeof(restore_sequence), "cnorm");
}

static void start_colors(bool no_color)
{
    color_mode = COLOR_MONO;
    if (no_color || !has_colors())
        return;
    start_color();
    memset(pair_cache, 0, sizeof(pair_cache));
    default_colors = use_default_colors() == OK;
    if (COLORS >= 256)
        color_mode = COLOR_256;
    else if (COLORS >= 8)
        color_mode = COLOR_16;
}

static void start_mouse(bool wanted)
{
    mouse_on = wanted && mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED, NULL) != 0;
    mouseinterval(0);
}

static void set_modes(void)
{
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    set_escdelay(ESC_DELAY_MS);
}

static void drain(void);
static void open_output(void);
static void close_output(void);

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
    set_modes();
    start_colors(options->no_color);
    start_mouse(options->mouse);
    make_restore_sequence();
    open_output();
    guard_hold_stderr();
    guard_arm(restore_sequence);
    return 0;
}

static void end_curses(void)
{
    drain();
    if (!has_alternate_screen()) {
        erase();
        refresh();
    }
    endwin();
}

void screen_close(void)
{
    guard_disarm();
    end_curses();
    delscreen(screen);
    close_output();
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
    guard_arm(restore_sequence);
    reset_prog_mode();
    erase(); /* the terminal may have another size by now: the old picture is no use */
    clearok(curscr, TRUE);
}

void screen_resize(unsigned int *rows, unsigned int *cols)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col &&
        (size.ws_row != LINES || size.ws_col != COLS))
        resizeterm(size.ws_row, size.ws_col);
    *rows = LINES;
    *cols = COLS;
}

static int pair_of(const struct cell *cell)
{
    int fg = cell->fg, bg = cell->bg;

    if (color_mode == COLOR_MONO || (fg < 0 && bg < 0))
        return 0;
    if (!default_colors) {
        fg = fg < 0 ? COLOR_WHITE : fg;
        bg = bg < 0 ? COLOR_BLACK : bg;
    }
    if (COLOR_PAIRS < PAIRS_PLENTY)
        return alloc_pair(fg, bg);
    if (!pair_cache[fg + 1][bg + 1])
        pair_cache[fg + 1][bg + 1] = alloc_pair(fg, bg);
    return pair_cache[fg + 1][bg + 1];
}

static void open_output(void)
{
    pending.memory = memfd_create("hvscope-screen", MFD_CLOEXEC);
    pending.tty = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    pending.out = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    guard_set_terminal(pending.tty);
}

static void close_output(void)
{
    close(pending.memory);
    close(pending.out);
    guard_set_terminal(STDOUT_FILENO);
    close(pending.tty);
    free(pending.data);
    memset(&pending, 0, sizeof(pending));
    pending.memory = pending.tty = pending.out = -1;
}

static bool begin_capture(void)
{
    return pending.memory >= 0 && pending.tty >= 0 && pending.out >= 0 &&
           dup2(pending.memory, STDOUT_FILENO) >= 0;
}

/* What was captured is sent behind what waits still. */
static void end_capture(void)
{
    off_t size = lseek(pending.memory, 0, SEEK_CUR);

    dup2(pending.tty, STDOUT_FILENO);
    if (size > 0 && pending.len + (size_t)size > pending.room) {
        char *grown = realloc(pending.data, pending.len + (size_t)size);

        if (grown) {
            pending.data = grown;
            pending.room = pending.len + (size_t)size;
        }
    }
    if (size > 0 && pending.len + (size_t)size <= pending.room) {
        ssize_t n = pread(pending.memory, pending.data + pending.len, (size_t)size, 0);

        pending.len += n > 0 ? (size_t)n : 0;
    }
    lseek(pending.memory, 0, SEEK_SET);
    screen_flush();
}

bool screen_flush(void)
{
    while (pending.done < pending.len) {
        ssize_t n = write(pending.out, pending.data + pending.done, pending.len - pending.done);

        if (n <= 0)
            return n < 0 && errno != EAGAIN && errno != EINTR; /* gone: nothing to wait for */
        pending.done += (size_t)n;
    }
    pending.done = pending.len = 0;
    return true;
}

int screen_waits_for(void)
{
    return pending.done < pending.len ? pending.out : -1;
}

/* Before curses writes for itself: a sequence must not be cut in the middle. */
static void drain(void)
{
    for (int i = 0; i < FLUSH_TRIES && !screen_flush(); i++)
        usleep(FLUSH_WAIT_MS * 1000);
    pending.done = pending.len = 0;
}

static void put_cell(int row, int col, const struct cell *cell)
{
    attr_t attr = (cell->attr & BOLD ? A_BOLD : 0) | (cell->attr & UNDERLINE ? A_UNDERLINE : 0) |
                  (cell->attr & REVERSE ? A_REVERSE : 0);
    wchar_t text[2] = {cell->ch, 0};
    int pair = pair_of(cell);
    cchar_t out;

    if (setcchar(&out, text, attr, 0, &pair) == OK)
        mvadd_wch(row, col, &out);
}

void screen_show(const struct canvas *c, const struct canvas *last)
{
    bool captured = begin_capture();

    for (unsigned int row = 0; row < c->rows; row++) {
        for (unsigned int col = 0; col < c->cols; col++) {
            size_t i = (size_t)row * c->cols + col;

            if (!last || memcmp(&c->cell[i], &last->cell[i], sizeof(c->cell[i])) != 0)
                put_cell(row, col, &c->cell[i]);
        }
    }
    if (c->cursor_row >= 0)
        move(c->cursor_row, c->cursor_col);
    curs_set(c->cursor_row >= 0 ? 1 : 0);
    wnoutrefresh(stdscr);
    doupdate();
    if (captured)
        end_capture();
}

void screen_redraw(void)
{
    clearok(curscr, TRUE);
}

static int translate(int key)
{
    static const struct {
        int curses, ours;
    } keys[] = {
        {KEY_F(1), UI_KEY_F1},         {27, UI_KEY_ESC},          {KEY_BACKSPACE, UI_KEY_BACKSPACE},
        {127, UI_KEY_BACKSPACE},       {8, UI_KEY_BACKSPACE},     {KEY_LEFT, UI_KEY_LEFT},
        {KEY_RIGHT, UI_KEY_RIGHT},     {KEY_UP, UI_KEY_UP},       {KEY_DOWN, UI_KEY_DOWN},
        {KEY_HOME, UI_KEY_HOME},       {KEY_END, UI_KEY_END},     {KEY_BTAB, UI_KEY_BACKTAB},
        {KEY_ENTER, UI_KEY_ENTER},     {KEY_MOUSE, UI_KEY_MOUSE}, {KEY_RESIZE, UI_KEY_RESIZE},
        {KEY_FIND, UI_KEY_HOME},       {KEY_SELECT, UI_KEY_END},  {KEY_F(2), UI_KEY_F2},
        {KEY_F(3), UI_KEY_F3},         {KEY_F(4), UI_KEY_F4},     {KEY_F(5), UI_KEY_F5},
        {KEY_F(6), UI_KEY_F6},         {KEY_F(7), UI_KEY_F7},     {KEY_PPAGE, UI_KEY_PAGE_UP},
        {KEY_NPAGE, UI_KEY_PAGE_DOWN},
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i].curses == key)
            return keys[i].ours;
    }
    return key < KEY_MIN ? key : UI_KEY_RESIZE;
}

int screen_key(int *row, int *col)
{
    int key = getch();
    MEVENT mouse;

    if (key == ERR)
        return UI_KEY_NONE;
    if (key == KEY_MOUSE) {
        if (getmouse(&mouse) != OK)
            return UI_KEY_RESIZE;
        *row = mouse.y;
        *col = mouse.x;
    }
    return translate(key);
}
