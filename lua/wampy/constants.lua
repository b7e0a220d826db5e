-- constants.lua - the defaults of the product, by name.
return {
  DEFAULT_URL = "ws://localhost:8080",
  DEFAULT_REALM = "realm1",
  DEFAULT_TIMEOUT = 10,
  WEBSOCKET_SUBPROTOCOLS = { "wamp.2.json" },
}
