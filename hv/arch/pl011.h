/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PL011 UART (Arm DDI 0183): polled, at whatever speed the loader set. */
#ifndef HV_ARCH_PL011_H
#define HV_ARCH_PL011_H

#include <stdint.h>

#define PL011_DR      0x000
#define PL011_FR      0x018
#define PL011_FR_RXFE (1u << 4)
#define PL011_FR_TXFF (1u << 5)

static inline volatile uint32_t *pl011_reg(void *base, unsigned int offset)
{
    return (volatile uint32_t *)((char *)base + offset);
}

static inline void pl011_putc(void *base, char c)
{
    while (*pl011_reg(base, PL011_FR) & PL011_FR_TXFF)
        ;
    *pl011_reg(base, PL011_DR) = (uint8_t)c;
}

/* The next character received, -1 if there is none. */
static inline int pl011_getc(void *base)
{
    if (*pl011_reg(base, PL011_FR) & PL011_FR_RXFE)
        return -1;
    return *pl011_reg(base, PL011_DR) & 0xff;
}

#endif /* HV_ARCH_PL011_H */
