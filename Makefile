# SPDX-License-Identifier: GPL-2.0-or-later
# hvscope: a hypervisor image, GDB commands and a viewer. `make help` lists the targets.

BUILD   ?= build
DIR     ?= $(BUILD)/run
ENGINE  ?= xen
SMP     ?= 2
MEM     ?= 4G
CPU     ?= max
CMDLINE ?=
QEMU_EXTRA ?=
XEN_VERSION ?= 4.17
SECONDS ?= 300
GUESTS  ?= 334
HALTS   ?= 1000
PREFIX  ?= /usr/local
DESTDIR ?=
STEP    ?=
SUITES  ?= bookworm trixie
MIRROR  ?= http://deb.debian.org/debian
FRESH   ?= $(BUILD)/fresh

PYTHON  := /usr/bin/python3
CROSS   ?= aarch64-linux-gnu-
HOSTCC  ?= gcc
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wundef
HOSTCFLAGS ?= -O2 -g
HOSTCFLAGS += -std=gnu11 $(WARNINGS)
UNIT_TESTS :=
space := $(subst ,, )

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

include hv/hv.mk
-include viewer/viewer.mk
-include viewer/tracer/tracer.mk
-include $(wildcard tests/unit/*.mk tests/system/*.mk tests/fuzz/*.mk tests/bench/*.mk tests/model/*.mk)

.PHONY: help deps all demo tour run gdb view record replay xen32 xen64 test soak bench bench-viewer
.PHONY: install uninstall screenshots test-xen test-linux test-fresh bench-gdb trace test-trace lint clean

help: ## this list
	@echo 'make TARGET [ENGINE=$(subst $(space),|,$(HV_ENGINES))] [SMP=2] [MEM=4G] [CPU=max|cortex-a57] [CMDLINE=...] [DIR=build/run]'
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

deps: ## install what is missing (Debian, Ubuntu)
	@hv/launch/deps

# As many jobs as there are CPUs, unless the user chose.
MAKE_HERE = $(MAKE) --no-print-directory -s $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

all: deps ## build the image, the viewer and the unit tests
	@$(MAKE_HERE) build

# What a person runs.
.PHONY: tools ready
tools: images $(BUILD)/hv.elf $(BUILD)/hvscope $(BUILD)/tracer/trace.so

ready: deps
	@$(MAKE_HERE) tools

.PHONY: build
build: tools $(UNIT_TESTS) $(MODEL_TESTS)

MACHINE = --dir '$(DIR)' --image '$(BUILD)/hv-$(ENGINE).bin' --smp '$(SMP)' --mem '$(MEM)' --cpu '$(CPU)'

demo: ready ## boot, and step through map_domain_page beside the viewer
	@hv/launch/demo $(MACHINE) --build '$(BUILD)' --append 'pace=20 $(CMDLINE)' --extra='$(QEMU_EXTRA)'

run: ready ## boot with the console in the foreground (Ctrl-C ends it)
	@hv/launch/run $(MACHINE) --append='$(CMDLINE)' --extra='$(QEMU_EXTRA)'

gdb: ready ## GDB on the instance that runs
	@hv/launch/gdb --dir '$(DIR)' --build '$(BUILD)'

view: ready ## the viewer on the instance that runs
	@$(BUILD)/hvscope view --dir '$(DIR)'

tour: ready ## a guided tour, live: slots, hits, hazards, back in time, a stock Xen; STEP=N begins there
	@hv/launch/tour --dir '$(DIR)' --build '$(BUILD)' --step '$(STEP)'

# What the user set; a Xen has defaults of its own.
given = $(if $(filter file,$(origin $(1))),,--$(2) '$($(1))')
EL1 = $(if $(filter el1,$(TRACE)),--el1)
XEN = --dir '$(DIR)' --build '$(BUILD)' --smp '$(SMP)' $(call given,MEM,mem) $(call given,CPU,cpu) \
	--append='$(CMDLINE)' --extra='$(QEMU_EXTRA)' --version '$(XEN_VERSION)' $(if $(TRACE),--trace) $(EL1)

xen32: ready ## Debian's arm32 Xen (it has a mapcache) and a Linux dom0, viewer and GDB beside it; TRACE=1: traced
	@hv/launch/xen --arch arm32 $(XEN)

xen64: ready ## Debian's arm64 Xen (no mapcache: page tables only), the same; XEN_VERSION=4.17|4.20
	@hv/launch/xen --arch arm64 $(XEN)

trace: ready ## as run, under the tracer: what EL2 does to its tables, seen from outside (QEMU 9.2)
	@hv/launch/run $(MACHINE) --append='$(CMDLINE)' --extra='$(QEMU_EXTRA)' --trace '$(BUILD)' $(EL1)

# All RAM is gone through for the recording's snapshot: 4 GiB take a minute.
record: ready ## boot with one CPU (and 512M, if MEM= is not given) and record; Ctrl-C ends it
	@hv/launch/record $(MACHINE) $(if $(filter file,$(origin MEM)),--mem 512M) --append='$(CMDLINE)' --extra='$(QEMU_EXTRA)'

replay: ready ## GDB on what was recorded: it runs backwards too
	@hv/launch/replay --dir '$(DIR)' --build '$(BUILD)'

test: all ## everything that CI runs
	@HVSCOPE_BUILD='$(BUILD)' tests/run

# SECONDS of load on each engine, twice that of check=on on bbm and clock, a fifth of it for live
# readings; guests that are killed (GUESTS on each engine) and halts come on top.
soak: all ## over half an hour: load, check=on, live snapshots, 1000 guests killed, 1000 halts; SECONDS= GUESTS= HALTS=
	@HVSCOPE_BUILD='$(BUILD)' $(PYTHON) tests/system/soak.py --seconds $(SECONDS) --guests $(GUESTS)
	@HVSCOPE_BUILD='$(BUILD)' $(PYTHON) tests/system/soak.py --halts $(HALTS)
	@for engine in $(HV_ENGINES); do HVSCOPE_BUILD='$(BUILD)' $(PYTHON) tests/system/soak.py \
		--check $$engine --seconds $$(($(SECONDS) * 2)) || exit 1; done
	@HVSCOPE_BUILD='$(BUILD)' $(PYTHON) tests/system/soak.py --live --seconds $$(($(SECONDS) / 5 + 1))

bench-viewer: all ## what the viewer costs, in five minutes; PARTS='decode cost guest seek events'
	@HVSCOPE_BUILD='$(BUILD)' $(PYTHON) tests/bench/viewer_cost.py $(PARTS)

bench-gdb: all ## what the GDB commands cost, as ratios to floors of the same run
	@HVSCOPE_BUILD='$(BUILD)' $(PYTHON) tests/bench/tools_gdb.py

test-xen: all ## the tools on Debian's Xen with a Linux dom0, against a naive reading; minutes
	@HVSCOPE_BUILD='$(BUILD)' $(PYTHON) -m pytest -p no:cacheprovider -q tests/xen

test-linux: all ## GDB on the 260 000 leaves of Debian's arm64 kernel, against an oracle and in time
	@HVSCOPE_BUILD='$(BUILD)' $(PYTHON) tests/bench/linux_tables.py

bench: all bench-build ## what each engine costs, on synthetic and real traces; BENCH=full
	@$(PYTHON) tests/bench/bench.py --build '$(BUILD)' --cc '$(CROSS)gcc' \
		--level='$(BENCH_LEVEL)' $(if $(filter full,$(BENCH)),--full) $(BENCH_ARGS)

screenshots: all ## the pictures in screenshots/, from real runs; SCENES= for some of them
	@hv/launch/deps librsvg2-bin pngquant optipng fonts-dejavu-core
	@HVSCOPE_BUILD='$(BUILD)' $(PYTHON) tests/screenshots/shoot.py $(SCENES)

test-trace: all bench-build ## the tracer on our image and on Debian's Xen, with a QEMU that is fetched
	@HVSCOPE_BUILD='$(BUILD)' $(PYTHON) -m pytest -p no:cacheprovider -q tests/trace/image.py tests/trace/counts.py \
		tests/trace/xen32.py tests/trace/arm64.py

# For GDB to load the commands together with an image; empty: to lie beside the image.
GDB_AUTOLOAD ?= /usr/share/gdb/auto-load

install: ready ## hvscope, GDB commands, images, man pages, completion; PREFIX=/usr/local DESTDIR= GDB_AUTOLOAD=
	@hv/launch/install '$(BUILD)' '$(DESTDIR)' '$(PREFIX)' '$(GDB_AUTOLOAD)' $(HV_ENGINES)

uninstall: ## remove what make install put there, with the same PREFIX and DESTDIR
	@hv/launch/install --remove '$(DESTDIR)' '$(PREFIX)'

test-fresh: ## demo, tour and installed copy on a minbase of SUITES='bookworm trixie'; as root
	@for suite in $(SUITES); do tests/fresh/fresh '$(FRESH)' $$suite '$(MIRROR)' || exit 1; done

lint: deps ## formatting and static checks: clang-tidy, cppcheck, gcc's analyzer, shellcheck, mypy
	@hv/launch/deps clang-tidy cppcheck mypy
	@tests/lint
	@tests/analysis/run

clean: ## remove what was built
	rm -rf '$(BUILD)'
