/* Two programs that talk: each opens a runtime, and the plugin "mesh" joins them.
 *
 *   ./mesh serve                 says where it listens, and serves until its input ends
 *   ./mesh ask ADDRESS TEXT      asks the actor /upper there */
#include <iris/ext/mesh.h>
#include <iris/ext/plugin.h>
#include <iris/iris.h>

#include <semaphore.h>
#include <stdio.h>
#include <string.h>

static int upper(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *messages, int n)
{
    (void)b, (void)state;
    for (int i = 0; i < n; i++) {
        char text[100];
        const char *from = messages[i]->data;
        size_t len = messages[i]->len < sizeof text ? messages[i]->len : sizeof text;
        for (size_t k = 0; k < len; k++)
            text[k] = (char)(from[k] >= 'a' && from[k] <= 'z' ? from[k] - 'a' + 'A' : from[k]);
        if (messages[i]->ref) /* it was asked, wherever that was */
            iris_calls()->send(self, messages[i]->ref, text, len, 0);
    }
    return n;
}

static int serve(iris_runtime *rt, const iris_mesh *mesh, void *net)
{
    const iris_api *api = iris_calls();
    iris_behaviour b = {.size = sizeof b, .abi = IRIS_ABI, .name = "upper", .handle = upper};
    iris_version *version;
    char where[280];
    uint64_t pid;
    if (api->define(iris_self(rt), &b, &version))
        return 1;
    iris_spawn s = {.size = sizeof s, .abi = IRIS_ABI, .version = version, .path = "/upper"};
    int result = api->spawn(iris_self(rt), &s, &pid);
    api->release(version);
    if (result || mesh->listen(net, "127.0.0.1:0", NULL, where, sizeof where))
        return 1;
    printf("%s\n", where);
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}

struct question {
    iris_mesh_answer answer; /* first: its job is what is run */
    sem_t come;
};

static void come(iris_job *job)
{
    sem_post(&((struct question *)job)->come);
}

static int ask(iris_runtime *rt, const iris_mesh *mesh, void *net, const char *at, const char *text)
{
    struct question q = {.answer.job.run = come};
    const iris_message *reply;
    sem_init(&q.come, 0, 0);
    if (mesh->resolve(net, at, "/upper", 0, &q.answer))
        return 1;
    while (sem_wait(&q.come))
        ;
    if (q.answer.result != IRIS_OK || !q.answer.pid)
        return fprintf(stderr, "/upper at %s: %s\n", at, q.answer.why), 2;
    if (iris_ask_wait(rt, q.answer.pid, text, strlen(text), 5 * IRIS_SECOND, &reply))
        return 1;
    printf("%.*s\n", (int)reply->len, (const char *)reply->data);
    iris_calls()->drop(reply);
    return 0;
}

int main(int argc, char **argv)
{
    const void *table;
    void *net;
    iris_runtime *rt;
    if (iris_open(NULL, &rt))
        return fprintf(stderr, "%s\n", iris_reason()), 1;
    const iris_plugins *plugins = iris_calls()->extension(IRIS_PLUGIN);
    int result = plugins->use(iris_self(rt), "mesh", IRIS_MESH, &table, &net);
    if (!result)
        result = argc == 4 ? ask(rt, table, net, argv[2], argv[3]) : serve(rt, table, net);
    if (result == 1 || result < 0)
        fprintf(stderr, "%s\n", iris_reason());
    return iris_close(rt, 5 * IRIS_SECOND) || result;
}
