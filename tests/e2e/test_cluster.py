"""test_cluster.py: the services of apps/07-microservices, as they are, on a Crossbar.io cluster: behind
its proxy, and called from its second router."""
import os
import signal

from cluster import Cluster
from harness import ROOT, equal, test

SERVICES = os.path.join(ROOT, "apps/07-microservices")

# The link between the routers learns of procedures and topics a little later than who asked for
# them: whoever comes early asks again.
CUSTOMER = """
local wampy = require "wampy"
local c <close> = wampy.Client { url = arg[1], call_timeout = 20 }:start()
local sold = wampy.queue()
c:subscribe("shop.sold", function(count) sold:put(count) end)
local limit = wampy.now() + 30
local function order(item)
  while true do
    local ok, answer = pcall(c.rpc.order, item, 1)
    if ok and answer then return answer end
    assert(wampy.now() < limit, answer)
    wampy.sleep(0.05)
  end
end
local workers, left = {}, {}
for i = 1, 4 do
  local answer = order("apple")
  workers[answer.worker], left[i] = true, answer.left
end
print("workers", workers["1"], workers["2"])
print("left", table.concat(left, " "))
local heard
while not heard do -- what the services publish
  order("pear")
  heard = pcall(sold.get, sold, 0.6) and true
  assert(heard or wampy.now() < limit, "no event")
end
print("heard", heard)
repeat -- what they are told
  c:publish("shop.left", "quince", 50)
  assert(wampy.now() < limit, "not told")
until order("quince").left > 3
print("told")
"""
ORDERS, PRICES, STOCK = [os.path.join(SERVICES, name + ".lua")
                         for name in ("orders", "prices", "stock")]


@test
def the_services_work_behind_the_proxy_and_on_both_sides_of_the_link(t):
    with Cluster() as (proxy, second):
        others = t.start("run", PRICES, STOCK, "--url", proxy)
        others.out.wait("^ready")
        for url, left in (proxy, "99 98 97 96"), (second, "95 94 93 92"):
            orders = t.start("run", ORDERS, "--workers", "2", "--url", url)
            orders.out.wait("^ready. +2 workers")
            equal(t.script(CUSTOMER, second),
                  ["workers\ttrue\ttrue", "left\t" + left, "heard\ttrue", "told"])
            orders.ends(0, signal.SIGTERM)
            equal(orders.err.all(), [])
        others.ends(0, signal.SIGTERM)
        equal(others.err.all(), [])
