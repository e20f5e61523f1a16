// SPDX-License-Identifier: GPL-2.0
/*
 * peer MODEL decode|prefill COUNT DEPTH: computes COUNT tokens after DEPTH others with a libllama that it is not linked with, on one
 * thread, and prints as JSON how many and by which build of its loops. Of node-llama-cpp there are no headers: its structs are
 * memory of which only the first number is known, as large ones are passed by reference (AAPCS64). With PEER_IK it is
 * ik_llama.cpp with its own header, and weights are repacked when they are loaded.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTEXT 1024
#define TOKENS_MAX 1024
#define ROWS_MAX 256

#ifdef PEER_IK
#include <llama.h>
#define LIBRARY "/peers/ik/libllama.so"
typedef struct llama_model_params model_params;
typedef struct llama_context_params context_params;
typedef struct llama_batch batch;
#else
#define LIBRARY "/peers/node/libllama.v0.5.0.so"
typedef struct {
	uint32_t context; /* n_ctx */
	uint8_t rest[4092];
} context_params;
typedef struct {
	uint8_t all[4096];
} model_params;
typedef struct {
	int32_t n_tokens;
	int32_t *token;
	float *embd;
	int32_t *pos;
	int32_t *n_seq_id;
	int32_t **seq_id;
	int8_t *logits;
} batch;
#endif

static void *library;

static void fail(const char *what)
{
	fprintf(stderr, "peer: %s\n", what);
	exit(1);
}

static void *find(const char *name)
{
	void *found = dlsym(library, name);

	if (!found)
		fail(name);
	return found;
}

static void *open_library(const char *path)
{
	void *opened = dlopen(path, RTLD_NOW | RTLD_GLOBAL);

	if (!opened)
		fail(dlerror());
	return opened;
}

/* The build of the loops: a library is loaded for the processor, or there is one alone. */
static void print_build(void)
{
	char line[512], *name;
	FILE *maps = fopen("/proc/self/maps", "r");

	if (!maps)
		fail("/proc/self/maps");
	while (fgets(line, sizeof(line), maps)) {
		name = strstr(line, "libggml-cpu-");
		if (name) {
			name += strlen("libggml-cpu-");
			name[strcspn(name, "\n")] = 0;
			if (strlen(name) > 3)
				name[strlen(name) - 3] = 0;
			printf("%s", name);
			break;
		}
	}
	fclose(maps);
}

int main(int argc, char **argv)
{
	static int32_t tokens[TOKENS_MAX], positions[ROWS_MAX], sequences[ROWS_MAX], zero, *ids[ROWS_MAX];
	static int8_t wanted[ROWS_MAX];
	int32_t count, depth, at = 0, rows;
	void *model, *context;

	if (argc != 5)
		fail("usage: peer MODEL decode|prefill COUNT DEPTH");
	count = atoi(argv[3]);
	depth = atoi(argv[4]);
	if (count < 1 || depth < 0 || count + depth > TOKENS_MAX)
		fail("COUNT or DEPTH");
#ifndef PEER_IK
	library = open_library("/peers/node/libggml.v0.5.0.so");
	((void (*)(const char *))find("ggml_backend_load_all_from_path"))("/peers/node");
#endif
	library = open_library(LIBRARY);
	((void (*)(void))find("llama_backend_init"))();
	model_params of_model = ((model_params (*)(void))find("llama_model_default_params"))();
	context_params of_context = ((context_params (*)(void))find("llama_context_default_params"))();
#ifdef PEER_IK
	of_model.repack_tensors = true;
	of_model.use_mmap = false;
	of_context.n_ctx = CONTEXT;
	of_context.n_threads = of_context.n_threads_batch = 1;
#else
	of_context.context = CONTEXT;
#endif
	model = ((void *(*)(const char *, model_params))find("llama_model_load_from_file"))(argv[1], of_model);
	if (!model)
		fail("the model is refused");
	context = ((void *(*)(void *, context_params))find("llama_init_from_model"))(model, of_context);
	if (!context)
		fail("no context");
	((void (*)(void *, int, int))find("llama_set_n_threads"))(context, 1, 1);
	for (int i = 0; i < TOKENS_MAX; i++)
		tokens[i] = 100 + i % 150;
	while (at < depth + count) {
		int32_t rest = at < depth ? depth - at : count + depth - at;

		rows = at >= depth && argv[2][0] == 'd' ? 1 : rest < ROWS_MAX ? rest : ROWS_MAX;
		for (int i = 0; i < rows; i++) {
			positions[i] = at + i;
			sequences[i] = 1;
			ids[i] = &zero;
			wanted[i] = i == rows - 1;
		}
		batch work = { .n_tokens = rows, .token = tokens + at, .pos = positions, .n_seq_id = sequences, .seq_id = ids, .logits = wanted };
		if (((int (*)(void *, batch))find("llama_decode"))(context, work))
			fail("a step failed");
		at += rows;
	}
	printf("{\"%s\": %d, \"depth\": %d, \"threads\": 1, \"build\": \"", argv[2], count, depth);
	print_build();
	printf("\"}\n");
	fflush(stdout);
	/* What ends a program is not measured. */
	_exit(0);
}
