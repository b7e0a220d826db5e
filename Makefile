# wampy-lua. `make` lists the targets; docs/STYLE.md says how the tree is laid out.
#
# Objects live in build/MODE, so modes never mix; the executable and the module wampy/core.so are
# linked from the same ones. The ?= variables are the caller's: our flags stand in OWN_*.
MODE ?= release
CC ?= cc
PKG_CONFIG ?= pkg-config
LUA_PC ?= lua5.4
LUA ?= lua5.4
BUSTED ?= $(shell command -v busted)
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LUADIR ?= $(PREFIX)/share/lua/5.4
LIBDIR ?= $(PREFIX)/lib/lua/5.4
MANDIR ?= $(PREFIX)/share/man
PLACES = $(foreach v,LUA DESTDIR PREFIX BINDIR LUADIR LIBDIR MANDIR,$v='$($v)')
VECTORS ?= ../shared/testvectors
V ?=
FUZZ_TIME ?= 60
VALGRIND := valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite

VERSION := $(shell cat VERSION)
B := build/$(MODE)
Q := $(if $(V),,@)
run = $(if $(V),,@echo "$(1) $@"; )mkdir -p $(@D) && $(2)

# --- flags -------------------------------------------------------------------------------------
FLAGS_release := -O2 -g
FLAGS_debug := -O0 -g3
FLAGS_asan := -O1 -g
FLAGS_fuzz := -O1 -g
CFLAGS ?= $(FLAGS_$(MODE))
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion
WARN += $(if $(filter true,$(CI)),-Werror)
LUA_CFLAGS := $(if $(LUA_INCDIR),-I$(LUA_INCDIR),$(shell $(PKG_CONFIG) --cflags $(LUA_PC)))
ARGON2 := $(shell $(PKG_CONFIG) --silence-errors --libs libargon2)
OWN_CFLAGS := -std=c11 -D_GNU_SOURCE -fPIC $(WARN) -Isrc -I$(B) -DWAMPY_VERSION='"$(VERSION)"' \
	$(LUA_CFLAGS) $(shell $(PKG_CONFIG) --cflags libwebsockets) $(if $(ARGON2),-DWITH_ARGON2)
OWN_LDFLAGS := -Wl,-E
LUA_LIBS := $(shell $(PKG_CONFIG) --libs $(LUA_PC))
LIBS := $(shell $(PKG_CONFIG) --libs libwebsockets) -lev -ledit -lssl -lcrypto -lz $(ARGON2) -lm -ldl
ifeq ($(MODE),release)
OWN_CFLAGS += -fstack-protector-strong -fstack-clash-protection $(if $(filter -O1 -O2 -O3 -Os,\
	$(CFLAGS)),$(if $(findstring FORTIFY,$(CFLAGS)$(CPPFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
OWN_LDFLAGS += -Wl,-z,relro,-z,now
else
OWN_CFLAGS += -DBUF_POISON
endif
ifeq ($(MODE),asan)
OWN_CFLAGS += $(SAN)
OWN_LDFLAGS += $(SAN)
endif
ifeq ($(MODE),fuzz)
override CC := clang
OWN_CFLAGS += -Itests/unit $(SAN) -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping
OWN_LDFLAGS += $(SAN) -fprofile-instr-generate
endif
COMPILE = $(CC) $(OWN_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(OWN_LDFLAGS) $(CFLAGS) $(LDFLAGS)

# --- files -------------------------------------------------------------------------------------
CORE := $(wildcard src/base/*.c src/wamp/*.c src/router/*.c)
NET := $(wildcard src/net/*.c src/host*.c)
BORDER := $(wildcard src/lua/*.c)
MAIN := $(wildcard src/main*.c src/serve*.c src/supervise*.c)
UNIT := $(wildcard tests/unit/*.c)
UNITS := $(patsubst tests/unit/%.c,%,$(filter tests/unit/test_%,$(UNIT)))
TALK := $(wildcard tests/talk/*.c)
FUZZ := $(wildcard tests/fuzz/fuzz_*.c)
PRELUDE := $(wildcard lua/wampy.lua lua/wampy/*.lua)
MEN := $(wildcard docs/man/*.1)
SPECS := $(if $(wildcard tests/spec/*_spec.lua),tests/spec) $(if $(wildcard apps/*/*_spec.lua),apps)
C_FILES := $(wildcard src/*.[ch] src/*/*.[ch] tests/*/*.[ch] bench/*.[ch])
ARGPARSE := $(shell $(LUA) -e 'print((package.searchpath("argparse", package.path)))' 2>/dev/null)
obj = $(patsubst %.c,$(B)/%.o,$(1))
ARCHIVES := $(B)/libnet.a $(B)/libcore.a
PRELUDE_OBJ := $(if $(BORDER),$(B)/prelude.o)
PROGRAM := $(if $(MAIN),$(B)/wampy-lua $(B)/wampy/core.so)

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9%-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
setup: ## install whatever building and testing needs and is missing (Debian, as root)
	tools/setup all
demo: ## from nothing to a call answered by a Lua app
	tools/setup build
	$(MAKE) -j$$(nproc) all
	tools/demo $(B)/wampy-lua
check: ## set-up, build, and every test there is; closes with "N passed, N failed"
	tools/setup all
	tools/check
all: $(PROGRAM) $(ARCHIVES) ## build wampy-lua and wampy/core.so (MODE=release, debug, asan)
debug: ## build without optimisation, into build/debug
	$(MAKE) MODE=debug all

# --- building ----------------------------------------------------------------------------------
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(COMPILE) $(LINK) $(LIBS))' | cmp -s - $@ || \
		echo '$(subst ','\'',$(COMPILE) $(LINK) $(LIBS))' > $@
$(B)/%.o: %.c $(B)/flags
	$(call run,CC ,$(COMPILE) -MMD -MP -c $< -o $@)
$(B)/prelude.o: $(B)/prelude.c $(B)/flags
	$(call run,CC ,$(COMPILE) -MMD -MP -c $< -o $@)
$(B)/prelude.c: tools/embed.lua $(PRELUDE) $(ARGPARSE)
	$(call run,GEN,$(LUA) tools/embed.lua $@ $(PRELUDE) argparse=$(ARGPARSE))
$(B)/libcore.a: $(call obj,$(CORE))
	$(call run,AR ,rm -f $@ && ar rcs $@ $^)
$(B)/libnet.a: $(call obj,$(NET))
	$(call run,AR ,rm -f $@ && ar rcs $@ $^)
$(B)/wampy-lua: $(call obj,$(MAIN) $(BORDER)) $(PRELUDE_OBJ) $(ARCHIVES)
	$(call run,LD ,$(LINK) $^ $(LUA_LIBS) $(LIBS) -o $@)
$(B)/wampy/core.so: $(call obj,$(BORDER)) $(PRELUDE_OBJ) $(ARCHIVES) tools/core.map
	$(call run,LD ,$(LINK) -shared -Xlinker --version-script=tools/core.map $(filter-out %.map,$^) $(LIBS) -o $@)

# --- tests -------------------------------------------------------------------------------------
$(B)/unit_list.h: $(UNIT)
	@mkdir -p $(@D)
	$(Q)echo '#define UNIT_LIST $(patsubst %,UNIT(%),$(UNITS))' > $@
$(call obj,tests/unit/main.c): $(B)/unit_list.h
$(B)/unit: $(call obj,$(UNIT)) $(ARCHIVES)
	$(call run,LD ,$(LINK) $^ $(LUA_LIBS) $(LIBS) -o $@)
$(B)/talk: $(call obj,$(TALK)) $(ARCHIVES)
	$(call run,LD ,$(LINK) $^ $(LIBS) -o $@)
$(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(ARCHIVES)
	$(call run,LD ,$(LINK) -fsanitize=fuzzer $^ $(LIBS) -o $@)

test: unit talk spec ## unit, talk and spec
test-%: $(PROGRAM) $(B)/unit $(B)/talk ## one unit test, conversation or spec by its name
	tools/one $* $(B)
unit: $(B)/unit ## unit tests in C
	VECTORS=$(VECTORS) $(B)/unit
talk: $(B)/talk ## protocol conversations
	$(B)/talk tests/talk
spec: $(PROGRAM) ## specs of the prelude and the apps, inside the host
	$(if $(SPECS),$(B)/wampy-lua $(BUSTED) --ignore-lua $(SPECS))
spec-plain: $(PROGRAM) ## the same specs in plain lua5.4 with wampy/core.so
	$(if $(SPECS),LUA_PATH='lua/?.lua;;' LUA_CPATH='$(B)/?.so;;' $(LUA) $(BUSTED) --ignore-lua $(SPECS))
asan: ## unit, talk and spec under AddressSanitizer and UBSan
	$(MAKE) MODE=asan unit talk spec
valgrind: $(B)/unit $(B)/talk ## unit and talk under valgrind (it lacks long double, pidfd and openat2)
	VECTORS=$(VECTORS) $(VALGRIND) $(B)/unit $(filter-out test_json_number test_child test_http_server,$(UNITS))
	$(VALGRIND) $(B)/talk tests/talk
e2e: $(PROGRAM) ## real sockets, the program, and a real Crossbar.io
	/usr/bin/python3 tests/e2e/run.py $(B)/wampy-lua
	$(B)/wampy-lua $(BUSTED) --ignore-lua tests/e2e
interop: $(PROGRAM) ## foreign peers against our router and our apps
	/usr/bin/python3 tests/interop/run.py $(B)/wampy-lua
fuzz: ## each fuzz target for FUZZ_TIME seconds
	$(MAKE) MODE=fuzz $(patsubst tests/fuzz/%.c,build/fuzz/%,$(FUZZ))
	tools/fuzz $(FUZZ_TIME) $(patsubst tests/fuzz/%.c,%,$(FUZZ))
bench: $(PROGRAM) ## what a call and an event cost, against the others
	bench/run $(B)/wampy-lua

# --- looking after the tree --------------------------------------------------------------------
lint: layers shape luacheck cppcheck fmt-check doc-check versions ## all of these checks
luacheck: ## unused, undefined and redefined names in Lua files
	luacheck -q $(wildcard lua apps tests tools bench)
cppcheck: ## suspicious C
	@cppcheck -q -j2 --std=c11 --error-exitcode=1 --enable=warning,performance,portability -Isrc \
		$(patsubst %,--suppress=%,returnDanglingLifetime duplicateAssignExpression) src tests
layers: ## who may include whom
	@$(LUA) tools/layers.lua $(filter src/%,$(C_FILES))
shape: ## columns, headings and lengths of C files
	@$(LUA) tools/shape.lua $(C_FILES)
doc-check: ## every public function has its comment; docs/ERRORS.md is what its table says
	@$(LUA) tools/doccheck.lua $(BORDER) $(PRELUDE) && $(LUA) tools/codes.lua check
versions: ## the rockspec, the man page and the changelog agree with VERSION
	$(LUA) tools/versions.lua
fmt: ## format the C files
	clang-format -i $(C_FILES)
fmt-check: ## whether the C files are formatted
	@bad=0; for f in $(C_FILES); do clang-format $$f | cmp -s - $$f || \
		{ echo "$$f is not formatted: make fmt"; bad=1; }; done; exit $$bad
doc: ## API pages into build/doc
	ldoc -q -c config.ld -d build/doc .
man: $(MEN:docs/man/%=build/man/%) ## man pages into build/man
build/man/%.1: docs/man/%.1 VERSION
	@mkdir -p $(@D)
	$(Q)sed 's/@VERSION@/$(VERSION)/g' $< > $@
install: all man ## install under DESTDIR and PREFIX
	$(PLACES) tools/install install $(B)
uninstall: ## remove what install installed
	$(PLACES) tools/install uninstall $(B)
deb: all man ## a Debian package into build
	tools/deb $(B)
dist: ## a source tarball of the last commit into build
	@mkdir -p build
	git archive --prefix=wampy-lua-$(VERSION)/ HEAD | gzip -9n > build/wampy-lua-$(VERSION).tar.gz
clean: ## remove what was built (not the peers, nor the clean Debian)
	rm -rf $(filter-out build/peers build/root,$(wildcard build/*))

-include $(shell find $(B) -name '*.d' 2>/dev/null)
FORCE:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: FORCE $(shell sed -n 's/^\([a-z0-9-]*\):.*\#\# .*/\1/p' Makefile)
