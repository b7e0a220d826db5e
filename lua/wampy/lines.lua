-- lines.lua - lines out of a stream that comes in pieces.

--- Iterates over the lines of a stream, without line ends.
-- @param read function() -> the next piece, nil at the end; it may wait
-- @param max bytes after which a line is cut
-- @return iterator
return function(read, max)
  local text, from = "", 1
  local function cut(last, next_from)
    local line = text:sub(from, last)
    from = next_from
    return line
  end
  return function()
    while true do
      local at = text:find("\n", from, true)
      if (at or #text + 1) - from > max then return cut(from + max - 1, from + max) end
      if at then return cut(at - 1, at + 1) end
      local more = read()
      if not more then return from <= #text and cut(#text, #text + 1) or nil end
      text, from = text:sub(from) .. more, 1
    end
  end
end
