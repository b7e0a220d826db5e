/* job.h - one message that a handler works on. Shared by serve.c, which starts and ends
 * jobs, and l_job.c, what a handler may ask of its own. */
#ifndef LUA_JOB_H
#define LUA_JOB_H

#include "lua/handler.h"
#include "lua/inbox.h"
#include "lua/l_client.h"

struct job {
    struct l_client *lc; /* borrowed; registry[&job->m] keeps its userdata alive */
    struct msg m;        /* owned: a copy with references of its own */
    struct handler *handler;
    struct task *task;   /* of the handler */
    uint64_t invocation; /* 0 for an event */
    struct list held;    /* in handler->load.held, or unlinked */
    bool counted;        /* among handler->load.active */
    bool running;        /* among handler->load.running */
    bool answered;
    bool canceled;     /* INTERRUPT came, or its time is over */
    bool lost;         /* the session it belongs to is over: nobody waits for an answer */
    bool reads;        /* its handler takes details, and may read parts */
    bool more;         /* parts of the arguments will follow */
    bool opened;       /* what is left of the first part has been read */
    int takes;         /* arguments of the first part that went to parameters */
    lua_Integer parts; /* that have been read */
    struct inbox in;   /* parts that have come */
    struct details *details; /* what its details table stands for; NULL: nothing */
    uint64_t time; /* ms to the first part of the result, and between two; 0: no limit */
    struct host_timer limit;
};

/* serve.c: the job that a task works on; NULL for other tasks. */
struct job *job_of(const struct task *t);

/* serve.c: its time, if it has a limit, begins anew. */
void job_rearm(struct job *j);

/* ---- outcome.c --------------------------------------------------------------------- */

void job_report(struct task *t, struct job *j); /* its body ended with an error */

/* Its body has ended, and somebody watches: core.observe. */
void job_observe(struct task *t, struct job *j);

/* ---- l_job.c ----------------------------------------------------------------------- */

void job_open(lua_State *L, struct state *S); /* core.progress, methods of details */

/* The table at `idx` is the job's details: its methods speak of the job from now on. */
void job_describe(lua_State *L, struct job *j, int idx);

/* The job ends: its details say so. */
void job_forget(struct job *j);

#endif
