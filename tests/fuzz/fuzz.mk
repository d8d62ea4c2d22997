# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzing: `make fuzz` with libFuzzer; the same targets with gcc and driver.c in the tests.

# The table of targets: a file each, and what it is linked with.
FUZZ_VIEWER := entries walk machine ring qmp gdb core recording elf keys
FUZZ_TARGETS := $(FUZZ_VIEWER) bbm decode fdt cmdline
FUZZ_SRCS_bbm := hv/core/bbm.c hv/core/bbm_text.c
FUZZ_SRCS_decode := viewer/tracer/decode_a64.c viewer/tracer/decode_a32.c
FUZZ_SRCS_fdt := hv/core/fdt.c
FUZZ_SRCS_cmdline := tests/unit/fake.c hv/core/cmdline.c hv/core/word.c hv/work/plan.c

FUZZ_SECONDS ?= 20
FUZZ_SEED ?= 1
FUZZ_CC := clang
FUZZ_CFLAGS := -std=gnu11 -g -O1 -fno-omit-frame-pointer -D_GNU_SOURCE
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_HV_CFLAGS := -Itests/unit/fake -Itests/unit -Itests/fuzz -Iinclude -Ihv -Iviewer
FUZZ_HEADERS := $(wildcard tests/fuzz/*.h tests/unit/*.h tests/unit/fake/arch/*.h hv/*/*.h \
	include/hvscope/*.h viewer/*/*.h)

.PHONY: fuzz
fuzz: deps ## bounded fuzzing, FUZZ_SECONDS (20) a target: C by libFuzzer, Python by a generator
	@hv/launch/deps clang
	@hv/launch/deps "libclang-rt-$$(clang -dumpversion | cut -d. -f1)-dev"
	@$(MAKE_HERE) $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%) $(BUILD)/fuzz/seeds/.made
	@$(PYTHON) tests/fuzz/run.py --build '$(BUILD)' --seconds '$(FUZZ_SECONDS)' \
		--seed '$(FUZZ_SEED)' $(FUZZ_TARGETS)

# Inputs to begin with, made by a program; what once went wrong is in tests/fuzz/corpus.
$(BUILD)/fuzz/seeds/.made: tests/fuzz/seeds.py $(BUILD)/unit/virt.dtb
	@$(PYTHON) $< $(@D) $(BUILD)/unit/virt.dtb $(CROSS)gcc
	@touch $@

# With libFuzzer.
$(BUILD)/fuzz/obj/%.o: %.c $(FUZZ_HEADERS) tests/fuzz/fuzz.mk
	@mkdir -p $(@D)
	@echo '  CLANG $@'
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(VIEWER_CFLAGS) -Itests/unit -w $(FUZZ_SAN) \
		-fsanitize=fuzzer-no-link -c -o $@ $<

FUZZ_LIB := $(BUILD)/fuzz/viewer.a
$(FUZZ_LIB): $(patsubst viewer/%.c,$(BUILD)/fuzz/obj/viewer/%.o,$(filter-out \
		viewer/command/main.c,$(VIEWER_SRCS))) $(BUILD)/fuzz/obj/hv/core/bbm.o \
		$(BUILD)/fuzz/obj/hv/core/bbm_text.o $(BUILD)/fuzz/obj/tests/unit/viewer_machine.o
	@rm -f $@
	@ar rcs $@ $^

$(FUZZ_VIEWER:%=$(BUILD)/fuzz/%): $(BUILD)/fuzz/%: tests/fuzz/%.c tests/fuzz/fuzz.c $(FUZZ_LIB)
	@echo '  CLANG $@'
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -Itests/fuzz -Itests/unit -Iinclude -Iviewer -Ihv $(FUZZ_SAN) \
		-fsanitize=fuzzer -o $@ $^ $(VIEWER_LIBS) -lcmocka

.SECONDEXPANSION:
$(addprefix $(BUILD)/fuzz/,$(filter-out $(FUZZ_VIEWER),$(FUZZ_TARGETS))): $(BUILD)/fuzz/%: \
		tests/fuzz/%.c tests/fuzz/fuzz.c $$(FUZZ_SRCS_$$*) $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	@echo '  CLANG $@'
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_HV_CFLAGS) $(FUZZ_SAN) -fsanitize=fuzzer -o $@ \
		$(filter %.c,$^)

# With gcc and the driver, in the tests.
FUZZ_TESTS := $(FUZZ_TARGETS:%=$(BUILD)/fuzz/test/%)
UNIT_TESTS += $(FUZZ_TESTS) $(BUILD)/fuzz/seeds/.made
FUZZ_DRIVEN := tests/fuzz/fuzz.c tests/fuzz/driver.c
FUZZ_TEST_CC = $(HOSTCC) $(HOSTCFLAGS) -O1 -D_GNU_SOURCE $(FUZZ_SAN)

$(FUZZ_VIEWER:%=$(BUILD)/fuzz/test/%): $(BUILD)/fuzz/test/%: tests/fuzz/%.c $(FUZZ_DRIVEN) \
		$(BUILD)/san/obj/unit/viewer_machine.o $(VIEWER_SAN_LIB_OBJS) tests/fuzz/fuzz.h
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(FUZZ_TEST_CC) -Itests/fuzz -Itests/unit -Iinclude -Iviewer -Ihv -o $@ \
		$(filter %.c %.o,$^) $(VIEWER_LIBS) -lcmocka

$(addprefix $(BUILD)/fuzz/test/,$(filter-out $(FUZZ_VIEWER),$(FUZZ_TARGETS))): \
		$(BUILD)/fuzz/test/%: tests/fuzz/%.c $(FUZZ_DRIVEN) $$(FUZZ_SRCS_$$*) $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(FUZZ_TEST_CC) $(FUZZ_HV_CFLAGS) -o $@ $(filter %.c,$^)
