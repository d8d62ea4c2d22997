/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands typed on the console. */
#ifndef HV_CORE_CONSOLE_H
#define HV_CORE_CONSOLE_H

/* Take what was typed since the last call; run a command when its line ends. Boot CPU. */
void console_poll(void);

#endif /* HV_CORE_CONSOLE_H */
