# SPDX-License-Identifier: GPL-2.0-or-later
# How much of this code the unit tests run: `make coverage`, in a build folder of its own.

COVERED := viewer/model viewer/source hv/mm hv/core/bbm.c
COVERAGE_BUILD := $(BUILD)/coverage

.PHONY: coverage coverage-build
coverage: deps ## lines that the unit tests run, by directory; fails below 90 %; FILES=1 for each file
	@HOSTCFLAGS='-O0 -g --coverage' $(MAKE_HERE) coverage-build BUILD='$(COVERAGE_BUILD)'
	@$(PYTHON) tests/unit/coverage.py --build '$(COVERAGE_BUILD)' $(if $(FILES),--verbose) $(COVERED)

# What no test links counts too, as lines that never run. Known only when all is included.
.SECONDEXPANSION:
coverage-build: $$(filter $(BUILD)/unit/%,$$(UNIT_TESTS)) \
	$(patsubst %.c,$(BUILD)/rest/%.o,$(wildcard hv/mm/*.c))

$(BUILD)/rest/%.o: %.c
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HV_UNIT_CFLAGS) -c -o $@ $<
