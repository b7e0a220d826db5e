-- task_handle_spec: what is done to a task that has ended is done to nobody.
local wampy = require "wampy"

describe("a task that has ended", function()
  it("can be canceled without harm to those that came after it", function()
    local ended, harmed = {}, 0
    local function work()
      if not pcall(wampy.sleep, 0.01) then harmed = harmed + 1 end
    end
    for _ = 1, 6 do
      local running = {}
      for i = 1, 600 do running[i] = wampy.spawn(work) end -- more than are pooled
      wampy.sleep(0)
      for _, task in ipairs(ended) do task:cancel() end
      for _, task in ipairs(running) do
        task:wait()
        ended[#ended + 1] = task
      end
      wampy.sleep(0)
    end
    assert.equal(0, harmed)
  end)
end)
