/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The viewer's command line and its dump, text and JSON; the shared vectors.
 */
#include "command/dump.h"
#include "model/profile.h"
#include "viewer_machine.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGS_MAX 16

/* Words of a command line, split at blanks; argv[0] is added. */
static int parse(struct options *o, struct failure *f, const char *line)
{
    static char copy[256];
    char *argv[ARGS_MAX] = {"hvscope"}, *save = NULL;
    int argc = 1;

    snprintf(copy, sizeof(copy), "%s", line);
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    return options_parse(o, argc, argv, f);
}

static void check_bad(const char *line, const char *part)
{
    struct options o;
    struct failure f;

    assert_int_equal(parse(&o, &f, line), -1);
    assert_int_equal(f.status, EXIT_USAGE);
    if (!strstr(f.text, part))
        fail_msg("%s: said %s", line, f.text);
    options_free(&o);
}

static void test_bad_usage(void **state)
{
    (void)state;
    check_bad("--frob", "unknown option --frob");
    check_bad("--js dump", "unknown option --js");
    check_bad("walk", "walk needs VA");
    check_bad("diff a", "diff needs A B");
    check_bad("walk 0x0 0x1", "one argument too many");
    check_bad("--follow dump", "dump does not know --follow");
    check_bad("events --format xml", "there are text, json and casemate");
    check_bad("wait x --timeout soon", "a number of seconds");
    check_bad("--dir a --recording b", "two targets");
    check_bad("dump dump", "one argument too many");
    check_bad("dump --cpu", "needs a value");
    check_bad("dump --cpu x", "numbers of CPUs");
    check_bad("dump --cpu 0,", "numbers of CPUs");
    check_bad("dump --cpu 64", "numbers of CPUs");
    check_bad("dump --cpu -1", "numbers of CPUs");
    check_bad("--hz 0", "from 1 to 60");
    check_bad("--hz 61", "from 1 to 60");
    check_bad("--hz ten", "from 1 to 60");
    check_bad("--hz=1e3", "from 1 to 60");
    check_bad("--json", "view does not know --json");
    check_bad("view --json", "view does not know --json");
    check_bad("dump --once", "dump does not know --once");
    check_bad("--dir a --ram b", "two targets");
    check_bad("--ram f@x", "an address is needed");
    check_bad("--ram f@0x123", "an address is needed");
    check_bad("--ram @0x1000", "needs the name");
    check_bad("--beacon 12g", "a physical address");
    check_bad("--beacon 0x1001", "a physical address");
    check_bad("--beacon 99999999999999999999", "a physical address");
    check_bad("--json=yes dump", "takes no value");
    check_bad("--dir=", "name of a run directory");
}

static void test_usage(void **state)
{
    struct options o;
    struct failure f;

    (void)state;
    unsetenv("HVSCOPE_DIR");
    unsetenv("NO_COLOR");
    assert_int_equal(parse(&o, &f, ""), 0);
    assert_int_equal(o.command, COMMAND_VIEW);
    assert_string_equal(o.target.dir, "build/run");
    assert_int_equal(o.hz, 10);
    assert_false(o.no_color);
    setenv("HVSCOPE_DIR", "/some/where", 1);
    setenv("NO_COLOR", "1", 1);
    assert_int_equal(parse(&o, &f, "dump --json --cpu 0,2 --all"), 0);
    assert_int_equal(o.command, COMMAND_DUMP);
    assert_string_equal(o.target.dir, "/some/where");
    assert_int_equal(o.cpu_mask, 5);
    assert_true(o.json && o.all && o.no_color);
    assert_int_equal(parse(&o, &f, "--ram a@0x40000000 --ram=b@0x80000000 dump"), 0);
    assert_int_equal(o.target.nr_ram, 2);
    assert_string_equal(o.target.ram[1].path, "b");
    assert_int_equal(o.target.ram[1].pa, 0x80000000);
    options_free(&o);
    assert_int_equal(parse(&o, &f, "--beacon 0x40210000 --hz 60"), 0);
    assert_int_equal(o.target.beacon_pa, 0x40210000);
    assert_int_equal(parse(&o, &f, "dump --help"), 0);
    assert_int_equal(o.command, COMMAND_HELP);
    assert_int_equal(parse(&o, &f, "--version"), 0);
    assert_int_equal(o.command, COMMAND_VERSION);
    unsetenv("HVSCOPE_DIR");
    unsetenv("NO_COLOR");
}

static void test_cpu_limit(void **state)
{
    struct options o = {.some_cpus = true, .cpu_mask = UINT64_C(1) << 9};
    struct failure f;

    (void)state;
    assert_int_equal(options_check_cpus(&o, 2, &f), -1);
    assert_int_equal(f.status, EXIT_USAGE);
    assert_string_equal(f.text, "no CPU9: this machine has 2 (0-1)");
    assert_int_equal(options_check_cpus(&o, 10, &f), 0);
    assert_int_equal(options_check_cpus(&o, 64, &f), 0);
}

static void test_help_width(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    char *line, *rest;

    (void)state;
    options_print_help(out);
    fclose(out);
    rest = text;
    while ((line = strsep(&rest, "\n")) != NULL)
        assert_true(strlen(line) <= 80);
    free(text);
}

typedef void (*dump_function)(FILE *, const struct snapshot *, const struct options *);

static char *dump(dump_function function, struct fake_source *fake, const struct options *o)
{
    struct snapshot *snap = machine_snapshot(fake);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    function(out, snap, o);
    fclose(out);
    free(snap);
    return text;
}

static void check_dump(dump_function function, struct fake_source *fake, const struct options *o,
                       const char *expected)
{
    char *text = dump(function, fake, o);

    assert_string_equal(text, expected);
    free(text);
}

static struct fake_source *small_machine(void)
{
    struct fake_source *fake = machine_make(2);

    fake_put_u64(fake, SLOT_PA(0, 36), SLOT_PTE(UINT64_C(0x84800000), 2));
    fake_put_u64(fake, SLOT_PA(0, 37), UINT64_C(0x0080000000000000));
    machine_put_u32(fake, CPU_FIELD(1, state), BEACON_CPU_OFF);
    return fake;
}

static void test_dump_text(void **state)
{
    struct fake_source *fake = small_machine();
    const struct options o = {0};

    (void)state;
    check_dump(dump_text, fake, &o,
               "hvscope image, engine xen, 2 CPUs, mapcache ready; "
               "1024 slots at 0x7f8000000000\n"
               "CPU0  root 0x40300000\n"
               "  L0[255]  0x40301f7f          -> L1 at 0x40301000\n"
               "  L1[0]    0x40302f7f          -> L2 at 0x40302000, slots 0-511\n"
               "  L1[1]    0x40303f7f          -> L2 at 0x40303000, slots 512-1023\n"
               "  slot  va              mfn        pa              refs  state      home  probe\n"
               "    36  0x7f8004800000  0x84800    0x84800000         2  in-use       36      0\n"
               "    37  0x7f8004a00000  -          -                  1  broken        -      -\n"
               "  1022 free, 0 cached, 1 in-use, 0 saturated, 1 broken; 3 refs\n"
               "CPU1  off\n");
    source_close(&fake->src);
}

static void test_dump_text_faults(void **state)
{
    struct fake_source *fake = machine_make(1);
    const struct options o = {0};

    (void)state;
    machine_put_u32(fake, BEACON_FIELD(state), BEACON_PANICKED);
    fake_put(fake, BEACON_FIELD(message), "\033[2Jno slot", 12);
    fake_put_u64(fake, L1_PA(0), 0);
    fake_put_u64(fake, L1_PA(0) + 8, 0x1f7f);
    fake_put_u64(fake, CPU_FIELD(0, generation), 7);
    check_dump(dump_text, fake, &o,
               "hvscope image, engine xen, 1 CPU, panicked: ?[2Jno slot; "
               "1024 slots at 0x7f8000000000\n"
               "CPU0  root 0x40300000  (changing while it was read)\n"
               "  L0[255]  0x40301f7f          -> L1 at 0x40301000\n"
               "  L1[0]    0x0                 -> nothing: invalid entry\n"
               "  L1[1]    0x1f7f              -> nothing: 0x1000 is outside RAM\n"
               "  0 free, 0 cached, 0 in-use, 0 saturated, 0 broken; 0 refs\n");
    source_close(&fake->src);
}

#define JSON_HEAD                                                                                  \
    "{\"schema\":\"hvscope.mapcache/1\",\"target\":{\"kind\":\"hv\",\"engine\":\"xen\","           \
    "\"arch\":\"arm64\",\"ncpu\":2},\"domheap\":{\"va\":\"0x7f8000000000\","                       \
    "\"size\":\"0x80000000\",\"entries\":1024,\"root_level\":0,\"l0_index\":255},\"cpus\":["
#define JSON_CPU0                                                                                  \
    "{\"cpu\":0,\"state\":\"on\",\"consistent\":true,\"root\":\"0x40300000\",\"tables\":["         \
    "{\"level\":0,\"index\":255,\"pte\":\"0x40301f7f\",\"next\":\"0x40301000\"},"                  \
    "{\"level\":1,\"index\":0,\"pte\":\"0x40302f7f\",\"next\":\"0x40302000\"},"                    \
    "{\"level\":1,\"index\":1,\"pte\":\"0x40303f7f\",\"next\":\"0x40303000\"}],"                   \
    "\"counts\":{\"free\":1022,\"cached\":0,\"in-use\":1,\"saturated\":0,\"broken\":1,"            \
    "\"refs\":3},\"slots\":["                                                                      \
    "{\"slot\":36,\"va\":\"0x7f8004800000\",\"pte\":\"0x140000084800f7d\","                        \
    "\"state\":\"in-use\",\"odd\":false,\"refs\":2,\"mfn\":\"0x84800\","                           \
    "\"pa\":\"0x84800000\",\"home\":36,\"probe\":0},"                                              \
    "{\"slot\":37,\"va\":\"0x7f8004a00000\",\"pte\":\"0x80000000000000\","                         \
    "\"state\":\"broken\",\"odd\":false,\"refs\":1,\"mfn\":null,\"pa\":null,"                      \
    "\"home\":null,\"probe\":null}]}"
#define JSON_CPU1 "{\"cpu\":1,\"state\":\"off\"}"

static void test_dump_json(void **state)
{
    struct fake_source *fake = small_machine();
    struct options o = {0};

    (void)state;
    check_dump(dump_json, fake, &o, JSON_HEAD JSON_CPU0 "," JSON_CPU1 "]}\n");
    o = (struct options){.some_cpus = true, .cpu_mask = 2};
    check_dump(dump_json, fake, &o, JSON_HEAD JSON_CPU1 "]}\n");
    source_close(&fake->src);
}

static void test_dump_json_all(void **state)
{
    struct fake_source *fake = small_machine();
    const struct options o = {.all = true};
    char *text = dump(dump_json, fake, &o);
    json_t *root = json_loads(text, 0, NULL);
    const json_t *cpu0 = json_array_get(json_object_get(root, "cpus"), 0);

    (void)state;
    assert_int_equal(json_array_size(json_object_get(cpu0, "slots")), 1024);
    json_decref(root);
    free(text);
    source_close(&fake->src);
}

static void test_dump_json_broken_chain(void **state)
{
    struct fake_source *fake = machine_make(1);
    const struct options o = {0};
    char *text;

    (void)state;
    fake_put_u64(fake, ROOT_PA(0) + 255 * 8, 0);
    text = dump(dump_json, fake, &o);
    assert_non_null(strstr(text, "\"tables\":[{\"level\":0,\"index\":255,\"pte\":\"0x0\","
                                 "\"next\":null}],\"counts\":{\"free\":0,"));
    assert_non_null(strstr(text, "\"slots\":[]}"));
    free(text);
    source_close(&fake->src);
}

static uint64_t number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    assert_non_null(value);
    return json_is_string(value) ? strtoull(json_string_value(value), NULL, 16)
                                 : (uint64_t)json_integer_value(value);
}

static void check_hex(const char *name, const json_t *expect, const char *key, bool known,
                      uint64_t value)
{
    const json_t *want = json_object_get(expect, key);
    char text[32];

    snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
    if (known != json_is_string(want) || (known && strcmp(text, json_string_value(want)) != 0))
        fail_msg("%s: %s is %s", name, key, known ? text : "null");
}

static void check_integer(const char *name, const json_t *expect, const char *key, bool known,
                          unsigned int value)
{
    const json_t *want = json_object_get(expect, key);

    if (known != json_is_integer(want) || (known && json_integer_value(want) != value))
        fail_msg("%s: %s is %u", name, key, value);
}

static void check_vector(const json_t *v)
{
    const char *name = json_string_value(json_object_get(v, "name"));
    const json_t *ram = json_object_get(v, "ram"), *expect = json_object_get(v, "expect");
    struct machine m = {.profile = &profile_hv};
    struct slot_info i;

    m.beacon.slot_attr = number(v, "slot_attr");
    m.beacon.domheap_entries = number(v, "entries");
    m.beacon.domheap_va = number(v, "domheap_va");
    m.beacon.nr_banks = json_array_size(ram);
    assert_in_range(m.beacon.nr_banks, 0, BEACON_BANKS_MAX);
    for (unsigned int bank = 0; bank < m.beacon.nr_banks; bank++) {
        const json_t *pair = json_array_get(ram, bank);

        m.beacon.bank[bank].base = strtoull(json_string_value(json_array_get(pair, 0)), NULL, 16);
        m.beacon.bank[bank].size = strtoull(json_string_value(json_array_get(pair, 1)), NULL, 16);
    }
    i = slot_describe(&m, number(v, "slot"), number(v, "pte"));
    check_hex(name, expect, "va", true, i.va);
    check_hex(name, expect, "pte", true, i.pte);
    check_hex(name, expect, "mfn", i.block, i.mfn);
    check_hex(name, expect, "pa", i.block, i.pa);
    check_integer(name, expect, "refs", true, i.refs);
    check_integer(name, expect, "home", i.block, i.home);
    check_integer(name, expect, "probe", i.block, i.probe);
    if (strcmp(json_string_value(json_object_get(expect, "state")), slot_state_name(i.state)) != 0)
        fail_msg("%s: state is %s", name, slot_state_name(i.state));
}

static void test_vectors(void **state)
{
    json_t *vectors;
    json_error_t error;

    (void)state;
    if (access(VECTORS, F_OK) != 0)
        skip();
    vectors = json_load_file(VECTORS, 0, &error);
    assert_non_null(vectors);
    assert_true(json_array_size(vectors) > 0);
    for (size_t i = 0; i < json_array_size(vectors); i++)
        check_vector(json_array_get(vectors, i));
    json_decref(vectors);
}

static int enter_source_root(void **state)
{
    (void)state;
    return chdir(SOURCE_ROOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_usage),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_cpu_limit),
        cmocka_unit_test(test_help_width),
        cmocka_unit_test(test_dump_text),
        cmocka_unit_test(test_dump_text_faults),
        cmocka_unit_test(test_dump_json),
        cmocka_unit_test(test_dump_json_all),
        cmocka_unit_test(test_dump_json_broken_chain),
        cmocka_unit_test(test_vectors),
    };

    return cmocka_run_group_tests(tests, enter_source_root, NULL);
}
