# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests of the viewer: each links all of it but main.

VIEWER_UNIT_NAMES := $(addprefix viewer_,activity ask asked beacon command config files gdb inspect keys \
	live model moments paint profile qmp recording replay screens source verdict walk xen)
VIEWER_UNIT_HELPERS := viewer_dir.o viewer_machine.o viewer_scene.o
VIEWER_UNIT_TESTS := $(addprefix $(BUILD)/unit/,$(VIEWER_UNIT_NAMES))
VIEWER_UNIT_DEFINES := -DVECTORS='"tests/vectors/slots.json"' \
	-DWALK_VECTORS='"tests/vectors/walks.json"' \
	-DREGIME_VECTORS='"tests/vectors/regimes.json"' \
	-DGOLDEN_DIR='"tests/unit/viewer_golden"' -DSOURCE_ROOT='"$(CURDIR)"'

UNIT_TESTS += $(VIEWER_UNIT_TESTS)

$(BUILD)/viewer/unit/%.o: tests/unit/%.c viewer/viewer.mk tests/unit/viewer.mk
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) $(VIEWER_CFLAGS) -Itests/unit $(VIEWER_UNIT_DEFINES) -c -o $@ $<

$(VIEWER_UNIT_TESTS): $(BUILD)/unit/%: $(BUILD)/viewer/unit/%.o \
		$(addprefix $(BUILD)/viewer/unit/,$(VIEWER_UNIT_HELPERS)) $(VIEWER_LIB_OBJS)
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) -o $@ $^ $(VIEWER_LIBS) -lcmocka

-include $(wildcard $(BUILD)/viewer/unit/*.d)

# The same once more with the sanitizers: $(BUILD)/san/viewer_*. Any finding ends the test.
SAN_CFLAGS := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
VIEWER_SAN_TESTS := $(addprefix $(BUILD)/san/,$(VIEWER_UNIT_NAMES))
VIEWER_SAN_LIB_OBJS := $(patsubst $(BUILD)/viewer/%,$(BUILD)/san/obj/%,$(VIEWER_LIB_OBJS))

UNIT_TESTS += $(VIEWER_SAN_TESTS)

$(BUILD)/san/obj/%.o: viewer/%.c viewer/viewer.mk tests/unit/viewer.mk
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) $(VIEWER_CFLAGS) $(SAN_CFLAGS) -c -o $@ $<

$(BUILD)/san/obj/core/%.o: hv/core/%.c viewer/viewer.mk tests/unit/viewer.mk
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) $(SAN_CFLAGS) $(VIEWER_CFLAGS) -c -o $@ $<

$(BUILD)/san/obj/unit/%.o: tests/unit/%.c viewer/viewer.mk tests/unit/viewer.mk
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) $(VIEWER_CFLAGS) -Itests/unit $(VIEWER_UNIT_DEFINES) $(SAN_CFLAGS) \
		-c -o $@ $<

$(VIEWER_SAN_TESTS): $(BUILD)/san/%: $(BUILD)/san/obj/unit/%.o \
		$(addprefix $(BUILD)/san/obj/unit/,$(VIEWER_UNIT_HELPERS)) $(VIEWER_SAN_LIB_OBJS)
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(HOSTCFLAGS) $(SAN_CFLAGS) -o $@ $^ $(VIEWER_LIBS) -lcmocka

-include $(VIEWER_SAN_LIB_OBJS:.o=.d) $(wildcard $(BUILD)/san/obj/unit/*.d)
