/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs of the guest tests share: they attack /dev/sislm as users would, by its bare interface. */
#ifndef _DEVICE_H
#define _DEVICE_H

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../module/uapi/sislm.h"

#define DEVICE "/dev/sislm"

static int failures;

/* Prints the line of one result. */
static inline void result(bool holds, const char *name, const char *why, ...)
{
	va_list arguments;

	printf("%s %s ", holds ? "ok" : "not ok", name);
	va_start(arguments, why);
	vprintf(why, arguments);
	va_end(arguments);
	printf("\n");
	failures += !holds;
}

static inline void fail(const char *what)
{
	printf("not ok %s %s\n", what, strerror(errno));
	exit(1);
}

static inline double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static inline int open_device(void)
{
	int file = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (file < 0)
		fail("open");
	return file;
}

/* Answers of up to `most` tokens that no token ends. */
static inline int configure_with(int file, const char *model, unsigned int context, unsigned int most, unsigned int flags)
{
	struct sislm_configure request = {
		.flags = SISLM_CONFIGURE_IGNORE_EOS | SISLM_CONFIGURE_SEED | flags,
		.seed = 1,
		.context = context,
		.max_tokens = most,
		.sampling = {
			.temperature = 800000,
			.top_k = 40,
			.top_p = 900000,
			.typical_p = 1000000,
			.repeat_penalty = 1000000,
		},
	};

	snprintf((char *)request.model, sizeof(request.model), "%s", model);
	return ioctl(file, SISLM_IOC_CONFIGURE, &request);
}

static inline int configure(int file, const char *model, unsigned int context, unsigned int most)
{
	return configure_with(file, model, context, most, 0);
}

static inline struct sislm_statistics statistics(int file)
{
	struct sislm_statistics answer = {};

	if (ioctl(file, SISLM_IOC_STATISTICS, &answer))
		fail("STATISTICS");
	return answer;
}

/* A line of /proc/meminfo in KiB. */
static inline long meminfo(const char *key)
{
	FILE *file = fopen("/proc/meminfo", "r");
	long value = -1;
	char line[200];

	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, key, strlen(key)))
			value = atol(line + strlen(key) + 1);
	}
	if (file)
		fclose(file);
	return value;
}

static inline void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

/* The user `id`, in the group of the device. */
static inline void become(unsigned int id)
{
	gid_t group = 500;

	if (setgroups(1, &group) || setgid(id) || setuid(id))
		fail("setuid");
}

static inline void join_cgroup(const char *procs)
{
	FILE *file = fopen(procs, "w");

	if (!file || fprintf(file, "%d", getpid()) < 0 || fclose(file))
		fail(procs);
}

#endif /* _DEVICE_H */
