-- exec_spec: child processes, run to their end (exec) and held (process.spawn).
--
-- The children are sh and what every system has. Where order matters a spec waits for a line.
local wampy = require "wampy"
local core = require "wampy.core"
local pair = dofile "tests/spec/pair.lua"
local exec, spawn = wampy.exec, wampy.process.spawn

local failure, complaint, PATIENCE = pair.failure, pair.complaint, pair.PATIENCE

local function sh(text, t)
  t = t or {}
  t[1], t[2], t[3] = "sh", "-c", text
  return t
end

-- Whether a process is there and not only waiting to be collected.
local function runs(pid)
  local file = io.open(("/proc/%d/stat"):format(pid))
  if not file then return false end
  local state = file:read("a"):match("%) (%a)")
  file:close()
  return state ~= "Z" and state ~= "X"
end

local function gone(pid)
  local limit = core.now() + PATIENCE
  while runs(pid) and core.now() < limit do wampy.sleep(0.01) end
  return not runs(pid)
end

-- The child looks when it has been given a line: the host has made all that it needs by then.
local function open_descriptors()
  local stat <close> = assert(io.open("/proc/self/stat"))
  local command = ("cat; ls /proc/%d/fd"):format(stat:read("n")) -- cat: until our end is closed
  local _, out = exec(sh(command, { stdin = "x\n" }))
  return select(2, out:gsub("\n", ""))
end

describe("exec", function()
  it("gives the exit code and both streams", function()
    local code, out, err = exec(sh "echo hi; echo no >&2; exit 3")
    assert.same({ 3, "hi\n", "no\n" }, { code, out, err })
  end)

  it("gives 128 and the signal of a command that was killed", function()
    assert.equal(128 + 9, (exec(sh "kill -9 $$")))
  end)

  it("passes arguments as they are", function()
    local _, out = exec { "printf", "%s|", "a b", "$HOME", "", "*", 7 }
    assert.equal("a b|$HOME||*|7|", out)
  end)

  it("gives the input, and its end", function()
    local text = ("0123456789abcdef"):rep(20000)
    local code, out = exec { "cat", stdin = text }
    assert.equal(0, code)
    assert.is_true(out == text)
    assert.equal("", select(2, exec { "cat", stdin = "" }))
  end)

  it("reads nothing where no input was given", function()
    assert.equal("", select(2, exec { "cat" }))
  end)

  it("does not mind a command that reads no input", function()
    assert.equal(0, (exec { "true", stdin = ("x"):rep(1000000) }))
  end)

  it("keeps both streams apart, however much they carry", function()
    local _, out, err = exec(sh "head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2")
    assert.same({ 300000, 200000 }, { #out, #err })
  end)

  it("runs in a directory, with changes to the environment", function()
    local _, out = exec(sh("pwd; echo $WAMPY_A,${HOME-none},$PATH",
      { cwd = "/", env = { WAMPY_A = "x=y", HOME = false } }))
    assert.equal("/\nx=y,none," .. os.getenv("PATH") .. "\n", out)
  end)

  it("hands on no descriptor but the three", function()
    local file <close> = assert(io.open("/dev/null"))
    local _, out = exec(sh [[
      fd=3; while [ $fd -lt 64 ]; do [ -e /proc/$$/fd/$fd ] && echo $fd; fd=$((fd + 1)); done]])
    assert.equal("", out)
    assert.is_truthy(file)
  end)

  it("starts with SIGPIPE as it was, and nothing blocked", function()
    local _, out = exec { "cat", "/proc/self/status" }
    local ignored = tonumber(out:match("SigIgn:%s*(%x+)"), 16)
    assert.equal(0, ignored & 1 << 12) -- 13, counted from 1
    assert.equal(0, tonumber(out:match("SigBlk:%s*(%x+)"), 16))
  end)

  it("keeps nothing open", function()
    exec { "true" }
    collectgarbage() -- what other specs opened and forgot, and what that held
    collectgarbage()
    local before = open_descriptors()
    for _ = 1, 20 do exec { "true", stdin = "x" } end
    pcall(exec, { "no-such-command" })
    assert.equal(before, open_descriptors())
  end)

  it("lets everything else go on", function()
    local p = { router = pair.router() }
    local server = pair.client(p.router):start()
    server:register("date", function(...) return select(2, exec { "cat", stdin = (...) }) end)
    local client = pair.client(p.router):start()
    local slow = spawn(sh("read line", { stdin = "pipe" }))
    local waiting = wampy.spawn(function() return slow:wait() end)
    assert.equal("now", client:call("date", "now"))
    assert.is_true(slow:alive())
    slow:write("go\n")
    assert.equal(0, waiting:wait(PATIENCE))
    client:stop()
    server:stop()
    p.router:stop()
  end)

  it("waits in a wampy.wrap coroutine, too", function()
    local task = wampy.spawn(function()
      return wampy.wrap(function() return (exec { "false" }) end)()
    end)
    assert.equal(1, task:wait(PATIENCE))
  end)

  it("starts nothing where nothing can wait", function()
    local name = os.tmpname()
    os.remove(name)
    local task = wampy.spawn(function()
      return complaint(table.sort, { 1, 2 }, function() exec { "touch", name } end)
    end)
    assert.is_truthy(task:wait(PATIENCE):find("cannot wait here", 1, true))
    assert.is_nil(io.open(name))
  end)

  it("leaves the children of os.execute and io.popen alone", function()
    local child <close> = spawn { "sleep", "60" }
    assert.is_true(os.execute("true"))
    local pipe = io.popen("echo x; exit 4")
    assert.equal("x", pipe:read("l"))
    assert.equal(0, (exec { "true" }))
    assert.same({ "exit", 4 }, { select(2, pipe:close()) })
    assert.is_true(child:alive())
  end)
end)

describe("exec ends", function()
  it("at its time limit, with TERM", function()
    local e = failure(exec, { "sleep", "60", timeout = 0.05 })
    assert.is_true(e:is(wampy.errors.TimeoutError))
    assert.equal('exec: "sleep" has not ended in 0.05 s', e.message)
  end)

  it("at its time limit although output goes on", function()
    local e = failure(exec, sh("while :; do echo x; sleep 0.01; done", { timeout = 0.1 }))
    assert.is_true(e:is(wampy.errors.TimeoutError))
  end)

  it("with everything that it started, when its time is over", function()
    local name, timeout, pid = os.tmpname(), 0.05
    repeat -- until it had the time to say what it started
      timeout = timeout * 2
      failure(exec, sh("sleep 60 & echo $! > " .. name .. "; wait", { timeout = timeout }))
      local file <close> = assert(io.open(name))
      pid = file:read("n")
    until pid
    assert.is_true(gone(pid))
    os.remove(name)
  end)

  it("when its task is canceled", function()
    local name = os.tmpname()
    os.remove(name)
    assert(os.execute("mkfifo " .. name))
    local task = wampy.spawn(exec, sh("echo $$ > " .. name .. "; exec sleep 60"))
    local _, pid = exec { "cat", name, timeout = PATIENCE }
    task:cancel()
    assert.is_true(failure(task.wait, task, PATIENCE):is(wampy.errors.Canceled))
    assert.is_true(gone(tonumber(pid)))
    os.remove(name)
  end)

  it("with the command, not with what that left behind", function()
    local code, out = exec(sh "sleep 60 & echo $!")
    assert.equal(0, code)
    assert.is_true(runs(tonumber(out)))
    exec { "kill", (out:gsub("%s", "")) }
  end)

  it("with an error when there is too much output", function()
    local message = complaint(exec, { "cat", "/dev/zero" })
    assert.equal('exec: "cat" wrote more than 16777216 bytes to stdout', message)
  end)
end)

describe("what cannot be run", function()
  local cases = {
    ["a command that is not there"] = { { "no-such-command" },
      'cannot run "no-such-command": no such command in PATH' },
    ["a path that is not there"] = { { "/no/such" },
      'cannot run "/no/such": No such file or directory' },
    ["a directory"] = { { "/" }, 'cannot run "/": Permission denied' },
    ["no working directory"] = { { "true", cwd = "/no/such" },
      'cannot run "true" in the directory "/no/such": No such file or directory' },
    ["no command"] = { {}, 'exec: no command was given: { "cmd", "arg", ... }' },
    ["no table"] = { "true", "exec: expected a table of fields, got string" },
    ["an argument of another type"] = { { "true", {} },
      "exec: argument 1: expected a string, got table" },
    ["a NUL byte"] = { { "true", "a\0b" }, "exec: argument 1 has a NUL byte" },
    ["an unknown field"] = { { "true", dir = "/" }, 'exec: unknown field "dir"' },
    ["a mistyped field"] = { { "true", timeout = "2" },
      'exec: field timeout: expected a number of seconds from 0 to 1e9, got "2"' },
    ["input that is no text"] = { { "true", stdin = 5 },
      "exec: field stdin: expected a string, got 5" },
    ["a variable without a name"] = { { "true", env = { "x" } },
      'exec: field env: "1" is no name of a variable' },
    ["a variable of another type"] = { { "true", env = { A = {} } },
      "exec: field env.A: expected a string, got table" },
  }
  for name, case in pairs(cases) do
    it("is named: " .. name, function()
      local e = failure(exec, case[1])
      assert.is_true(e:is(wampy.errors.WampyError))
      assert.equal(case[2], e.message)
    end)
  end

  it("is named by spawn as well", function()
    assert.equal('spawn: field stdout: expected pipe, null, inherit, got "file"',
      complaint(spawn, { "true", stdout = "file" }))
    assert.equal('cannot run "no-such-command": no such command in PATH',
      complaint(spawn, { "no-such-command" }))
  end)
end)

describe("a process", function()
  it("is read line by line as it writes", function()
    local p <close> = spawn(sh("echo one; read x; echo two $x; printf three", { stdin = "pipe" }))
    local next_line = p:lines()
    assert.equal("one", next_line())
    assert.is_true(p:write("go\n"))
    assert.equal("two go", next_line())
    assert.equal("three", next_line())
    assert.is_nil(next_line())
    assert.equal(0, p:wait(PATIENCE))
  end)

  it("has its overlong lines cut", function()
    local function sizes(text)
      local p <close> = spawn(sh(text))
      local list = {}
      for line in p:lines() do list[#list + 1] = #line end
      return list
    end
    local zeros = "head -c %d /dev/zero | tr '\\0' x; echo; echo y"
    assert.same({ 65536, 65536, 18928, 1 }, sizes(zeros:format(150000)))
    assert.same({ 65536, 1 }, sizes(zeros:format(65536)))
  end)

  it("may join its streams, and drop them", function()
    local p <close> = spawn(sh("echo a; echo b >&2", { stderr = "stdout" }))
    assert.equal("a", p:lines()())
    assert.equal(0, p:wait(PATIENCE))
    local q <close> = spawn(sh("echo a; echo b >&2", { stdout = "null" }))
    assert.is_nil(q:read(PATIENCE))
    assert.equal("b\n", q:read(PATIENCE, "stderr"))
  end)

  it("reads to the end of its input", function()
    local p <close> = spawn { "cat", stdin = "pipe" }
    p:write("x")
    p:close_stdin()
    assert.is_false(p:write("y"))
    assert.equal("x", p:read(PATIENCE))
    assert.is_nil(p:read(PATIENCE))
    assert.equal(0, p:wait(PATIENCE))
  end)

  it("is waited for, for a time", function()
    local p <close> = spawn { "sleep", "60" }
    assert.equal('wait: "sleep" has not ended in 0.01 s', complaint(p.wait, p, 0.01))
    assert.equal('read: no output of "sleep" in 0.01 s', complaint(p.read, p, 0.01))
    p:kill("INT")
    assert.equal(128 + 2, p:wait(PATIENCE))
    assert.equal(128 + 2, p.code)
    assert.is_false(p:alive())
    p:kill() -- harmless now
  end)

  it("is waited for by several tasks", function()
    local p <close> = spawn { "cat", stdin = "pipe" }
    local a, b = wampy.spawn(p.wait, p), wampy.spawn(p.wait, p)
    wampy.sleep(0)
    p:close_stdin()
    assert.same({ 0, 0 }, { wampy.gather(a, b) })
  end)

  it("wakes who waits for it when it is closed", function()
    local p = spawn { "sleep", "60" }
    local reader = wampy.spawn(p.read, p)
    local waiter = wampy.spawn(p.wait, p)
    wampy.sleep(0)
    getmetatable(p).__close(p)
    assert.is_nil(reader:wait(PATIENCE))
    assert.is_number(waiter:wait(PATIENCE))
  end)

  it("is stopped, by force if need be", function()
    local p <close> = spawn(sh "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    assert.equal("ready", p:lines()())
    assert.equal(128 + 9, p:stop(0.05))
    local q <close> = spawn(sh "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    assert.equal("ready", q:lines()())
    assert.equal(5, q:stop())
    assert.equal(5, q:stop())
  end)

  it("leaves no group behind where none is wanted", function()
    local p <close> = spawn(sh("sleep 60 & echo $!", { kill_group = true }))
    local pid = tonumber(p:lines()())
    assert.equal(0, p:wait(PATIENCE))
    assert.is_true(gone(pid))
  end)

  it("ends with its block, also where nothing can wait", function()
    local pid
    do
      local p <close> = spawn { "sleep", "60" }
      pid = p.pid
    end
    assert.is_true(gone(pid))
    table.sort({ 1, 2 }, function(a, b)
      local p <close> = spawn { "sleep", "60" }
      pid = p.pid
      return a < b
    end)
    assert.is_true(gone(pid))
  end)

  it("ends when nobody holds it", function()
    local pid = spawn({ "sleep", "60" }).pid
    collectgarbage()
    collectgarbage()
    assert.is_true(gone(pid))
  end)

  it("does not outlive a host that is killed", function()
    local program <close> = spawn { core.real_path("/proc/self/exe"), "-e", [[
      local wampy = require "wampy"
      print(wampy.process.spawn({ "sleep", "60" }).pid)
      io.stdout:flush()
      wampy.sleep(60)]] }
    local pid = tonumber(program:lines()())
    assert.is_true(runs(pid))
    program:kill("KILL")
    program:wait(PATIENCE)
    assert.is_true(gone(pid))
  end)
end)
