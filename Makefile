# make, make check, make demo, make install: see README.

CXX    := $(shell head -n 1 conf-cc)
LD     := $(shell head -n 1 conf-ld)
PREFIX := $(shell head -n 1 conf-home)
QMAIL  := $(shell head -n 1 conf-qmail)

# SANITIZE=1 builds everything a second time, beside the real programs, under
# AddressSanitizer and UndefinedBehaviorSanitizer.
ifdef SANITIZE
  BUILD := build/sanitize
  BIN   := build/sanitize
  CXX   += -U_FORTIFY_SOURCE -O1 -fno-omit-frame-pointer \
           -fsanitize=address,undefined -fno-sanitize-recover=all
  LD    := g++ -pie -fsanitize=address,undefined
else
  BUILD := build
  BIN   := .
endif

PROGRAMS = spfwrap
MANPAGES = man/spfwrap.8

LIBS     = -lspf2 -ludns -lresolv -lidn2 -lunistring

OBJECTS  = $(patsubst %.cc,$(BUILD)/%.o,$(wildcard spf/*.cc))
ARCHIVE  = $(BUILD)/libspfwrap.a
TESTS    = $(patsubst tests/%.cc,$(BUILD)/tests/%,$(wildcard tests/*_test.cc))
SUPPORT  = $(patsubst tests/%.cc,$(BUILD)/tests/%.o,$(wildcard tests/support/*.cc))
SERVERS  = $(patsubst tests/%.cc,$(BUILD)/tests/%,$(wildcard tests/programs/*.cc))

# What Debian calls the things we need; a file of each tells that it is there.
PACKAGES = g++ libspf2-dev libudns-dev libidn2-dev libunistring-dev catch2 ucspi-tcp mailfront nsd swaks mandoc perl
PROOFS   = /usr/bin/g++ /usr/include/spf2/spf.h /usr/include/udns.h \
           /usr/include/idn2.h /usr/include/unistr.h \
           /usr/include/catch2 /usr/bin/tcpserver /usr/sbin/mailfront \
           /usr/sbin/nsd /usr/bin/swaks /usr/bin/mandoc /usr/bin/prove

.PHONY: all check demo deps bench install clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(addprefix $(BIN)/,$(PROGRAMS))

$(BIN)/spfwrap: $(BUILD)/spfwrap.o $(ARCHIVE)
	$(LD) -o $@ $^ $(LIBS)

$(ARCHIVE): $(OBJECTS)
	rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.cc conf-cc conf-qmail
	@mkdir -p $(@D)
	$(CXX) -I. -DCONF_QMAIL='"$(QMAIL)"' -MMD -MP -c -o $@ $<

# Tests
$(BUILD)/tests/%_test: $(BUILD)/tests/%_test.o $(BUILD)/tests/main.o $(SUPPORT) $(ARCHIVE)
	$(LD) -o $@ $^ $(LIBS)

$(BUILD)/tests/programs/%: $(BUILD)/tests/programs/%.o
	@mkdir -p $(@D)
	$(LD) -o $@ $^

check: all $(TESTS) $(SERVERS)
	SPFWRAP_BIN=$(BIN) SPFWRAP_BUILD=$(BUILD) prove $(TESTS)

clean:
	rm -rf build $(PROGRAMS)

-include $(shell find build -name '*.d' 2>/dev/null)
