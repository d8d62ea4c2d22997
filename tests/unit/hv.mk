# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests of the image's code, on the fake machine of fake.c.

HV_UNIT_CFLAGS := $(HOSTCFLAGS) -Itests/unit/fake -Itests/unit -Iinclude -Ihv

UNIT_TESTS += $(patsubst %,$(BUILD)/unit/hv_%,domain_page domain_page_bbm domain_page_clock cmdline fdt bootmem page_alloc census \
	printk trace_reader pgtable stage2 bbm bbm_limits bbm_random clock_tools boot)

HV_UNIT_MAPCACHE := tests/unit/fake.c hv/mm/domain_page.c hv/mm/directmap.c hv/mm/vmap.c \
	hv/mm/bootmem.c hv/core/trace.c hv/core/tracepoint.c hv/core/census.c
$(BUILD)/unit/hv_domain_page: tests/unit/hv_domain_page.c hv/mm/domain_page_xen.c \
		$(HV_UNIT_MAPCACHE)
$(BUILD)/unit/hv_domain_page_bbm: tests/unit/hv_domain_page.c hv/mm/domain_page_bbm.c \
		$(HV_UNIT_MAPCACHE)
$(BUILD)/unit/hv_domain_page_clock: tests/unit/hv_domain_page_clock.c hv/mm/domain_page_clock.c \
		$(HV_UNIT_MAPCACHE)
$(BUILD)/unit/hv_clock_tools: tests/unit/hv_clock_tools.c tests/unit/clock_tools.c \
		hv/mm/domain_page_clock.c viewer/model/clock.c viewer/model/clock_lookup.c \
		viewer/model/lookup.c viewer/source/failure.c $(HV_UNIT_MAPCACHE)
$(BUILD)/unit/hv_clock_tools: HV_UNIT_CFLAGS += -Iviewer
$(BUILD)/unit/hv_bbm: tests/unit/hv_bbm.c tests/unit/bbm_world.c hv/core/bbm.c hv/core/bbm_text.c
$(BUILD)/unit/hv_bbm_limits: tests/unit/hv_bbm_limits.c tests/unit/bbm_world.c hv/core/bbm.c \
		hv/core/bbm_text.c
$(BUILD)/unit/hv_bbm_random: tests/unit/hv_bbm_random.c tests/unit/bbm_reference.c \
		tests/unit/bbm_world.c hv/core/bbm.c hv/core/bbm_text.c
$(BUILD)/unit/hv_census: tests/unit/hv_census.c hv/mm/domain_page_xen.c $(HV_UNIT_MAPCACHE)
$(BUILD)/unit/hv_cmdline: tests/unit/hv_cmdline.c tests/unit/fake.c hv/core/cmdline.c \
		hv/core/word.c hv/work/plan.c
$(BUILD)/unit/hv_printk: tests/unit/hv_printk.c tests/unit/fake.c hv/core/printk.c
$(BUILD)/unit/hv_stage2: tests/unit/hv_stage2.c tests/unit/fake.c hv/guest/stage2.c
# These include what they test.
HV_INCLUDED := hv/mm/domheap.c hv/mm/xenheap.c hv/mm/pgtable.c
$(BUILD)/unit/hv_pgtable: tests/unit/hv_pgtable.c tests/unit/fake.c hv/mm/pgtable.c
$(BUILD)/unit/hv_bootmem: tests/unit/hv_bootmem.c tests/unit/fake.c hv/mm/bootmem.c
$(BUILD)/unit/hv_bootmem: HV_INCLUDED := hv/mm/bootmem.c
$(BUILD)/unit/hv_page_alloc: tests/unit/hv_page_alloc.c tests/unit/fake.c hv/mm/domheap.c \
		hv/mm/xenheap.c
# Its image lies at a multiple of 2 MiB, which a loader need not grant.
$(BUILD)/unit/hv_boot: tests/unit/hv_boot.c tests/unit/fake.c hv/mm/boot_tables.c hv/mm/bootmem.c \
		hv/mm/mapcache_clear.c hv/mm/pmap.c hv/mm/setup.c hv/mm/walk_print.c
$(BUILD)/unit/hv_boot: HV_INCLUDED := hv/mm/boot_tables.c hv/mm/bootmem.c hv/mm/mapcache_clear.c \
	hv/mm/pmap.c hv/mm/setup.c hv/mm/walk_print.c
$(BUILD)/unit/hv_boot: HV_UNIT_CFLAGS += -no-pie
$(BUILD)/unit/hv_trace_reader: tests/unit/hv_trace_reader.c hv/work/trace_reader.c
$(BUILD)/unit/hv_fdt: tests/unit/hv_fdt.c hv/core/fdt.c $(BUILD)/unit/virt.dtb

# What these read is anyone's: a byte outside it ends the test.
$(BUILD)/unit/hv_trace_reader $(BUILD)/unit/hv_fdt $(BUILD)/unit/hv_bbm \
		$(BUILD)/unit/hv_bbm_limits $(BUILD)/unit/hv_bbm_random $(BUILD)/unit/hv_clock_tools: \
	HV_UNIT_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all
$(BUILD)/unit/hv_fdt: HV_UNIT_CFLAGS += -DVIRT_DTB='"$(abspath $(BUILD))/unit/virt.dtb"'

# The tree that QEMU makes for three CPUs and two banks.
$(BUILD)/unit/virt.dtb:
	@mkdir -p $(@D)
	@echo '  QEMU  $@'
	@qemu-system-aarch64 -M virt,virtualization=on,gic-version=3,dumpdtb=$@ -cpu max -smp 3 \
		-m 2G -object memory-backend-ram,id=r0,size=1G -object memory-backend-ram,id=r1,size=1G \
		-numa node,memdev=r0,cpus=0-2 -numa node,memdev=r1 -kernel /dev/null -append pace=20 \
		-nodefaults -nic none -display none 2>/dev/null

$(BUILD)/unit/hv_%: $(wildcard tests/unit/fake/arch/*.h tests/unit/*.h hv/*/*.h include/hvscope/*.h)
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HV_UNIT_CFLAGS) $(filter-out $(HV_INCLUDED),$(filter %.c,$^)) -o $@ -lcmocka
