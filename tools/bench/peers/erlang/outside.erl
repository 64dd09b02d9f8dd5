%% The Erlang side of outside.c.
-module(outside).
-export([load/0, flood/3, clock/3, now_ns/0]).

load() -> ok = erlang:load_nif("./outside", 0).
flood(_, _, _) -> erlang:nif_error(not_loaded).
clock(_, _, _) -> erlang:nif_error(not_loaded).
now_ns() -> erlang:nif_error(not_loaded).
