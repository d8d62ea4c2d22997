/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What we use of QEMU's interface for TCG plugins. QEMU loads a plugin with
 * -plugin FILE and resolves these names itself; no package has the header.
 * Meaning and types: docs/devel/tcg-plugins of QEMU.
 *
 * A plugin says which version it speaks: 1 (QEMU 4.2 to 8.x, the default here)
 * or, defined before this is included, 4 (QEMU 9.2 and later), which has
 * registers and the values of stores.
 */
#ifndef HVSCOPE_TRACER_QEMU_PLUGIN_H
#define HVSCOPE_TRACER_QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef QEMU_PLUGIN_VERSION
#define QEMU_PLUGIN_VERSION 1
#endif
#define QEMU_PLUGIN_EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;

struct qemu_plugin_tb;   /* a block that is being translated */
struct qemu_plugin_insn; /* one of its instructions */

struct qemu_info_t {
    const char *target_name; /* "aarch64", "arm" */
    struct {
        int min, cur;
    } version;
    bool system_emulation;
    struct {
        int smp_vcpus, max_vcpus;
    } system;
};

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_CB_R_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_R = 1, QEMU_PLUGIN_MEM_W, QEMU_PLUGIN_MEM_RW };

/* A plugin has these two; an install that does not return 0 ends QEMU. */
extern QEMU_PLUGIN_EXPORT int qemu_plugin_version;
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
                                           int argc, char **argv);

typedef void (*qemu_plugin_tb_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_exec_cb)(unsigned int vcpu, void *data);
typedef void (*qemu_plugin_mem_cb)(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t va,
                                   void *data);
typedef void (*qemu_plugin_exit_cb)(qemu_plugin_id_t id, void *data);
typedef void (*qemu_plugin_vcpu_cb)(qemu_plugin_id_t id, unsigned int vcpu);

void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_cb cb);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_tb_cb cb);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, qemu_plugin_exit_cb cb, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t n);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

/* Before each execution of insn: call, or add to a counter. */
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, qemu_plugin_exec_cb cb,
                                            enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
                                                enum qemu_plugin_op op, void *counter,
                                                uint64_t add);

/* After each access to memory by insn. */
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_plugin_mem_cb cb,
                                      enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw rw,
                                      void *data);

/* Registered for stores, QEMU 7.2 calls for loads too: ask. */
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);

/* log2 of the bytes that were accessed. */
unsigned int qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);

/* Where the access went; valid while the callback runs. */
struct qemu_plugin_hwaddr;
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info, uint64_t va);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *at);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *at);

#if QEMU_PLUGIN_VERSION < 4
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
#else

/* Copies the instruction, at most size bytes of it; returns how many. */
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t size);

/* What was stored, or loaded: as wide as it was, the low half first. */
struct qemu_plugin_mem_value {
    unsigned int type;
    union {
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
        uint64_t u128[2];
    } data;
};
struct qemu_plugin_mem_value qemu_plugin_mem_get_value(qemu_plugin_meminfo_t info);

/* GLib's arrays, which QEMU is linked with. */
typedef struct {
    char *data;
    unsigned int len;
} GArray;
typedef struct {
    uint8_t *data;
    unsigned int len;
} GByteArray;
GByteArray *g_byte_array_new(void);
GByteArray *g_byte_array_set_size(GByteArray *array, unsigned int size);
char *g_array_free(GArray *array, int free_data);

/* Registers of the CPU that runs, by the names that GDB has for them. */
struct qemu_plugin_register;
struct qemu_plugin_reg_descriptor {
    struct qemu_plugin_register *handle;
    const char *name;
    const char *feature;
};
GArray *qemu_plugin_get_registers(void);

/* Appends the value, in the guest's byte order; nothing if it cannot be read now. */
int qemu_plugin_read_register(struct qemu_plugin_register *handle, GByteArray *value);

#endif

#endif /* HVSCOPE_TRACER_QEMU_PLUGIN_H */
