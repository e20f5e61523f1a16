// SPDX-License-Identifier: GPL-2.0
/* The functions that other kernel code may call. What they do is in callers.rs. */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>

#include "helpers.h"
#include "../include/sislm_session.h"

/* Written before the module is live and after its last caller has gone. */
static const struct sislm_callers *callers;
static void *served;

void sislm_serve_callers(const struct sislm_callers *table, void *all)
{
	callers = table;
	served = all;
}

struct sislm_session *sislm_session_open(const struct sislm_configure *configuration, const struct cred *cred)
{
	const struct cred *own = NULL;
	void *session = NULL;
	int error;

	might_sleep();
	if (!callers)
		return ERR_PTR(-ENODEV);
	if (cred)
		own = override_creds(cred);
	error = callers->open(served, configuration, &session);
	if (own)
		revert_creds(own);
	return error ? ERR_PTR(error) : session;
}
EXPORT_SYMBOL_GPL(sislm_session_open);

int sislm_session_ask(struct sislm_session *session, const char *prompt, size_t length,
		      int (*answer)(void *data, const char *text, size_t length), void *data,
		      struct sislm_result *result)
{
	might_sleep();
	return callers->ask(session, prompt, length, answer, data, result);
}
EXPORT_SYMBOL_GPL(sislm_session_ask);

void sislm_session_close(struct sislm_session *session)
{
	might_sleep();
	callers->close(session);
}
EXPORT_SYMBOL_GPL(sislm_session_close);
