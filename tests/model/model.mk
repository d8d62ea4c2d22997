# SPDX-License-Identifier: GPL-2.0-or-later
# The engines on the model of a TLB: a table of four slots, and one of full size.

MODEL_CFLAGS := $(HOSTCFLAGS) -Itests/model -Iinclude -Ihv
MODEL_SMALL := -DDOMHEAP_ENTRIES=4 -DPTE_REFS_MAX='UINT64_C(3)' -DCLOCK_HEADS=2 -DBATCH_RANGE=2 -DBATCH_VA=2
MODEL_HEADERS := $(wildcard tests/model/*.h tests/model/arch/*.h tests/unit/*.h hv/*/*.h include/hvscope/*.h)
MODEL_TESTS := $(foreach e,$(HV_ENGINES),$(BUILD)/model/small_$(e) $(BUILD)/model/big_$(e))

MODEL_OBJECTS := explore machine checker core_bbm core_bbm_text

define MODEL_RULES
$(BUILD)/model/$(1)_%.o: tests/model/%.c $(MODEL_HEADERS)
	@mkdir -p $$(@D)
	@$(HOSTCC) $(MODEL_CFLAGS) $(2) -c $$< -o $$@

$(BUILD)/model/$(1)_core_%.o: hv/core/%.c $(MODEL_HEADERS)
	@mkdir -p $$(@D)
	@$(HOSTCC) $(MODEL_CFLAGS) $(2) -c $$< -o $$@

$(BUILD)/model/$(1)_%: hv/mm/domain_page_%.c $(foreach o,$(MODEL_OBJECTS),$(BUILD)/model/$(1)_$(o).o)
	@echo '  HOST  $$@'
	@$(HOSTCC) $(MODEL_CFLAGS) $(2) $$^ -o $$@
endef
$(eval $(call MODEL_RULES,small,$(MODEL_SMALL)))
$(eval $(call MODEL_RULES,big,))
.SECONDARY: $(foreach s,small big,$(foreach o,$(MODEL_OBJECTS),$(BUILD)/model/$(s)_$(o).o))
