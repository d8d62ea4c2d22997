/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trace that QEMU loaded as a ramdisk (-initrd FILE). */
#ifndef HV_WORK_RAMDISK_TRACE_H
#define HV_WORK_RAMDISK_TRACE_H

#include "work/trace_reader.h"

/* Mapped for good when it is first wanted. NULL, and said on the console, if there is none. */
const struct xmct *ramdisk_trace(void);

#endif /* HV_WORK_RAMDISK_TRACE_H */
