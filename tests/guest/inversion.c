// SPDX-License-Identifier: GPL-2.0
/*
 * inversion MODEL LOOPS SECONDS WEIGHT [CGROUP.PROCS]: whether a caller that is not scheduled holds others up.
 *
 * The attacker, user 1000, waits in RUN on CPU 0, in SCHED_IDLE or in the cgroup, whose weight is named WEIGHT, beside LOOPS loops of its own there. The victim, user 1001, on
 * CPU 1, notes its longest silence: first beside the loops alone, then with the caller, whose loops go in bursts until steps stand still.
 */
#include "device.h"

/* How much longer a silence may be than beside the loops alone: emulated CPUs stop at any time. */
#define RATIO 4
#define SLACK_S 0.5

static atomic_int *go;

/* Reads answer after answer; the longest time without text, or -1. */
static double longest_silence(const char *model, int seconds)
{
	int file = open_device();
	double end = now() + seconds, last = now(), worst = 0;
	char text[4096];

	if (configure(file, model, 1024, 0) || fcntl(file, F_SETFL, O_NONBLOCK))
		fail("configure");
	while (now() < end) {
		ssize_t count = -1;

		if (write(file, "one ten", 7) != 7)
			return -1;
		while (now() < end && count) {
			struct pollfd entry = { .fd = file, .events = POLLIN };

			poll(&entry, 1, 500);
			count = read(file, text, sizeof(text));
			if (count < 0 && errno == EAGAIN)
				continue;
			if (count < 0)
				return -1;
			if (now() - last > worst)
				worst = now() - last;
			last = now();
		}
		ioctl(file, SISLM_IOC_RESET);
	}
	if (now() - last > worst)
		worst = now() - last;
	close(file);
	return worst;
}

static pid_t start(void (*what)(const char *), int cpu, const char *argument)
{
	pid_t process = fork();

	if (process)
		return process;
	pin(cpu);
	what(argument);
	_exit(1);
}

static void loop(const char *model)
{
	become(1000);
	for (;;) {
		while (!*go)
			usleep(1000);
		while (*go)
			;
	}
}

static const char *procs;

static void caller(const char *model)
{
	struct sched_param parameter = {};
	static char text[65536];
	int file;

	if (procs)
		join_cgroup(procs);
	else if (sched_setscheduler(0, SCHED_IDLE, &parameter))
		fail("SCHED_IDLE");
	become(1000);
	file = open_device();
	if (configure(file, model, 1024, 0))
		fail("configure");
	for (;;) {
		struct sislm_run run = {
			.prompt = (uintptr_t)"one",
			.prompt_length = 3,
			.text = (uintptr_t)text,
			.capacity = sizeof(text),
		};

		if (ioctl(file, SISLM_IOC_RUN, &run))
			_exit(1);
		ioctl(file, SISLM_IOC_RESET);
	}
}

/* Bursts of the loops until steps stand still, and then no end of it. */
static void controller(const char *model)
{
	int file = open_device();

	for (;;) {
		uint64_t steps;

		*go = 0;
		usleep(30000);
		*go = 1;
		usleep(150000);
		steps = statistics(file).steps;
		usleep(300000);
		while (statistics(file).steps == steps)
			usleep(100000);
	}
}

int main(int count, char **words)
{
	int loops = atoi(words[2]), seconds = atoi(words[3]), number = 0;
	pid_t processes[200];
	double control, attacked;
	char name[100];

	procs = count > 5 ? words[5] : NULL;
	go = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setvbuf(stdout, NULL, _IONBF, 0);
	pin(1);
	while (number < loops && number < 190)
		processes[number++] = start(loop, 0, words[1]);
	*go = 1;
	control = longest_silence(words[1], seconds);
	processes[number++] = start(caller, 0, words[1]);
	processes[number++] = start(controller, 1, words[1]);
	attacked = longest_silence(words[1], seconds);
	while (number)
		kill(processes[--number], SIGKILL);
	while (wait(NULL) > 0)
		;
	snprintf(name, sizeof(name), "inversion/%d-loops-%s", loops, words[4]);
	result(control >= 0 && attacked >= 0 && attacked < RATIO * control + SLACK_S, name,
	       "longest silence %.2f s, %.2f s without the caller", attacked, control);
	return failures != 0;
}
