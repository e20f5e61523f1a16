// SPDX-License-Identifier: GPL-2.0
/*
 * domains PART ARGUMENT...: how the time of steps is divided, by what the device itself counts.
 *
 * Users 3000 and 3001 are in the group of the device, and root is an administrator.
 */
#include "device.h"

#define FILES_MAX 16
#define PROMPT_IDS 2000

/* Some sessions that always have a turn under way. */
struct crowd {
	unsigned int user;
	int count;
	/* The first one begins with a long prompt. */
	bool prompt;
	uint64_t tenants[FILES_MAX];
	/* Of the process, before it asks; above 19 for SCHED_IDLE. */
	int nice;
	/* Bytes of the answers, where they are counted. */
	uint64_t *text;
};

/* Memory that children write. */
static void *shared(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("domains/mmap");
	return memory;
}

static void act_as(unsigned int id)
{
	gid_t group = 500;

	if (seteuid(0) || (id && setgroups(1, &group)) || setegid(id) || seteuid(id))
		fail("domains/seteuid");
}

/* A file of a user, whose STATISTICS are that user's. */
static int file_of(unsigned int user)
{
	int file;

	act_as(user);
	file = open_device();
	act_as(0);
	return file;
}

static uint64_t served(int file)
{
	return statistics(file).served_ns;
}

static int begin_turn(const char *model, const struct crowd *crowd, int number)
{
	static uint32_t ids[PROMPT_IDS];
	struct sislm_prompt prompt = { .ids = (uintptr_t)ids, .count = 4 };
	struct sislm_configure request = {
		.flags = SISLM_CONFIGURE_IGNORE_EOS | SISLM_CONFIGURE_SEED,
		.seed = number,
		.context = 8192,
		.sampling = { .top_p = 1000000, .typical_p = 1000000, .repeat_penalty = 1000000 },
		.tenant = crowd->tenants[number],
	};
	int file = open_device();

	for (int place = 0; place < PROMPT_IDS; place++)
		ids[place] = 300 + place % 100;
	if (crowd->prompt && !number)
		prompt.count = PROMPT_IDS;
	snprintf((char *)request.model, sizeof(request.model), "%s", model);
	if (ioctl(file, SISLM_IOC_CONFIGURE, &request) || ioctl(file, SISLM_IOC_PROMPT, &prompt))
		fail("domains/configure");
	if (fcntl(file, F_SETFL, O_NONBLOCK))
		fail("domains/fcntl");
	return file;
}

/* Answers without end. */
static void answer(const char *model, const struct crowd *crowd)
{
	struct pollfd entries[FILES_MAX];
	static char text[65536];
	int number;

	become(crowd->user);
	if (crowd->nice <= 19 ? nice(crowd->nice) < 0 : sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){}))
		fail("domains/nice");
	for (number = 0; number < crowd->count; number++)
		entries[number] = (struct pollfd){ .fd = begin_turn(model, crowd, number), .events = POLLIN };
	for (;;) {
		poll(entries, crowd->count, 100);
		for (number = 0; number < crowd->count; number++) {
			ssize_t got = read(entries[number].fd, text, sizeof(text));

			if (got == 0)
				fail("domains/end-of-a-turn");
			if (got > 0 && crowd->text)
				crowd->text[number] += got;
		}
		usleep(5000);
	}
}

static pid_t start(const char *model, const struct crowd *crowd)
{
	pid_t process = fork();

	if (!process)
		answer(model, crowd);
	return process;
}

static void stop(pid_t process)
{
	kill(process, SIGKILL);
	waitpid(process, NULL, 0);
}

/* Waits until `file`'s user has been served `ns` more. */
static void wait_for(int file, uint64_t ns)
{
	uint64_t before = served(file);
	double end = now() + 60;

	while (served(file) < before + ns) {
		if (now() > end) {
			errno = ETIMEDOUT;
			fail("domains/wait");
		}
		usleep(2000);
	}
}

/*
 * The least difference that two counters may have had at one time since they were `begin`: read one after the
 * other, each grows meanwhile.
 */
static int64_t difference(int one, int other, const uint64_t *begin)
{
	int64_t first = served(one) - begin[0], middle = served(other) - begin[1], last = served(one) - begin[0];

	if (first <= middle && middle <= last)
		return 0;
	return middle < first ? first - middle : middle - last;
}

/*
 * Two users who always have turns under way, one with a session, the other with sixteen and a long prompt: neither is
 * served more than two steps before the other, at any time. The second one was there before, and away while
 * the first was served.
 */
static void backlog(const char *model)
{
	const struct crowd one = { .user = 3000, .count = 1 }, other = { .user = 3001, .count = 16, .prompt = true };
	const struct crowd brief = { .user = 3001, .count = 1 };
	int files[3] = { file_of(3000), file_of(3001), open_device() };
	int64_t worst = 0, longest;
	uint64_t begin[2], around, step;
	pid_t processes[2];
	int number, over = 0;

	processes[1] = start(model, &brief);
	wait_for(files[1], 1000000);
	stop(processes[1]);
	processes[0] = start(model, &one);
	wait_for(files[0], 500000000);
	begin[1] = served(files[1]);
	begin[0] = served(files[0]);
	processes[1] = start(model, &other);
	wait_for(files[1], 1);
	/* When the other one came is not known better than this. */
	around = served(files[0]) - begin[0];
	wait_for(files[1], 1000000);
	for (number = 0; number < 400; number++) {
		int64_t apart = difference(files[0], files[1], begin);

		step = statistics(files[2]).longest_step_ns;
		longest = 2 * step + step / 16 + around;
		worst = apart > worst ? apart : worst;
		over += apart > longest;
		usleep(5000);
	}
	result(!over, "domains/within-two-steps", "%lld us apart at most, longest step %llu us, %llu us before both were there",
	       (long long)worst / 1000, (unsigned long long)step / 1000, (unsigned long long)around / 1000);
	result(served(files[0]) > begin[0] + 10 * step || served(files[0]) > begin[0] + 500000000, "domains/both-are-served", "%llu us and %llu us",
	       (unsigned long long)(served(files[0]) - begin[0]) / 1000, (unsigned long long)(served(files[1]) - begin[1]) / 1000);
	for (number = 0; number < 2; number++)
		stop(processes[number]);
}

/* Tenants of one user, one with a session and one with fifteen: the one has many times the text of each other session. */
static void tenants(const char *model)
{
	struct crowd crowd = { .user = 3000, .count = FILES_MAX, .text = shared(FILES_MAX * sizeof(uint64_t)) };
	int file = file_of(3000), number;
	uint64_t one, others = 0;
	pid_t process;

	for (number = 1; number < FILES_MAX; number++)
		crowd.tenants[number] = 7;
	process = start(model, &crowd);
	wait_for(file, 1500000000);
	stop(process);
	one = crowd.text[0];
	for (number = 1; number < FILES_MAX; number++)
		others += crowd.text[number];
	result(others && one > 3 * others / (FILES_MAX - 1), "domains/tenants", "%llu bytes, and %llu on fifteen files",
	       (unsigned long long)one, (unsigned long long)others);
}

/* What a user with normal weight was served for each nanosecond of another one's, who asks at `nice`. */
static double ratio(const char *model, int nice, int count, uint64_t ns)
{
	const struct crowd one = { .user = 3000, .count = 2 }, other = { .user = 3001, .count = count, .nice = nice };
	int files[2] = { file_of(3000), file_of(3001) }, number;
	pid_t processes[2] = { start(model, &other), 0 };
	uint64_t begin[2], served_now[2];

	wait_for(files[1], 1);
	processes[1] = start(model, &one);
	wait_for(files[0], 50000000);
	for (number = 0; number < 2; number++)
		begin[number] = served(files[number]);
	wait_for(files[0], ns);
	/* With the least weight its next step may be more than that away. */
	if (served(files[1]) == begin[1])
		wait_for(files[1], 1);
	for (number = 0; number < 2; number++) {
		served_now[number] = served(files[number]) - begin[number];
		stop(processes[number]);
		close(files[number]);
	}
	return (double)served_now[0] / (served_now[1] ? served_now[1] : 1);
}

/* Weights are those of nice values: 1024 to 526 at nice 3, to 3 for SCHED_IDLE, who are served all the same. */
static void weights(const char *model)
{
	double found = ratio(model, 3, 12, 2000000000) * 526 / 1024, idle;

	result(found > 0.95 && found < 1.05, "domains/weights", "%.3f of the ratio of the weights", found);
	idle = ratio(model, 20, 1, 2000000000);
	result(idle > 20 && idle < 1e6, "domains/idle-class", "%.1f to 1", idle);
}

int main(int count, char **words)
{
	const char *part = count > 1 ? words[1] : "", *model = count > 2 ? words[2] : "";

	setvbuf(stdout, NULL, _IONBF, 0);
	if (!strcmp(part, "backlog"))
		backlog(model);
	else if (!strcmp(part, "tenants"))
		tenants(model);
	else if (!strcmp(part, "weights"))
		weights(model);
	else
		return 2;
	return failures != 0;
}
