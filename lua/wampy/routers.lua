-- routers.lua - routers as objects: where one is (Router), a Crossbar.io process (Crossbar), or one
-- inside this host (Embedded).

return {
  Router = require("wampy.router").Router,
  Crossbar = require("wampy.router_crossbar").Crossbar,
  Embedded = require("wampy.router_embedded").Embedded,
}
