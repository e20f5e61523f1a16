/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions for other kernel code: what an open file of /dev/sislm is for a process. The limits, the fair share and the decision
 * records are the same.
 *
 * All functions sleep: process context, without locks that a turn could need. A module that calls them is linked against
 * Module.symvers of sislm.ko, and keeps that loaded. module/sample/sislm_ask.c is an example.
 */
#ifndef _SISLM_SESSION_H
#define _SISLM_SESSION_H

#include <linux/types.h>
#include "../uapi/sislm.h"

struct cred;
struct sislm_session;

/**
 * sislm_session_open - opens a session
 * @configuration: as in CONFIGURE; @keep is ignored, and what it tells of a refusal is lost
 * @cred: whose limits hold and who is recorded; NULL for the calling task's own
 *
 * What the session needs is charged to the calling task's memory cgroup, as are its turns.
 *
 * Return: the session, or as an ERR_PTR() what open() or CONFIGURE would fail with; %-ENODEV while the module is not ready.
 */
struct sislm_session *sislm_session_open(const struct sislm_configure *configuration, const struct cred *cred);

/**
 * sislm_session_ask - asks, and waits for the answer
 * @session: the session
 * @prompt: text, which goes on from what was said in this session before
 * @length: bytes of @prompt
 * @answer: gets the answer in pieces of at most 512 bytes; a negative errno ends the turn, and is returned
 * @data: handed to @answer
 * @result: filled as by RESULT, without ids, when the turn was begun; or NULL
 *
 * As RUN: the caller computes meanwhile, in turns with others. @answer is called by the calling task itself, with no lock held,
 * so nobody else waits for it. It may sleep, and must not use @session.
 *
 * Return: 0 at the end of the answer, whose reason is in @result; %-EINTR when the task has a signal, which ends the turn;
 * %-EBUSY when another task asks; else what RUN would fail with.
 */
int sislm_session_ask(struct sislm_session *session, const char *prompt, size_t length,
		      int (*answer)(void *data, const char *text, size_t length), void *data,
		      struct sislm_result *result);

/**
 * sislm_session_close - closes a session
 * @session: the session, which no task uses any more
 */
void sislm_session_close(struct sislm_session *session);

#endif /* _SISLM_SESSION_H */
