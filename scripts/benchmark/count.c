// SPDX-License-Identifier: GPL-2.0
/*
 * count FILE COMMAND...: runs COMMAND and writes to FILE, as one JSON object, the instructions that
 * were retired meanwhile: "user" and "kernel" by the command and its children, "threads" by the
 * kernel threads of the module, "machine" by all of it; the time it took and its largest resident set.
 *
 * QEMU counts instructions exactly with -icount, and not at all without: they are left out then.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64
#define THREAD_NAME "sislm/"

/* A counter of retired instructions; -1 when there is none. */
struct counter {
	int descriptor;
};

/* What read() gives for PERF_FORMAT_TOTAL_TIME_*. */
struct reading {
	uint64_t value, enabled, running;
};

static void fail(const char *what)
{
	perror(what);
	exit(125);
}

/* Of task `pid`, or of processor `cpu` when pid is -1. ENOENT and EOPNOTSUPP say that QEMU runs without -icount. */
static struct counter open_counter(pid_t pid, int cpu, int user, int kernel, int from_exec)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
		.disabled = 1,
		.inherit = from_exec,
		.enable_on_exec = from_exec,
		.exclude_user = !user,
		.exclude_kernel = !kernel,
	};
	struct counter counter = { syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC) };

	if (counter.descriptor < 0 && errno != ENOENT && errno != EOPNOTSUPP)
		fail("perf_event_open");
	if (counter.descriptor >= 0 && !from_exec && ioctl(counter.descriptor, PERF_EVENT_IOC_ENABLE, 0))
		fail("PERF_EVENT_IOC_ENABLE");
	return counter;
}

/* Instructions so far. A counter that had to share a register would be an estimate, which is refused. */
static uint64_t read_counter(struct counter counter)
{
	struct reading reading;

	if (read(counter.descriptor, &reading, sizeof(reading)) != sizeof(reading))
		fail("read of a counter");
	if (reading.enabled != reading.running) {
		fprintf(stderr, "count: a counter did not run all the time\n");
		exit(125);
	}
	return reading.value;
}

/* Counters for the module's threads; their number. */
static size_t open_threads(struct counter threads[THREADS_MAX])
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	size_t count = 0;

	if (!processes)
		fail("/proc");
	while ((entry = readdir(processes)) && count < THREADS_MAX) {
		char path[64], name[32] = "";
		FILE *file;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue; /* it has ended */
		if (fgets(name, sizeof(name), file) && !strncmp(name, THREAD_NAME, strlen(THREAD_NAME)))
			threads[count++] = open_counter(atoi(entry->d_name), -1, 0, 1, 0);
		fclose(file);
	}
	closedir(processes);
	return count;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now))
		fail("clock_gettime");
	return (uint64_t)now.tv_sec * 1000000000u + now.tv_nsec;
}

/* A child that runs the command once a byte comes through `go`. */
static pid_t spawn(char **command, int *go)
{
	int ends[2];
	pid_t child;

	if (pipe(ends))
		fail("pipe");
	child = fork();
	if (child < 0)
		fail("fork");
	if (!child) {
		char byte;

		close(ends[1]);
		if (read(ends[0], &byte, 1) != 1)
			_exit(125);
		close(ends[0]);
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	close(ends[0]);
	*go = ends[1];
	return child;
}

int main(int argc, char **argv)
{
	struct counter user, kernel, machine[THREADS_MAX], threads[THREADS_MAX];
	uint64_t start, elapsed, sum = 0, all = 0;
	size_t count, cpu, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct rusage usage;
	int go, status;
	pid_t child;
	FILE *out;

	if (argc < 3 || cpus > THREADS_MAX) {
		fprintf(stderr, "usage: count FILE COMMAND...\n");
		return 2;
	}
	out = fopen(argv[1], "w");
	if (!out)
		fail(argv[1]);
	child = spawn(argv + 2, &go);
	user = open_counter(child, -1, 1, 0, 1);
	kernel = open_counter(child, -1, 0, 1, 1);
	count = open_threads(threads);
	for (cpu = 0; cpu < cpus; cpu++)
		machine[cpu] = open_counter(-1, cpu, 1, 1, 0);
	start = now_ns();
	if (write(go, "x", 1) != 1)
		fail("write");
	if (wait4(child, &status, 0, &usage) != child)
		fail("wait4");
	elapsed = now_ns() - start;
	fprintf(out, "{");
	if (user.descriptor >= 0) {
		for (cpu = 0; cpu < cpus; cpu++)
			all += read_counter(machine[cpu]);
		for (size_t i = 0; i < count; i++)
			sum += read_counter(threads[i]);
		fprintf(out, "\"user\": %llu, \"kernel\": %llu, \"threads\": %llu, \"machine\": %llu, ",
			(unsigned long long)read_counter(user), (unsigned long long)read_counter(kernel),
			(unsigned long long)sum, (unsigned long long)all);
	}
	fprintf(out, "\"elapsed_ns\": %llu, \"resident_kib\": %ld}\n", (unsigned long long)elapsed, usage.ru_maxrss);
	if (fclose(out))
		fail(argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
