# wampy-lua. `make help` lists the targets.
MODE ?= release
B := build/$(MODE)
CC ?= cc
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
LUA_PC ?= lua5.4
VECTORS ?= ../shared/testvectors
VERSION := $(shell cat VERSION)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion
OWN_CFLAGS := -std=c11 -D_GNU_SOURCE -fPIC $(WARN) -Isrc -I$(B) -DWAMPY_VERSION='"$(VERSION)"' \
	$(shell $(PKG_CONFIG) --cflags $(LUA_PC) libwebsockets)
OWN_LDFLAGS := -Wl,-E
LIBS := $(shell $(PKG_CONFIG) --libs $(LUA_PC) libwebsockets) -lev -lcrypto -lm -ldl
ifeq ($(MODE),asan)
CFLAGS := -O1 -g
OWN_CFLAGS += -fsanitize=address,undefined -fno-omit-frame-pointer -DBUF_POISON
OWN_LDFLAGS += -fsanitize=address,undefined
endif
Q := $(if $(V),,@)

CORE := $(wildcard src/base/*.c src/wamp/*.c src/router/*.c)
NET := $(wildcard src/net/*.c src/host.c)
LUA := $(wildcard src/lua/*.c)
UNIT := $(wildcard tests/unit/*.c)
TALK := $(wildcard tests/talk/*.c)
obj = $(patsubst %.c,$(B)/%.o,$(1))

all: $(if $(wildcard src/main.c),$(B)/wampy-lua)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "CC   $<"
	$(Q)$(CC) $(OWN_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/libcore.a: $(call obj,$(CORE))
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/libnet.a: $(call obj,$(NET))
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/unit_list.h: $(UNIT) Makefile
	@mkdir -p $(@D)
	$(Q)printf '#define UNIT_LIST' > $@; for f in $(filter tests/unit/test_%,$(UNIT)); do printf ' UNIT(%s)' $$(basename $$f .c) >> $@; done; echo >> $@
$(call obj,tests/unit/main.c): $(B)/unit_list.h

$(B)/unit: $(call obj,$(UNIT)) $(B)/libnet.a $(B)/libcore.a
	@echo "LD   $@"
	$(Q)$(CC) $(OWN_LDFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
$(B)/talk: $(call obj,$(TALK)) $(B)/libcore.a
	@echo "LD   $@"
	$(Q)$(CC) $(OWN_LDFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

unit: $(B)/unit ## unit tests in C
	VECTORS=$(VECTORS) $(B)/unit
talk: $(B)/talk ## protocol conversations
	$(B)/talk tests/talk
asan: ## unit and talk under AddressSanitizer and UBSan
	$(MAKE) MODE=asan unit talk
clean: ## remove what was built (not the peers)
	rm -rf build/release build/asan build/debug

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all unit talk asan clean
