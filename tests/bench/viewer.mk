# SPDX-License-Identifier: GPL-2.0-or-later
# The viewer's benchmark: what it costs, and what it costs the machine it looks at.

VIEWER_BENCH := $(addprefix $(BUILD)/bench/,viewer_decode viewer_floor viewer_seek)

$(BUILD)/viewer/bench/%.o: tests/bench/%.c viewer/viewer.mk tests/bench/viewer.mk
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) $(VIEWER_CFLAGS) -Itests/unit -c -o $@ $<

$(BUILD)/bench/viewer_decode: $(BUILD)/viewer/bench/viewer_decode.o \
		$(BUILD)/viewer/unit/viewer_machine.o $(VIEWER_LIB_OBJS)
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) -o $@ $^ $(VIEWER_LIBS) -lcmocka

$(BUILD)/bench/viewer_floor: $(BUILD)/viewer/bench/viewer_floor.o
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) -o $@ $^ $(VIEWER_LIBS)

$(BUILD)/bench/viewer_seek: $(BUILD)/viewer/bench/viewer_seek.o $(VIEWER_LIB_OBJS)
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) -o $@ $^ $(VIEWER_LIBS)

UNIT_TESTS += $(VIEWER_BENCH)

-include $(wildcard $(BUILD)/viewer/bench/*.d)
