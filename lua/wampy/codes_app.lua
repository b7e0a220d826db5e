-- codes_app.lua - codes of Lua errors (W1xx), of apps and of configurations (W3xx).
-- codes_usage.lua says what to do for a new message.

return {
  -- ---- Lua's own --------------------------------------------------------------------------------
  {
    code = "W100", title = "a Lua error", exit = { 1 },
    cause = "The code raised an error of its own, which nothing caught.",
    cure = "Mend the line that is named first. What may fail goes into `pcall`.",
    example = "error: attempt to perform arithmetic on a nil value (local 'b')",
  },
  {
    code = "W101", title = "cannot wait here",
    cause = "A call, a sleep or another wait stands where Lua cannot yield: in a callback of sort "
      .. "or gsub, in a module that a task requires, in a finalizer, in a coroutine of your own.",
    cure = "Wait before or after it; or in a task of its own (wampy.spawn); or make the coroutine "
      .. "with wampy.wrap.",
    example = "error: app.lua:7: cannot wait here: inside a sort or gsub callback, a module being "
      .. "required, ...",
    says = { "cannot wait here", "coroutine%.yield outside", "^run: only from the main chunk",
      "the clock is put forward by the test itself" },
  },
  {
    code = "W102", title = "canceled", class = { "Canceled" },
    cause = "The task was cancelled, by its caller, by Task:cancel, or by a signal.",
    cure = "Nothing is wrong. Tidy up in `<close>` variables; they run.",
    example = "error: interrupted by a signal",
    says = { "^interrupted by a signal", "canceled$" },
  },

  -- ---- the app ----------------------------------------------------------------------------------
  {
    code = "W300", try = "the line that is named; wampy-lua check APP",
    title = "an app that fails while it loads", exit = { 3 },
    cause = "The file of the app raised an error. Nothing was registered.",
    cure = "Mend the line that is named first; the frames below it say how it was reached.",
    example = "error: app.lua:2: attempt to index a nil value (global 'config')",
  },
  {
    code = "W301", try = "the path as ls shows it",
    title = "no such app",
    cause = "A word with a slash or ending in .lua is a file, anything else a module, looked for "
      .. "in the current folder and in package.path. There is none of that name, or it is a "
      .. "folder.",
    cure = "Check the spelling, and the folder that you are in. `app.lua:Class` chooses a class.",
    example = "error: app weather.lua does not exist; did you mean ./apps/weather.lua?",
  },
  {
    code = "W302", try = "the line that is named, and the one before",
    title = "an app that is not Lua",
    cause = "The file does not parse, or cannot be read.",
    cure = "The line is where Lua gave up; the mistake is there or shortly before.",
    example = "error: app.lua:1: unexpected symbol near '='",
  },
  {
    code = "W303", try = "one of the classes that are named",
    title = "no such class in the file",
    cause = "APP was given as FILE:Class, and the file returns no class of that name.",
    cure = "Take one of those that are listed. The name is that of Client:extend(\"Name\"), or "
      .. "the key in the table that the file returns.",
    example = "error: hello.lua has no class \"Nope\" (it has Hello)",
  },
  {
    code = "W304", try = "return App, as the last line",
    title = "an app that returns the wrong thing",
    cause = "A file of `run` returns a class (wampy.Client:extend), a client, a table of these, "
      .. "or nothing when it has started its own. One that makes a class and returns nothing has "
      .. "forgotten its last line.",
    cure = "End the file with `return App`.",
    example = "error: app.lua returned a number; expected a class (wampy.Client:extend), a "
      .. "client, a table of classes, or nothing",
  },
  {
    code = "W305", try = "function(self, ...) in a class, no self elsewhere",
    title = "a handler with the wrong first parameter",
    cause = "The handler in a class is called as a method, with `self` first; a function that is "
      .. "given to register or subscribe is not.",
    cure = "Write `App.f = wampy.callee(function(self, name) ... end)`, and `client:register(uri, "
      .. "function(name) ... end)`.",
    example = "error: app.lua:3: the handler of \"say_hello\" is called as a method: its first "
      .. "parameter must be self, not name",
    says = { "is called as a method", "is not called as a method" },
  },
  {
    code = "W306", try = "wampy-lua check APP",
    title = "a bad option of callee, subscriber or timer",
    cause = "The decorator has no such option, or the option takes other values.",
    cure = "callee: invoke, match, concurrency, force_reregister, disclose_caller, "
      .. "forward_timeout, params. subscriber: topic, match, get_retained, params. timer: "
      .. "interval.",
    example = "error: app.lua:3: callee: unknown option \"invok\"; did you mean invoke?",
    says = { "unknown option \"", "option %S+ must be ", "timer: expected", "every: expected",
      "after: expected seconds" },
  },
  {
    code = "W307", try = "a name like com.example.name",
    title = "invalid URI",
    cause = "A URI is words with dots between them; spaces, '#' and, outside of a wildcard, empty "
      .. "words are not allowed. Names that begin with 'wamp.' are the router's.",
    cure = "Write it as com.example.name.",
    example = "error: app.lua:3: callee: invalid URI \"a b\"",
    says = { "invalid URI \"", "is not a valid URI", "the URI is not UTF%-8", "invalid realm \"",
      "names under wamp%. belong" },
  },
  {
    code = "W308", try = "a URI of its own for one of them",
    title = "a procedure that is declared twice",
    cause = "Two roles of one class have the same URI.",
    cure = "Take one of them away, or give it a URI of its own: wampy.callee "
      .. "\"com.example.other\".",
    example = "error: app.lua:4: procedure \"same\" is declared twice (also at app.lua:3)",
    says = { "is declared twice" },
  },
  {
    code = "W309", title = "a role with the name of a member",
    cause = "A field of the class that every client has already, such as `call` or `session`, "
      .. "cannot be a role.",
    cure = "Give the field another name, and the role its URI: App.do_call = wampy.callee "
      .. "\"call\" (...).",
    example = "error: app.lua:3: a role cannot be named \"call\", which is a member of Client",
    says = { "a role cannot be named" },
  },
  {
    code = "W310", title = "something else than a function",
    cause = "A decorator, register, subscribe or the like was given another value than it takes.",
    cure = "wampy.callee(function ...), wampy.callee \"uri\" (function ...), wampy.subscriber "
      .. "\"topic\" (function ...).",
    example = "error: app.lua:3: callee: expected a function, got nil",
    says = { "expected a function, got", "callee: expected", "subscriber: expected",
      "subscriber: needs a topic", "has no function: write ", "the function goes behind" },
  },
  {
    code = "W311", title = "not a URL of a router",
    cause = "The URL's scheme, host, port or path is not what a router can have.",
    cure = "ws://host[:port][/path], wss://..., ws+unix:///path.sock; rs in place of ws for "
      .. "RawSocket. To listen, HOST:PORT or PORT will do.",
    example = "error: invalid url \"localhost:8080\": unknown scheme (expected "
      .. "ws://host[:port][/path], ...)",
    says = { "invalid url \"", "a proxy is spoken to", "invalid proxy \"" },
  },
  -- the three of single fields stand before those of any field
  {
    code = "W315", title = "roles that do not exist",
    cause = "The field `roles` announces roles and features by the names of WAMP, and this is "
      .. "none.",
    cure = "Take one of those that are listed, or leave `roles` out: all that works is announced "
      .. "then.",
    example = "error: Client: field roles.roles: unknown role \"calle\" (there are: callee, "
      .. "caller, publisher, subscriber)",
    says = { "unknown role \"", "unknown feature \"", "field roles%.roles", "roles must be a dict",
      "roles names none", "field roles" },
  },
  {
    code = "W316", title = "credentials that cannot be used",
    cause = "The field `auth`, a flag or a variable with a secret holds something that no method "
      .. "of authentication takes, or too much of it.",
    cure = "Give one of ticket, secret, password, private_key. A private key is 64 hex digits, or "
      .. "the key file of Crossbar.io.",
    example = "error: Client: field auth: give one of ticket, secret, password, private_key; "
      .. "ticket and secret were given",
    says = { "field auth", "unknown authentication method", "serves none of the methods",
      "64 hex digits", "private and public keys", "cannot read the file",
      "expected a text that is not empty", "expected a list of methods", "roles%.authid",
      "roles%.authmethods", "^%S+: expected a string, got" },
  },
  {
    code = "W318", title = "a message handler that cannot be used",
    cause = "The field message_handler takes an instance of wampy.MessageHandler, one for each "
      .. "client.",
    cure = "local Handler = wampy.MessageHandler:extend(); then message_handler = Handler().",
    example = "error: Client: field message_handler: expected an instance, got the class Handler "
      .. "(call it)",
    says = { "field message_handler: " },
  },
  {
    code = "W312", try = "wampy-lua check APP",
    title = "unknown field",
    cause = "The constructor has no field of that name. Nothing is ignored silently.",
    cure = "Take the one that is proposed. docs/guide and the API reference have the fields.",
    example = "error: app.lua:2: Client: unknown field \"relm\"; did you mean realm?",
    says = { "unknown field \"" },
  },
  {
    code = "W313", try = "wampy-lua check APP",
    title = "a field with a wrong value",
    cause = "The field takes another type, or other values. The line says which, and what it got.",
    cure = "Give what is expected; leave the field out for its default.",
    example = "error: app.lua:2: Client: field connect_timeout: expected a number of seconds from "
      .. "0 to 1e9, got \"5s\"",
    says = { "field %S+: expected", "expected a table of fields",
      "field env: ", "crossbar_directory \"", "field serializers: ", "serializers: cannot offer",
      "field roles: the configuration has roles", "field %S+: a " },
  },
  {
    code = "W314", title = "two fields that exclude each other",
    cause = "Two fields say different things about the same matter.",
    cure = "Give one of them.",
    example = "error: app.lua:2: Client: give url or router, not both",
    says = { "give %S+ or %S+, not both", "without %S+; give both",
      "an authenticator needs the field roles" },
  },
  {
    code = "W317", title = "a message that is not one",
    cause = "A message made by hand has the wrong type or fields, or is not allowed now.",
    cure = "wampy.messages has a class for each message, which checks its fields.",
    example = "error: send_message: expected a message of wampy.messages, got a table",
    says = { "^send_message: ", "^make_rpc: ", "^messages%.parse: ", "does not accept ",
      "is not for a router to send", "is not on its way", "passed on a broken message",
      "but the next one is", "by hand", "^UNREGISTER: ", "^UNSUBSCRIBE: ", "^CANCEL: ",
      "a SUBSCRIBE beside it", "no challenge to answer", "did not ask for progressive",
      "the invocation is over", "^ERROR: ", "the signature is not UTF%-8", "^%S+: field %S+: " },
  },
  {
    code = "W319", title = "publish without a topic or message",
    cause = "publish { ... } needs a topic and at least one other key; publish(...) a topic first.",
    cure = "client:publish(\"com.example.topic\", value), or client:publish { topic = \"...\", "
      .. "message = value }.",
    example = "error: app.lua:9: publish needs a topic",
    says = { "publish needs ", "publish: options must be" },
  },
  {
    code = "W320", try = "the parts of it that are data",
    title = "a value that cannot be sent",
    cause = "WAMP carries texts, numbers, booleans, null, lists and dicts of these. The line "
      .. "names the place of the value.",
    cure = "Send the parts of it that are data. Bytes are sent by wampy.binary, an empty list by "
      .. "wampy.array {}.",
    example = "error: app.lua:5: args[2].users[1].name: invalid UTF-8 (wampy.binary sends bytes)",
    says = { "^[^\n]-args[%.%[:]", "invalid UTF%-8 %(wampy%.binary", "would be read as bytes",
      "an infinite number", "not a number %(NaN%)", "would nest deeper",
      "has other keys than 1 to n",
      "a table must be a list", "cannot be sent$", "the key is invalid UTF%-8",
      "a wampy%.binary without", "keys must be strings", "larger than max_message_size",
      "over the limit of %d" },
  },
  {
    code = "W321", title = "bad options of a call or publication",
    cause = "options { ... } holds a key or a value that WAMP does not know there.",
    cure = "Times are seconds (timeout); on_progress is a function; the rest has the names of "
      .. "WAMP.",
    example = "error: app.lua:5: options.timeout: expected seconds (a number >= 0)",
    says = { "options%.[%w_]+: ", "options or details", "options are those of client:open",
      "options must be a dict", "must be one of", "%S+: %S+ must be ", "no such cancel mode" },
  },
  {
    code = "W322", title = "a feature that the router does not have",
    cause = "What was asked needs a feature of WAMP that the router did not announce when it said "
      .. "WELCOME. Nothing was sent.",
    cure = "Do without, or take another router; `wampy-lua ping` joins, and --log debug shows "
      .. "what a router announces.",
    example = "error: app.lua:5: the router did not announce call_canceling (needed by mode)",
    says = { "the router did not announce", "this client did not announce" },
  },
  {
    code = "W323", title = "a program that cannot be run",
    cause = "wampy.exec or wampy.process was given no command, one that is not there, or it wrote "
      .. "too much.",
    cure = "Give { \"cmd\", \"arg\" }; the command is looked for in PATH, from the folder `cwd`.",
    example = "error: app.lua:4: cannot run \"frob\": no such command in PATH",
    says = { "no command was given", "has a NUL byte", "wrote more than %d+ bytes", "^exec: ",
      "^process", "^cannot run ", "cannot start " },
  },
  {
    code = "W324", title = "a registration or subscription that is over",
    cause = "It was taken back already, by the app or by the router, or belongs to an earlier "
      .. "session.",
    cure = "Keep what register and subscribe return, and end it once.",
    example = "error: app.lua:9: no such registration or subscription (any more)",
    says = { "no such registration", "no such subscription", "no such call", "nothing is kept of ",
      "are finished already", "the call takes no more arguments", "wait to be read",
      "the call was let go of" },
  },
  {
    code = "W325", title = "used when it is not running",
    cause = "A router that is stopped, or a client that is connected already, was asked to do "
      .. "something.",
    cure = "Start it first (or stop it first, to start it again).",
    example = "error: the embedded router is not started",
    says = { "router is not started", "^cannot watch folders: ", "the router is closed",
      "while it is loaded on trial", "is connected already", "^rpc:", "use a dot",
      "nil cannot be put" },
  },
  {
    code = "W326", title = "a codec or key that cannot be used",
    cause = "A codec is a table with the functions encode and decode, and its scheme is wamp, mqtt "
      .. "or x_...; a key has 16, 24 or 32 bytes.",
    cure = "The page docs/guide/14-encryption.md has a codec to begin with; `openssl rand -hex 32` "
      .. "makes a key for aead.key.",
    example = "error: aead.key: expected 32, 48 or 64 hexadecimal digits",
    says = { "^aead%.%w+: ", ": needs a field " },
  },
  {
    code = "W327", title = "a payload that cannot be sealed or opened", class = { "PayloadError" },
    cause = "The codec of the scheme failed, or what came was not sealed by it, or with another "
      .. "key.",
    cure = "The line says what the codec says. Both ends need the same scheme and key.",
    example = "error: com.example.get: decode of x_sealed: sealed with another key, for something "
      .. "else, or changed",
    says = { "sealed with another key", "the details are too long", "^not %w+: ",
      ": %w+ of %S+: expected ", "a payload of %S+ is one argument", "is not sealed by",
      "expected { args = list" },
  },

  -- ---- configurations ---------------------------------------------------------------------------
  {
    code = "W350", try = "a path from the current folder",
    title = "configuration not found",
    cause = "The file of --config or config_path is not there, or may not be read.",
    cure = "Paths are taken from the current folder.",
    example = "error: configuration config.json: No such file or directory",
    says = { "^configuration ", "cannot be read$" },
  },
  {
    code = "W351", try = "the place that is named, and what stands before",
    title = "configuration that is no JSON or YAML",
    cause = "The file does not parse. A name that ends in .yaml or .yml is read as YAML.",
    cure = "The line names the place. A frequent slip in JSON is a comma behind the last entry.",
    example = "error: config.json: not JSON: expected a key at byte 2",
    says = { ": not JSON: ", ": not YAML: ", "needs the Lua module lyaml" },
  },
  {
    code = "W352", title = "configuration without what is needed",
    cause = "No worker of type router has a realm, or a transport that this router speaks.",
    cure = "docs/ROUTER.md has a configuration to begin with.",
    example = "error: config.json: no realm in any worker of type router",
    says = { ": no realm in any worker", "no transport of type", "no worker has a transport" },
  },
  {
    code = "W353", title = "unknown key in a configuration",
    cause = "A key below `auth` or a permission that does not exist: to ignore it could open a "
      .. "door.",
    cure = "Take one of those that are listed.",
    example = "error: config.json.workers[0].transports[0].auth.ticket: unknown key "
      .. "\"principal\", expected one of principals, type",
    says = { "unknown key \"", "unknown action \"" },
  },
  {
    code = "W354", try = "wampy-lua router --config FILE --check",
    title = "a wrong value in a configuration",
    cause = "The value at the place that is named has another type, or other values are allowed "
      .. "there.",
    cure = "docs/ROUTER.md says what becomes of each key, docs/AUTH.md those of `auth`. "
      .. "`wampy-lua router --config FILE --check` names all mistakes at once.",
    example = "error: config.json.workers[0].realms: expected a list",
    says = { "^%S+%.json%S*: ", "^%S+%.ya?ml%S*: ", "^%S+%[%d+%]%S*: ",
      "%S%.%a+: expected ", "^%S+: expected an object", "is there twice, also as",
      "expected .-hexadecimal digits", "nobody may join", "there is no role \"",
      "there is no folder",
      "the environment variable %S+ is not set", "no Argon2id", "iterations and keylen",
      "an authid has 1 to", "not both$" },
  },
  {
    code = "W355", title = "configuration not taken over",
    cause = "The router was told to read its configuration again (SIGHUP) and found a mistake in "
      .. "it, which the line before names.",
    cure = "Mend it and send the signal again. The router goes on as it was, and so do its "
      .. "sessions.",
    example = "error: router: the configuration stays as it was",
  },
  {
    code = "W356", title = "a key of a configuration that is ignored",
    cause = "Crossbar.io knows more than this router: the key that is named does nothing here.",
    cure = "Take it out, or live without it; docs/ROUTER.md says what becomes of each key.",
    example = "warn: config.json.workers[0].options is not supported and ignored",
  },

  -- ---- Crossbar.io as a child -------------------------------------------------------------------
  {
    code = "W360", title = "Crossbar.io does not start",
    cause = "wampy.routers.Crossbar could not run the program, or something is there in its place.",
    cure = "The line says what; Crossbar.io's own last words follow it.",
    example = "error: Crossbar: something listens at ws://localhost:8080/ already: it is running, "
      .. "or the port is taken",
    says = { "^Crossbar: " },
  },
}
