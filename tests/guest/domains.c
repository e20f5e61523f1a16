// SPDX-License-Identifier: GPL-2.0
/*
 * domains PART ARGUMENT...: how the time of steps is divided, by decision records.
 *
 * A record tells what its user and what all were served until then. Only two users are, since the module was loaded, so each record has
 * what both were. Users 3000 and 3001 are in the group of the device, and root is an administrator.
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
	/* Tokens of each answer but those of the first session, which has no end; 0 for none. */
	uint32_t most;
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

/* What somebody was served, for waiting: what is checked is in the records. */
static uint64_t served(int file)
{
	return statistics(file).served_ns;
}

/* Asks for an answer. */
static void ask(int file, const struct crowd *crowd, int number)
{
	static uint32_t ids[PROMPT_IDS];
	struct sislm_prompt prompt = { .ids = (uintptr_t)ids, .count = 4 };

	for (int place = 0; place < PROMPT_IDS; place++)
		ids[place] = 300 + place % 100;
	if (crowd->prompt && !number)
		prompt.count = PROMPT_IDS;
	if (ioctl(file, SISLM_IOC_PROMPT, &prompt))
		fail("domains/prompt");
}

static int begin_turn(const char *model, const struct crowd *crowd, int number)
{
	struct sislm_configure request = {
		.flags = SISLM_CONFIGURE_IGNORE_EOS | SISLM_CONFIGURE_SEED,
		.seed = number,
		.context = 8192,
		.max_tokens = number ? crowd->most : 0,
		.sampling = { .top_p = 1000000, .typical_p = 1000000, .repeat_penalty = 1000000 },
		.tenant = crowd->tenants[number],
	};
	int file = open_device();

	snprintf((char *)request.model, sizeof(request.model), "%s", model);
	if (ioctl(file, SISLM_IOC_CONFIGURE, &request))
		fail("domains/configure");
	ask(file, crowd, number);
	if (fcntl(file, F_SETFL, O_NONBLOCK))
		fail("domains/fcntl");
	return file;
}

/* Answers without end, or one after the other. */
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

			if (got == 0 && (!number || !crowd->most))
				fail("domains/end-of-a-turn");
			if (got == 0) {
				if (ioctl(entries[number].fd, SISLM_IOC_RESET))
					fail("domains/reset");
				ask(entries[number].fd, crowd, number);
			}
			if (got > 0 && crowd->text)
				crowd->text[number] += got;
		}
		usleep(1000);
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
	uint64_t before = served(file), last = before, present;
	double end = now() + 60;

	while ((present = served(file)) < before + ns) {
		if (present != last)
			end = now() + 60;
		last = present;
		if (now() > end) {
			errno = ETIMEDOUT;
			fail("domains/wait");
		}
		usleep(2000);
	}
}

/* A descriptor of the records to come. */
static int records(void)
{
	struct sislm_record made[16];
	struct sislm_trace request = {};
	int file = open_device();

	if (ioctl(file, SISLM_IOC_TRACE, &request) || fcntl(request.fd, F_SETFL, O_NONBLOCK))
		fail("domains/trace");
	close(file);
	while (read(request.fd, made, sizeof(made)) > 0)
		;
	return request.fd;
}

/* What two users were served at a record, and the longest step until then, nanoseconds. */
struct shares {
	int64_t of[2];
	int64_t step;
	struct sislm_record record;
};

/* The next record of a turn. */
static struct shares next_shares(int reader)
{
	struct pollfd entry = { .fd = reader, .events = POLLIN };
	struct shares next = {};
	int own;

	if (poll(&entry, 1, 120000) != 1 || read(reader, &next.record, sizeof(next.record)) != sizeof(next.record))
		fail("domains/record");
	own = next.record.uid == 3001;
	if (next.record.kind != SISLM_RECORD_TURN || (!own && next.record.uid != 3000)) {
		errno = EPROTO;
		fail("domains/record-of-a-turn");
	}
	next.of[own] = next.record.served_ns;
	next.of[!own] = next.record.all_served_ns - next.record.served_ns;
	next.step = next.record.longest_step_ns;
	return next;
}

/* Two steps, and a turn's least rows of a prompt: 4 of 64. */
static int64_t bound(const struct shares *shares)
{
	return 2 * shares->step + shares->step / 16;
}

/*
 * Two users who always have turns under way, one with a session, the other with sixteen and a long prompt: at every record
 * neither was served more before the other than two steps and a turn's least rows of a prompt. No record is made at the moment when
 * both have come, from which that counts. So by how much the one is before the other lies within one bound on either side of an
 * unknown value: from its least to its greatest it is two bounds at most. The second user was there before, and away while the
 * first was served.
 */
static void backlog(const char *model, int count)
{
	const struct crowd one = { .user = 3000, .count = 1 }, other = { .user = 3001, .count = 16, .prompt = true, .most = 4 };
	/* The steps of its prompt are as long as those of the other's will be. */
	const struct crowd brief = { .user = 3001, .count = 1, .prompt = true };
	int files[3] = { file_of(3000), file_of(3001), open_device() }, reader;
	int64_t away, before, least = 0, greatest = 0;
	struct shares first, next;
	pid_t processes[2];
	int number, over = 0;

	reader = records();
	processes[1] = start(model, &brief);
	wait_for(files[1], 1000000);
	stop(processes[1]);
	/* What it was served then, but for the step that it ended in. */
	before = next_shares(reader).of[1];
	processes[0] = start(model, &one);
	wait_for(files[0], 500000000);
	/* Much more than the bound, however slow this machine is. */
	wait_for(files[0], 20 * statistics(files[2]).longest_step_ns);
	processes[1] = start(model, &other);
	first = next = next_shares(reader);
	away = first.of[0] - before;
	for (number = 0; number < count; number++) {
		int64_t lead;

		next = next_shares(reader);
		lead = (next.of[0] - first.of[0]) - (next.of[1] - first.of[1]);
		least = lead < least ? lead : least;
		greatest = lead > greatest ? lead : greatest;
		over += greatest - least > 2 * bound(&next);
	}
	result(!over, "domains/within-two-steps", "%d of %d records are over, from %lld us to %lld us, longest step %lld us", over, count,
	       (long long)least / 1000, (long long)greatest / 1000, (long long)next.step / 1000);
	/* Had it saved up what it did not use while it was away, it would now be more than the bounds before the first. */
	result(away > 4 * bound(&first), "domains/was-away", "%lld us", (long long)away / 1000);
	for (number = 0; number < 2; number++)
		result(next.of[number] - first.of[number] > 10 * next.step, number ? "domains/other-is-served" : "domains/one-is-served", "%lld us",
		       (long long)(next.of[number] - first.of[number]) / 1000);
	/* The long prompt was computed meanwhile: its record is made now. */
	stop(processes[1]);
	do
		next = next_shares(reader);
	while (next.record.prompt_count != PROMPT_IDS);
	result(next.record.cpu_ns > 0, "domains/long-prompt", "%llu us", (unsigned long long)next.record.cpu_ns / 1000);
	stop(processes[0]);
	close(reader);
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

/*
 * What a user with normal weight was served for each nanosecond of another one's, who asks at `nice`: over 2 s, and over `steps` as long
 * as the longest.
 */
static double ratio(const char *model, int nice, int count, int64_t steps)
{
	/* Who asks at a low weight is seldom run, so its turns have no end; a session of the other one makes the records. */
	const struct crowd one = { .user = 3000, .count = 2, .most = 4 }, other = { .user = 3001, .count = count, .nice = nice };
	int files[2] = { file_of(3000), file_of(3001) }, reader, number;
	pid_t processes[2] = { start(model, &other), 0 };
	struct shares first, last;

	wait_for(files[1], 1);
	processes[1] = start(model, &one);
	wait_for(files[0], 50000000);
	reader = records();
	first = next_shares(reader);
	/* With the least weight its next step may be far away. */
	do
		last = next_shares(reader);
	while (last.of[0] - first.of[0] < 2000000000 || last.of[0] - first.of[0] < steps * last.step || last.of[1] == first.of[1]);
	for (number = 0; number < 2; number++) {
		stop(processes[number]);
		close(files[number]);
	}
	close(reader);
	return (double)(last.of[0] - first.of[0]) / (last.of[1] - first.of[1]);
}

/* Weights are those of nice values: 1024 to 526 at nice 3, to 3 for SCHED_IDLE, who are served all the same. */
static void weights(const char *model)
{
	double found = ratio(model, 3, 12, 60) * 526 / 1024, idle;

	result(found > 0.95 && found < 1.05, "domains/weights", "%.3f of the ratio of the weights", found);
	idle = ratio(model, 20, 1, 0);
	result(idle > 20 && idle < 1e6, "domains/idle-class", "%.1f to 1", idle);
}

int main(int count, char **words)
{
	const char *part = count > 1 ? words[1] : "", *model = count > 2 ? words[2] : "";

	setvbuf(stdout, NULL, _IONBF, 0);
	if (!strcmp(part, "backlog"))
		backlog(model, count > 3 ? atoi(words[3]) : 0);
	else if (!strcmp(part, "tenants"))
		tenants(model);
	else if (!strcmp(part, "weights"))
		weights(model);
	else
		return 2;
	return failures != 0;
}
