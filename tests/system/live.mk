# SPDX-License-Identifier: GPL-2.0-or-later
# What system tests run beside hvscope: it links the viewer's own reading of a machine.

LIVE_STATES := $(BUILD)/system/live_states

$(LIVE_STATES): tests/system/live_states.c hv/work/trace_reader.c $(VIEWER_LIB_OBJS)
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) $(VIEWER_CFLAGS) -MF $@.d -o $@ $^ $(VIEWER_LIBS)

UNIT_TESTS += $(LIVE_STATES)

-include $(LIVE_STATES).d
