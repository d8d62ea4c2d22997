# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark: a plugin that counts, a model of the patch on the host, and an
# image a row in which the engine is alone: compiled for speed, without the calls
# that feed ring, census and counters. The rest of that image is the usual one.

BENCH_LEVEL ?= -O2
BENCH_DIR := $(BUILD)/bench
BENCH_ROWS := $(HV_ENGINES) $(HV_VARIANTS)
BENCH_CFLAGS = -DHV_BARE -Itests/bench/bare $(filter-out -O%,$(HV_CFLAGS)) $(BENCH_LEVEL)
BENCH_BARE_OBJECTS := $(patsubst %,$(BENCH_DIR)/bare-%.o,$(BENCH_ROWS))

.PHONY: bench-build
bench-build: $(patsubst %,$(BUILD)/hv-%.bin,$(BENCH_ROWS)) $(BENCH_BARE_OBJECTS:.o=.bin) \
	$(BENCH_DIR)/count.so $(BENCH_DIR)/model

# Rebuilt when the level changes.
$(BENCH_DIR)/level: FORCE
	@mkdir -p $(@D)
	@echo '$(BENCH_LEVEL)' | cmp -s - $@ || echo '$(BENCH_LEVEL)' > $@
FORCE:

$(patsubst %,$(BENCH_DIR)/bare-%.o,$(HV_ENGINES)): $(BENCH_DIR)/bare-%.o: \
		hv/mm/domain_page_%.c $(BENCH_DIR)/level
	@echo '  CC    $@'
	@$(CROSS)gcc $(BENCH_CFLAGS) -MMD -MP -c $< -o $@

$(patsubst %,$(BENCH_DIR)/bare-%.o,$(HV_VARIANTS)): $(BENCH_DIR)/bare-%.o: \
		hv/mm/domain_page_bbm.c $(BENCH_DIR)/level
	@echo '  CC    $@'
	@$(CROSS)gcc $(BENCH_CFLAGS) $(HV_DEFINES_$*) -MMD -MP -c $< -o $@

# Asked by every map, so compiled as the engine is.
$(BENCH_DIR)/directmap.o: hv/mm/directmap.c $(BENCH_DIR)/level
	@echo '  CC    $@'
	@$(CROSS)gcc $(BENCH_CFLAGS) -MMD -MP -c $< -o $@

$(BENCH_DIR)/bare-%.elf: $(filter-out %/directmap.c.o,$(HV_OBJECTS)) $(BENCH_DIR)/directmap.o \
		$(BENCH_DIR)/bare-%.o $(HV_LDS)
	@echo '  LINK  $@'
	@$(CROSS)gcc $(HV_LDFLAGS) -T $(HV_LDS) -o $@ $(filter %.o,$^)

$(BENCH_DIR)/bare-%.bin: $(BENCH_DIR)/bare-%.elf
	@$(CROSS)objcopy -O binary $< $@

$(BENCH_DIR)/count.so: viewer/tracer/count.c viewer/tracer/a64.h viewer/tracer/qemu_plugin.h \
		include/hvscope/bench.h
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) -fPIC -shared -fvisibility=hidden -Iinclude -Iviewer -o $@ $<

$(BENCH_DIR)/model: tests/bench/model.c hv/work/trace_reader.c hv/work/trace_reader.h
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) -Ihv -o $@ $(filter %.c,$^)

.SECONDARY: $(BENCH_BARE_OBJECTS) $(BENCH_BARE_OBJECTS:.o=.elf)

-include $(BENCH_BARE_OBJECTS:.o=.d) $(BENCH_DIR)/directmap.d
