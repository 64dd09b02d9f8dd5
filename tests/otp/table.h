/* What OTP's supervisor does in each of these, and Iris as well: who begins (+), fails to (!) and ends (-),
 * in which order. tests/otp/otp.sh plays them in Erlang, tests/unit/restart_test.c here.
 *
 * ROW(name, strategy, intensity, cast, script, trace): of the script, c crashes, e ends by itself, f lets
 * the next beginning fail. Casts: PLAIN a b c d, all on-failure; KINDS a always, b never, c on-failure;
 * NESTED a, then below a supervisor that allows one restart x y z, then b; DEAF and BRUTAL: b does not end
 * when it is told to, and has 200 ms, or none (nor does it say that it was killed).
 *
 * DIFFERS(.., OTP's trace, Iris's trace, why). And everywhere: a process that OTP begins again is another
 * one, an actor of Iris the same: pid, path and mailbox stay. OTP has no backoff. */
/* clang-format off */
ROW(one_for_one_first, ONE_FOR_ONE, 3, PLAIN, "ca", "-a +a")
ROW(one_for_one_middle, ONE_FOR_ONE, 3, PLAIN, "cb", "-b +b")
ROW(one_for_one_last, ONE_FOR_ONE, 3, PLAIN, "cd", "-d +d")
ROW(one_for_all_first, ONE_FOR_ALL, 3, PLAIN, "ca", "-a -d -c -b +a +b +c +d")
ROW(one_for_all_middle, ONE_FOR_ALL, 3, PLAIN, "cb", "-b -d -c -a +a +b +c +d")
ROW(one_for_all_last, ONE_FOR_ALL, 3, PLAIN, "cd", "-d -c -b -a +a +b +c +d")
ROW(rest_for_one_first, REST_FOR_ONE, 3, PLAIN, "ca", "-a -d -c -b +a +b +c +d")
ROW(rest_for_one_middle, REST_FOR_ONE, 3, PLAIN, "cb", "-b -d -c +b +c +d")
ROW(rest_for_one_last, REST_FOR_ONE, 3, PLAIN, "cd", "-d +d")
ROW(permanent_normal, ONE_FOR_ONE, 3, KINDS, "ea", "-a +a")
ROW(temporary_normal, ONE_FOR_ONE, 3, KINDS, "eb", "-b")
ROW(temporary_crash, ONE_FOR_ONE, 3, KINDS, "cb", "-b")
ROW(transient_normal, ONE_FOR_ONE, 3, KINDS, "ec", "-c")
ROW(transient_crash, ONE_FOR_ONE, 3, KINDS, "cc", "-c +c")
ROW(all_permanent_normal, ONE_FOR_ALL, 3, KINDS, "ea", "-a -c -b +a +c")
ROW(all_temporary_crash, ONE_FOR_ALL, 3, KINDS, "cb", "-b")
ROW(all_drops_temporary, ONE_FOR_ALL, 3, KINDS, "cc", "-c -b -a +a +c")
ROW(rest_drops_temporary, REST_FOR_ONE, 3, KINDS, "ca", "-a -c -b +a +c")
DIFFERS(all_after_transient_normal, ONE_FOR_ALL, 3, KINDS, "ec ca", "-c -a -b +a +c", "-c -a -b +a",
        "an on-failure actor that ended by itself is gone, with its pid: a later round does not begin it")
ROW(exactly_intensity, ONE_FOR_ONE, 3, PLAIN, "cb cb cb", "-b +b -b +b -b +b")
ROW(one_more_than_intensity, ONE_FOR_ONE, 2, PLAIN, "cb cb cb", "-b +b -b +b -b -d -c -a gone")
ROW(one_more_than_intensity_all, ONE_FOR_ALL, 1, PLAIN, "cc cc", "-c -d -b -a +a +b +c +d -c -d -b -a gone")
ROW(intensity_of_all_members, ONE_FOR_ONE, 2, PLAIN, "ca cb cc", "-a +a -b +b -c -d -b -a gone")
ROW(intensity_0, ONE_FOR_ONE, 0, PLAIN, "cb", "-b -d -c -a gone")
ROW(escalates_one_for_one, ONE_FOR_ONE, 0, NESTED, "cy cy", "-y +y -y -z -x +x +y +z")
ROW(escalates_one_for_all, ONE_FOR_ALL, 0, NESTED, "cy cy", "-y +y -y -z -x -b -a +a +x +y +z +b")
ROW(escalates_rest_for_one, REST_FOR_ONE, 0, NESTED, "cy cy", "-y +y -y -z -x -b +x +y +z +b")
ROW(counts_anew, ONE_FOR_ALL, 0, NESTED, "cy ca cy", "-y +y -a -b -z -y -x +a +x +y +z +b -y +y")
ROW(start_fails_once_all, ONE_FOR_ALL, 3, PLAIN, "fb cd", "-d -c -b -a +a !b -a +a +b +c +d")
ROW(start_fails_once_rest, REST_FOR_ONE, 3, PLAIN, "fc cb", "-b -d -c +b !c +c +d")
ROW(start_fails_once_one, ONE_FOR_ONE, 3, PLAIN, "fb cb", "-b !b +b")
ROW(shutdown_timeout, ONE_FOR_ALL, 3, DEAF, "ca", "-a -c +a +b +c")
ROW(brutal_kill, ONE_FOR_ALL, 3, BRUTAL, "cc", "-c -a +a +b +c")
/* clang-format on */
