std = "lua54"
max_line_length = 100
ignore = { "212/self" } -- a class handler's first parameter has to be self, used or not
exclude_files = { "tests/data/bad" } -- what `wampy-lua check` has to find
files["**/*_spec.lua"] = { std = "lua54+busted" }
files["tests/spec/value_cases.lua"] = { std = "lua54+busted" }
