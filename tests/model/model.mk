# SPDX-License-Identifier: GPL-2.0-or-later
# The engines on the model of a TLB: a table of four slots, and one of full size.

MODEL_ENGINES := xen bbm clock
MODEL_CFLAGS := $(HOSTCFLAGS) -Itests/model -Iinclude -Ihv
MODEL_SMALL := -DDOMHEAP_ENTRIES=4 -DPTE_REFS_MAX='UINT64_C(3)' -DCLOCK_HEADS=2 -DBATCH_RANGE=2 -DBATCH_VA=2
MODEL_HEADERS := $(wildcard tests/model/*.h tests/model/arch/*.h tests/unit/*.h hv/*/*.h include/hvscope/*.h)
MODEL_TESTS := $(foreach e,$(MODEL_ENGINES),$(BUILD)/model/small_$(e) $(BUILD)/model/big_$(e))

define MODEL_RULES
$(BUILD)/model/$(1)_%.o: tests/model/%.c $(MODEL_HEADERS)
	@mkdir -p $$(@D)
	@$(HOSTCC) $(MODEL_CFLAGS) $(2) -c $$< -o $$@

$(BUILD)/model/$(1)_%: hv/mm/domain_page_%.c $(BUILD)/model/$(1)_explore.o $(BUILD)/model/$(1)_machine.o
	@echo '  HOST  $$@'
	@$(HOSTCC) $(MODEL_CFLAGS) $(2) $$^ -o $$@
endef
$(eval $(call MODEL_RULES,small,$(MODEL_SMALL)))
$(eval $(call MODEL_RULES,big,))
.SECONDARY: $(foreach s,small big,$(BUILD)/model/$(s)_explore.o $(BUILD)/model/$(s)_machine.o)
