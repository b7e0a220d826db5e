-- nearest.lua - "did you mean": the word of a list that a mistyped one is nearest to.

local nearest = {}

local MOST = 200 -- bytes of a word that are looked at

-- How many letters have to be put in, left out, changed or swapped with their neighbour.
local function distance(a, b)
  local rows = { [0] = {} }
  for j = 0, #b do rows[0][j] = j end
  for i = 1, #a do
    rows[i] = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j) and 0 or 1
      local best = math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + same)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        best = math.min(best, rows[i - 2][j - 2] + 1)
      end
      rows[i][j] = best
    end
  end
  return rows[#a][#b]
end

--- The nearest word.
-- @param word what was typed
-- @param words list of those that there are
-- @return one that is near enough to be meant (a third of its letters, at most), or nil
function nearest.of(word, words)
  local found, least = nil, math.huge
  word = word:sub(1, MOST)
  for _, other in ipairs(words) do
    local limit = math.max(1, math.min(#word, #other) // 3)
    if math.abs(#word - #other) <= limit then
      local d = distance(word, other:sub(1, MOST))
      if d <= limit and d < least then found, least = other, d end
    end
  end
  return found
end

--- Words for the end of a message.
-- @param word what was given
-- @param known table whose keys are the words that there are
-- @return "; did you mean realm?", or "" when none is near
function nearest.hint(word, known)
  local words = {}
  for name in pairs(known) do words[#words + 1] = type(name) == "string" and name or nil end
  table.sort(words)
  local found = nearest.of(tostring(word), words)
  return found and ("; did you mean %s?"):format(found) or ""
end

return nearest
