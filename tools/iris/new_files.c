#include "new_files.h"

#include <stddef.h>

static const struct new_file python[] = {
    {"hello.py",
     "\"\"\"What @PATH@ does with a message. Change it while the app runs, then: iris swap "
     "@PATH@\"\"\"\n\n\n"
     "def on_msg(msg):\n"
     "    return b\"hello, \" + msg  # the reply to who asked\n"},
    {NULL, NULL},
};

static const struct new_file node[] = {
    {"hello.mjs",
     "// What @PATH@ does with a message. Change it while the app runs, then: iris swap "
     "@PATH@\n"
     "export function onMessage (msg) {\n"
     "  return 'hello, ' + msg // the reply to who asked\n"
     "}\n"},
    {NULL, NULL},
};

static const struct new_file c[] = {
    {"hello.c",
     "/* What @PATH@ does with a message. Change it while the app runs, then: make && iris swap "
     "@PATH@ */\n"
     "#include <iris/plugin.h>\n"
     "\n"
     "#include <stdio.h>\n"
     "\n"
     "static const iris_api *api;\n"
     "\n"
     "/* Messages come in batches; the return value says how many are handled. */\n"
     "static int handle(const iris_behaviour *b, iris_actor *self, void *state,\n"
     "                  const iris_message *const *messages, int n)\n"
     "{\n"
     "    (void)b, (void)state;\n"
     "    for (int i = 0; i < n; i++) {\n"
     "        const iris_message *m = messages[i];\n"
     "        char text[256];\n"
     "        int len = snprintf(text, sizeof text, \"hello, %.*s\", m->len > 200 ? 200 : (int)m->len,\n"
     "                           (const char *)m->data);\n"
     "        if (m->ref) /* the reply to who asked */\n"
     "            api->send(self, m->ref, text, (size_t)len, 0);\n"
     "    }\n"
     "    return n;\n"
     "}\n"
     "\n"
     "static const iris_behaviour hello = {\n"
     "    .size = sizeof hello, .abi = IRIS_ABI, .name = \"hello\", .version = \"1\", .handle = "
     "handle};\n"
     "static const iris_behaviour *const behaviours[] = {&hello, NULL};\n"
     "static const iris_plugin plugin = {.size = sizeof plugin,\n"
     "                                   .abi = IRIS_ABI,\n"
     "                                   .name = \"hello\",\n"
     "                                   .version = \"1\",\n"
     "                                   .behaviours = behaviours};\n"
     "\n"
     "IRIS_NOTE(\"hello\", \"1\");\n"
     "\n"
     "const iris_plugin *iris_plugin_entry(const iris_api *given)\n"
     "{\n"
     "    api = given;\n"
     "    return &plugin;\n"
     "}\n"},
    {"Makefile",
     "# Where <iris/plugin.h> is: `iris new` found it there.\n"
     "IRIS_INCLUDE ?= @INCLUDE@\n"
     "CFLAGS ?= -O2 -g -Wall -Wextra\n"
     "\n"
     "# Built beside and moved into place: the name always stands for a whole file.\n"
     "libhello.so: hello.c\n"
     "\t$(CC) -shared -fPIC -fvisibility=hidden $(CFLAGS) -I$(IRIS_INCLUDE) -o $@.new $<\n"
     "\tmv $@.new $@\n"},
    {NULL, NULL},
};

const struct new_language new_languages[] = {
    {"python", "python", "hello.py:on_msg", NULL, NULL, python},
    {"node", "node", "hello.mjs#onMessage", NULL, NULL, node},
    {"c", "native", "./libhello.so", "make", "make", c},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
