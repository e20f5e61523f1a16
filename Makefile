# SPDX-License-Identifier: GPL-2.0
# Everything is built in a Debian build root under SISLM_CACHE (default ~/.cache/sislm); `make help` lists the targets.

KERNEL ?= stock
CPU ?=
SMP ?= 2
MEM ?= 2G
TIMEOUT ?= 600
export KERNEL CPU SMP MEM TIMEOUT SHARE FORWARD CMD INSMOD MODULE APPEND QEMU LOG TESTS BENCH ENGINE T TARGET INPUT FILE SISLM_MODELS MODEL

.PHONY: help demo test test-all quick soak bench fidelity guest module client man kernel check fuzz mutants format clean distclean

help:
	@echo 'make demo        build all, boot the stock kernel, load sislm.ko and let SmolLM2 answer a question'
	@echo 'make test        host, emulated and guest tests; TESTS=pattern runs a part'
	@echo 'make test-all    the same with the custom kernel, more CPUs and thread counts, exhaustive numerics'
	@echo 'make soak        everything at once for T seconds (3600), and Ctrl-C many times: the debug kernel, or KERNEL'
	@echo 'make bench       this module and llama.cpp in one guest: Documentation/performance.md; BENCH=pattern measures a part'
	@echo 'make fidelity    the logits of this engine and of llama.cpp against exact ones: Documentation/fidelity.md;'
	@echo '                 SISLM_MODELS=directory takes its models, MODEL=pattern measures a part'
	@echo 'make guest       boot and run CMD as root, or a shell: KERNEL=stock|rt|custom|debug CPU=neoverse-n1 SMP=2'
	@echo '                 MEM=2G SHARE=dir CMD=... INSMOD=parameters MODULE=0 TIMEOUT=seconds'
	@echo '                 FORWARD=port of this machine to 8080 of the guest'
	@echo 'make module      sislm.ko for KERNEL'
	@echo 'make client      the static arm64 client'
	@echo 'make man         man pages and shell completions of the client'
	@echo 'make kernel      the tree of KERNEL'
	@echo 'make check       formatting, lints, layers, documentation, the engine object, stack'
	@echo 'make quick       the checks and unit tests of the loop of work: no guest, under a minute'
	@echo 'make fuzz        each fuzz target for T=60 seconds; TARGET=load|adapter|tokenize|sample, INPUT=file'
	@echo 'make mutants     tests of the engine against changes of FILE=module/engine/step/batch.rs'
	@echo 'make format      rustfmt'
	@echo 'make clean       forget the built modules and clients'
	@echo 'make distclean   forget the build root and the kernels too'

demo:
	@scripts/demo

test:
	@scripts/test

test-all:
	@SISLM_ALL=1 scripts/test

soak: KERNEL = debug
soak:
	@scripts/soak

bench:
	@scripts/bench

fidelity:
	@scripts/fidelity/run

guest:
	@scripts/guest

module:
	@scripts/module $(KERNEL)

client:
	@scripts/client

man:
	@scripts/man

kernel:
	@scripts/kernel/tree $(KERNEL)

check:
	@scripts/check

quick:
	@scripts/quick

fuzz:
	@scripts/fuzz

mutants:
	@scripts/mutants

format:
	@scripts/format

clean:
	@scripts/clean

distclean:
	@scripts/clean --all
