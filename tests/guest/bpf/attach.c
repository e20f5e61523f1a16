// SPDX-License-Identifier: GPL-2.0
/* bpf-attach FILE CMD...: runs CMD with the programs of counts.bpf.c attached, then prints what they have counted, as JSON. */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counts.h"

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int run(char **command)
{
	int status;
	pid_t process = fork();

	if (!process) {
		execvp(*command, command);
		fail(*command);
	}
	if (process < 0 || waitpid(process, &status, 0) != process)
		fail("run");
	return status;
}

int main(int argc, char **argv)
{
	const struct counts *counts;
	struct bpf_program *program;
	struct bpf_object *object;
	size_t size;

	if (argc < 3)
		return 2;
	object = bpf_object__open_file(argv[1], NULL);
	if (!object || bpf_object__load(object))
		fail(argv[1]);
	bpf_object__for_each_program(program, object) {
		if (!bpf_program__attach(program))
			fail(bpf_program__name(program));
	}
	counts = bpf_map__initial_value(bpf_object__find_map_by_name(object, ".bss"), &size);
	if (!counts || size < sizeof(*counts))
		fail("counts");
	if (run(argv + 2))
		return 1;
	printf("{\"tokens\":%llu,\"turns\":%llu,\"answered\":%llu,\"turn_ns\":%llu,", counts->tokens, counts->turns, counts->answered,
	       counts->turn_ns);
	printf("\"steps\":%llu,\"rows\":%llu,\"step_ns\":%llu}\n", counts->steps, counts->rows, counts->step_ns);
	bpf_object__close(object);
	return 0;
}
