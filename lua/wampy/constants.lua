-- constants.lua - the defaults of the product, by name.
return {
  DEFAULT_URL = "ws://localhost:8080",
  DEFAULT_REALM = "realm1",
  DEFAULT_TIMEOUT = 10,
  MAX_MESSAGE_SIZE = 16 * 1024 * 1024, -- bytes
  WEBSOCKET_SUBPROTOCOLS = { "wamp.2.json" },
}
