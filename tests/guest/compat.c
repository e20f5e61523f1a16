// SPDX-License-Identifier: GPL-2.0
/*
 * A 32-bit program on the device: the structures and command numbers are those of 64-bit programs.
 *
 * Freestanding, for 32-bit Arm (EABI), so that no 32-bit C library is needed. usage: compat MODEL.gguf
 */
#include "../../module/uapi/sislm.h"

/* The sizes of a 64-bit build; the command numbers hold them too. */
_Static_assert(sizeof(struct sislm_query) == 64, "query");
_Static_assert(sizeof(struct sislm_load) == 288, "load");
_Static_assert(sizeof(struct sislm_configure) == 792, "configure");
_Static_assert(sizeof(struct sislm_result) == 128, "result");
_Static_assert(sizeof(struct sislm_run) == 168, "run");
_Static_assert(sizeof(struct sislm_tokenize) == 48, "tokenize");
_Static_assert(sizeof(struct sislm_evaluate) == 112, "evaluate");
_Static_assert(sizeof(void *) == 4, "this is not a 32-bit build");

enum { NR_EXIT = 1, NR_WRITE = 4, NR_OPEN = 5, NR_IOCTL = 54 };
enum { READ_ONLY = 0, READ_WRITE = 2 };

static long call(long number, long a, long b, long c)
{
	register long r7 __asm__("r7") = number;
	register long r0 __asm__("r0") = a;
	register long r1 __asm__("r1") = b;
	register long r2 __asm__("r2") = c;

	__asm__ volatile("svc 0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2) : "memory");
	return r0;
}

static int failures;

static void say(const char *text)
{
	long length = 0;

	while (text[length])
		length++;
	call(NR_WRITE, 1, (long)text, length);
}

static void say_number(long number)
{
	char digits[12];
	int at = sizeof(digits) - 1;
	unsigned long left = number < 0 ? -(unsigned long)number : (unsigned long)number;

	digits[at] = 0;
	do {
		digits[--at] = '0' + left % 10;
		left /= 10;
	} while (left);
	if (number < 0)
		say("-");
	say(digits + at);
}

/* @found: what a call gave, told of a check that fails; @more: what else it depends on. */
static void check(const char *name, int holds, long found, long more)
{
	say(holds ? "ok compat/" : "not ok compat/");
	say(name);
	if (!holds) {
		say(" a 32-bit caller is not served: ");
		say_number(found);
		say(" ");
		say_number(more);
	}
	say("\n");
	failures += !holds;
}

/* The compiler may turn initialisers into calls of these two. */
void *memset(void *to, int byte, unsigned int length)
{
	volatile char *at = to;

	while (length--)
		*at++ = byte;
	return to;
}

void *memcpy(void *to, const void *from, unsigned int length)
{
	volatile char *at = to;
	const char *source = from;

	while (length--)
		*at++ = *source++;
	return to;
}

__attribute__((used)) static void start(long *stack)
{
	static const char prompt[] = "one ten";
	static const char name[] = "compat";
	static struct sislm_query query;
	static struct sislm_load load;
	static struct sislm_configure configure;
	static struct sislm_run run;
	static struct sislm_result result;
	static struct sislm_unload unload;
	static __u32 ids[16], prompt_ids[16];
	static char text[256];
	const char *model = (const char *)stack[2];
	long device, file, found;

	device = call(NR_OPEN, (long)"/dev/sislm", READ_WRITE, 0);
	check("open", device >= 0, device, 0);
	found = call(NR_IOCTL, device, SISLM_IOC_QUERY, (long)&query);
	check("query", found == 0 && query.abi == SISLM_ABI_VERSION, found, query.abi);

	file = call(NR_OPEN, (long)model, READ_ONLY, 0);
	load.fd = file;
	memcpy(load.name, name, sizeof(name));
	load.pad3 = 1;
	found = call(NR_IOCTL, device, SISLM_IOC_LOAD, (long)&load);
	check("load-pad", found == -22, found, 0);
	load.pad3 = 0;
	found = call(NR_IOCTL, device, SISLM_IOC_LOAD, (long)&load);
	check("load", found == 0 && load.done == load.total && load.total > 0, found, (long)load.done);

	configure.flags = SISLM_CONFIGURE_IGNORE_EOS;
	configure.max_tokens = 4;
	memcpy(configure.model, name, sizeof(name));
	configure.sampling.top_p = SISLM_MILLION;
	configure.sampling.typical_p = SISLM_MILLION;
	configure.sampling.repeat_penalty = SISLM_MILLION;
	found = call(NR_IOCTL, device, SISLM_IOC_CONFIGURE, (long)&configure);
	check("configure", found == 0, found, 0);

	run.prompt = (unsigned long)prompt;
	run.prompt_length = sizeof(prompt) - 1;
	run.text = (unsigned long)text;
	run.capacity = sizeof(text);
	run.result.ids = (unsigned long)ids;
	run.result.capacity = 16;
	run.result.prompt_ids = (unsigned long)prompt_ids;
	run.result.prompt_capacity = 16;
	found = call(NR_IOCTL, device, SISLM_IOC_RUN, (long)&run);
	check("run", found == 0 && run.result.count == 4, found, run.result.count);
	found = call(NR_IOCTL, device, SISLM_IOC_RESULT, (long)&result);
	check("result", found == 0 && result.count == 4 && result.prompt_count == run.result.prompt_count && prompt_ids[0] == 1,
	      found, result.finish);

	configure.model[0] = 0;
	memcpy(unload.name, name, sizeof(name));
	found = call(NR_IOCTL, device, SISLM_IOC_UNLOAD, (long)&unload);
	check("unload-in-use", found == -16, found, 0);
	call(NR_EXIT, failures != 0, 0, 0);
	__builtin_unreachable();
}

__attribute__((naked)) void _start(void)
{
	__asm__ volatile("mov r0, sp\n\tb start");
}
