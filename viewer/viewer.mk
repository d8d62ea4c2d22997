# SPDX-License-Identifier: GPL-2.0-or-later
# The viewer: $(BUILD)/hvscope. All of it but main.o is linked into the unit
# tests too, so that they test what people run.

VIEWER_VERSION := 0.1.0
VIEWER_CFLAGS := -MMD -Iinclude -Iviewer -Ihv -D_GNU_SOURCE -DHVSCOPE_VERSION='"$(VIEWER_VERSION)"'
VIEWER_LIBS := -lncursesw -ltinfo -ljansson -ldw -lelf

VIEWER_SRCS := $(wildcard viewer/source/*.c viewer/model/*.c viewer/command/*.c viewer/view/*.c)
VIEWER_OBJS := $(patsubst viewer/%.c,$(BUILD)/viewer/%.o,$(VIEWER_SRCS))
VIEWER_OBJS += $(BUILD)/viewer/core/bbm.o $(BUILD)/viewer/core/bbm_text.o
VIEWER_LIB_OBJS := $(filter-out $(BUILD)/viewer/command/main.o,$(VIEWER_OBJS))

$(BUILD)/hvscope: $(VIEWER_OBJS)
	@echo '  LINK  $@'
	@$(HOSTCC) $(HOSTCFLAGS) -o $@ $^ $(VIEWER_LIBS)

$(BUILD)/viewer/%.o: viewer/%.c viewer/viewer.mk
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) $(VIEWER_CFLAGS) -c -o $@ $<

# The checker is the image's.
$(BUILD)/viewer/core/%.o: hv/core/%.c viewer/viewer.mk
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) $(VIEWER_CFLAGS) -c -o $@ $<

-include $(VIEWER_OBJS:.o=.d)
