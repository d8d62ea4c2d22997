/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fuzz targets share. Each is one file with LLVMFuzzerTestOneInput(): any bytes in, no
 * finding of the sanitizers, no endless loop, no read outside the memory that it gives.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An input, taken from the front; behind its end there are zeros. */
struct fuzz {
    const uint8_t *at;
    size_t left;
};

void fuzz_take(struct fuzz *in, void *to, size_t size);
uint64_t fuzz_number(struct fuzz *in, unsigned int bytes);

/* All that is left, as a string; free() it. */
char *fuzz_string(struct fuzz *in);

/* A file that holds these bytes; its path is valid until the next call. */
const char *fuzz_file(const void *data, size_t size);

/* A socket from which these bytes can be read, then its end; what is written to it is lost. */
struct fuzz_socket {
    int fd, far;
};
struct fuzz_socket fuzz_socket(const void *data, size_t size);
void fuzz_socket_close(struct fuzz_socket *s);

/* Words of a stream of tests: make a number that looks like one of a machine's. */
uint64_t fuzz_address(struct fuzz *in, uint64_t base, uint64_t size);

#endif /* TESTS_FUZZ_H */
