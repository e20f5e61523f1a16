// SPDX-License-Identifier: GPL-2.0
/* starve SECONDS: keeps the carrier from running, by a loop of real time on the only CPU that it may use. */
#include "device.h"

#include <dirent.h>

static pid_t find(const char *name)
{
	struct dirent *entry;
	DIR *directory = opendir("/proc");
	pid_t found = 0;

	while (directory && !found && (entry = readdir(directory))) {
		char path[300], text[64] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(text, sizeof(text), file) && !strncmp(text, name, strlen(name)))
			found = atoi(entry->d_name);
		fclose(file);
	}
	return found;
}

int main(int count, char **words)
{
	struct sched_param parameter = { .sched_priority = 50 };
	double end = now() + atoi(words[count - 1]);
	pid_t carrier = find("sislm/carrier");
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (!carrier || sched_setaffinity(carrier, sizeof(set), &set))
		fail("starve");
	pin(0);
	if (sched_setscheduler(0, SCHED_FIFO, &parameter))
		fail("starve");
	while (now() < end)
		;
	return 0;
}
