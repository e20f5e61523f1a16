// SPDX-License-Identifier: GPL-2.0
/*
 * stall MODEL: a device whose carrier gets no CPU is broken, and works again when it gets one.
 *
 * As root. A task of real time takes CPU 0, where the carrier is bound, in the middle of a turn and before one. The shell has taken away what the
 * scheduler keeps for others beside such tasks.
 */
#include <dirent.h>
#include "device.h"

/* Seconds: step_timeout_s, two looks of who waits, and an emulator that stops at any time. */
#define BROKEN_S 60
/* For calls that do not wait, and for the carrier to end the turn that it had. */
#define SOON_S 20

static atomic_int *held;

/* The thread of the module by that name. */
static pid_t find_thread(const char *name)
{
	struct dirent *entry;
	DIR *processes = opendir("/proc");
	pid_t found = 0;

	while (!found && processes && (entry = readdir(processes))) {
		char path[300], comm[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file) && !strcmp(strtok(comm, "\n"), name))
			found = atoi(entry->d_name);
		fclose(file);
	}
	if (processes)
		closedir(processes);
	return found;
}

/* Where the task may run: the CPUs of the mask. */
static void bind_task(pid_t task, unsigned int mask)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int cpu = 0; cpu < 32; cpu++) {
		if (mask & 1u << cpu)
			CPU_SET(cpu, &set);
	}
	if (sched_setaffinity(task, sizeof(set), &set))
		fail("sched_setaffinity");
}

/* Takes CPU 0 while `held`, soon. */
static pid_t start_hog(void)
{
	const struct sched_param parameter = { .sched_priority = 50 };
	pid_t process = fork();

	if (process)
		return process;
	pin(0);
	usleep(300000);
	if (sched_setscheduler(0, SCHED_FIFO, &parameter))
		fail("SCHED_FIFO");
	while (*held)
		;
	_exit(0);
}

/* One turn; 0 or the errno. */
static int turn(int file, unsigned int tokens, const char *model)
{
	static char text[65536];
	struct sislm_run run = {
		.prompt = (uintptr_t)"one",
		.prompt_length = 3,
		.text = (uintptr_t)text,
		.capacity = sizeof(text),
	};

	if (configure(file, model, 1024, tokens))
		return errno;
	return ioctl(file, SISLM_IOC_RUN, &run) ? errno : 0;
}

/* The carrier is held up in a turn, or before one; `when` names it. */
static void stall(const char *model, pid_t carrier, bool before, const char *when)
{
	int first = open_device(), second = open_device(), reader = open_device(), code = 0;
	struct pollfd entry = { .fd = second, .events = POLLIN };
	char name[100], byte;
	double start;
	pid_t hog;

	*held = 1;
	bind_task(carrier, 1);
	hog = start_hog();
	if (before)
		sleep(2);
	start = now();
	while (!code && now() - start < BROKEN_S)
		code = turn(first, 0, model);
	snprintf(name, sizeof(name), "stall/a-turn-ends-%s", when);
	result(code == EIO, name, "errno %d after %.1f s", code, now() - start);

	start = now();
	code = turn(second, 4, model);
	snprintf(name, sizeof(name), "stall/a-new-one-is-refused-%s", when);
	result(code == EIO && now() - start < SOON_S, name, "errno %d after %.1f s", code, now() - start);
	code = poll(&entry, 1, 0);
	snprintf(name, sizeof(name), "stall/a-poller-is-told-%s", when);
	result(code == 1 && entry.revents & POLLERR, name, "%d events %x", code, entry.revents);
	if (configure(reader, model, 1024, 4) || write(reader, "one", 3) != 3)
		fail("write");
	code = read(reader, &byte, 1) < 0 ? errno : 0;
	snprintf(name, sizeof(name), "stall/a-reader-is-refused-%s", when);
	result(code == EIO && now() - start < SOON_S, name, "errno %d after %.1f s", code, now() - start);

	*held = 0;
	waitpid(hog, NULL, 0);
	bind_task(carrier, 3);
	start = now();
	do {
		usleep(10000);
		code = turn(second, 4, model);
	} while (code && now() - start < SOON_S);
	snprintf(name, sizeof(name), "stall/a-turn-is-answered-%s", when);
	result(!code, name, "errno %d after %.1f s", code, now() - start);
	code = turn(first, 4, model);
	snprintf(name, sizeof(name), "stall/the-same-file-is-answered-%s", when);
	result(!code, name, "errno %d", code);
	code = poll(&entry, 1, 0);
	snprintf(name, sizeof(name), "stall/a-poller-is-told-no-more-%s", when);
	result(!(entry.revents & POLLERR), name, "%d events %x", code, entry.revents);
	close(first);
	close(second);
	close(reader);
}

int main(int count, char **words)
{
	pid_t carrier = find_thread("sislm/carrier");

	setvbuf(stdout, NULL, _IONBF, 0);
	held = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!carrier)
		fail("find the carrier");
	pin(1);
	stall(words[1], carrier, false, "in-a-step");
	stall(words[1], carrier, true, "before-a-step");
	return failures != 0;
}
