# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark: the plugin that counts, the host model, and two images a row:
#   hv-ROW.elf    the image as it is, engine of that row
#   bare-ROW.elf  the same but the engine is compiled for speed and without the
#                 calls that feed ring, census and counters: the algorithm alone

BENCH_LEVEL ?= -O2
BENCH_DIR := $(BUILD)/bench
BENCH_ROWS := xen
BENCH_SOURCE_xen := xen

BENCH_IMAGES := $(foreach row,$(BENCH_ROWS),$(BENCH_DIR)/hv-$(row).bin $(BENCH_DIR)/bare-$(row).bin)
BENCH_TOOLS := $(BENCH_DIR)/count.so $(BENCH_DIR)/model

# The last of several -O counts; the bare headers come before hv's.
BENCH_BARE := $(BENCH_LEVEL) -DHV_BARE -Itests/bench/bare

define bench_row
$(BENCH_DIR)/hv-$(1).o: hv/mm/domain_page_$(BENCH_SOURCE_$(1)).c
	$$(bench_cc) $(BENCH_FLAGS_$(1)) -MMD -MP -c $$< -o $$@
$(BENCH_DIR)/bare-$(1).o: hv/mm/domain_page_$(BENCH_SOURCE_$(1)).c tests/bench/bench.mk
	$$(bench_cc) $(BENCH_FLAGS_$(1)) -MMD -MP -c $$< -o $$@
$(BENCH_DIR)/bare-$(1).o: HV_CFLAGS := $(BENCH_BARE) $(HV_CFLAGS) $(BENCH_LEVEL)
-include $(BENCH_DIR)/hv-$(1).d $(BENCH_DIR)/bare-$(1).d
endef

define bench_cc
@mkdir -p $(@D)
@echo '  CC    $@'
@$(CROSS)gcc $(HV_CFLAGS)
endef

$(foreach row,$(BENCH_ROWS),$(eval $(call bench_row,$(row))))

# The bypass test is part of each map: measured at the same level.
$(BENCH_DIR)/directmap.o: hv/mm/directmap.c
	$(bench_cc) $(BENCH_LEVEL) -MMD -MP -c $< -o $@

$(BENCH_DIR)/hv-%.elf: $(HV_OBJECTS) $(BENCH_DIR)/hv-%.o $(HV_LDS)
	@echo '  LINK  $@'
	@$(CROSS)gcc $(HV_LDFLAGS) -T $(HV_LDS) -o $@ $(filter %.o,$^)

$(BENCH_DIR)/bare-%.elf: $(filter-out %/directmap.c.o,$(HV_OBJECTS)) $(BENCH_DIR)/directmap.o \
		$(BENCH_DIR)/bare-%.o $(HV_LDS)
	@echo '  LINK  $@'
	@$(CROSS)gcc $(HV_LDFLAGS) -T $(HV_LDS) -o $@ $(filter %.o,$^)

$(BENCH_DIR)/%.bin: $(BENCH_DIR)/%.elf
	@$(CROSS)objcopy -O binary $< $@

# QEMU loads it; it needs nothing but the C library.
$(BENCH_DIR)/count.so: viewer/tracer/count.c viewer/tracer/a64.h viewer/tracer/qemu_plugin.h \
		include/hvscope/bench.h
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) -fPIC -shared -fvisibility=hidden -Iinclude -Iviewer -o $@ $<

$(BENCH_DIR)/model: tests/bench/model.c hv/work/trace_reader.c hv/work/trace_reader.h
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) -Ihv -o $@ $(filter %.c,$^)

.SECONDARY: $(BENCH_IMAGES:.bin=.elf) $(BENCH_IMAGES:.bin=.o)

.PHONY: bench bench-build
bench-build: $(BENCH_IMAGES) $(BENCH_TOOLS)

bench: all bench-build ## tables: what each engine costs, on synthetic and real traces; BENCH=full
	@HVSCOPE_BUILD='$(BUILD)' $(PYTHON) tests/bench/bench.py --build '$(BENCH_DIR)' \
		--cc '$(CROSS)gcc' --level='$(BENCH_LEVEL)' $(if $(filter full,$(BENCH)),--full)
