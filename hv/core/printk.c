/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/printk.h"
#include "arch/pl011.h"
#include "arch/spinlock.h"
#include "core/string.h"
#include "mm/pmap.h"

#define LINE_MAX 512

static void *uart;
static bool forced;
static spinlock_t lock;

/* One conversion, as parsed. */
struct conversion {
    char type;
    bool left;
    bool zero;
    bool wide; /* 64 bits */
    unsigned int width;
};

struct output {
    char *at;
    char *end; /* last place, kept for the NUL */
};

static void put(struct output *out, char c)
{
    if (out->at < out->end)
        *out->at++ = c;
}

static void put_padded(struct output *out, const struct conversion *c, const char *s, size_t n)
{
    size_t pad = c->width > n ? c->width - n : 0;
    char fill = c->zero && !c->left ? '0' : ' ';

    for (size_t i = 0; i < pad && !c->left; i++)
        put(out, fill);
    for (size_t i = 0; i < n; i++)
        put(out, s[i]);
    for (size_t i = 0; i < pad && c->left; i++)
        put(out, ' ');
}

static void put_number(struct output *out, const struct conversion *c, uint64_t value,
                       unsigned int base, const char *prefix)
{
    char digits[24];
    char *at = digits + sizeof(digits);

    do {
        *--at = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (size_t i = strlen(prefix); i--;)
        *--at = prefix[i];
    put_padded(out, c, at, (size_t)(digits + sizeof(digits) - at));
}

static const char *parse(const char *f, struct conversion *c)
{
    *c = (struct conversion){0};
    for (; *f == '-' || *f == '0'; f++) {
        c->left |= *f == '-';
        c->zero |= *f == '0';
    }
    for (; *f >= '0' && *f <= '9'; f++)
        c->width = c->width * 10 + (unsigned int)(*f - '0');
    for (; *f == 'l' || *f == 'z'; f++)
        c->wide = true;
    c->type = *f;
    return *f ? f + 1 : f;
}

static uint64_t next_unsigned(const struct conversion *c, va_list *args)
{
    return c->wide ? va_arg(*args, uint64_t) : va_arg(*args, unsigned int);
}

static void put_signed(struct output *out, const struct conversion *c, va_list *args)
{
    int64_t value = c->wide ? va_arg(*args, int64_t) : va_arg(*args, int);

    if (value < 0)
        put_number(out, c, 0 - (uint64_t)value, 10, "-");
    else
        put_number(out, c, (uint64_t)value, 10, "");
}

static void put_conversion(struct output *out, const struct conversion *c, va_list *args)
{
    const char *s;
    char ch;

    switch (c->type) {
    case 'c':
        ch = (char)va_arg(*args, int);
        put_padded(out, c, &ch, 1);
        break;
    case 's':
        s = va_arg(*args, const char *);
        s = s ? s : "(null)";
        put_padded(out, c, s, strlen(s));
        break;
    case 'd':
        put_signed(out, c, args);
        break;
    case 'u':
        put_number(out, c, next_unsigned(c, args), 10, "");
        break;
    case 'x':
        put_number(out, c, next_unsigned(c, args), 16, "");
        break;
    case 'p':
        put_number(out, c, (uintptr_t)va_arg(*args, void *), 16, "0x");
        break;
    default:
        put(out, c->type);
    }
}

void vsnprintk(char *buffer, size_t size, const char *format, va_list args)
{
    struct output out = {buffer, buffer + size - 1};
    struct conversion c;
    va_list list;

    va_copy(list, args);
    while (*format) {
        if (*format != '%') {
            put(&out, *format++);
            continue;
        }
        format = parse(format + 1, &c);
        put_conversion(&out, &c, &list);
    }
    va_end(list);
    *out.at = '\0';
}

void snprintk(char *buffer, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintk(buffer, size, format, args);
    va_end(args);
}

void console_init(paddr_t pa)
{
    uart = fixmap_map_device(FIX_CONSOLE, pa);
}

void console_force(void)
{
    forced = true;
}

int console_getc(void)
{
    return uart ? pl011_getc(uart) : -1;
}

static void puts_raw(const char *s)
{
    for (; *s; s++) {
        if (*s == '\n')
            pl011_putc(uart, '\r');
        pl011_putc(uart, *s);
    }
}

void printk(const char *format, ...)
{
    char line[LINE_MAX];
    uint64_t irq;
    va_list args;

    if (!uart)
        return;
    va_start(args, format);
    vsnprintk(line, sizeof(line), format, args);
    va_end(args);
    if (forced) {
        puts_raw(line);
        return;
    }
    irq = spin_lock_irqsave(&lock);
    puts_raw(line);
    spin_unlock_irqrestore(&lock, irq);
}
