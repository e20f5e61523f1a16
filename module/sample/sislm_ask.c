// SPDX-License-Identifier: GPL-2.0
/*
 * A module that asks a question when it is loaded, and keeps the answer as its parameter:
 *
 *	insmod sislm_ask.ko model=default prompt='"Once upon a time"' tokens=40
 *	cat /sys/module/sislm_ask/parameters/answer
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uidgid.h>

#include "../include/sislm_session.h"

static char *model = "";
module_param(model, charp, 0400);
MODULE_PARM_DESC(model, "name of the model; none for the default one");

static char *prompt = "";
module_param(prompt, charp, 0400);
MODULE_PARM_DESC(prompt, "the question");

static unsigned int tokens = 40;
module_param(tokens, uint, 0400);
MODULE_PARM_DESC(tokens, "most tokens of the answer; 0 for no limit");

static unsigned int uid;
module_param(uid, uint, 0400);
MODULE_PARM_DESC(uid, "user whose limits hold; 0 for root");

static char answer[512];
module_param_string(answer, answer, sizeof(answer), 0400);
MODULE_PARM_DESC(answer, "Output: the answer");

static int append(void *data, const char *text, size_t length)
{
	size_t *filled = data;

	if (length >= sizeof(answer) - *filled)
		return -ENOSPC;
	memcpy(answer + *filled, text, length);
	*filled += length;
	return 0;
}

static struct cred *credentials(void)
{
	struct cred *cred = prepare_creds();

	if (cred && uid) {
		cred->euid = KUIDT_INIT(uid);
		cap_clear(cred->cap_effective);
	}
	return cred;
}

static int __init sislm_ask_init(void)
{
	/* Of the most probable tokens. */
	struct sislm_configure configuration = {
		.max_tokens = tokens,
		.sampling = { .top_p = 1000000, .typical_p = 1000000, .repeat_penalty = 1000000 },
	};
	struct sislm_session *session;
	struct sislm_result result;
	size_t filled = 0;
	struct cred *cred;
	int error;

	if (strscpy(configuration.model, model, sizeof(configuration.model)) < 0)
		return -EINVAL;
	memset(answer, 0, sizeof(answer));
	cred = credentials();
	if (!cred)
		return -ENOMEM;
	session = sislm_session_open(&configuration, cred);
	abort_creds(cred);
	if (IS_ERR(session))
		return PTR_ERR(session);
	error = sislm_session_ask(session, prompt, strlen(prompt), append, &filled, &result);
	sislm_session_close(session);
	if (!error)
		pr_info("%u tokens, finish reason %u\n", result.count, result.finish);
	return error;
}
module_init(sislm_ask_init);

static void __exit sislm_ask_exit(void)
{
}
module_exit(sislm_ask_exit);

MODULE_DESCRIPTION("A question to sislm from kernel code");
MODULE_LICENSE("GPL");
