-- cli_completion.lua - the verb completion: a script that makes a shell complete verbs and flags.

local cli_completion = {}

local scripts = { bash = "get_bash_complete", zsh = "get_zsh_complete", fish = "get_fish_complete" }

--- Declares the verb.
function cli_completion.command(parser)
  local c = parser:command("completion")
  c:argument("shell", "bash, zsh or fish."):choices { "bash", "zsh", "fish" }:argname("SHELL")
  c:epilog("Examples:\n  source <(wampy-lua completion bash)\n"
    .. "  wampy-lua completion zsh > ~/.zfunc/_wampy-lua\n"
    .. "  wampy-lua completion fish > ~/.config/fish/completions/wampy-lua.fish")
end

--- What it comes to.
function cli_completion.plan(result)
  local parser = require("wampy.cli").parser()
  return { exit = 0, stdout = parser[scripts[result.shell]](parser) .. "\n" }
end

return cli_completion
