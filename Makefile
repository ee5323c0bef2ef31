# make, make check, make demo, make install: see README.

comma := ,

CXX    := $(shell head -n 1 conf-cc) $(CPPFLAGS) $(CXXFLAGS)
LD     := $(shell head -n 1 conf-ld) $(LDFLAGS)
PREFIX := $(shell head -n 1 conf-home)
QMAIL  := $(shell head -n 1 conf-qmail)

# SANITIZE=1 builds the programs a second time, beside the real ones, under
# AddressSanitizer and UndefinedBehaviorSanitizer (with which g++ 12 warns of
# uninitialised members in its own library), and links the tests with that. What
# the tests consist of is compiled once.
PLAIN_LD := $(LD)
ifdef SANITIZE
  BUILD := build/sanitize
  BIN   := build/sanitize
  SANITIZER = -U_FORTIFY_SOURCE -O1 -fno-omit-frame-pointer \
              -fsanitize=address,undefined -fno-sanitize-recover=all \
              -Wno-maybe-uninitialized
  LD    := g++ -no-pie -fsanitize=address,undefined
else
  BUILD := build
  BIN   := .
endif

# How to link with the host's OpenSSL what is linked like that.
with_host_ssl = $(patsubst -static-pie,-pie -static-libstdc++ -static-libgcc,$(1))

PROGRAMS = spfwrap spfcheck spfqueue spftls spfstat
MANPAGES = spfwrap.8 spfcheck.1 spfqueue.8 spftls.8 spfstat.1
LIBS     = -lspf2 -lidn2 -lunistring -lresolv

MAINS    = spf/explain/spfcheck.cc spf/queue/spfqueue.cc spf/tls/spftls.cc spf/stat/spfstat.cc \
           spf/wall/wall_filter.cc
OBJECTS  = $(patsubst %.cc,$(BUILD)/%.o,$(filter-out $(MAINS),$(wildcard spf/*/*.cc)))
ARCHIVE  = $(BUILD)/libspfwrap.a $(BUILD)/libudns.a
TESTS    = $(patsubst tests/%.cc,$(BUILD)/tests/%,$(wildcard tests/*/*_test.cc))
ROOMS    = $(patsubst $(BUILD)/tests/%/,%,$(sort $(dir $(TESTS))))
LONGEST  = %/dialogue_limits_test %/storm_test $(BUILD)/tests/tls/%
SUPPORT  = $(patsubst %.cc,build/%.o,$(wildcard tests/support/*.cc))
STORM    = $(BUILD)/tests/storm/storm
PLAYERS  = $(patsubst %,build/tests/simulate/%.o,world plan actors play)
SIMULATE = $(BUILD)/tests/simulate/simulate
FAR      = $(patsubst %,build/tests/latency/%.o,far_server records checkers)
LATENCY  = $(BUILD)/tests/latency/latency
JUDGE    = $(BUILD)/tests/differential/judge
HELPERS  = $(patsubst tests/%.cc,$(BUILD)/tests/%,$(wildcard tests/programs/*.cc))
CERTIFICATES = $(BUILD)/tests/certificates
RUN      = SPFWRAP_BIN=$(BIN) SPFWRAP_BUILD=$(BUILD) POSTFIX_ROOT=$(CURDIR)/build/postfix \
           READERS_ROOT=$(CURDIR)/build/readers EXAMPLES_ROOT=$(CURDIR)/build/examples

# What Debian calls the things we need, and a file of each that tells whether
# it is there. Of mailfront see MAIL_SERVER: not every Debian has it.
BUILD_PACKAGES = g++ libspf2-dev libudns-dev libidn2-dev libunistring-dev libseccomp-dev libssl-dev \
                 nlohmann-json3-dev
BUILD_PROOFS   = /usr/bin/g++ /usr/include/spf2/spf.h /usr/include/udns.h /usr/include/idn2.h \
                 /usr/include/unistr.h /usr/include/seccomp.h /usr/include/openssl/ssl.h \
                 /usr/include/nlohmann/json.hpp
PACKAGES = $(BUILD_PACKAGES) catch2 libyaml-cpp-dev ucspi-tcp nsd swaks mandoc perl \
           python3-spf spfquery openssl python3 libnet-ssleay-perl daemontools bzip2 xz-utils zstd \
           $$(apt-cache pkgnames mailfront)
PROOFS   = $(BUILD_PROOFS) /usr/include/catch2 /usr/include/yaml-cpp/yaml.h /usr/bin/tcpserver \
           /usr/sbin/nsd /usr/bin/swaks /usr/bin/mandoc \
           /usr/bin/prove /usr/lib/python3/dist-packages/spf.py /usr/bin/spfquery \
           /usr/bin/openssl /usr/bin/python3 /usr/share/doc/libnet-ssleay-perl /usr/bin/multilog \
           /usr/bin/bzip2 /usr/bin/xz /usr/bin/zstd
BENCH_PACKAGES = stunnel4 python3-dnspython
BENCH_PROOFS   = /usr/bin/stunnel4 /usr/lib/python3/dist-packages/dns
LATENCY_PACKAGES = python3-dnspython gnuplot-nox
LATENCY_PROOFS   = /usr/lib/python3/dist-packages/dns /usr/bin/gnuplot
LATENCY_MISSING := $(filter-out $(wildcard $(LATENCY_PROOFS)),$(LATENCY_PROOFS))
DEB_PACKAGES   = $(BUILD_PACKAGES) build-essential debhelper lintian
DEB_PROOFS     = $(BUILD_PROOFS) /usr/share/doc/build-essential /usr/bin/dh /usr/bin/lintian
DEB_MISSING   := $(filter-out $(wildcard $(DEB_PROOFS)),$(DEB_PROOFS))
BENCH_MISSING := $(filter-out $(wildcard $(BENCH_PROOFS)),$(BENCH_PROOFS))
MISSING := $(filter-out $(wildcard $(PROOFS)),$(PROOFS))
SUDO    := $(if $(filter 0,$(shell id -u)),,sudo)

# What the tests put behind spfwrap besides our own. A host has a mail system
# of its own, which postfix would replace: so that is unpacked, not installed.
MAIL_SERVER := $(if $(wildcard /usr/sbin/mailfront),,build/postfix)

# Those who read the header: likewise, but the tests do without where there is
# no network.
READERS := $(if $(and $(wildcard /usr/bin/spamassassin),$(wildcard /usr/sbin/opendmarc)),,build/readers)

.PHONY: all check demo bench bench-ready deb deb-trial conformance differential eod-table growth latency latency-ready simulate storm deps ready install uninstall clean run-%
.DELETE_ON_ERROR:
.SECONDARY:

all: $(addprefix $(BIN)/,$(PROGRAMS))

$(BIN)/spfwrap: $(BUILD)/spfwrap.o $(ARCHIVE)
	$(LD) -o $@ $^ $(LIBS)

$(BIN)/spfcheck: $(BUILD)/spf/explain/spfcheck.o $(ARCHIVE)
	$(LD) -o $@ $^ $(LIBS)

$(BIN)/spfqueue: $(BUILD)/spf/queue/spfqueue.o $(ARCHIVE)
	$(LD) -o $@ $^

$(BIN)/spfstat: $(BUILD)/spf/stat/spfstat.o $(ARCHIVE)
	$(LD) -o $@ $^ $(LIBS)

# OpenSSL is not linked in: the host's own has the repairs that it needs so often.
$(BIN)/spftls: $(BUILD)/spf/tls/spftls.o $(ARCHIVE) $(if $(SANITIZE),build/tests/no_leaks.o)
	$(call with_host_ssl,$(LD)) -o $@ $^ -lssl -lcrypto

$(BUILD)/libspfwrap.a: $(OBJECTS)
	rm -f $@
	ar rcs $@ $^

# udns names the server in each packet that it sends. Behind the wall nobody may
# name an address: its sockets are connected, and it sends through our function.
$(BUILD)/libudns.a:
	@mkdir -p $(@D)
	objcopy --redefine-sym sendto=spf_udns_sendto $$($(CXX) -print-file-name=libudns.a) $@

# The seccomp filter is compiled here, by libseccomp.
$(BUILD)/wall_filter: $(BUILD)/spf/wall/wall_filter.o
	$(LD) -o $@ $^ -lseccomp

$(BUILD)/wall_filter.inc: $(BUILD)/wall_filter
	$< >$@

$(BUILD)/spf/wall/wall.o: $(BUILD)/wall_filter.inc

# The version is that of the newest entry in CHANGES.
VERSION := $(firstword $(subst $(comma), ,$(shell sed -n '/^[0-9]/{p;q}' CHANGES)))
$(BUILD)/spf/base/usage.o: CXX += -DSPF_VERSION='"$(VERSION)"'
$(BUILD)/spf/base/usage.o: CHANGES

# What looks at each of thousands: of lines in a list, of terms in a stranger's record.
BUSY = spf/base/lines spf/base/list_file spf/settings/levels spf/engine/record spf/engine/macro
$(BUSY:%=$(BUILD)/%.o): CXX += -O2

COMPILE = $(CXX) -I. -DCONF_QMAIL='"$(QMAIL)"' -MMD -MP -c

$(BUILD)/%.o: %.cc conf-cc conf-qmail
	@mkdir -p $(@D)
	$(COMPILE) $(SANITIZER) -I$(BUILD) -o $@ $<

build/tests/%.o: tests/%.cc conf-cc conf-qmail
	@mkdir -p $(@D)
	$(COMPILE) $(OPTIMISER) -o $@ $<

# Where they say /usr/local/bin and /var/qmail, the installed manuals and examples
# say what holds here.
HERE     = sed 's|/usr/local/bin|$(PREFIX)/bin|g; s|/var/qmail|$(QMAIL)|g'
BINDIR   = $(DESTDIR)$(PREFIX)/bin
MANDIR   = $(DESTDIR)$(PREFIX)/share/man
DOCDIR   = $(DESTDIR)$(PREFIX)/share/doc/spfwrap
EXAMPLES = $(sort $(patsubst tests/examples/files/%,examples/%,$(shell find tests/examples/files -type f)))
INSTALL  = install

install: all
	$(INSTALL) -d $(BINDIR) $(addprefix $(MANDIR)/,man1 man8) $(addprefix $(DOCDIR)/,$(sort $(dir $(EXAMPLES))))
	$(INSTALL) -s -m 755 $(addprefix $(BIN)/,$(PROGRAMS)) $(BINDIR)
	set -e; for page in $(MANPAGES); do \
	  to=$(MANDIR)/man$${page##*.}/$$page; $(HERE) man/$$page >$$to; chmod 644 $$to; done
	set -e; for file in $(EXAMPLES); do \
	  from=tests/examples/files/$${file#examples/} to=$(DOCDIR)/$$file; $(HERE) $$from >$$to; \
	  if [ -x $$from ]; then chmod 755 $$to; else chmod 644 $$to; fi; done

# What install has put there, and of the directories those that are ours alone.
uninstall:
	rm -f $(addprefix $(BINDIR)/,$(PROGRAMS)) \
	  $(foreach page,$(MANPAGES),$(MANDIR)/man$(patsubst .%,%,$(suffix $(page)))/$(page)) \
	  $(addprefix $(DOCDIR)/,$(EXAMPLES))
	test ! -d $(DOCDIR) || find $(DOCDIR) -depth -type d -empty -delete

clean:
	rm -rf build $(PROGRAMS)

# Debian's packages, in build/deb. They are made of a copy, since dpkg-buildpackage
# writes beside the tree and into it.
DEB = build/deb/spfwrap-$(VERSION)
# The lintian of Debian 12 does not know the field Static-Built-Using.
LINTIAN = $(shell lintian --print-version | sed -n 's/^2\.116\..*/--suppress-tags unknown-field/p')

deb:
	test -z "$(DEB_MISSING)" || $(MAKE) deps PACKAGES="$(DEB_PACKAGES)"
	rm -rf build/deb
	mkdir -p $(DEB)
	cp -a CHANGES LICENSE Makefile README conf-* debian man spf spfwrap.cc tests $(DEB)
	test "$$(cd $(DEB) && dpkg-parsechangelog -S Version)" = $(VERSION)
	cd $(DEB) && dpkg-buildpackage -us -uc -b -j$(shell nproc)
	lintian --fail-on error,warning $(LINTIAN) build/deb/*.changes

# The package installed, tried by autopkgtest and removed: as root, on a machine that
# is there for that.
deb-trial:
	test -x /usr/bin/autopkgtest || $(MAKE) deps PACKAGES=autopkgtest
	sh tests/package $(DEB)

# The tests. What is missing is installed first; then make starts anew, since
# nothing of it was there when it read this file, and with all processors.
check demo bench conformance differential eod-table growth latency simulate storm: ready
	$(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j $(shell nproc)) run-$@

ready:
	test -z "$(MISSING)" || $(MAKE) deps

bench: bench-ready

bench-ready: ready
	test -z "$(BENCH_MISSING)" || $(MAKE) deps PACKAGES="$(BENCH_PACKAGES)"

latency: latency-ready

latency-ready: ready
	test -z "$(LATENCY_MISSING)" || $(MAKE) deps PACKAGES="$(LATENCY_PACKAGES)"

deps:
	$(SUDO) apt-get update
	$(SUDO) env DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y --no-install-recommends $(PACKAGES)

# Some tests wait for a while: one more than the processors keeps these busy.
JOBS = $(shell expr $$(nproc) + 1)
run-check: all $(TESTS) $(HELPERS) $(CERTIFICATES) $(JUDGE) $(STORM) $(SIMULATE) $(MAIL_SERVER) $(READERS) build/examples
	mandoc -T lint $(addprefix man/,$(MANPAGES))
	$(RUN) prove -j $(JOBS) $(filter $(LONGEST),$(TESTS)) tests/arrows tests/install $(filter-out $(LONGEST),$(TESTS))

run-demo: all $(HELPERS)
	$(RUN) QMAIL=$(QMAIL) sh tests/demo

run-bench: all $(HELPERS) $(BUILD)/tests/bench_dns $(BUILD)/tests/wall_cost
	$(RUN) sh tests/bench

# How the work grows with message and burst; a check by depth and terms: make latency.
run-growth: all $(HELPERS)
	$(RUN) sh tests/growth

# An openspf suite, which is not part of this tree: make conformance SUITE=file
run-conformance: all $(BUILD)/tests/conformance $(HELPERS)
	$(RUN) $(BUILD)/tests/conformance $(SUITE)

# Random zones judged by us and by pyspf: make differential [CASES=20000] [SEED=1]
run-differential: $(JUDGE)
	/usr/bin/python3 -B tests/differential/compare.py $(JUDGE) $(or $(CASES),20000) $(or $(SEED),1)

# Tables need no optimiser; the programs do, they are part of the benchmark, and what
# whole tests go through a thousand times.
build/tests/%_test.o build/tests/support/%.o build/tests/main.o: \
  OPTIMISER = -O0 -U_FORTIFY_SOURCE
build/tests/support/virtual_network.o build/tests/support/dns_server.o: OPTIMISER =

# What real servers take for the end of a message, behind spfwrap and alone.
run-eod-table: $(BUILD)/tests/proxy/dialogue_eod_test all $(HELPERS) build/postfix
	$(RUN) EOD_TABLE=1 $< -r compact

build/postfix:
	sh tests/unpack $@ postfix

build/readers:
	sh tests/unpack $@ spamassassin opendmarc || echo 'spamassassin and opendmarc: left out, no network'

# Whom the examples are for.
build/examples:
	sh tests/unpack $@ ucspi-tcp-ipv6 ipsvd runit daemontools s6 systemd fail2ban \
	  libmail-dmarc-perl libmail-dkim-perl || echo 'examples for others than tcpserver: left out, no network'

# Messages by the thousand under faults of every kind: make storm [N=10000] [SEED=1];
# QUEUE=1: all of them with spfqueue, which else a third has.
run-storm: all $(STORM) $(HELPERS)
	$(RUN) $(if $(QUEUE),STORM_QUEUE=1) $(STORM) $(or $(N),10000) $(or $(SEED),1)

# Whole sessions in a time of their own, with a fault at any call:
# make simulate [N=100000] [SEED=1]; to see one: build/tests/simulate/simulate print NUMBER SEED
run-simulate: $(SIMULATE)
	$(SIMULATE) $(or $(N),100000) $(or $(SEED),1)

$(SIMULATE): build/tests/simulate/simulate.o $(PLAYERS)
$(BUILD)/tests/simulate/tests: $(PLAYERS)

# How long a check takes over a slow and bad line, beside other programs:
# make latency [CHECKS=100] [RECORDS="ip4 google"] [CHECKERS=spfwrap,pyspf] [SERVERS=1] [SEED=1]
# The table goes to build/latency.txt as well, and a picture to build/latency.svg.
run-latency: $(LATENCY)
	$(LATENCY) $(if $(CHECKS),-c $(CHECKS)) $(if $(SERVERS),-s $(SERVERS)) $(if $(SEED),-n $(SEED)) \
	  $(if $(CHECKERS),-p $(CHECKERS)) build/latency.tsv $(RECORDS) >build/latency.new
	mv build/latency.new build/latency.txt
	gnuplot -e "data='build/latency.tsv'; out='build/latency.svg'" tests/latency/plot.gp
	cat build/latency.txt

$(LATENCY): build/tests/latency/latency.o $(FAR)
$(BUILD)/tests/latency/tests: $(FAR)

$(STORM): $(addprefix build/tests/storm/,storm.o session.o plan.o)

include tests/fuzz/rules.mk

# Catch2 3 has a library, Catch2 2 has none.
CATCH2 = $(if $(wildcard /usr/include/catch2/catch_all.hpp),-lCatch2)

# The tests of a room are one program, which by the name of a file runs that
# file's alone. What the sanitizers watch comes first, so that of a function that
# two objects have it is their copy which is linked.
define room
$(BUILD)/tests/$(1)/tests: $(patsubst %.cc,build/%.o,$(wildcard tests/$(1)/*_test.cc))
$(filter $(BUILD)/tests/$(1)/%,$(TESTS)): $(BUILD)/tests/$(1)/tests
	ln -sf tests $$@
endef
$(foreach r,$(ROOMS),$(eval $(call room,$r)))

WATCHED  = $(if $(SANITIZE),-Wl$(comma)--whole-archive $(BUILD)/libspfwrap.a -Wl$(comma)--no-whole-archive)
LINK     = mkdir -p $(@D) && $(LD) -o $@ $(WATCHED) $(filter %.o,$^) $(ARCHIVE)
ALL_LIBS = $(LIBS) $(if $(SANITIZE),-lssl -lcrypto)

$(BUILD)/tests/%/tests: build/tests/main.o $(SUPPORT) $(ARCHIVE)
	$(LINK) $(CATCH2) $(ALL_LIBS)

$(SIMULATE) $(LATENCY) $(STORM): $(SUPPORT) $(ARCHIVE)
	$(LINK) $(ALL_LIBS)

$(JUDGE) $(BUILD)/tests/bench_dns $(BUILD)/tests/wall_cost: $(BUILD)/%: build/%.o $(SUPPORT) $(ARCHIVE)
	$(LINK) $(ALL_LIBS)

$(BUILD)/tests/conformance: build/tests/conformance.o $(SUPPORT) $(ARCHIVE)
	g++ $(if $(SANITIZE),-fsanitize=address$(comma)undefined) -o $@ $^ -lyaml-cpp $(LIBS)

$(CERTIFICATES): tests/support/certificates
	sh $< $@

# These are only what stands on the other side.
$(addprefix $(BUILD)/tests/programs/,tls_client tls_load): $(BUILD)/%: build/%.o
	@mkdir -p $(@D)
	$(call with_host_ssl,$(PLAIN_LD)) -o $@ $^ -lssl -lcrypto

$(BUILD)/tests/programs/tls_client: $(addprefix build/tests/support/,connection.o process.o temp_dir.o)

$(BUILD)/tests/programs/%: build/tests/programs/%.o
	@mkdir -p $(@D)
	$(PLAIN_LD) -o $@ $^

-include $(shell find build -type f -name '*.d' 2>/dev/null)
