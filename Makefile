# Fairlead: `make demo` shows it at work, `make check` proves it. Both install the Debian packages they need.
# CC=gcc|clang, SAN=address,undefined (or empty), FAULTS=1 (fault points) choose the build folder.
SHELL := /bin/bash
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
SAN ?=
FAULTS ?=
comma := ,
BUILD := build/$(notdir $(CC))$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(FAULTS),-faults)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror \
        $(if $(findstring gcc,$(CC)),-Wjump-misses-init)
CFLAGS := -std=gnu17 -D_GNU_SOURCE -O2 -g -fno-omit-frame-pointer $(WARN) $(if $(findstring gcc,$(CC)),-Wno-format-truncation,-Wno-sign-conversion -Wno-gnu-zero-variadic-macro-arguments) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all) \
          $(EXTRA_CFLAGS) $(if $(FAULTS),-DFAULTS) -D_FORTIFY_SOURCE=$(if $(SAN),0,2) -fstack-protector-strong
LDFLAGS := -Wl,--as-needed $(EXTRA_LDFLAGS) $(if $(SAN),-fsanitize=$(SAN))
LIBS := -lrdkafka -lprotobuf-c -lpq -lcurl -lhiredis -lmicrohttpd -ljansson -lyaml -lsodium -lldns -larchive -loath -lcjose -lcrypto -lsystemd -lpthread

# A layer sees only what its row names: a wrong include does not compile. Each folder is reached through a
# link farm build/include/LAYER, so `#include "io/pg.h"` works only where io is allowed.
INC := build/include
ALLOW_base :=
ALLOW_io := base
ALLOW_model := base proto
ALLOW_step := base io model node proto
ALLOW_node := base io model proto
ALLOW_host := base io model step node proto
ALLOW_coordinator := base io model node proto
ALLOW_worker := base io model step node host proto
ALLOW_agent := base io model step node host proto
ALLOW_cli := base io model proto
ALLOW_tests := base io model step node host coordinator proto
# -I flags of a source file: its own layer and those below it. coordinator/, worker/ ... are programs.
layer_of = $(firstword $(subst /, ,$(patsubst lib/%,%,$(1))))
inc_of = $(foreach l,$(call layer_of,$(1)) $(ALLOW_$(call layer_of,$(1))),-I$(INC)/$(l)) -I/usr/include/postgresql \
         $(if $(filter coordinator sql,$(call layer_of,$(1))),-Ibuild/gen)

PROTO := $(wildcard proto/*.proto)
PROTO_C := $(PROTO:proto/%.proto=build/gen/proto/%.pb-c.c)
LIB_SRC := $(foreach l,base io model step node host,$(wildcard lib/$(l)/*.c))
COORD_SRC := $(wildcard coordinator/*.c coordinator/api/*.c coordinator/store/*.c) build/gen/sql/queries.c
WORKER_SRC := $(wildcard worker/*.c)
CLI_SRC := $(wildcard cli/*.c)
AGENT_SRC := $(wildcard agent/*.c)
TEST_SRC := $(wildcard tests/unit/*/*.c)
COMPONENT_SRC := $(wildcard tests/component/*/*.c)

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIB_OBJ := $(call obj,$(LIB_SRC) $(PROTO_C))
PROGRAMS := $(BUILD)/fairlead-coordinator $(BUILD)/fairlead-worker $(BUILD)/fairlead $(if $(AGENT_SRC),$(BUILD)/fairlead-agent)
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(TEST_SRC))
COMPONENTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(COMPONENT_SRC))

# What is made on the way is kept: the next build needs it.
.SECONDARY:
.PHONY: fuzz fuzzers check-fuzz check-fault check-tsan all programs tests components deps demo-machines demo-private deb check-deb check check-fast check-e2e lint fmt sim demo demo-down bench bench-agent bench-agents bench-full bench-duel bench-size golden check-golden check-alerts check-emits check-unit check-sim check-mutation check-upgrade clean catalog-check
all: deps
	@$(MAKE) --no-print-directory -j2 programs

deps:
	@deploy/dev/install

programs: $(PROGRAMS)
tests: $(TESTS)
components: $(COMPONENTS)

$(INC)/.made: Makefile
	@mkdir -p $(INC)/{base,io,model,step,node,host,proto,coordinator,worker,agent,cli,tests}
	@for l in base io model step node host; do ln -sfn ../../../lib/$$l $(INC)/$$l/$$l; done
	@for l in coordinator worker agent cli tests; do ln -sfn ../../../$$l $(INC)/$$l/$$l; done
	@ln -sfn ../../gen/proto $(INC)/proto/proto
	@touch $@

build/gen/proto/%.pb-c.c build/gen/proto/%.pb-c.h &: proto/%.proto
	@mkdir -p build/gen/proto
	@protoc-c --proto_path=proto --c_out=build/gen/proto $<

SQL := $(wildcard sql/queries/*.sql sql/migrations/*.sql sql/views/*.sql) sql/embed
build/gen/sql/queries.h build/gen/sql/queries.c &: $(SQL)
	@mkdir -p $(@D)
	@sql/embed header > build/gen/sql/queries.h.tmp && mv build/gen/sql/queries.h.tmp build/gen/sql/queries.h
	@sql/embed source > build/gen/sql/queries.c.tmp && mv build/gen/sql/queries.c.tmp build/gen/sql/queries.c

# Generated code is not ours to lint.
$(BUILD)/build/gen/%.o: CFLAGS := $(filter-out $(WARN),$(CFLAGS))
$(BUILD)/%.o: %.c $(INC)/.made $(PROTO_C) build/gen/sql/queries.h
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(call inc_of,$(patsubst build/gen/%,%,$<)) -MMD -MP -c -o $@ $<

# Under ThreadSanitizer the threads of C11 go by their POSIX names.
TSAN_THREADS := $(if $(filter thread,$(SAN)),$(BUILD)/tests/support/tsan_threads.o)
LIBS += $(TSAN_THREADS)
$(BUILD)/libfairlead.a: $(LIB_OBJ) | $(TSAN_THREADS)
	@rm -f $@ && ar crs $@ $^

# All of it but its main(): what tests and the simulator are linked with, too.
$(BUILD)/libcoordinator.a: $(call obj,$(filter-out coordinator/main.c,$(COORD_SRC)))
	@rm -f $@ && ar crs $@ $^

$(BUILD)/fairlead-coordinator: $(BUILD)/coordinator/main.o $(BUILD)/libcoordinator.a $(BUILD)/libfairlead.a
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/fairlead-worker: $(call obj,$(WORKER_SRC)) $(BUILD)/libfairlead.a
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/fairlead-agent: $(call obj,$(AGENT_SRC)) $(BUILD)/libfairlead.a
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/fairlead: $(call obj,$(CLI_SRC)) $(BUILD)/libfairlead.a
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/tests/unit/coordinator/%: $(BUILD)/tests/unit/coordinator/%.o $(BUILD)/libcoordinator.a $(BUILD)/libfairlead.a
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libfairlead.a
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

# Fuzzers: one file, one entry, one corpus. They are clang's, whatever CC is.
FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZ_SAN := fuzzer-no-link,address,undefined
FUZZ_BUILD := build/clang-$(subst $(comma),-,$(FUZZ_SAN))
build/fuzz/%: tests/fuzz/%.c $(LIB_SRC)
	@mkdir -p $(@D)
	@$(MAKE) --no-print-directory CC=clang SAN=$(FUZZ_SAN) $(FUZZ_BUILD)/libfairlead.a $(FUZZ_BUILD)/tests/fuzz/$*.o
	@clang -fsanitize=fuzzer,address,undefined -o $@ $(FUZZ_BUILD)/tests/fuzz/$*.o $(FUZZ_BUILD)/libfairlead.a $(LIBS)
fuzzers: deps
	@$(MAKE) --no-print-directory $(FUZZERS)
SECONDS ?= 60
fuzz: fuzzers
	@set -o pipefail; for f in $(FUZZERS); do mkdir -p build/fuzz/found/$${f##*/} && echo "== $${f##*/}, $(SECONDS) s" && \
	    $$f -max_total_time=$(SECONDS) -max_len=20000 -rss_limit_mb=2000 -timeout=10 -artifact_prefix=build/fuzz/ \
	    build/fuzz/found/$${f##*/} tests/fuzz/corpus/$${f##*/} 2>&1 | grep -E 'DONE|ERROR|does not hold|Test unit|SUMMARY' || exit 1; done
check-fuzz: fuzzers
	@for f in $(FUZZERS); do $$f -runs=0 tests/fuzz/corpus/$${f##*/} > build/fuzz/out 2>&1 || { cat build/fuzz/out; exit 1; }; done
	@echo "$$(find tests/fuzz/corpus -type f | wc -l) inputs of $(words $(FUZZERS)) fuzzers replayed"

SEEDS ?= 1000
$(BUILD)/sim: $(call obj,$(wildcard tests/sim/*.c)) $(BUILD)/libcoordinator.a $(BUILD)/libfairlead.a
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
sim: deps
	@$(MAKE) --no-print-directory -j2 $(BUILD)/sim
	@$(BUILD)/sim $(SEEDS)

# Rows of the tables (requests, walks, steps, transitions), dropped and changed; something must notice.
check-mutation: deps
	@$(MAKE) --no-print-directory -j2 CC=gcc build/gcc/sim $(foreach t,decide health tables,build/gcc/tests/unit/model/test_$(t).o)
	@tests/mutation/run

# ---- what is generated and kept: a diff of it is a diff of the tables ----
GOLDEN := docs/METRICS.md docs/STATES.md docs/EVENTS.md docs/ROUTES.md docs/CONFIG.md docs/APP_YAML.md docs/POLICY.md
define print_golden
	@mkdir -p $(1)/docs
	@$(BUILD)/fairlead-coordinator tables > $(1)/docs/STATES.md
	@$(BUILD)/fairlead-coordinator events > $(1)/docs/EVENTS.md
	@$(BUILD)/fairlead-coordinator metrics > $(1)/docs/METRICS.md
	@$(BUILD)/fairlead-coordinator routes > $(1)/docs/ROUTES.md
	@{ echo '# Options'; echo; echo '## fairlead-coordinator'; echo; $(BUILD)/fairlead-coordinator config; echo; echo '## fairlead-worker'; echo; $(BUILD)/fairlead-worker config; echo; echo '## fairlead-agent'; echo; $(BUILD)/fairlead-agent config; } > $(1)/docs/CONFIG.md
	@{ echo '# policy.yaml'; echo; echo 'What a customer allows in its own network ([AGENT.md](AGENT.md)). A rule that is not there limits nothing; one that is there'; echo 'counts for what is new. `fairlead-agent policy` reads the file, and says what it understood.'; echo; $(BUILD)/fairlead-agent policy fields; } > $(1)/docs/POLICY.md
	@$(BUILD)/fairlead-coordinator catalogue > $(1)/docs/APP_YAML.md
endef
golden: programs
	$(call print_golden,.)
check-golden: programs
	$(call print_golden,build/golden)
	@for f in $(GOLDEN); do diff -u $$f build/golden/$$f || { echo "next: make golden, and read the diff"; exit 1; }; done

# ---- checks ----
C_FILES = $(shell git ls-files '*.c' '*.h')
SH_FILES = $(shell git ls-files '*.sh' deploy/dev/stack deploy/dev/machine deploy/dev/fleet deploy/dev/demo deploy/dev/demo-machines deploy/dev/demo-private deploy/debian/build tests/deb/run deploy/dev/fork deploy/dev/install sql/embed tests/e2e/run tests/bench/run tests/bench/duel tests/bench/size tests/mutation/run tests/upgrade/run tests/lint/promises .ci/run)
HEADERS = $(shell git ls-files '*.h')
FORMATTER := 14
# Every order and document that the engine can emit, a worker can perform.
check-emits: programs
	@diff <($(BUILD)/fairlead-coordinator emits | sort) <($(BUILD)/fairlead-worker performs | sort) || { echo "emitted (<) and performed (>) differ"; exit 1; }
# Alert rules use only metrics that there are.
check-alerts:
	@for m in $$(grep -ohE 'fairlead_[a-z_]+' deploy/alerts/*.yaml | sed -E 's/_(bucket|sum|count)$$//' | sort -u); do \
	    grep -q "$$m\`" docs/METRICS.md || { echo "deploy/alerts: \"$$m\" is no metric of docs/METRICS.md"; exit 1; }; done
lint:
	@if clang-format --version | grep -q 'version $(FORMATTER)\.'; then clang-format --dry-run -Werror $(C_FILES); \
	    else echo "the layout of the code is not judged: clang-format $(FORMATTER) is Debian 12's, each version has its own idea"; fi
	@shellcheck -x $(SH_FILES)
	@tests/lint/promises
	@for h in $(HEADERS); do echo "#include \"$${h#lib/}\"" | $(CC) $(filter-out -O2,$(CFLAGS)) $(foreach l,base io model step node host proto coordinator worker agent cli tests,-I$(INC)/$(l)) -I/usr/include/postgresql -fsyntax-only -x c - || { echo "$$h does not compile alone"; exit 1; }; done
	@! git grep -nE '\b(system|popen|strcpy|strcat|sprintf|gets|strtok) *\(' -- '*.c' || { echo "next: use base/proc, base/str or snprintf"; exit 1; }
	@$(MAKE) --no-print-directory -j2 CC=clang programs
	@$(MAKE) --no-print-directory check-golden check-emits check-alerts catalog-check
catalog-check: programs
	@for a in catalog/*/ tests/e2e/testapp/; do $(BUILD)/fairlead app check $${a%/} || exit 1; done
fmt:
	@clang-format -i $(C_FILES)

check-unit:
	@$(MAKE) --no-print-directory -j2 SAN=address,undefined tests $(subst gcc,gcc-address-undefined,build/gcc/sim)
	@: > build/unit.count; for t in $(patsubst tests/%.c,build/gcc-address-undefined/tests/%,$(TEST_SRC)); do \
	    $$t > build/unit.out 2>&1 || { cat build/unit.out; exit 1; }; \
	    n=$$(sed -n 's/.*PASSED.* \([0-9]*\) test.*/\1/p' build/unit.out); echo "$$n $${t##*/}"; echo $$n >> build/unit.count; done
check-fast: deps
	@$(MAKE) --no-print-directory check-unit
check-sim: deps
	@$(MAKE) --no-print-directory sim SEEDS=2000
	@build/gcc-address-undefined/sim 100 5000
	@$(MAKE) --no-print-directory check-mutation
check-e2e: deps
	@$(MAKE) --no-print-directory -j2 FAULTS=1 programs build/gcc-faults/tests/support/{forge,paper,intruder,rights,hostile,flood,sniff}
	@$(MAKE) --no-print-directory -j2 SAN=address,undefined components
	@tests/e2e/run

# The whole product of fault points, modes and phases, and the two real apps killed at each step.
check-fault: deps
	@$(MAKE) --no-print-directory -j2 FAULTS=1 programs
	@STEPS=all OVERLOAD_S=60 tests/e2e/run tests/fault/loop.sh tests/fault/steps.sh tests/fault/apps.sh tests/fault/loss.sh tests/fault/reached.sh

# A fleet of an older version, brought to this one in place, and back.
OLD ?= fd3600c
check-upgrade: deps
	@$(MAKE) --no-print-directory -j2 FAULTS=1 programs
	@tests/upgrade/run $(OLD)

# Coordinator and workers under ThreadSanitizer on the real stack; what foreign libraries do is in the suppressions.
check-tsan: deps
	@$(MAKE) --no-print-directory -j2 SAN=thread programs
	@rm -f build/tsan.*
	@TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.supp log_path=$(CURDIR)/build/tsan exitcode=0" BUILD=$(CURDIR)/build/gcc-thread \
	    tests/e2e/run tests/e2e/api.sh tests/e2e/app.sh tests/e2e/drift.sh
	@! cat build/tsan.* 2>/dev/null

check: deps
	@$(MAKE) --no-print-directory -j2 programs
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory check-fast
	@$(MAKE) --no-print-directory check-sim
	@$(MAKE) --no-print-directory check-fuzz
	@$(MAKE) --no-print-directory check-e2e
	@echo "$$(( $$(paste -sd+ build/unit.count) + $$(cut -d' ' -f1 build/e2e.count) )) passed, $$(cut -d' ' -f3 build/e2e.count) failed"

# Debian packages, in build/deb; and are they what they should be?
deb:
	@deploy/dev/install deb
	@deploy/debian/build
check-deb: deb
	@tests/deb/run

bench: deps
	@$(MAKE) --no-print-directory -j2 programs build/$(notdir $(CC))/tests/bench/nodes
	@tests/bench/run $(BENCH)
# This version and an older one, turn by turn: new over old.
bench-duel: deps
	@$(MAKE) --no-print-directory -j2 CC=gcc programs build/gcc/tests/bench/nodes
	@tests/bench/duel $(OLD) $(BENCH)
# The same database small and large: SIZE="INSTANCES NODES EVENTS".
bench-size: deps
	@$(MAKE) --no-print-directory -j2 CC=gcc programs
	@BUILD=build/gcc tests/bench/size $(SIZE)
# An agent against a worker, in a network that it makes itself. FAIRLEAD_BASE_IMAGE: file of the base image, where that network has none.
bench-agent: deps
	@$(MAKE) --no-print-directory -j2 CC=gcc programs
	@BUILD=build/gcc tests/bench/agent.sh
bench-agents: deps
	@$(MAKE) --no-print-directory -j2 CC=gcc programs
	@BUILD=build/gcc tests/bench/agents.sh
# 5 rounds of a minute, after a minute of warming up: more than an hour.
bench-full: BENCH := 5 60
bench-full: bench

demo: all
	@deploy/dev/demo up
# After the demo: a second machine joins it.
demo-machines:
	@deploy/dev/demo-machines up
# After the demo: a customer's own network, with an agent in it.
demo-private:
	@deploy/dev/demo-private up
demo-down:
	@deploy/dev/demo down

-include $(shell find build -name docker -prune -o -name '*.d' -type f -print 2>/dev/null)

clean:
	rm -rf build
