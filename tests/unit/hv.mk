# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests of the image's code, on the fake machine of fake.c.

HV_UNIT_CFLAGS := $(HOSTCFLAGS) -Itests/unit/fake -Itests/unit -Iinclude -Ihv

UNIT_TESTS += $(BUILD)/unit/hv_domain_page

$(BUILD)/unit/hv_domain_page: tests/unit/hv_domain_page.c tests/unit/fake.c \
		hv/mm/domain_page_xen.c hv/mm/domain_page.c hv/mm/directmap.c hv/mm/vmap.c \
		hv/mm/bootmem.c hv/core/trace.c
$(BUILD)/unit/hv_fdt: tests/unit/hv_fdt.c hv/core/fdt.c

$(BUILD)/unit/hv_%: $(wildcard tests/unit/fake/arch/*.h tests/unit/*.h hv/*/*.h include/hvscope/*.h)
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HV_UNIT_CFLAGS) $(filter %.c,$^) -o $@ -lcmocka
