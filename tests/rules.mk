# Rules for everything under tests/; tests/README.md says how to add to it.
#
# The lists unit_NAME_OBJS and fuzz_NAME_OBJS stand in GNUmakefile, beside the
# objects they name.

PYTHON	   ?= $(firstword $(wildcard /usr/bin/python3) python3)
FUZZ_CC	   ?= clang-14
FUZZ_TIME  ?= 30
FUZZ_B	   ?= .build/fuzz

UNITS	    = $(sort $(patsubst unit_%_OBJS,%,$(filter unit_%_OBJS,$(.VARIABLES))))
FUZZERS	    = $(sort $(patsubst fuzz_%_OBJS,%,$(filter fuzz_%_OBJS,$(.VARIABLES))))
UNIT_BINS   = $(UNITS:%=$(B)/unit/%)
REPLAY_BINS = $(FUZZERS:%=$(B)/replay/%)
FUZZ_BINS   = $(FUZZERS:%=$(FUZZ_B)/bin/%)

define unit_rule
$(B)/unit/$(1): $(B)/tests/unit/$(1)_test.o $$(unit_$(1)_OBJS)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LINK) -o $$@ $$^ $$(unit_$(1)_LIBS)
endef

# The same target twice: with a plain main for `make check`, and, in a build
# tree of its own where clang instruments every object, with libFuzzer's.
define fuzz_rule
$(B)/replay/$(1): $(B)/tests/fuzz/$(1)_fuzz.o $(B)/tests/fuzz/replay.o $$(fuzz_$(1)_OBJS)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LINK) -o $$@ $$^ $$(fuzz_$(1)_LIBS)
$(FUZZ_B)/bin/$(1): $(B)/tests/fuzz/$(1)_fuzz.o $$(fuzz_$(1)_OBJS)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) -fsanitize=fuzzer -o $$@ $$^ $$(fuzz_$(1)_LIBS)
endef

$(foreach n,$(UNITS),$(eval $(call unit_rule,$n)))
$(foreach n,$(FUZZERS),$(eval $(call fuzz_rule,$n)))

# A fuzz target need not declare what libFuzzer calls.
$(B)/tests/fuzz/%.o: private WARN += -Wno-missing-prototypes

# Sessions without their cage, for valgrind.
UNCAGED	    = $(B)/uncaged/imap $(B)/uncaged/pop3
$(UNCAGED): $(B)/uncaged/%: $(B)/tests/harness/uncaged.o $(imap_LINKS) $(pop3_LINKS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LINK) -o $@ $(B)/tests/harness/uncaged.o \
	    $(filter-out $(OBJS_sandbox),$($*_LINKS)) $($*_LIBS)

.PHONY: test-programs fuzz-programs
test-programs: $(UNIT_BINS) $(REPLAY_BINS) $(UNCAGED)
fuzz-programs: $(FUZZ_BINS)

.PHONY: fuzz
fuzz:
	$(MAKE) fuzz-programs B=$(FUZZ_B) FUZZ_B=$(FUZZ_B) CC=$(FUZZ_CC) SAN=1 \
	    EXTRA_CFLAGS=-fsanitize=fuzzer-no-link
	@status=0; for f in $(FUZZERS); do \
		mkdir -p $(FUZZ_B)/found/$$f tests/fuzz/corpus/$$f; \
		echo "== $$f, $(FUZZ_TIME) s"; \
		$(FUZZ_B)/bin/$$f -max_total_time=$(FUZZ_TIME) -timeout=10 \
		    -rss_limit_mb=2048 -print_final_stats=1 \
		    -artifact_prefix=$(FUZZ_B)/found/$$f- \
		    $(FUZZ_B)/found/$$f tests/fuzz/corpus/$$f || status=1; \
	done; exit $$status

# The build as it will be installed, for whole-server tests.
.PHONY: stage layers check check-san check-quick
stage: all
	@rm -rf $(B)/stage
	@$(MAKE) --no-print-directory install DESTDIR=$(abspath $(B))/stage
	@$(if $(SAN),touch,rm -f) $(B)/.san

layers: all
	@$(PYTHON) tests/layers.py $(B)

check: test-needs
	$(PYTHON) tests/check.py --build $(B) --only '$(ONLY)'

check-san: test-needs
	$(PYTHON) tests/check.py --build .build/san --san --only '$(ONLY)'

check-quick: test-needs
	$(PYTHON) tests/check.py --build $(B) --quick --only '$(ONLY)'

# A newcomer's first minutes on a clean Debian.
.PHONY: check-clean
check-clean: test-needs
	tests/fetch.sh
	$(PYTHON) tests/newcomer.py

# Side by side with Debian's Dovecot: tests/bench/bench.py.
.PHONY: bench
bench: stage bench-programs
	tests/fetch.sh bench
	BUILD=$(abspath $(B)) $(PYTHON) tests/bench/bench.py $(BENCH)

.PHONY: bench-programs
bench-programs: $(B)/bench/load $(B)/bench/limit
$(B)/bench/load: $(B)/tests/bench/load.o $(B)/tests/bench/client.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LINK) -o $@ $^ -lssl -lcrypto -lz
$(B)/bench/limit: $(B)/tests/bench/limit.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LINK) -o $@ $^
