// SPDX-License-Identifier: GPL-2.0
/*
 * quotas [machine]: each limit of a user is met, with its errno or finish reason and its counter, and the neighbour
 * has all that it had.
 *
 * Root sets the limits of user 3100; 3101 is the neighbour. `machine` meets those of all.
 */
#include "device.h"

#define USER 3100
#define NEIGHBOUR 3101
#define MIB (1ull << 20)

static char text[65536];

static void act_as(unsigned int id)
{
	gid_t group = 500;

	if (seteuid(0) || (id && setgroups(1, &group)) || setegid(id) || seteuid(id))
		fail("quotas/seteuid");
}

static struct sislm_limits limit(struct sislm_limits request)
{
	int file;

	act_as(0);
	file = open_device();
	request.uid = USER;
	request.flags = SISLM_LIMITS_SET;
	if (ioctl(file, SISLM_IOC_LIMITS, &request))
		fail("quotas/LIMITS");
	close(file);
	return request;
}

/* Opens a file as a user; -1 with errno. */
static int open_as(unsigned int user)
{
	int file, error;

	act_as(user);
	file = open(DEVICE, O_RDWR | O_CLOEXEC);
	error = errno;
	act_as(0);
	errno = error;
	return file;
}

/* RUN of `count` tokens; the finish reason, or minus an errno. */
static int run_on(int file, unsigned int count)
{
	struct sislm_run run = {
		.prompt = (uintptr_t)"one ten",
		.prompt_length = 7,
		.text = (uintptr_t)text,
		.capacity = sizeof(text),
	};

	if (configure(file, "quotas", 8192, count))
		fail("quotas/configure");
	if (ioctl(file, SISLM_IOC_RUN, &run))
		return -errno;
	return run.result.finish;
}

/* What the neighbour gets is what it got before. */
static void see_neighbour(const char *part)
{
	int file = open_as(NEIGHBOUR), finish = file < 0 ? -errno : run_on(file, 20);
	struct sislm_statistics seen = statistics(file);

	result(finish == SISLM_FINISH_LENGTH && !seen.sessions_refused && !seen.kv_refused && !seen.prompts_refused && !seen.expired &&
		       !seen.paced, part, "finish %d", finish);
	close(file);
}

static void sessions(void)
{
	int files[3], number;
	struct sislm_limits now = limit((struct sislm_limits){ .sessions = 2 });

	for (number = 0; number < 3; number++)
		files[number] = open_as(USER);
	result(now.sessions == 2 && files[1] >= 0 && files[2] < 0 && errno == EDQUOT, "quotas/sessions", "%s", strerror(errno));
	result(statistics(files[0]).sessions_refused == 1, "quotas/sessions-counter", "%llu",
	       (unsigned long long)statistics(files[0]).sessions_refused);
	see_neighbour("quotas/sessions-neighbour");
	close(files[0]);
	close(files[1]);
	limit((struct sislm_limits){ .sessions = 64 });
}

/* A process in a cgroup namespace of its own has that one's limit, and the user another one's. */
static void namespaces(void)
{
	pid_t process;
	int status = 1, first, second;

	limit((struct sislm_limits){ .namespace_sessions = 1 });
	first = open_as(USER);
	second = open_as(USER);
	result(first >= 0 && second < 0 && errno == EDQUOT, "quotas/namespace-sessions", "%s", strerror(errno));
	process = fork();
	if (!process) {
		int own;

		if (unshare(CLONE_NEWCGROUP))
			fail("quotas/unshare");
		own = open_as(USER);
		_exit(!(own >= 0 && open_as(USER) < 0 && errno == EDQUOT));
	}
	waitpid(process, &status, 0);
	result(!status, "quotas/another-namespace", "status %d", status);
	see_neighbour("quotas/namespace-neighbour");
	close(first);
	limit((struct sislm_limits){ .namespace_sessions = ~0u });
}

/* The name of a result of `part`. */
static const char *of(const char *part, const char *what)
{
	static char name[100];

	snprintf(name, sizeof(name), "quotas/%s%s", part, what);
	return name;
}

/* Prompts of a user, or in a cgroup namespace, when `few` of their bytes may wait and when `many` may. */
static void prompts(const char *part, struct sislm_limits few, struct sislm_limits many)
{
	int one, other;
	ssize_t first, second, third;

	limit(few);
	one = open_as(USER);
	other = open_as(USER);
	memset(text, ' ', sizeof(text));
	first = write(one, text, 900);
	second = write(other, text, 101);
	result(first == 900 && second < 0 && errno == EDQUOT, of(part, ""), "%s", strerror(errno));
	result(statistics(one).prompts_refused == 1, of(part, "-counter"), "%llu",
	       (unsigned long long)statistics(one).prompts_refused);
	see_neighbour(of(part, "-neighbour"));
	if (ioctl(one, SISLM_IOC_RESET))
		fail("quotas/reset");
	third = write(other, text, 101);
	result(third == 101 && limit(many).prompt_used == 101, of(part, "-given-back"), "%zd", third);
	close(one);
	close(other);
}

/* The same of keys and values. */
static void keys_and_values(const char *part, struct sislm_limits few, struct sislm_limits many)
{
	struct sislm_limits now;
	int file, finish;

	/* A block of 32 positions takes a page at least; the answer ends where no more are given. */
	limit(few);
	file = open_as(USER);
	finish = run_on(file, 4000);
	now = limit((struct sislm_limits){});
	result(finish == -EIO || finish == -EDQUOT, of(part, ""), "%d, %llu bytes", finish, (unsigned long long)now.kv_used);
	result(now.kv_used <= 256 << 10 && statistics(file).kv_refused == 1, of(part, "-counter"), "%llu",
	       (unsigned long long)statistics(file).kv_refused);
	see_neighbour(of(part, "-neighbour"));
	close(file);
	limit(many);
}

static void deadline(void)
{
	struct sislm_configure request = { .flags = SISLM_CONFIGURE_IGNORE_EOS, .context = 8192, .deadline_ms = 2500,
		.sampling = { .top_p = 1000000, .typical_p = 1000000, .repeat_penalty = 1000000 } };
	struct sislm_run run = { .prompt = (uintptr_t)"one ten", .prompt_length = 7, .text = (uintptr_t)text, .capacity = sizeof(text) };
	struct sislm_result last = {};
	int file = open_as(USER);

	strcpy((char *)request.model, "quotas");
	request.tokens_per_second = 5;
	if (ioctl(file, SISLM_IOC_CONFIGURE, &request) || ioctl(file, SISLM_IOC_RUN, &run))
		fail("quotas/run");
	result(run.result.finish == SISLM_FINISH_DEADLINE && run.length, "quotas/deadline", "finish %u, %u bytes", run.result.finish,
	       run.length);
	result(statistics(file).expired == 1 && statistics(file).paced, "quotas/deadline-counter", "%llu",
	       (unsigned long long)statistics(file).expired);
	/* A turn that nobody computes ends too, for a reader that does not wait. */
	request.flags |= SISLM_CONFIGURE_UNHELPED;
	if (ioctl(file, SISLM_IOC_CONFIGURE, &request) || fcntl(file, F_SETFL, O_NONBLOCK) || write(file, "one ten", 7) != 7)
		fail("quotas/write");
	for (double end = now() + 60; read(file, text, sizeof(text)) != 0 && now() < end; usleep(10000))
		;
	if (ioctl(file, SISLM_IOC_RESULT, &last))
		fail("quotas/result");
	result(last.finish == SISLM_FINISH_DEADLINE, "quotas/deadline-of-a-turn-aside", "finish %u", last.finish);
	see_neighbour("quotas/deadline-neighbour");
	close(file);
	limit((struct sislm_limits){ .deadline_ms = 200 });
	file = open_as(USER);
	result(run_on(file, 8000) == SISLM_FINISH_DEADLINE, "quotas/deadline-of-a-user", "%llu", (unsigned long long)statistics(file).expired);
	close(file);
	limit((struct sislm_limits){ .deadline_ms = 3600000 });
}

/* A user's tokens, on however many files, within the rate and what a second makes up for. */
static void rate(void)
{
	enum { RATE = 20, FILES = 3, SECONDS = 4 };
	pid_t processes[FILES];
	uint64_t tokens;
	double begin;
	int number, file;

	limit((struct sislm_limits){ .tokens_per_second = RATE });
	file = open_as(USER);
	begin = now();
	for (number = 0; number < FILES; number++) {
		processes[number] = fork();
		if (!processes[number]) {
			run_on(open_as(USER), 8000);
			_exit(0);
		}
	}
	sleep(SECONDS);
	see_neighbour("quotas/rate-neighbour");
	tokens = statistics(file).tokens;
	begin = now() - begin;
	for (number = 0; number < FILES; number++)
		kill(processes[number], SIGKILL);
	while (wait(NULL) > 0)
		;
	result(tokens >= RATE && tokens <= RATE * (begin + 1) + 8, "quotas/rate", "%llu tokens in %.1f s", (unsigned long long)tokens, begin);
	result(statistics(file).paced, "quotas/rate-counter", "%llu", (unsigned long long)statistics(file).paced);
	close(file);
	limit((struct sislm_limits){ .tokens_per_second = 1000000 });
}

/* A guided answer keeps to its rate too: each call waits for it. */
static void guided_rate(void)
{
	enum { RATE = 5, COUNT = 3 * RATE };
	struct sislm_configure request = { .flags = SISLM_CONFIGURE_IGNORE_EOS, .context = 256, .tokens_per_second = RATE,
		.sampling = { .top_p = 1000000, .typical_p = 1000000, .repeat_penalty = 1000000 } };
	struct sislm_next next = {};
	int file = open_as(USER), number;
	double begin;

	strcpy((char *)request.model, "quotas");
	if (ioctl(file, SISLM_IOC_CONFIGURE, &request) || write(file, "one ten", 7) != 7)
		fail("quotas/guided");
	begin = now();
	for (number = 0; number < COUNT; number++) {
		if (ioctl(file, SISLM_IOC_NEXT, &next))
			fail("quotas/next");
	}
	begin = now() - begin;
	/* Those of a second are not waited for. */
	result(begin > 0.7 * (COUNT - RATE) / RATE, "quotas/guided-rate", "%d tokens in %.1f s", COUNT, begin);
	result(statistics(file).paced, "quotas/guided-rate-counter", "%llu", (unsigned long long)statistics(file).paced);
	see_neighbour("quotas/guided-rate-neighbour");
	close(file);
}

/* What the neighbour has gives the answers that it gave, however full the machine is. */
static void see_present(int file, const char *part)
{
	int finish = run_on(file, 20);

	result(finish == SISLM_FINISH_LENGTH, part, "finish %d", finish);
}

/* With a machine that has less than a user may have (quotas.sh): ENFILE and ENOMEM are the machine's. */
static void machine(void)
{
	static uint32_t ids[1000];
	int files[16], neighbour = open_as(NEIGHBOUR), file = open_as(USER), count, error = 0;
	struct sislm_result last = {};
	ssize_t got;

	see_present(neighbour, "quotas/present");
	for (count = 0; count < 16; count++) {
		files[count] = open_as(USER);
		if (files[count] < 0)
			break;
	}
	result(count < 16 && errno == ENFILE, "quotas/all-sessions", "%d files: %s", count, strerror(errno));
	result(statistics(file).sessions_refused == 1, "quotas/all-sessions-counter", "%llu",
	       (unsigned long long)statistics(file).sessions_refused);
	see_present(neighbour, "quotas/all-sessions-neighbour");
	memset(text, ' ', sizeof(text));
	if (write(files[0], text, 3000) != 3000)
		fail("quotas/write");
	result(write(files[1], text, 2000) < 0 && errno == ENOMEM, "quotas/all-prompts", "%s", strerror(errno));
	result(statistics(file).prompts_refused == 1, "quotas/all-prompts-counter", "%llu",
	       (unsigned long long)statistics(file).prompts_refused);
	see_present(neighbour, "quotas/all-prompts-neighbour");
	if (ioctl(files[0], SISLM_IOC_RESET))
		fail("quotas/reset");
	for (int number = 0; number < count && !error; number++) {
		struct sislm_prompt prompt = { .ids = (uintptr_t)ids, .count = 1000 };

		/* An answer of a token, which keeps its context. */
		if (configure(files[number], "quotas", 8192, 1) || ioctl(files[number], SISLM_IOC_PROMPT, &prompt))
			fail("quotas/prompt");
		while ((got = read(files[number], text, sizeof(text))) > 0)
			;
		if (ioctl(files[number], SISLM_IOC_RESULT, &last))
			fail("quotas/result");
		error = got ? (int)last.error ?: errno : 0;
	}
	result(error == ENOMEM, "quotas/all-keys-and-values", "%s", strerror(error));
	result(statistics(file).kv_refused == 1, "quotas/all-keys-and-values-counter", "%llu",
	       (unsigned long long)statistics(file).kv_refused);
	see_present(neighbour, "quotas/all-keys-and-values-neighbour");
	result(!statistics(neighbour).kv_refused && !statistics(neighbour).prompts_refused && !statistics(neighbour).sessions_refused,
	       "quotas/neighbour-is-not-refused", "%llu", (unsigned long long)statistics(neighbour).kv_refused);
	while (count--)
		close(files[count]);
	close(file);
	close(neighbour);
}

static void refused(void)
{
	struct sislm_limits request = { .uid = USER };
	int file = open_as(USER), other;

	result(ioctl(file, SISLM_IOC_LIMITS, &request) && errno == EPERM, "quotas/own-limits", "%s", strerror(errno));
	other = open_device();
	request.flags = 2;
	result(ioctl(other, SISLM_IOC_LIMITS, &request) && errno == EINVAL, "quotas/flags", "%s", strerror(errno));
	close(file);
	close(other);
}

int main(int count, char **words)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (count > 1 && !strcmp(words[1], "machine")) {
		machine();
		return failures != 0;
	}
	see_neighbour("quotas/neighbour");
	sessions();
	namespaces();
	prompts("prompts", (struct sislm_limits){ .prompt_bytes = 1000 }, (struct sislm_limits){ .prompt_bytes = MIB });
	prompts("namespace-prompts", (struct sislm_limits){ .namespace_prompt_bytes = 1000 },
		(struct sislm_limits){ .namespace_prompt_bytes = MIB });
	keys_and_values("keys-and-values", (struct sislm_limits){ .kv_bytes = 256 << 10 }, (struct sislm_limits){ .kv_bytes = 64 * MIB });
	keys_and_values("namespace-keys-and-values", (struct sislm_limits){ .namespace_kv_bytes = 256 << 10 },
			(struct sislm_limits){ .namespace_kv_bytes = 64 * MIB });
	deadline();
	rate();
	guided_rate();
	refused();
	return failures != 0;
}
