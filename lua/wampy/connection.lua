-- connection.lua - what a command line says of every client of the process, and which exit code it
-- is when nothing comes of it (docs: exit codes).

local core = require "wampy.core"
local credentials = require "wampy.credentials"
local errors = require "wampy.errors"
local fields = require "wampy.fields"

local connection = {}

-- The secret that is typed now.
local function ask(auth)
  local secret = core.ask_secret(("secret%s: "):format(auth.authid and " of " .. auth.authid or ""))
  core.turn(0) -- a signal that came meanwhile is counted
  if core.signals() > 0 then errors.raise("Canceled", "interrupted by a signal") end
  if not secret or secret == "" then
    errors.raise("WampyError", secret and "--ask-secret: nothing was typed"
      or "--ask-secret: there is no terminal to ask at")
  end
  return secret
end

--- Puts into force what flags and a profile say.
-- @param plan { forced = fields that win over everything, fallback = fields of the profile, auth,
-- profile_auth = as credentials.force takes them; auth.ask: a secret is asked for }
-- @param reconnect the field `reconnect` where nobody gives one
function connection.apply(plan, reconnect)
  fields.forced = plan.forced
  fields.fallback = {}
  for name, value in pairs(plan.fallback or {}) do fields.fallback[name] = value end
  fields.fallback.reconnect = reconnect
  plan.auth.secret = plan.auth.ask and ask(plan.auth) or nil
  credentials.force(plan.auth, plan.profile_auth)
end

--- The exit code that an error of ours stands for.
-- @param e what was raised
-- @param joined whether a session had been joined before
-- @return 4 to 8; nil when it is neither the far side's nor the link's
function connection.exit_code(e, joined)
  if e:is(errors.RemoteError) then return 6 end
  if e:is(errors.AuthenticationError) then return 5 end
  if e.after_join or joined and errors.is_link(e) then return 8 end
  if e.uri and not e:is(errors.WampProtocolError) then return 5 end
  if e:is(errors.TimeoutError) then return 7 end
  return errors.is_link(e) and 4 or nil
end

return connection
