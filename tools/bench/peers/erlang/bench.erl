%% One workload in a machine of its own: erl .. -s bench main WORKLOAD. Prints lines "NAME VALUE", as ../../suite
%% knows them. An 8-byte message is a small integer, one of 64 bytes a binary on the sender's heap (copied).
-module(bench).
-behaviour(supervisor).
-export([main/1, idle/0, tree/3, init/1, patient/1, be_patient/2, log/2]).

main([Workload]) ->
    process_flag(priority, normal),
    spawn(fun() -> run(Workload), halt(0) end).

say(Name, Value) -> io:format("~s ~.6e~n", [Name, float(Value)]).

seconds(F) ->
    Begin = erlang:monotonic_time(microsecond),
    F(),
    max(erlang:monotonic_time(microsecond) - Begin, 1) / 1.0e6.

resident() ->
    {ok, Bytes} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = binary:split(Bytes, <<" ">>, [global]),
    binary_to_integer(Pages) * 4096.

payload(8) -> 42;
payload(Bytes) -> binary:copy(<<1>>, Bytes).

times(0, _) -> ok;
times(N, F) -> F(), times(N - 1, F).

wait(_, 0) -> ok;
wait(Tag, N) -> receive Tag -> wait(Tag, N - 1) end.

name(Base, Bytes) -> Base ++ integer_to_list(Bytes).

run(pairs) ->
    [begin
         play(Pairs, Rounds div 10, Bytes),
         S = seconds(fun() -> play(Pairs, Rounds, Bytes) end),
         say(name(Base, Bytes), Pairs * Rounds / S / 1.0e6)
     end || {Base, Pairs, Rounds} <- [{"pair", 1, 300000}, {"pairs", 1000, 300}], Bytes <- [8, 64]];

run(fanin) ->
    [begin
         fan_in(8, 20000, Bytes),
         S = seconds(fun() -> fan_in(8, 200000, Bytes) end),
         say(name("fanin", Bytes), 1.6 / S)
     end || Bytes <- [8, 64]];

run(one) ->
    outside:load(),
    Me = self(),
    Flood = fun(N, Bytes) ->
                    Pid = spawn(fun() -> drain(N), Me ! done end),
                    outside:flood(Pid, N, Bytes),
                    wait(done, 1)
            end,
    [begin
         Flood(100000, Bytes),
         S = seconds(fun() -> Flood(1000000, Bytes) end),
         say(name("one", Bytes), 1.0 / S)
     end || Bytes <- [8, 64]];

run(many) ->
    Me = self(), Done = atomics:new(1, []), N = 100000, Each = 10,
    Pids = [spawn(fun() -> count(Each, Done, N, Me) end) || _ <- lists:seq(1, N)],
    send_bursts(Pids, Each, 42), wait(all_done, 1),
    [begin
         atomics:put(Done, 1, 0),
         S = seconds(fun() -> send_all(How, Pids, Each, payload(Bytes)), wait(all_done, 1) end),
         say(name(How, Bytes), N * Each / S / 1.0e6)
     end || How <- ["rounds", "bursts"], Bytes <- [8, 64]];

run(spawn) ->
    N = 1000000, Me = self(),
    [P ! stop || P <- [spawn(?MODULE, idle, []) || _ <- lists:seq(1, 1000)]],
    timer:sleep(50), garbage_collect(),
    Before = resident(),
    S = seconds(fun() ->
                        Pids = [spawn(?MODULE, idle, []) || _ <- lists:seq(1, N)],
                        hd(Pids) ! {ping, Me}, lists:last(Pids) ! {ping, Me},
                        wait(pong, 2), put(pids, Pids)
                end),
    timer:sleep(200),
    say("spawn", N / S / 1.0e6),
    say("bytes", (resident() - Before) / N);

run(tree) ->
    N = 1000000, Sum = N * (N - 1) div 2, Me = self(),
    S = seconds(fun() -> tree(Me, 0, N), receive Sum -> ok end end),
    say("tree", S * 1000);

%% What supervisors say is made, and thrown away by a handler of our own.
run(restarts) ->
    logger:remove_handler(default),
    logger:add_handler(bench, ?MODULE, #{}),
    Restart = fun(Patients, All) ->
                      Me = self(), Left = counters:new(1, []),
                      counters:put(Left, 1, All),
                      Pids = [element(2, supervisor:start_link(?MODULE, {Me, Left})) || _ <- lists:seq(1, Patients)],
                      wait(done, 1),
                      [begin unlink(P), exit(P, kill) end || P <- Pids]
              end,
    process_flag(trap_exit, true),
    Restart(8, 1000),
    [say("restarts" ++ integer_to_list(P), 20.0 / seconds(fun() -> Restart(P, 20000) end)) || P <- [1, 8]];

%% An actor takes another function for its own, and says so; and the same with new code of its module, loaded by hand.
run(swap) ->
    Pid = spawn(fun() -> swapped(fun(N) -> N + 1 end, 0) end),
    Swap = fun(N) -> times(N, fun() -> Pid ! {become, fun(X) -> X + N end, self()}, wait(swapped, 1) end) end,
    Swap(10000),
    S = seconds(fun() -> Swap(300000) end),
    say("swap", 300 / S);

run(disk) ->
    Pid = spawn(fun() -> receive {enter, To} -> apply(hot, loop, [To]) end end),
    Codes = [hot(Version) || Version <- lists:seq(1, 150)],
    Load = fun(Code) -> code:purge(hot), {module, hot} = code:load_binary(hot, "hot", Code) end,
    Load(hd(Codes)), Pid ! {enter, self()}, wait(entered, 1),
    S = seconds(fun() -> [begin Load(C), Pid ! {enter, self()}, wait(entered, 1) end || C <- tl(Codes)] end),
    say("disk", 149 / S);

run(timers) ->
    N = 100000, Me = self(), Cpu = cpu_ns(),
    Pid = spawn(fun() -> Me ! {late, late(N, [])} end),
    S = seconds(fun() -> [set_timer(Pid, 500 + I rem 1000) || I <- lists:seq(1, N)] end),
    receive {late, Late} ->
            Sorted = list_to_tuple(lists:sort(Late)),
            say("set", S * 1.0e9 / N), say("cpu", (cpu_ns() - Cpu) / N),
            say("late50", element(N div 2, Sorted) / 1000), say("late99", element(N div 100 * 99, Sorted) / 1000)
    end;

run(flood1) -> latency("flood1", 1);
run(flood100) -> latency("flood100", 100).

%% ---- restarts: a child that crashes as soon as it has begun ----

init(Args) ->
    {ok, {#{strategy => one_for_one, intensity => 100000000, period => 1},
          [#{id => patient, start => {?MODULE, patient, [Args]}, restart => permanent}]}}.

patient(Args) -> proc_lib:start_link(?MODULE, be_patient, [self(), Args]).

be_patient(Supervisor, {Main, Left}) ->
    proc_lib:init_ack(Supervisor, {ok, self()}),
    counters:sub(Left, 1, 1),
    case counters:get(Left, 1) of 0 -> Main ! done; _ -> ok end,
    self() ! crash,
    receive crash -> exit(it_was_told_to) end.

log(_, _) -> ok.

%% ---- swaps, timers ----

swapped(F, State) -> receive {become, G, To} -> To ! swapped, swapped(G, F(State)) end.

%% A module whose loop(To) says that it was entered, and enters what is newest when it is told to; Version makes it another.
hot(Version) ->
    L = 1,
    Source = "-module(hot).\n-export([loop/1]).\nloop(To) -> To ! entered, receive {enter, Next} -> hot:loop(Next); " ++
        integer_to_list(Version) ++ " -> ok end.\n",
    {ok, Tokens, _} = erl_scan:string(Source, L),
    {ok, hot, Code} = compile:forms([begin {ok, F} = erl_parse:parse_form(T), F end || T <- forms(Tokens, [])]),
    Code.

forms([], _) -> [];
forms([{dot, _} = Dot | Rest], Form) -> [lists:reverse([Dot | Form]) | forms(Rest, [])];
forms([Token | Rest], Form) -> forms(Rest, [Token | Form]).

set_timer(Pid, Milliseconds) ->
    erlang:send_after(Milliseconds, Pid, {due, erlang:monotonic_time(nanosecond) + Milliseconds * 1000000}).

late(0, L) -> L;
late(N, L) -> receive {due, T} -> late(N - 1, [erlang:monotonic_time(nanosecond) - T | L]) end.

%% Of all threads of this process, in steps of 10 ms.
cpu_ns() ->
    {ok, Stat} = file:read_file("/proc/self/stat"),
    [_, Rest] = binary:split(Stat, <<") ">>),
    Fields = binary:split(Rest, <<" ">>, [global]),
    lists:sum([binary_to_integer(lists:nth(I, Fields)) || I <- [12, 13]]) * 10000000.

%% ---- pairs, fan-in, many ----

play(Pairs, Rounds, Bytes) ->
    Me = self(), Payload = payload(Bytes),
    Pids = [spawn(fun() ->
                          Peer = spawn(fun pong/0),
                          receive go -> ok end,
                          ping(Rounds, Peer, Payload), Peer ! stop, Me ! over
                  end) || _ <- lists:seq(1, Pairs)],
    [P ! go || P <- Pids],
    wait(over, Pairs).

ping(0, _, _) -> ok;
ping(N, Peer, X) -> Peer ! {self(), X}, receive Y -> ping(N - 1, Peer, Y) end.
pong() -> receive {P, X} -> P ! X, pong(); stop -> ok end.

fan_in(Senders, Each, Bytes) ->
    Me = self(), Payload = payload(Bytes),
    Pid = spawn(fun() -> drain(Senders * Each), Me ! done end),
    [spawn(fun() -> times(Each, fun() -> Pid ! Payload end) end) || _ <- lists:seq(1, Senders)],
    wait(done, 1).

drain(0) -> ok;
drain(N) -> receive _ -> drain(N - 1) end.

count(Each, Done, All, Me) ->
    drain(Each),
    case atomics:add_get(Done, 1, 1) of All -> Me ! all_done; _ -> ok end,
    count(Each, Done, All, Me).

send_all("rounds", Pids, Each, X) -> times(Each, fun() -> send_round(Pids, X) end);
send_all("bursts", Pids, Each, X) -> send_bursts(Pids, Each, X).
send_round([P | Rest], X) -> P ! X, send_round(Rest, X);
send_round([], _) -> ok.
send_bursts([P | Rest], Each, X) -> send_times(P, Each, X), send_bursts(Rest, Each, X);
send_bursts([], _, _) -> ok.
send_times(_, 0, _) -> ok;
send_times(P, N, X) -> P ! X, send_times(P, N - 1, X).

%% ---- spawn, tree ----

idle() -> receive {ping, P} -> P ! pong, idle(); stop -> ok end.

tree(Parent, First, 1) -> Parent ! First;
tree(Parent, First, Size) ->
    Me = self(), Part = Size div 10,
    [spawn(?MODULE, tree, [Me, First + I * Part, Part]) || I <- lists:seq(0, 9)],
    Parent ! sum(10, 0).

sum(0, A) -> A;
sum(N, A) -> receive X -> sum(N - 1, A + X) end.

%% ---- a light process beside some that flood: each keeps 1,000 messages to itself on their way ----

latency(Name, Floods) ->
    outside:load(), Me = self(), Samples = 500,
    [begin
         Pid = spawn(fun() -> flood() end),
         times(1000, fun() -> Pid ! {again, 1} end)
     end || _ <- lists:seq(1, Floods)],
    Light = spawn(fun() -> Me ! {took, light(Samples, [])} end),
    outside:clock(Light, Samples, 1000),
    receive {took, L} ->
            Sorted = list_to_tuple(lists:sort(L)),
            At = fun(Q) -> element(1 + round(Q * (Samples - 1)), Sorted) / 1000 end,
            say(Name ++ "p50", At(0.5)), say(Name ++ "p99", At(0.99))
    end.

flood() -> receive {again, X} -> self() ! {again, X + 1}, flood() end.
light(0, L) -> L;
light(N, L) -> receive T -> light(N - 1, [outside:now_ns() - T | L]) end.
