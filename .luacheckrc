std = "lua54"
max_line_length = 100
files["**/*_spec.lua"] = { std = "lua54+busted" }
