#!/bin/bash
# The ticker beside a job that lasts, and beside a host that does not drain: a tick a millisecond is cheap. It takes
# a wall clock and a quiet machine to see that.
set -eu
exec "$BUILD/tests/unit/runtime_test" p8.a_runtime_rests_while_a_turn_or_a_host_takes_its_time
