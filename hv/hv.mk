# SPDX-License-Identifier: GPL-2.0-or-later
# The images: one ELF file an engine, and a .bin of each for the boot loader.

HV_ENGINES := xen bbm clock
# Engine bbm in other hands, for the benchmark: domain_page_bbm.c says what each is.
HV_VARIANTS := bbm-write-pte bbm-flush
HV_DEFINES_bbm-write-pte := -DBBM_WRITE_PTE=1
HV_DEFINES_bbm-flush := -DBBM_WRITE_PTE=1 -DBBM_FLUSH_ALWAYS=1

HV_CFLAGS := -std=gnu11 -Og -g3 $(WARNINGS) -ffreestanding \
	-Iinclude -Ihv -march=armv8-a -mgeneral-regs-only -mstrict-align -mno-outline-atomics \
	-fno-pic -fno-pie -fno-stack-protector -fno-omit-frame-pointer -fno-common \
	-fno-asynchronous-unwind-tables -fno-unwind-tables \
	-fno-jump-tables -ffixed-x27 -ffixed-x28 -ffile-prefix-map=$(CURDIR)=.
HV_LDFLAGS := -nostdlib -static -no-pie -Wl,--build-id=sha1 -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
	-Wl,--fatal-warnings -Wl,--no-warn-rwx-segments

HV_SOURCES := $(filter-out hv/mm/domain_page_%.c,$(wildcard hv/arch/*.c hv/mm/*.c hv/core/*.c hv/guest/*.c hv/work/*.c)) $(wildcard hv/arch/*.S hv/guest/*.S)
HV_OBJECTS := $(patsubst %,$(BUILD)/%.o,$(HV_SOURCES))
HV_ENGINE_OBJECTS := $(patsubst %,$(BUILD)/hv/mm/domain_page_%.c.o,$(HV_ENGINES) $(HV_VARIANTS))
HV_LDS := $(BUILD)/hv/hv.lds

$(BUILD)/hv/%.c.o: hv/%.c
	@mkdir -p $(@D)
	@echo '  CC    $<'
	@$(CROSS)gcc $(HV_CFLAGS) -MMD -MP -c $< -o $@

$(patsubst %,$(BUILD)/hv/mm/domain_page_%.c.o,$(HV_VARIANTS)): $(BUILD)/hv/mm/domain_page_%.c.o: hv/mm/domain_page_bbm.c
	@mkdir -p $(@D)
	@echo '  CC    $< ($*)'
	@$(CROSS)gcc $(HV_CFLAGS) $(HV_DEFINES_$*) -MMD -MP -c $< -o $@

# What every map and unmap runs: its instructions are counted, for each engine alike, as in a
# release build of Xen. At -Og not even the inline functions are inlined.
$(BUILD)/hv/core/trace.c.o $(BUILD)/hv/core/trace%.c.o $(BUILD)/hv/mm/domain_page%.c.o $(BUILD)/hv/mm/directmap.c.o: \
	HV_CFLAGS := $(filter-out -Og,$(HV_CFLAGS)) -O2

$(BUILD)/hv/%.S.o: hv/%.S
	@mkdir -p $(@D)
	@echo '  AS    $<'
	@$(CROSS)gcc -g -Iinclude -Ihv -Wa,-I$(BUILD)/hv/guest -MMD -MP -c $< -o $@

# The guest is a program of its own, and a blob to the image.
GUEST_CFLAGS := $(filter-out -Og -g3,$(HV_CFLAGS)) -O2 -g

$(BUILD)/hv/guest/guest.elf: hv/guest/tiny/start.S hv/guest/tiny/main.c hv/guest/tiny/tiny.lds hv/guest/abi.h
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	@$(CROSS)gcc $(GUEST_CFLAGS) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
		-Wl,--no-warn-rwx-segments -T hv/guest/tiny/tiny.lds -o $@ $(filter %.S %.c,$^)

$(BUILD)/hv/guest/guest.bin: $(BUILD)/hv/guest/guest.elf
	@$(CROSS)objcopy -O binary $< $@

$(BUILD)/hv/guest/enter.S.o: $(BUILD)/hv/guest/guest.bin

$(HV_LDS): hv/hv.lds.S include/hvscope/layout.h
	@mkdir -p $(@D)
	@$(CROSS)gcc -E -P -D__ASSEMBLER__ -Iinclude -x assembler-with-cpp $< -o $@

$(BUILD)/hv-%.elf: $(HV_OBJECTS) $(BUILD)/hv/mm/domain_page_%.c.o $(HV_LDS)
	@echo '  LINK  $@'
	@$(CROSS)gcc $(HV_LDFLAGS) -T $(HV_LDS) -o $@ $(filter %.o,$^)

$(BUILD)/hv-%.bin: $(BUILD)/hv-%.elf
	@$(CROSS)objcopy -O binary $< $@

.PHONY: images
images: $(patsubst %,$(BUILD)/hv-%.bin,$(HV_ENGINES))

$(BUILD)/hv.elf: $(BUILD)/hv-xen.elf
	@ln -sf $(<F) $@

.SECONDARY: $(HV_OBJECTS) $(HV_ENGINE_OBJECTS) $(patsubst %,$(BUILD)/hv-%.elf,$(HV_ENGINES) $(HV_VARIANTS))

-include $(HV_OBJECTS:.o=.d) $(HV_ENGINE_OBJECTS:.o=.d)
