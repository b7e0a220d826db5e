-- codes_link.lua - codes of the connection (W4xx), of joining (W5xx), and of a lost link (W8xx).
-- codes_usage.lua says what to do for a new message.

return {
  {
    code = "W400", title = "cannot connect", exit = { 4 }, class = { "ConnectionError" },
    cause = "The connection did not come about, for a reason that has no code of its own.",
    cure = "The line says what the system said. `wampy-lua ping` shows each stage of connecting.",
    example = "error: ws://192.0.2.1:8080/: network is unreachable",
  },
  {
    code = "W401", try = "wampy-lua router, in another terminal",
    title = "connection refused", transport = { "refused" },
    cause = "The host is there, and nothing listens at that port.",
    cure = "Start the router (`wampy-lua router`, or `run APP --router`), or give its URL: --url, "
      .. "WAMPY_URL, the field url. A Unix socket must have the path that the router has made.",
    example = "error: ws://localhost:8080/: connection refused; is a router running there?",
    says = { "connection refused" },
  },
  {
    code = "W402", try = "getent hosts NAME",
    title = "unknown host", transport = { "unknown_host" },
    cause = "The name in the URL has no address.",
    cure = "Check its spelling, and that this machine can look names up (`getent hosts NAME`).",
    example = "error: ws://nowhere.invalid/: unknown host nowhere.invalid (Name or service not "
      .. "known)",
    says = { "unknown host " },
  },
  {
    code = "W403", try = "wampy-lua ping",
    title = "host not reachable", transport = { "unreachable" },
    cause = "The name has an address, and there is no way to it: no route, a firewall, no "
      .. "permission for a Unix socket.",
    cure = "Try the same host and port with another program; mind VPNs and firewalls.",
    example = "error: ws://192.0.2.1:8080/: no route to host",
  },
  {
    code = "W404", try = "the path /ws",
    title = "an HTTP answer in place of a WebSocket", transport = { "http_status" },
    cause = "A web server answered, and does not speak WebSocket at this path, or does not let "
      .. "you.",
    cure = "Give the path that the router has; Crossbar.io's is often /ws. 401 and 403 want a "
      .. "header (--header, the field headers).",
    example = "error: ws://localhost:8080/: HTTP 404 Not Found; try ws://localhost:8080/ws",
  },
  {
    code = "W405", title = "the server has a problem", transport = { "http_5xx" },
    cause = "A proxy or web server answered with HTTP 5xx: the router behind it may be down.",
    cure = "Wait: `run` tries again. Look at the proxy's log.",
    example = "error: ws://localhost:8080/ws: HTTP 503 Service Unavailable",
  },
  {
    code = "W406", title = "no common format", transport = { "subprotocol" },
    cause = "The server speaks WebSocket and agreed to none of the formats of WAMP that were "
      .. "offered.",
    cure = "It is no WAMP router, or offers other formats: --serializer json,msgpack,cbor.",
    example = "error: ws://localhost:9000/: the server chose no subprotocol",
  },
  {
    code = "W407", try = "wampy-lua doctor",
    title = "something else than a WAMP router answers", transport = { "protocol" },
    class = { "WebsocketProtocolError" },
    cause = "What came back is no WebSocket, no RawSocket, or a broken one.",
    cure = "Check port and scheme: ws and rs are different, wss and rss need TLS at the other end.",
    example = "error: ws://localhost:22/: the answer is not HTTP",
  },
  {
    code = "W408", try = "--ca FILE, or --server-name NAME",
    title = "the certificate is not trusted, or TLS fails", transport = { "tls" },
    cause = "The router's certificate is expired, of an unknown CA, or of another name; or the "
      .. "other end does not speak TLS, or wants a certificate of yours.",
    cure = "Give the CA (--ca, cert_path), the right name (--server-name, or connect by it), your "
      .. "own certificate (--cert, --cert-key). --insecure is for tests alone.",
    example = "error: wss://localhost:8443/: the certificate is from an unknown CA, Test CA; give "
      .. "the CA's certificate as cert_path",
    says = { "the certificate is ", "the certificate has expired" },
  },
  {
    code = "W409", title = "a message that is too large", transport = { "too_large" },
    cause = "A message is over the limit of the side that gets it (max_message_size, 16 MiB at "
      .. "most).",
    cure = "Send less at once: in parts, by progressive results.",
    example = "error: ws://localhost:8080/: a message over the limit",
  },
  -- before W410: a certificate may be why a router cannot listen
  {
    code = "W411", try = "openssl x509 -in FILE -text",
    title = "a certificate file that cannot be used",
    cause = "The file is missing, empty, not PEM, encrypted, or the key is not that of the "
      .. "certificate.",
    cure = "Certificates and keys are PEM: -----BEGIN CERTIFICATE-----, the chain behind the own "
      .. "one; `openssl pkey` decrypts a key.",
    example = "error: key server.key: it does not belong to the certificate server.pem",
    says = { "%f[%w]key %S+: ", "%f[%w]certificate %S+: ", "CA file %S+: ",
      "-----BEGIN", "the file is empty", "does not belong to the certificate",
      "TLS needs a certificate", "^a %a+ without a %a+: give both",
      "OpenSSL refuses it" },
  },
  {
    code = "W410", try = "--listen with another port, or 0 for any",
    title = "cannot listen",
    cause = "The port is in use, is not allowed to you (below 1024), or the address is not of "
      .. "this machine.",
    cure = "Give another one: --listen 127.0.0.1:8081; port 0 takes a free one. `ss -ltnp` shows "
      .. "who has it.",
    example = "error: 127.0.0.1:8080: the port is in use",
    says = { "in use", "cannot listen", "^%S+:%d+%S*: .*ermission denied$",
      "annot assign requested address" },
  },
  {
    code = "W415", try = "wampy-lua doctor",
    title = "hung up on", transport = { "lost", "closed" },
    cause = "The other end closed the connection before it was joined: a proxy that knows no "
      .. "WebSockets, a port where TLS is spoken (wss://), a router that is going down.",
    cure = "Check scheme and port; `wampy-lua doctor` shows the stage.",
    example = "error: ws://localhost:8443/: closed the connection during the WebSocket handshake",
  },
  {
    code = "W412", title = "not connected",
    cause = "The client was not started, has stopped, or its link is lost and not back yet.",
    cure = "Call client:start() first. With reconnect on, what is called meanwhile fails: try it "
      .. "again, from on_join for instance.",
    example = "error: app.lua:4: not connected (start the client first)",
    says = { "not connected", "not joined", "the session has ended$",
      "the session ended before all arguments", "progress: not connected" },
  },
  {
    code = "W413", title = "the protocol was broken", class = { "WampProtocolError" },
    cause = "One side sent what WAMP forbids, and the other ended the session.",
    cure = "The line says which message. With a router or a peer of your own, --log debug on both "
      .. "sides shows more; else please report it.",
    example = "error: ws://localhost:8080/: WELCOME: element 2 (session) must be an id",
  },
  {
    code = "W414", title = "a message that ended half way", class = { "IncompleteFrameError" },
    transport = { "truncated" },
    cause = "The link broke inside a message.",
    cure = "As for a lost link (W801).",
    example = "error: ws://localhost:8080/: the connection ended inside a message",
  },

  -- ---- joining ----------------------------------------------------------------------------------
  {
    code = "W500", title = "the router refuses the session", exit = { 5 },
    cause = "The router answered HELLO by ABORT, with a reason of its own.",
    cure = "The reason in brackets is the router's; its log says more.",
    example = "error: go away (com.example.closed)",
  },
  {
    code = "W501", try = "--realm realm1",
    title = "no such realm", refusal = { "wamp.error.no_such_realm" },
    cause = "The router has no realm of that name.",
    cure = "Give one that it has: --realm, WAMPY_REALM, the field realm; `wampy-lua router "
      .. "--realm NAME` makes one.",
    example = "error: there is no realm foo (wamp.error.no_such_realm)",
  },
  {
    code = "W502", try = "--authid and WAMPYSECRET",
    title = "authentication failed", class = { "AuthenticationError" },
    refusal = { "wamp.error.authentication_failed", "wamp.error.authentication_denied",
      "wamp.error.authentication_required", "wamp.error.no_such_principal",
      "wamp.error.cannot_authenticate", "wamp.error.authorization_failed" },
    cause = "The router does not know the name, the secret is wrong, or it wants one and got none.",
    cure = "Give name and secret: --authid and WAMPYSECRET (or --secret-file, --ticket-file, "
      .. "--key). After several failures a router makes you wait.",
    example = "error: wrong signature (wamp.error.authentication_failed)",
  },
  {
    code = "W503", try = "--authmethod with one that the router has",
    title = "no common method of authentication",
    refusal = { "wamp.error.no_matching_auth_method", "wamp.error.no_auth_method" },
    cause = "The router offers no method that was asked for; without a secret only `anonymous` is.",
    cure = "Give the secret of a method that it has, and say which if need be: --authmethod "
      .. "ticket.",
    example = "error: no method of authentication in common (wamp.error.no_matching_auth_method)",
  },
  {
    code = "W504", title = "not allowed to join", refusal = { "wamp.error.not_authorized" },
    cause = "The router knows who you are, and does not let you into this realm.",
    cure = "Its configuration gives roles to realms.",
    example = "error: not authorized (wamp.error.not_authorized)",
  },
  {
    code = "W505", title = "a challenge that cannot be answered",
    cause = "The router asks for a proof, and there is no secret, or none of that kind; or what "
      .. "it asks is not safe to answer.",
    cure = "Give auth = { secret = ... } or WAMPYSECRET. A ticket travels as it is: use wss://.",
    example = "error: the router asks for wampcra, and there is no secret: give auth = { secret = "
      .. "... } or WAMPYSECRET",
    says = { "the router asks for", "needs a private key", "needs an authid", "the challenge",
      "the ticket would travel", "the function auth", "binds to a channel", "unknown kdf",
      "SASLprep", "does not continue ours" },
  },
  {
    code = "W506", title = "the router does not prove itself",
    cause = "SCRAM lets the router prove that it knows the password as well, and it did not.",
    cure = "Do not send it anything: it may be somebody else's. Check the URL.",
    example = "error: the router does not know the password: wrong verifier in WELCOME",
    says = { "the router proves nothing", "the router does not know the password" },
  },

  -- ---- lost links -------------------------------------------------------------------------------
  {
    code = "W800", title = "the session ended", exit = { 8 },
    lost = { "ok", "closed" },
    cause = "The router said GOODBYE or closed the connection: it is shutting down, an "
      .. "administrator ended the session, or it was ended as too slow a reader (1008).",
    cure = "`run` joins again by itself unless --retries says otherwise; in scripts give "
      .. "reconnect = true.",
    example = "error: ws://localhost:8080/: closed by the peer: 1001 (wamp.close.system_shutdown)",
  },
  {
    code = "W801", title = "the link was lost", lost = { "lost", "refused", "unknown_host",
      "unreachable", "truncated", "http_5xx" },
    cause = "The connection broke without a word: the router died, or something between it and "
      .. "here.",
    cure = "As for W800. Calls under way have failed; whether they were carried out is not known.",
    example = "error: ws://localhost:8080/: the connection was lost",
    says = { "the connection was lost", "the link broke" },
  },
  {
    code = "W802", title = "the peer fell silent", lost = { "timeout" },
    cause = "A ping was not answered within ping_timeout: the network is gone, or the router "
      .. "hangs.",
    cure = "As for W801. Longer pauses: --ping, ping_interval, ping_timeout.",
    example = "error: ws://localhost:8080/: no answer to a ping within 10 s",
    says = { "no answer to a %a+ within" },
  },
  {
    code = "W803", title = "the session ended by a fault", lost = { "protocol", "too_large", "tls",
      "http_status", "subprotocol" },
    cause = "The transport was ended because of what went over it.",
    cure = "The line says what; see W407, W408 and W409.",
    example = "error: ws://localhost:8080/: a message over the limit",
  },
}
