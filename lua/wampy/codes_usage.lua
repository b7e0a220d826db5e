-- codes_usage.lua - codes of a command line that is wrong (W2xx). See codes.lua for the fields.
--
-- An entry has code, title, cause, cure and example, and `try`, the short next step for a terminal.
-- What it is the code of is in lists: `says`, patterns of the words of an error; `class`; `remote`,
-- URIs of an ERROR; `refusal`, those of an ABORT; `transport`, how connecting failed; `lost`, how a
-- joined session ended; `exit`, exit codes of errors without any of these. None: the code stands
-- where the message is made.
--
-- A new message? Its words go under `says` of an entry (a Lua pattern), or into a new entry with a
-- number that was never used: a code keeps its meaning. tests/spec/codes_spec.lua finds messages
-- without a code; `lua5.4 tools/codes.lua write` writes docs/ERRORS.md anew.

return {
  {
    code = "W200", title = "a command line that cannot be done", exit = { 2 },
    cause = "What the command line says fits together, but cannot be done.",
    cure = "Read the line: it names the flag or the value. `wampy-lua VERB --help` has the flags.",
    example = "error: --ask-secret: there is no terminal to ask",
    says = { "^%-%-ask%-secret: " },
  },
  {
    code = "W201", try = "wampy-lua VERB --help",
    title = "unknown flag",
    cause = "The verb has no such flag. Each verb has flags of its own.",
    cure = "Take the one that is proposed, or look at `wampy-lua VERB --help`.",
    example = "error: unknown option '--retires' Did you mean '--retries'?",
    says = { "unknown option '", "option '%S+' does not take arguments" },
  },
  {
    code = "W202", try = "wampy-lua --help",
    title = "unknown verb",
    cause = "The first word is neither a verb of wampy-lua nor the file of a script.",
    cure = "`wampy-lua --help` has the verbs. A script is found where its path says, from the "
      .. "current folder.",
    example = "error: unknown command 'rum' Did you mean 'run'?",
    says = { "unknown command '", "^no help for '" },
  },
  {
    code = "W203", try = "wampy-lua VERB --help",
    title = "something is missing",
    cause = "The verb needs an argument that was not given, or there is no verb at all.",
    cure = "`wampy-lua VERB --help` begins with what the verb takes.",
    example = "error: missing argument 'app'",
    says = { "missing argument '", "^a verb is missing",
      "^how is it to answer%?",
      "a command is required", "^check: give an APP", "give %-%-authid, too$" },
  },
  {
    code = "W204", try = "wampy-lua VERB --help",
    title = "a flag without its value",
    cause = "The flag takes a value, and the next word is another flag or the end of the line.",
    cure = "Write the value behind the flag: `--url ws://localhost:8080`.",
    example = "error: option '--url' requires an argument",
    says = { "requires an argument", "needs an argument" },
  },
  {
    code = "W205", try = "wampy-lua VERB --help",
    title = "a bad value of a flag or variable",
    cause = "The value is not of the kind that the flag, or the environment variable, takes.",
    cure = "The line says what was expected. Times are seconds, or numbers with a unit: 500ms, "
      .. "5s, 2m, 1h.",
    example = "error: --grace: expected a time such as 5s or 500ms, got '5y'",
    says = { "expected a time such as", "expected a number or inf", "expected a number from %d",
      "expected 1 or 0", "expected 'Name: value'", "must be one of '", "expected text or json",
      "^WAMPY_LOG", "expected a path such as /metrics", "^WAMPY_[A-Z_]+: expected",
      "^WAMPY_RETRIES: ",
      "expected a time that is longer", "expected call, pub", "malformed argument", "must be used ",
      "is not available %(", "is named twice", "names at least one of", "expected a name such as" },
  },
  {
    code = "W206", try = 'single quotes around it: --args \'[1, "two"]\'',
    title = "not a JSON value",
    cause = "A value that has to be JSON is not, or the file with it cannot be read.",
    cure = "Put JSON into single quotes, so that the shell leaves its double quotes alone: --args "
      .. "'[1, \"two\"]'. Outside of --args and --kwargs a word that is not JSON is a text.",
    example = "error: --args: expected JSON: expected a value at byte 2",
    says = { "expected JSON", "%-%-kwargs: expected an object", "larger than any message",
      "expected NAME=VALUE" },
  },
  {
    code = "W207", try = "one of them",
    title = "flags that exclude each other",
    cause = "Two flags say different things about the same matter.",
    cure = "Give one of them.",
    example = "error: give --config or --realm, not both",
    says = { "^give %-%-.* not both", "^give arguments or ", "^give one of %-%-",
      "can not be used together", "^%-%-workers: ", "^%-%-config: a Lua file is for",
      "^give %S+ or %S+, not both$", "^%-%-[%w-]+: not with ", "^%-%-[%w-]+: only with " },
  },
  {
    code = "W208", try = "a name like com.example.name",
    title = "invalid URI or realm on the command line",
    cause = "A URI is words with dots between them; spaces, '#' and empty words are not allowed, "
      .. "and neither is a name that begins with 'wamp.' where a router guards it.",
    cure = "Write it as com.example.name. Put it into quotes if the shell could read something "
      .. "into it.",
    example = "error: --realm: invalid realm 'a b'",
    says = { "invalid realm '", "invalid URI '" },
  },
  {
    code = "W209", title = "too many words",
    cause = "The verb takes fewer arguments.",
    cure = "Put a value with spaces into quotes. What an app is to get stands behind `--`.",
    example = "error: too many arguments",
    says = { "^too many arguments" },
  },
  {
    code = "W210", try = "wampy-lua help environment",
    title = "profile not usable",
    cause = "The profile of --profile is not there, or has a key or value that no profile has.",
    cure = "Profiles are objects in $XDG_CONFIG_HOME/wampy-lua/profiles.json; their keys are the "
      .. "long names of the flags, with _ in place of -.",
    example = "error: --profile: there is no profile 'live' in profiles.json (there are: test)",
    says = { "^%-%-profile", "^profile %S+: ", "expected an object of profiles" },
  },
  {
    code = "W211", title = "a certificate without its key",
    cause = "--cert and --cert-key belong together.",
    cure = "Give both, in PEM; one file may hold both.",
    example = "error: a certificate needs its key: give --cert and --cert-key",
    says = { "^a certificate needs its key" },
  },
  {
    code = "W212", try = "a path from the current folder",
    title = "folder or file of a flag not found",
    cause = "What a flag names is not there, or may not be read.",
    cure = "Paths are taken from the current folder.",
    example = "error: --web: there is no folder public",
    says = { "^%-%-web: there is no folder", "^%-%-env%-file" },
  },
  {
    code = "W213", title = "the output cannot be written",
    cause = "What reads stdout is gone, or the disk of the file behind it is full.",
    cure = "A reader that ends early, as `head` does, is no fault of the verb.",
    example = "error: stdout: No space left on device",
    says = { "^stdout: " },
  },
  {
    code = "W214", title = "a file that cannot be made",
    cause = "It is there already, or its folder is not, or may not be written to. Nothing is "
      .. "written over.",
    cure = "Give another name, or move the old one away.",
    example = "error: wampy.key: File exists",
  },
  {
    code = "W215", title = "no secret that can be used",
    cause = "The secret is empty, was typed in two ways, or is no text that the method takes.",
    cure = "Type it again, or give it as the first line of stdin.",
    example = "error: passwd: the secret is empty",
  },
  {
    code = "W216", title = "busted is not installed",
    cause = "`wampy-lua test` runs specs with busted, a rock for Lua 5.4.",
    cure = "luarocks install busted; Debian: apt install lua-busted.",
    example = "error: test: busted is not installed for Lua 5.4",
  },
  {
    code = "W217", title = "globals are not checked",
    cause = "`wampy-lua check` finds misspelt names with luacheck, which is not installed, or "
      .. "failed. The rest has been checked.",
    cure = "luarocks install luacheck; Debian: apt install lua-check.",
    example = "warn: globals are not checked: cannot run \"luacheck\": no such command in PATH",
  },
}
