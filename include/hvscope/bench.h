/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks that workload "bench" sets around each measured call: HINT instructions
 * that do nothing, on which the counting plugin starts and stops.
 */
#ifndef HVSCOPE_BENCH_H
#define HVSCOPE_BENCH_H

#define BENCH_MARK_MAP   0x70
#define BENCH_MARK_UNMAP 0x71
#define BENCH_MARK_END   0x72

#endif /* HVSCOPE_BENCH_H */
