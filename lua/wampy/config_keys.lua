-- config_keys.lua - the keys of a Crossbar.io configuration (version 2), one table an object: what
-- becomes of each. The readers (config.lua, config_transport.lua) hold every object against it;
-- docs/ROUTER.md shows it to people.
--
-- USED: read. FINE: has no effect here, and need not have. { fixed = v }: as FINE while it is v,
-- which is how things are here; else named in a warning. WARNED: Crossbar.io's, but not ours:
-- named in a warning. A text: not ours, and too dangerous to leave out: refused, and that is why.
-- Whatever is not in the table is named in a warning, too. Ours alone are marked so.
--
-- `auth` is not here: config_auth.lua refuses whatever it does not know.

local USED, FINE, WARNED = "used", "fine", "warned"

local keys = { USED = USED, FINE = FINE, WARNED = WARNED }

keys.top = { version = USED, workers = USED, controller = FINE, ["$schema"] = FINE }

keys.worker = { type = USED, id = FINE, realms = USED, transports = USED, options = WARNED,
  components = WARNED, connections = WARNED, manhole = WARNED }

keys.realm = { name = USED, id = FINE, roles = USED, options = USED, store = USED, rlinks = WARNED }

keys.realm_options = { enable_meta_api = USED, uri_check = USED,
  event_dispatching_chunk_size = FINE, bridge_meta_api = { fixed = false } }

keys.store = { type = USED, limit = USED, ["event-history"] = USED }
keys.history = { uri = USED, match = USED, limit = USED }

keys.role = { name = USED, id = FINE, permissions = USED, authorizer = USED }

keys.permission = { uri = USED, match = USED, allow = USED, disclose = USED, cache = FINE,
  validate = "what it would refuse would be let through",
  trust = USED } -- ours

-- ---- transports -------------------------------------------------------------------------------

keys.websocket = { type = USED, id = FINE, endpoint = USED, url = USED, serializers = USED,
  options = USED, auth = USED, debug = FINE, max_connections = USED,
  cookie = WARNED }

keys.rawsocket = { type = USED, id = FINE, endpoint = USED, url = USED, serializers = USED,
  options = USED, auth = USED, debug = FINE, max_connections = USED }

keys.web = { type = USED, id = FINE, endpoint = USED, paths = USED, url = USED, options = WARNED,
  max_connections = USED }

keys.universal = { type = USED, id = FINE, endpoint = USED, rawsocket = USED, websocket = USED,
  web = USED, url = USED, mqtt = WARNED, max_connections = USED }

keys.universal_web = { paths = USED, type = FINE, id = FINE, options = WARNED }

-- A part of a universal transport, or a path of a web one, that speaks WAMP.
keys.part = { type = USED, id = FINE, serializers = USED, options = USED, url = USED, auth = USED,
  debug = FINE, cookie = WARNED }

keys.static = { type = USED, id = FINE, directory = USED, options = USED, package = WARNED,
  resource = WARNED }

keys.static_options = { default_file = USED, cache_timeout = USED,
  enable_directory_listing = { fixed = false }, mime_types = WARNED }

keys.metrics = { type = USED, id = FINE } -- ours

keys.rawsocket_options = { max_message_size = USED }

keys.websocket_options = {
  max_message_size = USED, auto_ping_interval = USED, auto_ping_timeout = USED,
  open_handshake_timeout = USED, close_handshake_timeout = USED, allowed_origins = USED,
  allow_null_origin = USED, tcp_nodelay = USED, require_websocket_subprotocol = USED,
  max_frame_size = { fixed = 0 }, auto_fragment_size = { fixed = 0 }, auto_ping_size = FINE,
  auto_ping_restart_on_any_traffic = FINE, compression = USED, fail_by_drop = FINE,
  echo_close_codereason = FINE, enable_webstatus = FINE, show_server_version = FINE,
  validate_utf8 = { fixed = true }, mask_server_frames = { fixed = false },
  require_masked_client_frames = { fixed = true }, apply_mask = { fixed = true },
  enable_rfc6455 = { fixed = true }, enable_hybi10 = { fixed = false }, external_port = FINE,
  enable_flash_policy = { fixed = false }, flash_policy = WARNED,
}

keys.compression = { deflate = USED }

-- One compressor serves all, and forgets each message: what a peer is asked for is always the same.
keys.deflate = { request_no_context_takeover = FINE, request_max_window_bits = FINE,
  no_context_takeover = FINE, max_window_bits = FINE, memory_level = FINE }

-- ---- endpoints --------------------------------------------------------------------------------

keys.endpoint = { type = USED, port = USED, interface = USED, path = USED, tls = USED,
  backlog = FINE, version = WARNED, portrange = WARNED, shared = { fixed = false },
  user_timeout = WARNED }

keys.tls = { certificate = USED, key = USED, chain_certificates = USED, ca_certificates = USED,
  dhparam = WARNED, ciphers = WARNED }

return keys
