-- helper.lua: what busted does around every spec (.busted names this file): all of it is the
-- testing kit's own. A test may leave nothing behind (no client, task, call or socket), and none
-- may take longer than TEST_TIMEOUT seconds.
require "wampy.testing"
