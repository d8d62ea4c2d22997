/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An ELF core: its memory and registers; what machine is found in it. */
#include "source/core.h"
#include "fuzz.h"
#include "model/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"PC", "CPSR", "SP", "TCR_EL2"};
    struct target_spec spec = {0};
    struct source_piece piece;
    struct failure f;
    struct machine m;
    struct source *src = core_open(fuzz_file(data, size), &f);
    uint8_t buf[64];
    uint64_t value;

    if (!src)
        return 0;
    for (unsigned int n = 0; n < 64 && source_piece(src, n, &piece) == 0; n++) {
        source_read_phys(src, piece.base, buf, sizeof(buf));
        source_read_phys(src, piece.base + piece.size - 32, buf, sizeof(buf));
        source_read_u64(src, (piece.base + piece.size - 8) & ~UINT64_C(7), &value);
    }
    for (unsigned int cpu = 0; cpu < source_cpus(src) && cpu < 8; cpu++) {
        for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            source_register(src, cpu, names[i], &value);
    }
    machine_find(src, &spec, &m, &f);
    source_close(src);
    return 0;
}
