// SPDX-License-Identifier: GPL-2.0
/*
 * shares PART ARGUMENT...: what one user can take from the machine and from the others.
 *
 * Users 1000 and 1001 are in the group of the device, and root is an administrator.
 */
#include "device.h"

#define COUNT_MAX 32000

/* The counters of all users, which root is told. */
static struct sislm_statistics machine(void)
{
	struct sislm_statistics answer;
	uid_t user = geteuid();
	int file;

	if (seteuid(0))
		fail("shares/seteuid");
	file = open_device();
	answer = statistics(file);
	close(file);
	if (seteuid(user))
		fail("shares/seteuid");
	return answer;
}

/* As become(), but root's rights can be had again. */
static void act_as(unsigned int id)
{
	gid_t group = 500;

	if (setgroups(1, &group) || setegid(id) || seteuid(id))
		fail("shares/seteuid");
}

static uint32_t ids[COUNT_MAX];

static void nothing(int signal)
{
	(void)signal;
}

/* Begins an evaluation of `count` ids and leaves it after `microseconds`; 0 or an errno. */
static int evaluate(int file, uint32_t count, long microseconds)
{
	struct sislm_evaluate request = { .ids = (uintptr_t)ids, .count = count };
	struct itimerval timer = { .it_value = { 0, microseconds }, .it_interval = { 0, microseconds } };
	struct sigaction action = { .sa_handler = nothing };
	int error;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	error = ioctl(file, SISLM_IOC_EVALUATE, &request) ? errno : 0;
	memset(&timer, 0, sizeof(timer));
	setitimer(ITIMER_REAL, &timer, NULL);
	return error == EINTR ? 0 : error;
}

/* Runs `part` as a user; its number of failures. */
static int as_user(unsigned int id, int (*part)(const char *), const char *argument)
{
	pid_t process = fork();
	int status = 1;

	if (!process) {
		act_as(id);
		exit(part(argument));
	}
	waitpid(process, &status, 0);
	failures += status != 0;
	return status;
}

/* A workspace does not grow, however long the contexts. */
static int workspace(const char *model)
{
	int files[3], number;
	uint64_t before, after;

	files[0] = open_device();
	before = machine().memory_steps;
	close(files[0]);
	for (number = 0; number < 3; number++) {
		files[number] = open_device();
		if (configure(files[number], model, 300 + 15000 * number, 0) || evaluate(files[number], 64, 50000))
			fail("shares/evaluate");
	}
	after = machine().memory_steps;
	result(before && before == after, "shares/one-workspace", "%llu bytes, then %llu", (unsigned long long)before,
	       (unsigned long long)after);
	return failures;
}

/* Keys and values of one user within half of the limit. */
static int blocks(const char *model)
{
	struct sislm_query query = {};
	int number, file = -1, error = 0;
	uint64_t bytes;

	for (number = 0; number < 12 && !error; number++) {
		file = open_device();
		if (configure(file, model, COUNT_MAX, 0))
			fail("shares/configure");
		error = evaluate(file, 4000, 20000);
	}
	if (ioctl(file, SISLM_IOC_QUERY, &query))
		fail("shares/query");
	bytes = machine().kv_bytes;
	result(error == EDQUOT && bytes && bytes <= query.kv_max / 2, "shares/half-of-the-blocks", "errno %d, %llu of %llu bytes",
	       error, (unsigned long long)bytes, (unsigned long long)query.kv_max);
	result((long)(query.kv_max >> 10) <= meminfo("MemTotal") * 3 / 10, "shares/blocks-of-the-machine", "%llu bytes",
	       (unsigned long long)query.kv_max);
	return failures;
}

/* The memory cgroup of the caller is the limit, and the machine's memory stays. */
static int charged(const char *model)
{
	long before = meminfo("MemAvailable"), after;
	int file = open_device(), error;

	if (configure(file, model, COUNT_MAX, 0))
		fail("shares/configure");
	error = evaluate(file, 6000, 20000);
	after = meminfo("MemAvailable");
	result(error == ENOMEM && before - after < 64 << 10, "shares/charged-to-the-caller", "errno %d, %ld KiB less", error,
	       before - after);
	return failures;
}

/* A quarter of the files. */
static int files(const char *argument)
{
	int most = atoi(argument) / 4, count = 0;

	while (open(DEVICE, O_RDWR) >= 0)
		count++;
	result(errno == EDQUOT && count == most, "shares/quarter-of-the-files", "%d files: %s", count, strerror(errno));
	return failures;
}

/* Users one after the other who keep all files they get; then one for root. */
static void all_files(const char *argument)
{
	pid_t users[6];
	int number, got[2];
	char byte;

	for (number = 0; number < 6; number++) {
		if (pipe(got))
			fail("shares/pipe");
		users[number] = fork();
		if (!users[number]) {
			become(2000 + number);
			while (open(DEVICE, O_RDWR) >= 0)
				;
			if (write(got[1], "x", 1) == 1)
				pause();
			_exit(0);
		}
		if (read(got[0], &byte, 1) != 1)
			fail("shares/read");
	}
	result(open(DEVICE, O_RDWR) >= 0, "shares/a-file-for-root", "of %s", argument);
	while (number)
		kill(users[--number], SIGKILL);
	while (wait(NULL) > 0)
		;
}

/* Turns without help: nothing for a file that nobody waits on, and an answer for a call. */
static int unhelped(const char *model)
{
	static char text[4096];
	struct sislm_run run = {
		.prompt = (uintptr_t)"one ten",
		.prompt_length = 7,
		.text = (uintptr_t)text,
		.capacity = sizeof(text),
	};
	int file = open_device();
	uint64_t before;
	double end;

	if (configure_with(file, model, 256, 40, SISLM_CONFIGURE_UNHELPED) || fcntl(file, F_SETFL, O_NONBLOCK))
		fail("shares/configure");
	if (write(file, "one ten", 7) != 7)
		fail("shares/write");
	before = statistics(file).tokens;
	for (end = now() + 2; now() < end; usleep(100000)) {
		if (read(file, text, sizeof(text)) >= 0 || errno != EAGAIN)
			break;
	}
	result(statistics(file).tokens == before, "shares/no-unpaid-help", "%llu tokens",
	       (unsigned long long)(statistics(file).tokens - before));
	if (ioctl(file, SISLM_IOC_RESET) || fcntl(file, F_SETFL, 0))
		fail("shares/reset");
	result(!ioctl(file, SISLM_IOC_RUN, &run), "shares/paid-answer", "%s", strerror(errno));
	return failures;
}

/* A RUN of `count` tokens; 0 or the errno. */
static int run_turn(const char *model, unsigned int count, unsigned int flags)
{
	static char text[65536];
	struct sislm_run run = {
		.prompt = (uintptr_t)"one ten",
		.prompt_length = 7,
		.text = (uintptr_t)text,
		.capacity = sizeof(text),
	};
	int file = open_device(), error;

	error = configure_with(file, model, 1024, count, flags) || ioctl(file, SISLM_IOC_RUN, &run) ? errno : 0;
	close(file);
	return error;
}

/* More callers than CPUs whose turns nobody else computes, beside callers of another user: all are answered. */
static void unhelped_crowd(const char *model)
{
	pid_t others[4], callers[8];
	double end = now() + 120;
	int number, answered = 0;

	for (number = 0; number < 4; number++) {
		others[number] = fork();
		if (!others[number]) {
			become(1001);
			for (;;)
				run_turn(model, 1000, 0);
		}
	}
	usleep(300000);
	for (number = 0; number < 8; number++) {
		callers[number] = fork();
		if (!callers[number]) {
			become(1000);
			_exit(run_turn(model, 60, SISLM_CONFIGURE_UNHELPED));
		}
	}
	for (number = 0; number < 8; number++) {
		int status = 1;

		while (!waitpid(callers[number], &status, WNOHANG) && now() < end)
			usleep(10000);
		answered += !status;
		kill(callers[number], SIGKILL);
	}
	for (number = 0; number < 4; number++)
		kill(others[number], SIGKILL);
	while (wait(NULL) > 0)
		;
	result(answered == 8, "shares/unhelped-crowd", "%d of 8 callers answered", answered);
}

/* BENCH is anybody's and small. */
static int bench(const char *argument)
{
	struct sislm_bench request = { .rows = 8, .columns = 8192, .groups = 1024, .repeats = 1 };
	int file = open_device();

	result(ioctl(file, SISLM_IOC_BENCH, &request) && errno == EFBIG, "shares/bench", "%s", strerror(errno));
	return failures;
}

/* Answers without end on many files, of two models in turn. */
static void crowd(const char *one, const char *other, int count)
{
	struct pollfd entries[64];
	static char text[65536];
	int number;

	become(1000);
	for (number = 0; number < count; number++) {
		int file = open_device();

		if (configure(file, number & 1 ? one : other, 256, 0) || fcntl(file, F_SETFL, O_NONBLOCK))
			fail("shares/configure");
		entries[number] = (struct pollfd){ .fd = file, .events = POLLIN };
	}
	for (;;) {
		for (number = 0; number < count; number++) {
			if (read(entries[number].fd, text, sizeof(text)) > 0 || errno == EAGAIN)
				continue;
			ioctl(entries[number].fd, SISLM_IOC_RESET);
			if (write(entries[number].fd, "one ten", 7) != 7)
				continue;
		}
		poll(entries, count, 100);
	}
}

/* Steps for each token of one user beside forty turns of another on two models. */
static void fairness(const char *one, const char *other)
{
	struct sislm_statistics before, after;
	static char text[65536];
	struct sislm_run run = {
		.prompt = (uintptr_t)"one ten",
		.prompt_length = 7,
		.text = (uintptr_t)text,
		.capacity = sizeof(text),
	};
	pid_t process = fork();
	double steps;
	int file;

	if (!process)
		crowd(one, other, 40);
	sleep(3);
	if (seteuid(1001))
		fail("shares/seteuid");
	file = open_device();
	if (configure(file, one, 256, 60))
		fail("shares/configure");
	before = machine();
	if (ioctl(file, SISLM_IOC_RUN, &run))
		fail("shares/run");
	after = machine();
	if (seteuid(0))
		fail("shares/seteuid");
	kill(process, SIGKILL);
	steps = (after.steps - before.steps) / 60.0;
	result(steps < 3, "shares/steps-of-a-user", "%.2f steps for a token beside forty turns", steps);
}

/* Callers with much memory who are killed in the middle of a step. */
static void killed(const char *model)
{
	int number;

	for (number = 0; number < 10; number++) {
		pid_t process = fork();

		if (!process) {
			struct sislm_evaluate request = { .ids = (uintptr_t)ids, .count = 3000 };
			int file = open_device();

			become(1000);
			_exit(configure(file, model, COUNT_MAX, 0) || ioctl(file, SISLM_IOC_EVALUATE, &request));
		}
		usleep(400000 + 30000 * number);
		kill(process, SIGKILL);
		waitpid(process, NULL, 0);
	}
}

/* Begins turns that nobody waits in, nor computes, and looks after them. */
static void poll_turns(const char *model, const char *procs, int count)
{
	static char text[65536];
	struct pollfd entries[8];
	int number;

	join_cgroup(procs);
	become(1000);
	memset(text, ' ', sizeof(text));
	for (number = 0; number < count; number++) {
		int file = open_device();

		if (configure_with(file, model, COUNT_MAX, 0, SISLM_CONFIGURE_UNHELPED) || fcntl(file, F_SETFL, O_NONBLOCK))
			fail("shares/configure");
		if (write(file, text, 1000) != 1000)
			fail("shares/write");
		entries[number] = (struct pollfd){ .fd = file, .events = POLLIN };
	}
	for (;;)
		poll(entries, count, 100);
}

/* The longest wait for the text of a turn that is polled for, in `seconds`. */
static double longest_wait(const char *model, int seconds)
{
	struct pollfd entry = { .fd = open_device(), .events = POLLIN };
	double begin = now(), worst = 0;
	static char text[65536];

	if (configure(entry.fd, model, 1024, 400) || fcntl(entry.fd, F_SETFL, O_NONBLOCK))
		fail("shares/configure");
	while (now() - begin < seconds) {
		double last = now();
		ssize_t got = -1;

		if (write(entry.fd, "one ten", 7) != 7)
			fail("shares/write");
		while (got && now() - begin < seconds) {
			poll(&entry, 1, 100);
			got = read(entry.fd, text, sizeof(text));
			if (now() - last > worst)
				worst = now() - last;
			if (got >= 0)
				last = now();
			else if (errno != EAGAIN)
				fail("shares/read");
		}
		ioctl(entry.fd, SISLM_IOC_RESET);
	}
	close(entry.fd);
	return worst;
}

/* A user whose cgroup makes who takes its memory sleep (memory.high) makes nobody else wait. */
static void throttled(const char *one, const char *big, const char *procs)
{
	double control, attacked;
	pid_t process;

	if (seteuid(1001))
		fail("shares/seteuid");
	control = longest_wait(one, 5);
	if (seteuid(0))
		fail("shares/seteuid");
	process = fork();
	if (!process)
		poll_turns(big, procs, 8);
	sleep(1);
	if (seteuid(1001))
		fail("shares/seteuid");
	attacked = longest_wait(one, 20);
	if (seteuid(0))
		fail("shares/seteuid");
	kill(process, SIGKILL);
	waitpid(process, NULL, 0);
	result(attacked < 4 * control + 2, "shares/wait-beside-a-throttled-user", "%.2f s, %.2f s alone", attacked, control);
}

int main(int count, char **words)
{
	const char *part = count > 1 ? words[1] : "", *argument = count > 2 ? words[2] : "";
	int number;

	setvbuf(stdout, NULL, _IONBF, 0);
	for (number = 0; number < COUNT_MAX; number++)
		ids[number] = 300 + number % 100;
	if (!strcmp(part, "workspace"))
		as_user(1000, workspace, argument);
	else if (!strcmp(part, "blocks"))
		as_user(1000, blocks, argument);
	else if (!strcmp(part, "charged"))
		as_user(1000, charged, argument);
	else if (!strcmp(part, "files"))
		as_user(1000, files, argument);
	else if (!strcmp(part, "all-files"))
		all_files(argument);
	else if (!strcmp(part, "bench"))
		as_user(1000, bench, argument);
	else if (!strcmp(part, "unhelped"))
		as_user(1000, unhelped, argument);
	else if (!strcmp(part, "fairness") && count > 3)
		fairness(argument, words[3]);
	else if (!strcmp(part, "unhelped-crowd"))
		unhelped_crowd(argument);
	else if (!strcmp(part, "killed"))
		killed(argument);
	else if (!strcmp(part, "throttled") && count > 4)
		throttled(argument, words[3], words[4]);
	else
		return 2;
	return failures != 0;
}
