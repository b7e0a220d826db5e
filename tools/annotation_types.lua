-- annotation_types.lua: of what type a parameter or a result is, for annotations.lua: what its tag
-- states (@tparam, @treturn), or what its description opens with ("seconds", "list", "Task" ...),
-- or what all parameters of its name are.
local annotation_types = {}

local BY_NAME = {
  ["..."] = "any", args = "any[]", app = "wampy.Client", client = "wampy.Client", at = "any",
  authid = "string", authrole = "string", bytes = "integer", class = "table", code = "integer",
  drain = "number", e = "any", fd = "integer", fn = "function", grace = "number", id = "integer",
  kwargs = "table", level = "string", list = "any[]", match = "string", most = "integer",
  message = "wampy.messages.Message|any[]|string", mode = "string", n = "integer", name = "string",
  options = "table", original = "function", reason = "string", s = "string", scope = "string",
  seconds = "number", signal = "string|integer", stream = "string", t = "table", text = "string",
  timeout = "number", topic = "string", uri = "string", value = "any", what = "any",
  wrapper = "function", details = "table", request = "integer", procedure = "string",
  realm = "string", roles = "table", session = "integer", authmethod = "string", extra = "table",
  signature = "string", request_type = "integer", error = "string", publication = "integer",
  subscription = "integer", registration = "integer", invocation_request_id = "integer",
  result_args = "any[]", result_kwargs = "table", authroles = "string[]",
}
local BY_WORD = { -- what a description opens with
  { "^{", "table" }, { "^list of URIs", "string[]" }, { "^list", "any[]" },
  { "^the list", "any[]" }, { "^the id", "integer" },
  { "^true", "boolean" }, { "^boolean", "boolean" }, { "^whether", "boolean" },
  { "^publication id", "integer" }, { "^exit code", "integer" }, { "^how many", "integer" },
  { "^how often", "integer" }, { "^number", "number" }, { "^function", "function" },
  { "^a function", "function" }, { "^wrapper", "function" }, { "^text", "string" },
  { "^string", "string" }, { "^URI, or a list", "string|string[]" }, { "^self", "self" },
  { "^class;", "self" }, { "^thread", "thread" }, { "^the started client", "wampy.Client" },
  { "^the app's client", "wampy.Client" }, { "^its Session", "wampy.Session" },
  { "^Subscription", "wampy.Registration" }, { "^stream,", "wampy.Stream" },
  { "^up$", "wampy.Upload" }, { "^`up`", "wampy.Upload" },
  { "^router with", "wampy.routers.Router" }, { "^future", "wampy.Future" },
  { "^object of wampy.messages", "wampy.messages.Message" },
  { "^the marked", "table" }, { "^a plain copy", "table" },
  { "^the error", "wampy.errors.WampyError" },
}

-- The type that a description opens with; nil when it opens with none.
local function by_word(text, classes)
  for _, row in ipairs(BY_WORD) do
    if text:find(row[1]) then return row[2] end
  end
  local word = text:match("^%u%w+")
  for _, space in ipairs { "wampy.", "wampy.routers.", "wampy.testing." } do
    if word and classes[space .. word] then return space .. word end
  end
end

local function optional(text)
  return text:find("%f[%w]nil") or text:find("default", 1, true)
    or text:find("or nothing", 1, true)
end

-- The tags of a kind: list of { kind = stated type or nil, text }.
local function stated(doc, typed, plain)
  local list = {}
  for _, each in ipairs(doc.tags) do
    if each.tag == typed then
      local kind, text = each.value:match("^(%S+)%s*(.*)$")
      list[#list + 1] = { kind = kind, text = text }
    elseif each.tag == plain then
      list[#list + 1] = { text = each.value }
    end
  end
  return list
end

--- The type of a parameter of a function.
-- @param fn as docstrings.of_lua has it
-- @param name of the parameter
-- @param classes set of the names of classes
-- @return type (nil: unknown), description, whether it may be left out
function annotation_types.parameter(fn, name, classes)
  for _, each in ipairs(stated(fn.doc, "tparam", "param")) do
    local own, text = each.text:match("^(%S+)%s*(.*)$")
    if own == name then
      return each.kind or by_word(text, classes) or BY_NAME[name], text,
        optional(text) and name ~= "..."
    end
  end
  return BY_NAME[name], "", fn.optional and fn.optional[name] or name == "timeout"
end

--- What all parameters and fields of a name are.
function annotation_types.of_name(name)
  return BY_NAME[name]
end

--- Whether the docstring of a function says what it returns.
function annotation_types.returned(fn)
  local said = stated(fn.doc, "treturn", "return")[1] ~= nil
  return said or table.concat(fn.doc.text, " "):find("; returns ", 1, true) ~= nil
end

-- Whether a description tells of more than one result.
local function is_several(text)
  local first = text:gsub("%b()", ""):gsub("%b{}", ""):match("^[^;.:|`]*")
  first = first:gsub(", or .*", ""):gsub(", %l+ with .*", ""):gsub(", with .*", "")
  return first:find("[,…]") or first:find("results", 1, true) or first:find("^what")
end

--- The results of a function, as lines of annotations.
function annotation_types.results(fn, classes)
  local out = {}
  for _, each in ipairs(stated(fn.doc, "treturn", "return")) do
    local kind = each.kind or by_word(each.text, classes) or "any"
    local maybe = each.text:find("nil", 1, true) and kind ~= "any"
    out[#out + 1] = ("---@return %s%s%s"):format(kind, maybe and "?" or "",
      (fn.signature or each.text == kind) and "" or " # " .. each.text)
    if is_several(each.text) then out[#out + 1] = "---@return any ..." end
  end
  return out
end

return annotation_types
