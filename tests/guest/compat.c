// SPDX-License-Identifier: GPL-2.0
/*
 * A 32-bit program on the device: the structures and command numbers are those of 64-bit programs.
 *
 * Freestanding, for 32-bit Arm (EABI), so that no 32-bit C library is needed. usage: compat MODEL.gguf
 */
#include "../../module/uapi/sislm.h"

/* The sizes of a 64-bit build; the command numbers hold them too. */
_Static_assert(sizeof(struct sislm_query) == 64, "query");
_Static_assert(sizeof(struct sislm_load) == 272, "load");
_Static_assert(sizeof(struct sislm_configure) == 720, "configure");
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

static void check(const char *name, int holds)
{
	say(holds ? "ok compat/" : "not ok compat/");
	say(name);
	say(holds ? "\n" : " a 32-bit caller is not served\n");
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
	long device, file;

	device = call(NR_OPEN, (long)"/dev/sislm", READ_WRITE, 0);
	check("open", device >= 0);
	check("query", call(NR_IOCTL, device, SISLM_IOC_QUERY, (long)&query) == 0 && query.abi == SISLM_ABI_VERSION);

	file = call(NR_OPEN, (long)model, READ_ONLY, 0);
	load.fd = file;
	memcpy(load.name, name, sizeof(name));
	load.pad3 = 1;
	check("load-pad", call(NR_IOCTL, device, SISLM_IOC_LOAD, (long)&load) == -22);
	load.pad3 = 0;
	check("load", call(NR_IOCTL, device, SISLM_IOC_LOAD, (long)&load) == 0 && load.done == load.total && load.total > 0);

	configure.flags = SISLM_CONFIGURE_IGNORE_EOS;
	configure.max_tokens = 4;
	memcpy(configure.model, name, sizeof(name));
	configure.sampling.top_p = SISLM_MILLION;
	configure.sampling.typical_p = SISLM_MILLION;
	configure.sampling.repeat_penalty = SISLM_MILLION;
	check("configure", call(NR_IOCTL, device, SISLM_IOC_CONFIGURE, (long)&configure) == 0);

	run.prompt = (unsigned long)prompt;
	run.prompt_length = sizeof(prompt) - 1;
	run.text = (unsigned long)text;
	run.capacity = sizeof(text);
	run.result.ids = (unsigned long)ids;
	run.result.capacity = 16;
	run.result.prompt_ids = (unsigned long)prompt_ids;
	run.result.prompt_capacity = 16;
	check("run", call(NR_IOCTL, device, SISLM_IOC_RUN, (long)&run) == 0 && run.result.count == 4);
	check("result", call(NR_IOCTL, device, SISLM_IOC_RESULT, (long)&result) == 0 && result.count == 4 &&
			result.prompt_count == run.result.prompt_count && prompt_ids[0] == 1);

	configure.model[0] = 0;
	memcpy(unload.name, name, sizeof(name));
	check("unload-in-use", call(NR_IOCTL, device, SISLM_IOC_UNLOAD, (long)&unload) == -16);
	call(NR_EXIT, failures != 0, 0, 0);
	__builtin_unreachable();
}

__attribute__((naked)) void _start(void)
{
	__asm__ volatile("mov r0, sp\n\tb start");
}
