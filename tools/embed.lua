-- embed.lua: writes Lua files into one C file, as src/lua/prelude.h declares them.
-- usage: embed.lua OUT.c lua/wampy.lua lua/wampy/client.lua ... module=path.lua
-- A file below lua/ is module and chunk by its place there ("wampy.client", "@wampy/client.lua").
-- They are compiled here: the program starts in half the time. Lines and names are kept for errors.
local out = assert(io.open(arg[1], "w"))

local escapes = { ["\\"] = "\\\\", ['"'] = '\\"', ["?"] = "\\?", ["\t"] = "\\t" }

local LINE = 40 -- bytes of code in a line of C

local function quote(bytes)
  return '"' .. bytes:gsub('[%c\\"?\128-\255]', function(c)
    return escapes[c] or ("\\%03o"):format(c:byte())
  end) .. '"'
end

out:write("/* generated from lua/ by tools/embed.lua */\n", '#include "lua/prelude.h"\n\n',
  "#include <stddef.h>\n\nconst struct prelude_file prelude_files[] = {\n")
for i = 2, #arg do
  local module, path = arg[i]:match("^([%w.]+)=(.*)$")
  local name = module and module:gsub("%.", "/") .. ".lua" or arg[i]:gsub("^lua/", "")
  module = module or name:gsub("%.lua$", ""):gsub("/", ".")
  local file <close> = assert(io.open(path or arg[i], "rb"), "make setup installs lua-argparse")
  local code = string.dump(assert(load(file:read("a"), "@" .. name, "t")))
  out:write(("    { %s, %s,\n"):format(quote(module), quote("@" .. name)))
  for at = 1, #code, LINE do
    out:write("      ", quote(code:sub(at, at + LINE - 1)), "\n")
  end
  out:write(("      , %d },\n"):format(#code))
end
out:write("    { NULL, NULL, NULL, 0 },\n};\n")
assert(out:close())
