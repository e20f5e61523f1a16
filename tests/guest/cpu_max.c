// SPDX-License-Identifier: GPL-2.0
/*
 * cpu_max MODEL DIRECTORY: a cgroup's cpu.max holds a caller whose turns nobody else computes, and holds nobody else.
 *
 * DIRECTORY has the cgroups held and other; user 1000 is in the one, 1001 in the other.
 */
#include "device.h"

#define SECONDS 5
#define ROUNDS 3
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

/* Answers of each caller in a second, while they ask beside each other. */
static void rates(const struct caller *callers, int count, double *found)
{
	pid_t processes[2];
	uint64_t begin[2];
	double start;
	int number;

	for (number = 0; number < count; number++) {
		processes[number] = fork();
		if (!processes[number])
			ask(&callers[number]);
	}
	sleep(1);
	for (number = 0; number < count; number++)
		begin[number] = *callers[number].answers;
	start = now();
	sleep(SECONDS);
	for (number = 0; number < count; number++)
		found[number] = (*callers[number].answers - begin[number]) / (now() - start);
	for (number = 0; number < count; number++) {
		kill(processes[number], SIGKILL);
		waitpid(processes[number], NULL, 0);
	}
}

static int by_size(const void *one, const void *other)
{
	double difference = *(const double *)one - *(const double *)other;

	return difference < 0 ? -1 : difference > 0;
}

/* The middle one of the rounds: this machine's clock is shared with others. */
static double middle(double *ratios)
{
	qsort(ratios, ROUNDS, sizeof(*ratios), by_size);
	return ratios[ROUNDS / 2];
}

int main(int count, char **words)
{
	uint64_t *answers = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct caller callers[2] = { { "held", 1000, answers }, { "other", 1001, answers + 1 } };
	double alone[ROUNDS], beside[ROUNDS], free_rates[2], held_rates[2], ratio;
	uint64_t throttled;
	int round;

	if (count != 3 || answers == MAP_FAILED)
		return 2;
	setvbuf(stdout, NULL, _IONBF, 0);
	model = words[1];
	directory = words[2];
	for (round = 0; round < ROUNDS; round++) {
		write_quota("max 100000");
		rates(callers, 1, free_rates);
		throttled = counter("held", "nr_throttled");
		write_quota("50000 100000");
		rates(callers, 1, held_rates);
		alone[round] = held_rates[0] / free_rates[0];
		printf("# %.2f answers/s, %.2f with half a CPU\n", free_rates[0], held_rates[0]);
		if (counter("held", "nr_throttled") == throttled)
			result(false, "cpu_max/is-throttled", "the caller was not");
		write_quota("max 100000");
		rates(callers, 2, free_rates);
		write_quota("25000 100000");
		rates(callers, 2, held_rates);
		beside[round] = held_rates[1] / free_rates[1];
		printf("# beside: %.2f and %.2f answers/s, %.2f and %.2f with a quarter of a CPU for the first\n", free_rates[0],
		       free_rates[1], held_rates[0], held_rates[1]);
	}
	ratio = middle(alone);
	result(ratio > 0.35 && ratio < 0.65, "cpu_max/half-of-a-cpu", "%.2f of the rate", ratio);
	ratio = middle(beside);
	result(ratio > 0.85, "cpu_max/other-group", "%.2f of its rate beside a caller without limit", ratio);
	result(!counter("other", "nr_throttled"), "cpu_max/other-is-not-throttled", "%llu times",
	       (unsigned long long)counter("other", "nr_throttled"));
	return failures != 0;
}
