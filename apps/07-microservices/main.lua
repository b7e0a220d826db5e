-- The three services in one process. Each file is an app of its own as well.
local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"

return {
  dofile(here .. "prices.lua"),
  dofile(here .. "stock.lua"),
  dofile(here .. "orders.lua"),
}
