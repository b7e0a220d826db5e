-- topics.lua - what `wampy-lua help TOPIC` says of things that no single verb is about. In the
-- order in which they are listed.

local topics = {}

local function topic(name, summary, text)
  topics[#topics + 1] = { name = name, summary = summary, text = text }
end

topic("arguments", "how values are written on the command line, and printed", [[
An ARG that is valid JSON is that value, anything else is a string:

  wampy-lua call com.example.add 1 2            two numbers
  wampy-lua call com.example.say '"1"'          the string 1; so does -S 1
  wampy-lua call com.example.put '{"a": [1]}'   an object
  wampy-lua call com.example.put @file.json     what is in a file; @- is stdin
  wampy-lua call com.example.put -k name=joe    a keyword argument
  wampy-lua call com.example.add -- -1 -2       what looks like flags

One result alone is printed as one line of JSON, anything else as
{"args": [...], "kwargs": {...}}; --json prints the object always, --raw strings without quotes.
Data is on stdout, everything else on stderr.
]])

topic("auth", "who joins, and what proves it", [[
A secret is never an argument: it is in a file, in a variable, or typed.

  method       what proves it          flag            variable
  ticket       a ticket                --ticket-file   WAMPY_TICKET
  wampcra      a secret                --secret-file   WAMPYSECRET
  wamp-scram   a password              --secret-file   WAMPYSECRET
  cryptosign   an Ed25519 private key  --key           WAMPY_PRIVATE_KEY

--authid NAME (WAMPY_AUTHID) says who joins, --ask-secret asks at the terminal. The methods that a
secret serves are offered, unless --authmethod (WAMPY_AUTHMETHOD) names them.

  wampy-lua keygen joe.key --authid joe     a key pair, and the router's entry
  wampy-lua passwd joe                      the router's entry for a password
  wampy-lua doctor --authid joe --key joe.key   where it fails, and why
]])

topic("environment", "variables that stand for flags", [[
A flag wins over what an app says itself, that over a variable, that over a profile (-p NAME).

  WAMPY_URL, WAMPY_REALM          -u, -r
  WAMPY_AUTHID, WAMPY_AUTHMETHOD  --authid, --authmethod
  WAMPYSECRET, WAMPY_TICKET       the secret itself; --secret-file, --ticket-file
  WAMPY_PRIVATE_KEY               64 hex digits or a file; --key
  WAMPY_CA, WAMPY_CERT, WAMPY_CERT_KEY, WAMPY_SERVER_NAME, WAMPY_INSECURE
                                  --ca, --cert, --cert-key, --server-name, --insecure
  WAMPY_SERIALIZER, WAMPY_HEADER  -s, -H
  WAMPY_CONNECT_TIMEOUT, WAMPY_RETRIES, WAMPY_PING
                                  --connect-timeout, --retries, --ping
  WAMPY_CALL_TIMEOUT              limit of every call
  WAMPY_PROFILE                   -p
  WAMPY_LOG, WAMPY_LOG_FORMAT     --log, --log-format
  NO_COLOR                        --color never

--env-file FILE sets those that are not set from lines NAME=VALUE.
]])

topic("errors", "the codes of messages, such as W301", [[
A line about something that went wrong ends with a code, as in

  error: app weather.lua does not exist [W301]

It keeps its meaning from one version to the next; the words before it do not. On a terminal, a
second line says what to try. wampy-lua help W301 tells cause and cure; docs/ERRORS.md has all.

  W1xx  Lua's own errors, and waiting        W5xx  joining: realm, authentication
  W2xx  the command line                     W6xx  ERROR from the far side
  W3xx  apps and configurations              W7xx  time
  W4xx  connecting and listening             W8xx  a lost link
                                             W9xx  said while the program goes on
]])

topic("exit-codes", "what the exit code says", [[
  0          done; run and router were ended by SIGINT or SIGTERM
  1          a Lua error; mistakes found by check; a failed test; a file that cannot be written
  2          usage: the command line is wrong
  3          an app or configuration is missing, does not parse, or raises while it loads
  4          cannot connect or listen: name, port, TLS, HTTP status, subprotocol
  5          the router refused the session: realm, authentication
  6          the other side said ERROR
  7          timed out
  8          the link was lost for good
  130, 143   interrupted, terminated
]])

topic("prompt", "what can be typed at wampy-lua repl and -i", [[
Lua is run, and its values are printed; a chunk that is not complete goes on in the next line.

  1 + 2, x = { 1 }                a value, a global; _ is the last value
  call("com.example.add", 1, 2)   its result
  sub("com.example.news")         prints events; sub(TOPIC, FN) calls FN with them
  pub("com.example.news", "hi")   publishes; the publication's id
  reg("com.example.f", FN)        answers calls
  ls("topics"), .ls topics        procedures, topics or sessions
  client                          the client that has joined, with all its methods
  .help, .calls, .trace, .quit    commands

Tab completes names, and the router's URIs within quotes. Ctrl-C ends what runs, Ctrl-D leaves.
History is in $XDG_STATE_HOME/wampy-lua/history. With a pipe there is no prompt, and the first line
that fails ends it with its exit code.
]])

topic("signals", "what SIGINT, SIGTERM, SIGHUP and SIGUSR1 do", [[
  INT, TERM  the first: GOODBYE, and handlers may finish (--grace); the second: at once
  HUP        run --workers: one worker after the other is replaced; router: new configuration
  USR1       router: writes its sessions into the log

A verb that connects says GOODBYE, and ends with 130 or 143. At the prompt of repl, INT ends what
runs, and not the session.
]])

topic("uris", "names of procedures and topics, and where routers are", [[
URIs of WAMP are words with dots between them: com.example.orders.add. No spaces, no #, no empty
words. Names that begin with wamp. are the router's own. A pattern is

  --match prefix     com.example.        whatever begins so
  --match wildcard   com..add            an empty word stands for any

A router's URL is ws://host:port/path, wss:// with TLS, ws+unix:///path.sock; rs://, rss:// and
rs+unix:// for RawSocket. Port 8080 by default, 443 for wss. This program's router answers on every
path; Crossbar.io often has its WebSocket at /ws. Where a router listens may be HOST:PORT or PORT.
]])

--- The topic of a name; nil when there is none.
function topics.find(name)
  for _, each in ipairs(topics) do
    if each.name == name then return each end
  end
end

return topics
