// SPDX-License-Identifier: GPL-2.0
/*
 * probe SECONDS COMMAND...: how late a thread of normal priority wakes beside a busy COMMAND, as cyclictest measures it; one object.
 *
 * It sleeps for a millisecond at a time, once the command has run for some seconds. The command is to be busy until the end, and is
 * killed then.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 8
#define INTERVAL 1000000ll
#define SECOND 1000000000ll
#define SAMPLES_MAX 1000000

static long long late[SAMPLES_MAX];

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

static void sleep_until(long long when)
{
	struct timespec time = { when / SECOND, when % SECOND };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static int by_size(const void *one, const void *other)
{
	long long difference = *(const long long *)one - *(const long long *)other;

	return (difference > 0) - (difference < 0);
}

static double microseconds(long count, double part)
{
	long place = (long)(part * count);

	return late[place < count ? place : count - 1] / 1000.0;
}

int main(int count, char **words)
{
	long long end, next;
	long samples = 0;
	pid_t process;

	if (count < 3)
		return 2;
	process = fork();
	if (process < 0)
		return 1;
	if (!process) {
		setpgid(0, 0);
		execvp(words[2], words + 2);
		_exit(127);
	}
	sleep(WARM_UP);
	next = now();
	end = next + atoi(words[1]) * SECOND;
	while (next < end && samples < SAMPLES_MAX) {
		long long woken;

		next += INTERVAL;
		sleep_until(next);
		woken = now();
		late[samples++] = woken - next;
		while (next + INTERVAL < woken)
			next += INTERVAL;
	}
	if (waitpid(process, NULL, WNOHANG)) {
		fprintf(stderr, "the command ended before %s s were over\n", words[1]);
		return 1;
	}
	kill(-process, SIGKILL);
	waitpid(process, NULL, 0);
	qsort(late, samples, sizeof(*late), by_size);
	printf("{\"samples\": %ld, \"median_us\": %.1f, \"p99_us\": %.1f, \"p99_9_us\": %.1f, \"most_us\": %.1f}\n", samples,
	       microseconds(samples, 0.5), microseconds(samples, 0.99), microseconds(samples, 0.999), microseconds(samples, 1));
	return 0;
}
