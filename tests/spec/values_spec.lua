-- values_spec: what a value is on the far side of a call by JSON. serializers_spec has the others.
loadfile("tests/spec/value_cases.lua", "t", _ENV)("json", "json")
