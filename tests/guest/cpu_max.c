// SPDX-License-Identifier: GPL-2.0
/*
 * cpu_max MODEL DIRECTORY: a cgroup's cpu.max holds a caller whose turns nobody else computes, and holds nobody else.
 *
 * DIRECTORY has the cgroups held and other; user 1000 is in the one, 1001 in the other.
 */
#include "device.h"

/* The machine that emulates this one is shared with others: with the limit and without it in turns. */
#define SECONDS 4
#define PAIRS 4
/* A call is short beside a period of 100 ms: what it takes too much is paid when it returns. */
#define TOKENS 2

/* Who asks, and the answers that they got. */
struct caller {
	const char *group;
	unsigned int user;
	uint64_t *answers;
};

static const char *model, *directory;

static void write_quota(const char *quota)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/held/cpu.max", directory);
	file = fopen(path, "w");
	if (!file || fputs(quota, file) < 0 || fclose(file))
		fail("cpu_max/quota");
}

/* A counter of a group's cpu.stat. */
static uint64_t counter(const char *group, const char *key)
{
	char path[200], line[100];
	uint64_t value = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/cpu.stat", directory, group);
	file = fopen(path, "r");
	if (!file)
		fail("cpu_max/stat");
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ' ')
			value = strtoull(line + strlen(key), NULL, 10);
	}
	fclose(file);
	return value;
}

/* Answers without end, each a call of its own. */
static void ask(const struct caller *caller)
{
	static char text[4096];
	char path[200];
	int file;

	snprintf(path, sizeof(path), "%s/%s/cgroup.procs", directory, caller->group);
	join_cgroup(path);
	become(caller->user);
	file = open_device();
	if (configure_with(file, model, 64, TOKENS, SISLM_CONFIGURE_UNHELPED))
		fail("cpu_max/configure");
	for (;;) {
		struct sislm_run run = {
			.prompt = (uintptr_t)"a",
			.prompt_length = 1,
			.text = (uintptr_t)text,
			.capacity = sizeof(text),
		};

		if (ioctl(file, SISLM_IOC_RUN, &run) || ioctl(file, SISLM_IOC_RESET))
			fail("cpu_max/run");
		*caller->answers += 1;
	}
}

/* The rate of each caller with this quota for the first one, of that without; they ask beside each other. */
static void ratios(const struct caller *callers, int count, const char *quota, double *found)
{
	double answers[2][2] = {}, seconds[2] = {};
	pid_t processes[2];
	int number, slice;

	for (number = 0; number < count; number++) {
		processes[number] = fork();
		if (!processes[number])
			ask(&callers[number]);
	}
	sleep(1);
	for (slice = 0; slice < 2 * PAIRS; slice++) {
		int held = slice & 1;
		uint64_t begin[2];
		double start = now();

		write_quota(held ? quota : "max 100000");
		for (number = 0; number < count; number++)
			begin[number] = *callers[number].answers;
		sleep(SECONDS);
		for (number = 0; number < count; number++)
			answers[held][number] += *callers[number].answers - begin[number];
		seconds[held] += now() - start;
	}
	for (number = 0; number < count; number++) {
		kill(processes[number], SIGKILL);
		waitpid(processes[number], NULL, 0);
		found[number] = answers[1][number] / seconds[1] / (answers[0][number] / seconds[0]);
		printf("# %s: %.2f answers/s, %.2f with the limit\n", callers[number].group, answers[0][number] / seconds[0],
		       answers[1][number] / seconds[1]);
	}
}

int main(int count, char **words)
{
	uint64_t *answers = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct caller callers[2] = { { "held", 1000, answers }, { "other", 1001, answers + 1 } };
	double found[2];

	if (count != 3 || answers == MAP_FAILED)
		return 2;
	setvbuf(stdout, NULL, _IONBF, 0);
	model = words[1];
	directory = words[2];
	ratios(callers, 1, "50000 100000", found);
	result(found[0] > 0.35 && found[0] < 0.65, "cpu_max/half-of-a-cpu", "%.2f of the rate", found[0]);
	result(counter("held", "nr_throttled"), "cpu_max/is-throttled", "%llu times", (unsigned long long)counter("held", "nr_throttled"));
	ratios(callers, 2, "25000 100000", found);
	result(found[1] > 0.85, "cpu_max/other-group", "%.2f of its rate beside a caller without limit", found[1]);
	result(!counter("other", "nr_throttled"), "cpu_max/other-is-not-throttled", "%llu times",
	       (unsigned long long)counter("other", "nr_throttled"));
	return failures != 0;
}
