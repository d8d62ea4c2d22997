# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests of the tracer: what needs no QEMU.

UNIT_TESTS += $(BUILD)/unit/tracer_decode

$(BUILD)/unit/tracer_decode: tests/unit/tracer_decode.c viewer/tracer/decode_a64.c \
		viewer/tracer/decode_a32.c $(wildcard viewer/tracer/*.h) include/hvscope/trace.h
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) -Iinclude -Iviewer -DVECTORS='"tests/vectors/instructions.txt"' \
		-fsanitize=address,undefined -fno-sanitize-recover=all $(filter %.c,$^) -o $@ -lcmocka
