%% Erlang's distribution: erl .. -s dist main there PORT, and beside it trip or pipe, which print four numbers:
%% us p50, us p99, us of CPU here and there; or M msgs/s, ns of CPU for each here and there, and 0.
-module(dist).
-export([main/1, echo/0, count/1, cpu/0]).

-define(BYTES, 64).

main([there, _]) -> io:format("up~n"), receive stop -> halt(0) end;
main([Workload, Port]) ->
    spawn(fun() ->
                  process_flag(priority, normal),
                  There = list_to_atom("there" ++ atom_to_list(Port) ++ "@127.0.0.1"),
                  true = net_kernel:connect_node(There),
                  [io:format("~.6e~n", [float(V)]) || V <- run(Workload, There)],
                  rpc:cast(There, erlang, halt, [0]),
                  timer:sleep(100),
                  halt(0)
          end).

payload() -> binary:copy(<<1>>, ?BYTES).

%% us of all threads; its clock is a whole millisecond.
cpu() -> {Ms, _} = erlang:statistics(runtime), Ms * 1000.
cpu(There) -> rpc:call(There, ?MODULE, cpu, []).

run(trip, There) ->
    Pid = spawn(There, ?MODULE, echo, []), Payload = payload(), N = 5000,
    trips(500, Pid, Payload, []),
    {Here, Away} = {cpu(), cpu(There)},
    Sorted = list_to_tuple(lists:sort(trips(N, Pid, Payload, []))),
    At = fun(Q) -> element(1 + round(Q * (N - 1)), Sorted) / 1000 end,
    [At(0.5), At(0.99), (cpu() - Here) / N, (cpu(There) - Away) / N];
run(pipe, There) ->
    Pid = spawn(There, ?MODULE, count, [0]), Payload = payload(), N = 1000000,
    pipe(100000, Pid, Payload),
    {Here, Away, Begin} = {cpu(), cpu(There), erlang:monotonic_time(nanosecond)},
    pipe(N, Pid, Payload),
    Took = erlang:monotonic_time(nanosecond) - Begin,
    [N * 1000 / Took, (cpu() - Here) * 1000 / N, (cpu(There) - Away) * 1000 / N, 0].

trips(0, _, _, Took) -> Took;
trips(N, Pid, Payload, Took) ->
    Begin = erlang:monotonic_time(nanosecond),
    Pid ! {self(), Payload},
    receive Payload -> ok end,
    trips(N - 1, Pid, Payload, [erlang:monotonic_time(nanosecond) - Begin | Took]).

echo() -> receive {From, Payload} -> From ! Payload, echo() end.

pipe(N, Pid, Payload) ->
    send(N, Pid, Payload),
    Pid ! {all, self()},
    receive {handled, _} -> ok end.

send(0, _, _) -> ok;
send(N, Pid, Payload) -> Pid ! Payload, send(N - 1, Pid, Payload).

count(N) ->
    receive
        {all, From} -> From ! {handled, N}, count(0);
        _ -> count(N + 1)
    end.
