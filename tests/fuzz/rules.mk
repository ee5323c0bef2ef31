# make fuzz [FUZZ_SECONDS=1200] [FUZZERS="session path"]: every fuzzer built by
# clang with sanitizers and run for that long, two at a time. make check needs
# no clang: fuzz_test drives the same code for a moment.

FUZZERS       = session path reply header record engine exemption message fields log
FUZZ_SECONDS  = 1200
FUZZ_PACKAGES = clang libclang-rt-dev
FUZZ_MISSING := $(if $(wildcard /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer*),,clang)
FUZZ_FLAGS    = -g -O2 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_CXX      = clang++ -std=c++20 -Wall -Wextra $(FUZZ_FLAGS) -I. -DCONF_QMAIL='"$(QMAIL)"' -MMD -MP

# All that reads what strangers send and has no descriptor.
FUZZ_PARTS    = $(filter-out $(addprefix spf/base/,own_address.cc process.cc usage.cc),$(wildcard spf/base/*.cc)) \
                $(wildcard spf/settings/*.cc spf/dialogue/*.cc spf/engine/*.cc) spf/dns/dns_message.cc spf/tls/status.cc \
                $(filter-out %/log_file.cc %/progress.cc %/spfstat.cc,$(wildcard spf/stat/*.cc))

FUZZ_SOURCES  = $(filter-out tests/fuzz/libfuzzer.cc %_test.cc,$(wildcard tests/fuzz/*.cc))
FUZZ_TESTED   = $(patsubst %.cc,build/%.o,$(FUZZ_SOURCES))
FUZZ_OBJECTS  = $(patsubst %.cc,build/fuzz/%.o,$(FUZZ_SOURCES) $(FUZZ_PARTS))

.PHONY: fuzz fuzz-ready run-fuzz

fuzz: fuzz-ready
	$(MAKE) run-fuzz

fuzz-ready: ready
	test -z "$(FUZZ_MISSING)" || $(MAKE) deps PACKAGES="$(FUZZ_PACKAGES)"

run-fuzz: $(addprefix build/fuzz/,$(addsuffix _fuzz,$(FUZZERS)))
	sh tests/fuzz/run $(FUZZ_SECONDS) $(FUZZERS)

build/fuzz/%.o: %.cc conf-qmail
	@mkdir -p $(@D)
	$(FUZZ_CXX) -fsanitize=fuzzer-no-link -c -o $@ $<

build/fuzz/%_fuzz: tests/fuzz/libfuzzer.cc $(FUZZ_OBJECTS)
	$(FUZZ_CXX) -fsanitize=fuzzer -DFUZZ=$* -o $@ $(filter %.cc %.o,$^) $(LIBS)

$(BUILD)/tests/fuzz/tests: $(FUZZ_TESTED)

# What others share with fuzzing.
$(BUILD)/tests/dialogue/tests: $(addprefix build/tests/fuzz/,header_readers.o field_model.o)
$(BUILD)/tests/proxy/tests: $(addprefix build/tests/fuzz/,path_model.o server_model.o path_grammar.o)
