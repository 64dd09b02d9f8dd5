/* A C program whose actor is a JavaScript function: hello.mjs is loaded by the Node host, which libiris finds
 * beside itself.
 *
 *   cc embed-node.c $(pkg-config --cflags --libs iris) -o embed-node
 *   ./embed-node hello/hello.mjs#onMessage Ada */
#include <iris/iris.h>

#include <stdio.h>
#include <string.h>

static int fail(void)
{
    fprintf(stderr, "%s\n", iris_reason());
    return 1;
}

int main(int argc, char **argv)
{
    const char *handler = argc > 1 ? argv[1] : "hello/hello.mjs#onMessage";
    const char *name = argc > 2 ? argv[2] : "Ada";
    const iris_api *api = iris_calls();
    iris_runtime *rt;
    iris_version *version;
    uint64_t pid;
    if (iris_open(NULL, &rt) || iris_load(rt, handler, NULL, &version))
        return fail();

    iris_spawn s = {.size = sizeof s, .abi = IRIS_ABI, .version = version};
    if (api->spawn(iris_self(rt), &s, &pid))
        return fail();
    api->release(version); /* the actor holds it now */

    const iris_message *answer;
    if (iris_ask_wait(rt, pid, name, strlen(name), 5 * IRIS_SECOND, &answer))
        return fail();
    printf("%.*s\n", (int)answer->len, (const char *)answer->data);
    api->drop(answer);
    return iris_close(rt, 5 * IRIS_SECOND);
}
