#!/usr/bin/env escript
%%! -kernel logger_level none
%% The table of tests/otp/table.h, played by OTP's own supervisor. One line for each scenario:
%%   NAME: what happened
%% +x x began, -x x ended, after what is told to it; "gone" the supervisor ended.
-mode(compile).

main(_) ->
    process_flag(trap_exit, true),
    make_module(),
    [play(S) || S <- scenarios()],
    ok.

%% {name, strategy, intensity, children, script}; a child is {name, restart, shutdown, how}
scenarios() ->
    Abc = [{a, transient, 5000, plain}, {b, transient, 5000, plain}, {c, transient, 5000, plain},
           {d, transient, 5000, plain}],
    Kinds = [{a, permanent, 5000, plain}, {b, temporary, 5000, plain}, {c, transient, 5000, plain}],
    [{"one_for_one_first", one_for_one, 3, Abc, [{crash, a}]},
     {"one_for_one_middle", one_for_one, 3, Abc, [{crash, b}]},
     {"one_for_one_last", one_for_one, 3, Abc, [{crash, d}]},
     {"one_for_all_first", one_for_all, 3, Abc, [{crash, a}]},
     {"one_for_all_middle", one_for_all, 3, Abc, [{crash, b}]},
     {"one_for_all_last", one_for_all, 3, Abc, [{crash, d}]},
     {"rest_for_one_first", rest_for_one, 3, Abc, [{crash, a}]},
     {"rest_for_one_middle", rest_for_one, 3, Abc, [{crash, b}]},
     {"rest_for_one_last", rest_for_one, 3, Abc, [{crash, d}]},
     {"permanent_normal", one_for_one, 3, Kinds, [{exit, a}]},
     {"temporary_normal", one_for_one, 3, Kinds, [{exit, b}]},
     {"temporary_crash", one_for_one, 3, Kinds, [{crash, b}]},
     {"transient_normal", one_for_one, 3, Kinds, [{exit, c}]},
     {"transient_crash", one_for_one, 3, Kinds, [{crash, c}]},
     {"all_permanent_normal", one_for_all, 3, Kinds, [{exit, a}]},
     {"all_temporary_crash", one_for_all, 3, Kinds, [{crash, b}]},
     {"all_drops_temporary", one_for_all, 3, Kinds, [{crash, c}]},
     {"rest_drops_temporary", rest_for_one, 3, Kinds, [{crash, a}]},
     {"all_after_transient_normal", one_for_all, 3, Kinds, [{exit, c}, {crash, a}]},
     {"exactly_intensity", one_for_one, 3, Abc, [{crash, b}, {crash, b}, {crash, b}]},
     {"one_more_than_intensity", one_for_one, 2, Abc, [{crash, b}, {crash, b}, {crash, b}]},
     {"one_more_than_intensity_all", one_for_all, 1, Abc, [{crash, c}, {crash, c}]},
     {"intensity_of_all_members", one_for_one, 2, Abc, [{crash, a}, {crash, b}, {crash, c}]},
     {"intensity_0", one_for_one, 0, Abc, [{crash, b}]},
     {"escalates_one_for_one", one_for_one, nested, [], [{crash, y}, {crash, y}]},
     {"escalates_one_for_all", one_for_all, nested, [], [{crash, y}, {crash, y}]},
     {"escalates_rest_for_one", rest_for_one, nested, [], [{crash, y}, {crash, y}]},
     {"counts_anew", one_for_all, nested, [], [{crash, y}, {crash, a}, {crash, y}]},
     {"start_fails_once_all", one_for_all, 3, Abc, [{fail_once, b}, {crash, d}]},
     {"start_fails_once_rest", rest_for_one, 3, Abc, [{fail_once, c}, {crash, b}]},
     {"start_fails_once_one", one_for_one, 3, Abc, [{fail_once, b}, {crash, b}]},
     {"shutdown_timeout", one_for_all, 3,
      [{a, transient, 5000, plain}, {b, transient, 200, deaf}, {c, transient, 5000, plain}],
      [{crash, a}]},
     {"brutal_kill", one_for_all, 3,
      [{a, transient, 5000, plain}, {b, transient, brutal_kill, deaf}, {c, transient, 5000, plain}],
      [{crash, c}]}].

play({Name, Strategy, Intensity, Children, Script}) ->
    ets:new(fails, [named_table, public]),
    register(log, self()),
    Spec = case Intensity of
               nested -> nested(Strategy);
               _ -> {flags(Strategy, Intensity), [child(C) || C <- Children]}
           end,
    {ok, Sup} = supervisor:start_link(sup(), Spec),
    settle([]),
    Trace = lists:append([step(S, Sup) || S <- Script]),
    Gone = case is_process_alive(Sup) of true -> []; false -> ["gone"] end,
    io:format("~s: ~s~n", [Name, lists:join(" ", Trace ++ Gone)]),
    exit(Sup, shutdown),
    receive {'EXIT', Sup, _} -> ok end,
    settle([]),
    unregister(log),
    ets:delete(fails).

flags(Strategy, Intensity) -> #{strategy => Strategy, intensity => Intensity, period => 5}.

%% a, then a supervisor of x, y, z that allows one restart, then b.
nested(Strategy) ->
    Inner = {flags(one_for_one, 1), [child({C, transient, 5000, plain}) || C <- [x, y, z]]},
    {flags(Strategy, 3),
     [child({a, transient, 5000, plain}),
      #{id => inner, start => {supervisor, start_link, [sup(), Inner]}, type => supervisor},
      child({b, transient, 5000, plain})]}.

child({Name, Restart, Shutdown, How}) ->
    #{id => Name, start => {erlang, apply, [fun start/2, [Name, How]]}, restart => Restart,
      shutdown => Shutdown}.

start(Name, How) ->
    Parent = self(),
    Fails = ets:lookup(fails, Name) =/= [],
    ets:delete(fails, Name),
    case Fails of
        true -> say("!", Name), {error, not_today};
        false ->
            Pid = spawn_link(fun() -> run(Name, How, Parent) end),
            receive {Pid, ready} -> {ok, Pid} end
    end.

run(Name, How, Parent) ->
    process_flag(trap_exit, true),
    catch unregister(Name),
    register(Name, self()),
    say("+", Name),
    Parent ! {self(), ready},
    loop(Name, How).

loop(Name, How) ->
    receive
        crash -> say("-", Name), exit(crashed);
        exit -> say("-", Name), exit(normal);
        {'EXIT', _, shutdown} when How =:= plain -> say("-", Name), exit(shutdown);
        _ -> loop(Name, How)
    end.

say(What, Name) -> log ! {trace, What ++ atom_to_list(Name)}.

step({fail_once, Name}, _) -> ets:insert(fails, {Name, true}), [];
step({What, Name}, Sup) ->
    case whereis(Name) of
        undefined -> [];
        Pid ->
            Ref = monitor(process, Pid),
            Pid ! What,
            receive {'DOWN', Ref, _, _, _} -> ok end,
            Heard = settle([]),
            %% a supervisor that restarts answers when it is done; a second time, if it tries again
            [catch gen_server:call(Sup, which_children, 30000) || _ <- [1, 2]],
            Heard ++ settle([])
    end.

%% Until nothing has happened for a while. A child that is killed says nothing: nor does ours.
settle(Trace) ->
    receive {trace, T} -> settle([T | Trace])
    after 60 -> lists:reverse(Trace)
    end.

%% supervisor wants a module with init/1: this one hands back what it is given.
sup() -> table.

make_module() ->
    {ok, table, Code} = compile:forms([{attribute, 1, module, table},
                                       {attribute, 1, export, [{init, 1}]},
                                       {function, 1, init, 1,
                                        [{clause, 1, [{var, 1, 'X'}], [],
                                          [{tuple, 1, [{atom, 1, ok}, {var, 1, 'X'}]}]}]}]),
    {module, table} = code:load_binary(table, "table", Code).
