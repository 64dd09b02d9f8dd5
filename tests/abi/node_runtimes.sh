#!/bin/bash
# ctest: p9.environments_of_node_come_and_go_in_one_process
# Eight runtimes after each other, each with an environment of its own; a handler that does not return is terminated.
set -eu
[ -e "$BUILD/lib/iris/hosts/node.so" ] || exit 77
[ -z "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" ] || { echo 'a sanitized library wants a sanitized program'; exit 77; }
cat >handler.mjs <<'END'
export function onMessage (msg) {
  if (msg.toString() === 'loop') for (;;);
  return 'hello, ' + msg
}
END
cat >runtimes.c <<'END'
#include <iris/iris.h>

#include <stdio.h>
#include <string.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, iris_reason());
    return 1;
}

static int live(const char *handler, int loops)
{
    const iris_api *api = iris_calls();
    iris_options options = {.size = sizeof options, .abi = IRIS_ABI, .turn_limit = IRIS_SECOND / 5};
    iris_runtime *rt;
    iris_version *v;
    uint64_t stuck, other;
    const iris_message *answer;
    if (iris_open(&options, &rt) || iris_load(rt, handler, NULL, &v))
        return fail("load");
    iris_spawn s = {.size = sizeof s, .abi = IRIS_ABI, .version = v};
    if (api->spawn(iris_self(rt), &s, &stuck) || api->spawn(iris_self(rt), &s, &other))
        return fail("spawn");
    api->release(v);
    if (loops && iris_ask_wait(rt, stuck, "loop", 4, 60 * IRIS_SECOND, &answer) != IRIS_DEAD)
        return fail("the loop has not ended");
    if (iris_ask_wait(rt, other, "Ada", 3, 60 * IRIS_SECOND, &answer))
        return fail("ask");
    int wrong = answer->len != 10 || memcmp(answer->data, "hello, Ada", 10) != 0;
    api->drop(answer);
    return iris_close(rt, 60 * IRIS_SECOND) || wrong ? fail("close") : 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    for (int i = 0; i < 8; i++)
        if (live(argv[1], i < 2))
            return 1;
    return 0;
}
END
"${CC:-cc}" -std=c11 -Wall -Wextra -Werror runtimes.c -I"$SRC/include" -L"$BUILD/lib" -Wl,-rpath,"$BUILD/lib" -liris -o runtimes
./runtimes "$PWD/handler.mjs"
