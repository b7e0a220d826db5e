-- codes_far.lua - codes of what the far side answers (W6xx), of time (W7xx), and of what is said
-- while the program goes on (W9xx). codes_usage.lua says what to do for a new message.

return {
  {
    code = "W600", try = "what the URI in brackets stands for",
    title = "the far side answered with an error", exit = { 6 },
    class = { "RemoteError" },
    cause = "The callee raised an error of its own; its URI stands in brackets.",
    cure = "The URI is a matter between the two apps. In Lua: catch the RemoteError, look at "
      .. "e.uri, e.args and e.kwargs.",
    example = "error: com.example.buy: no such article (com.example.error.no_article)",
  },
  {
    code = "W601", try = "wampy-lua ls",
    title = "no such procedure", remote = { "wamp.error.no_such_procedure",
      "wamp.error.no_available_callee", "wamp.error.no_eligible_callee" },
    cause = "Nobody has registered it in this realm, or its last callee has just left.",
    cure = "Check spelling and realm; `wampy-lua ls` lists what there is. Is the app that has it "
      .. "running?",
    example = "error: no such procedure: com.example.wether (wamp.error.no_such_procedure); did "
      .. "you mean com.example.weather?",
    says = { "^no such procedure: " },
  },
  {
    code = "W602", try = "wampy-lua ls procedures",
    title = "the procedure is registered already",
    remote = { "wamp.error.procedure_already_exists" },
    cause = "Another session has it, and one of the two does not share: the app runs twice, or "
      .. "its last session is not over yet for the router.",
    cure = "Stop the other one; or share it: wampy.callee { \"uri\", invoke = \"roundrobin\" } in "
      .. "both; or take it over: force_reregister = true.",
    example = "error: say_hello: there is a registration already "
      .. "(wamp.error.procedure_already_exists)",
  },
  {
    code = "W603", try = "another --authid, or a permission of the router",
    title = "not allowed", remote = { "wamp.error.not_authorized",
      "wamp.error.authorization_failed" },
    cause = "The router's configuration does not let your role do this with this URI.",
    cure = "Join as somebody who may, or give the role the permission (docs/CLI.md, docs/AUTH.md).",
    example = "error: com.example.admin: not authorized (wamp.error.not_authorized)",
  },
  {
    code = "W604", try = "wampy-lua check APP, for what the callee takes",
    title = "wrong arguments", remote = { "wamp.error.invalid_argument" },
    cause = "The callee takes other arguments: too many, an unknown keyword, one given twice.",
    cure = "The line says what it takes. Keywords are bound by the names of its parameters.",
    example = "error: com.example.add2: takes 2 arguments, got 3 (wamp.error.invalid_argument)",
  },
  {
    code = "W605", title = "the router does not take the URI",
    remote = { "wamp.error.invalid_uri" },
    cause = "The URI is no URI by the router's rules, or is reserved (wamp.).",
    cure = "Words with dots between them: com.example.name.",
    example = "error: a#b: invalid URI (wamp.error.invalid_uri)",
  },
  {
    code = "W606", try = "the log of the callee",
    title = "the callee failed", remote = { "wamp.error.runtime_error" },
    cause = "Its handler raised a Lua error (or that of its language).",
    cure = "Its own log has file, line and traceback; the caller is only told the text.",
    example = "error: com.example.div: attempt to divide by zero (wamp.error.runtime_error)",
  },
  {
    code = "W607", title = "the call was cancelled", remote = { "wamp.error.canceled" },
    cause = "The caller cancelled it, or the callee went away with it.",
    cure = "Call again, if it may be carried out twice.",
    example = "error: com.example.slow: canceled (wamp.error.canceled)",
  },
  {
    code = "W608", title = "too much at once", remote = { "wamp.error.unavailable",
      "wamp.error.payload_size_exceeded" },
    cause = "A limit was met: calls under way, handlers (max_tasks), bytes queued for a slow peer.",
    cure = "Call less at once, or slower; docs/ARCHITECTURE.md lists the limits.",
    example = "error: com.example.f: the callee is busy (wamp.error.unavailable)",
  },
  {
    code = "W609", title = "nothing of that id or name",
    remote = { "wamp.error.no_such_registration", "wamp.error.no_such_subscription",
      "wamp.error.no_such_session", "wamp.error.history_unavailable",
      "wamp.error.testament_error", "wamp.error.unregistered", "wamp.error.unsubscribed" },
    cause = "The registration, subscription, session or history is not there (any more).",
    cure = "Ask for what there is: `wampy-lua ls`, the procedures wamp.session.list and so on.",
    example = "error: wamp.session.get: no such session (wamp.error.no_such_session)",
  },
  {
    code = "W610", title = "a feature that the far side does not have",
    remote = { "wamp.error.feature_not_supported", "wamp.error.option_not_allowed",
      "wamp.error.option_disallowed.disclose_me", "wamp.error.protocol_violation" },
    cause = "An option asks for something that the router or the callee does not do, or does not "
      .. "allow.",
    cure = "Leave the option out.",
    example = "error: com.example.f: no progressive calls (wamp.error.feature_not_supported)",
  },

  -- ---- time -------------------------------------------------------------------------------------
  {
    code = "W700", try = "a longer --timeout",
    title = "out of time", exit = { 7 }, class = { "TimeoutError" },
    cause = "Something took longer than it was given.",
    cure = "Give it longer, if it is only slow.",
    example = "error: the task has not ended in time",
    says = { "has not ended in", "no output of ", "events came in" },
  },
  {
    code = "W701", try = "wampy-lua ping",
    title = "connecting took too long", transport = { "timeout" },
    cause = "From the start of connecting to WELCOME more than connect_timeout has gone by: a "
      .. "firewall that drops, something that accepts and says nothing, a router that is too busy.",
    cure = "Check the address; --connect-timeout 30s waits longer. `wampy-lua ping` shows the "
      .. "stage.",
    example = "error: ws://192.0.2.1:8080/: did not answer within 10 s",
    says = { "did not answer" },
  },
  {
    code = "W702", try = "a longer --timeout",
    title = "no answer in time", remote = { "wamp.error.timeout" },
    cause = "The call was not answered within its timeout; it has been cancelled.",
    cure = "Give it longer (options { timeout = 30 }, call_timeout), or find out what the callee "
      .. "does: its log names handlers that compute for long.",
    example = "error: com.example.slow: no answer in time",
    says = { "no answer in time", "the session ended before the answer came" },
  },

  -- ---- while the program goes on ----------------------------------------------------------------
  {
    code = "W900", title = "an error nobody waited for",
    cause = "A task that was spawned raised an error. The app goes on without it.",
    cure = "Mend the line that is named first, or catch it: Task:wait raises what the task raised.",
    example = "error: in a spawned task: app.lua:8: no luck",
  },
  {
    code = "W901", title = "a handler failed",
    cause = "The handler of a call or event raised an error. A caller was told "
      .. "wamp.error.runtime_error; the client goes on.",
    cure = "Mend the line behind the brackets. An error that is meant for the caller is raised by "
      .. "error(wampy.error(\"com.example.error\", ...)), and is not logged.",
    example = "error: in the handler of com.example.add (app.lua:4): app.lua:5: attempt to "
      .. "perform arithmetic on a nil value (local 'b')",
  },
  {
    code = "W902", title = "a timer or hook failed",
    cause = "A timer (wampy.timer, after, every) or a hook such as on_join raised an error. The "
      .. "client and the timer go on.",
    cure = "Mend the line that is named first.",
    example = "error: in timer tick of App: app.lua:12: no luck",
  },
  {
    code = "W903", title = "a message handler failed",
    cause = "A method of the client's MessageHandler raised an error on this message, which was "
      .. "then not processed.",
    cure = "Mend the line that is named first.",
    example = "error: App: the message handler failed on event: app.lua:3: no luck",
  },
  {
    code = "W904", title = "who decides for the router failed",
    cause = "The authenticator or authorizer of a router raised an error, or answered something "
      .. "that is no answer. What was asked is refused.",
    cure = "Mend what the line names; docs/AUTH.md says what answers there are.",
    example = "error: in the authorizer of the router: auth.lua:9: no luck",
  },
  {
    code = "W905", title = "too many handlers at once", class = { "QueueFull", "StreamOverflow" },
    cause = "max_tasks handlers are running, or a queue is full and nothing can wait here.",
    cure = "Find what they wait for (USR1 shows them); give max_tasks; try_publish does not raise.",
    example = "error: max_tasks (10000) are running",
    says = { "max_tasks", "requests are under way", "the link cannot keep up" },
  },
  {
    code = "W906", title = "the access log cannot be written",
    cause = "The file of --access-log cannot be opened, or its disk is full.",
    cure = "Give the router's user the right to write there.",
    example = "error: access log /var/log/wampy.log: Permission denied",
  },
  {
    code = "W907", title = "Crossbar.io has died",
    cause = "The Crossbar.io that wampy.routers.Crossbar started has ended by itself.",
    cure = "Its last lines stand below.",
    example = "error: Crossbar.io at ws://localhost:8080/ (process 4711) has died with code 1",
  },
  {
    code = "W908", title = "a worker does not come up again",
    cause = "SIGHUP replaces the workers one by one, and the new code of the first one does not "
      .. "start.",
    cure = "Mend the app and send the signal again; the other workers go on with the old code.",
    example = "error: worker 1 does not come up again; the other workers go on as they are",
  },
  {
    code = "W909", title = "a handler computes for long",
    cause = "A handler, timer or task has run for a second without waiting: nothing else of the "
      .. "app can go on meanwhile, not even answers to pings.",
    cure = "wampy.sleep(0) within the loop lets the others run; or leave the work to a program "
      .. "(wampy.exec), or to more processes (--workers).",
    example = "warn: app.lua:4 has been computing for a second; pings, timers and other handlers "
      .. "wait for it (wampy.sleep(0) lets them run)",
  },
  {
    code = "W910", title = "a worker has ended",
    cause = "A process of `run --workers` died, ended by itself, or did not end when it was told "
      .. "to. It is started again.",
    cure = "What it said before is above. The pause before the next start grows while it keeps "
      .. "ending.",
    example = "warn: worker 2 (pid 4711) ended with exit code 1; starting again in 0.1 s",
  },
  {
    code = "W911", title = "an event that no parameter takes",
    cause = "No keyword of an event is the name of a parameter of the subscriber: it is called, "
      .. "with none of them. Said once for each handler.",
    cure = "Name the parameters as the publisher names his keywords, or take all by a parameter "
      .. "`kwargs`.",
    example = "warn: subscriber of com.example.weather (app.lua:7): the event's keywords (city) "
      .. "fit none of its parameters (town)",
  },
  {
    code = "W912", title = "a registration or subscription was taken away",
    cause = "The router, an administrator or another session has taken it away (meta API, "
      .. "force_reregister). It is not made again in this session.",
    cure = "If that was no intention: only one app may register with force_reregister.",
    example = "warn: App: registration 7 was revoked: wamp.error.unregistered",
  },
  {
    code = "W913", title = "a peer that does not read",
    cause = "What the router has for a peer piles up, because it reads slowly or not at all; it "
      .. "was cut off, to keep the others going.",
    cure = "Look at that peer: is it busy, stopped, behind a slow line? docs/ARCHITECTURE.md lists "
      .. "the limits.",
    example = "warn: router: a peer does not read; 34603008 bytes are queued for it; closing",
  },
  {
    code = "W914", title = "no descriptor left",
    cause = "The process may open no more files and sockets; what connects has to wait.",
    cure = "Raise the limit (`ulimit -n`, LimitNOFILE= of systemd); the router needs one for each "
      .. "connection.",
    example = "warn: cannot accept a connection: Too many open files",
  },
  {
    code = "W915", title = "registrations that keep the former code",
    cause = "A reload exchanges what a class declares. What register or subscribe made, in a hook "
      .. "for instance, stays with the function that it was given.",
    cure = "Declare it in the class (callee, subscriber), or start the app again.",
    example = "warn: App: 1 registration made by register or subscribe keeps the former code",
  },
}
