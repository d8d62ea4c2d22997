# SPDX-License-Identifier: GPL-2.0-or-later
# The tracer: a plugin for QEMU 9.2 and later.

TRACER_SRCS := $(addprefix viewer/tracer/,trace.c calls.c decode_a32.c decode_a64.c guest.c pages.c \
	ring.c roots.c symbols.c tables.c)
TRACER_CFLAGS := -Iinclude -Iviewer -D_GNU_SOURCE -fPIC -fvisibility=hidden

$(BUILD)/tracer/trace.so: $(TRACER_SRCS) $(wildcard viewer/tracer/*.h include/hvscope/*.h)
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) $(TRACER_CFLAGS) -shared -o $@ $(TRACER_SRCS) -lelf -lpthread
