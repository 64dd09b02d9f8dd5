/* The verbs of the control server: what a client can ask of a running app. They run on the control
 * thread and do not block; what takes time becomes an order (order.h).
 *
 *   GET  /v1/health                                     {ok, app, pid, state, version, actors, ...}
 *   GET  /v1/ps                                         {app, pid, actors: [..]}
 *   POST /v1/ps        sort, reversed, limit, offset, filter, nameless
 *                                                       the same, of the first
 *   POST /v1/inspect   target                           {target, actor, versions: [..], mailbox, ..}
 *   POST /v1/tree      limit                            {app, pid, tree}
 *   GET  /v1/events?since=N                             {events: [..], next, missed}
 *   GET  /v1/mesh                                       {app, node, address, nodes: [..]}
 *   POST /v1/whereis   target, timeout_ms               {target, pid, node, here, token, since_ms}
 *   POST /v1/logs      since, pattern, level, follow    {events: [..], next, missed}
 *   GET  /metrics                                       no JSON: as Prometheus reads it
 *   POST /v1/explain   target                           {target, path, now, restarts, supervisor, singleton,
 *                                                        events: [..], forgotten}
 *   POST /v1/send      target, data | data_base64       {target}
 *   POST /v1/ask       .. , timeout_ms                  {target, reply | reply_base64, ns, version}
 *   POST /v1/swap      target, handler, migrate, cwd, now, cancel, timeout_ms
 *   POST /v1/rollback  target, steps, state, now, timeout_ms
 *                                                       {target, from, to, from_rev, to_rev, of_rev, ...}
 *   POST /v1/stop      target, timeout_ms, save         {target}, or {stopping: true, manifest, ..}
 *   POST /v1/restart   target, timeout_ms               {target, path, restarts, ns}
 *                      (both: pattern, timeout_ms)      {pattern, matched, stopped | restarted, failed, left, ..}
 *   POST /v1/apply     file, sets, dry_run, timeout_ms  {file, steps: [..], keep, applied}, or {.., errors, report} */
#ifndef IRIS_APP_VERBS_H
#define IRIS_APP_VERBS_H

#include "app.h"
#include "verb_args.h"

extern const struct control_verb iris__verbs[];

/* ---- shared by the verbs' files ---- */

struct call { /* a request that was understood, about an actor that is there */
    struct app *app;
    struct control_reply *reply;
    struct verb_args args;
    iris_info info;
};

/* Runs carry(), or answers why not. */
void iris__verb_call(struct app *, const struct control_request *, struct control_reply *,
                     void (*carry)(struct call *));
/* The same, and actors of other nodes are found too (NAME@NODE). Of those only info.pid is known. */
void iris__verb_reach(struct app *, const struct control_request *, struct control_reply *,
                      void (*carry)(struct call *));
/* 1: one actor of the whole cluster has this name at a time, and it is not known to be one of this node. */
int iris__far_owns(struct app *, const char *target);
/* Of a singleton: which node has it. NULL: no memory. */
json_t *iris__far_singleton(struct app *, const char *path);
/* 0: there is no mesh. */
int iris__far_wait(struct app *, const json_t *body, struct control_reply *,
                   const struct verb_args *, void (*carry)(struct call *));
/* The same when its actor has begun, in at most args->timeout. 0: there is nothing to wait for. */
int iris__early_wait(struct app *, const json_t *body, struct control_reply *,
                     const struct verb_args *args, void (*carry)(struct call *));
void iris__verb_gone(struct app *, struct control_reply *, const char *target);
#define COUNT_ROOM 48
const char *iris__count(char *room, uint64_t n);    /* "41,200" */
const char *iris__messages(char *room, uint64_t n); /* "1 message", "41,200 messages" */

json_t *iris__verb_text(const char *); /* texts of plugins need not be UTF-8 */
json_t *iris__verb_event(const struct event *);
json_t *iris__verb_manifest(struct app *); /* absolute: who asks may stand elsewhere */
json_t *iris__verb_row(struct app *, const iris_info *); /* as in `ps` */
const char *iris__policy_word(uint32_t policy);          /* "dropnew" */
const char *iris__state_word(const iris_info *);         /* "running" */
struct json_out;
void iris__verb_put_row(struct app *, struct json_out *, const iris_info *);
/* An object: an actor's supervisor, and what that does with it. */
void iris__verb_put_supervisor(struct json_out *, const struct tree_node *above,
                               const struct tree_node *actor);
/* A whole answer, with its "iris": 1 and its newline; it is emptied. failed: no memory. */
void iris__verb_reply(struct control_reply *, struct json_out *, int failed);
/* Sets the one key, or the other where these bytes are no text. */
int iris__verb_put_data(json_t *body, const char *key, const char *base64_key, const void *data,
                        size_t len);

void iris__verb_metrics(void *app, const struct control_request *, struct control_reply *);
void iris__verb_inspect(void *app, const struct control_request *, struct control_reply *);
void iris__verb_tree(void *app, const struct control_request *, struct control_reply *);
void iris__verb_ps(void *app, const struct control_request *, struct control_reply *);
void iris__verb_ps_some(void *app, const struct control_request *, struct control_reply *);
int iris__mesh_nodes_up(struct app *); /* other ones; -1: this app is no node */
void iris__verb_mesh(void *app, const struct control_request *, struct control_reply *);
void iris__verb_whereis(void *app, const struct control_request *, struct control_reply *);
void iris__verb_explain(void *app, const struct control_request *, struct control_reply *);
void iris__verb_ask(void *app, const struct control_request *, struct control_reply *);
void iris__verb_send(void *app, const struct control_request *, struct control_reply *);
/* [main] The file that the actor runs is loaded again; events tell how it went. */
void iris__swap_again(struct app *, uint64_t pid);

void iris__verb_swap(void *app, const struct control_request *, struct control_reply *);
void iris__verb_rollback(void *app, const struct control_request *, struct control_reply *);
void iris__verb_restart(void *app, const struct control_request *, struct control_reply *);
/* The same two of all actors that a pattern matches: group.c. */
void iris__group_stop(void *app, const struct control_request *, struct control_reply *);
void iris__group_restart(void *app, const struct control_request *, struct control_reply *);
void iris__verb_apply(void *app, const struct control_request *, struct control_reply *);
void iris__verb_stop(void *app, const struct control_request *, struct control_reply *);

#endif
