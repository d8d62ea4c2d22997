# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests of the tracer: what needs no QEMU.

UNIT_TESTS += $(patsubst %,$(BUILD)/unit/tracer_%,decode symbols tables)

TRACER_DECODERS := viewer/tracer/decode_a64.c viewer/tracer/decode_a32.c
TRACER_TEST = $(HOSTCC) $(HOSTCFLAGS) -Iinclude -Iviewer -DVECTORS='"tests/vectors/instructions.txt"' \
	-DIMAGES='"$(BUILD)"' -fsanitize=address,undefined -fno-sanitize-recover=all \
	$(filter %.c,$^) -o $@ -lcmocka -lelf

$(BUILD)/unit/tracer_decode: tests/unit/tracer_decode.c $(TRACER_DECODERS) \
		$(wildcard viewer/tracer/*.h) include/hvscope/trace.h
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(TRACER_TEST)

$(BUILD)/unit/tracer_symbols: tests/unit/tracer_symbols.c viewer/tracer/symbols.c $(TRACER_DECODERS) \
		$(wildcard viewer/tracer/*.h) include/hvscope/trace.h | $(BUILD)/hv-clock.elf
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(TRACER_TEST)

$(BUILD)/unit/tracer_tables: tests/unit/tracer_tables.c viewer/tracer/tables.c \
		viewer/tracer/pages.c \
		$(wildcard viewer/tracer/*.h include/hvscope/*.h)
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(TRACER_TEST) -lpthread
