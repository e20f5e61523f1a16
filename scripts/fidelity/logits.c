// SPDX-License-Identifier: GPL-2.0
/*
 * The logits of llama.cpp at every position of given sequences, as sislm-host logits writes those of sislm.
 *
 * logits BACKENDS MODEL SEQUENCES OUTPUT
 *
 * BACKENDS is the folder of ggml's backends. SEQUENCES has the ids of one sequence on each line. OUTPUT gets a row of f32 for each id. Keys and values are kept in
 * f32, so that what differs is the arithmetic alone.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ggml-backend.h>
#include <llama.h>

/* Tokens of a pass. */
#define BATCH 64
/* Longest sequence. */
#define TOKENS_MAX 4096

static void quiet(enum ggml_log_level level, const char *text, void *data)
{
	(void)data;
	if (level == GGML_LOG_LEVEL_ERROR)
		fputs(text, stderr);
}

/* Ids of a line. */
static int parse(char *line, llama_token *ids)
{
	int count = 0;

	for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
		if (count == TOKENS_MAX)
			errx(1, "a sequence has more than %d tokens", TOKENS_MAX);
		ids[count++] = atoi(word);
	}
	return count;
}

/* Evaluates `count` ids from position `first` on, and writes a row of `vocabulary` logits for each. */
static void evaluate(struct llama_context *context, struct llama_batch *batch, const llama_token *ids, int first, int count,
		     size_t vocabulary, FILE *output)
{
	batch->n_tokens = count;
	for (int i = 0; i < count; i++) {
		batch->token[i] = ids[first + i];
		batch->pos[i] = first + i;
		batch->n_seq_id[i] = 1;
		batch->seq_id[i][0] = 0;
		batch->logits[i] = 1;
	}
	if (llama_decode(context, *batch))
		errx(1, "llama_decode failed at position %d", first);
	for (int i = 0; i < count; i++)
		if (fwrite(llama_get_logits_ith(context, i), sizeof(float), vocabulary, output) != vocabulary)
			err(1, "cannot write");
}

int main(int argc, char **argv)
{
	static llama_token ids[TOKENS_MAX];
	char *line = NULL;
	size_t room = 0;

	if (argc != 5)
		errx(1, "usage: logits BACKENDS MODEL SEQUENCES OUTPUT");
	llama_log_set(quiet, NULL);
	ggml_backend_load_all_from_path(argv[1]);
	llama_backend_init();

	struct llama_model *model = llama_model_load_from_file(argv[2], llama_model_default_params());
	if (!model)
		errx(1, "cannot load %s", argv[2]);
	struct llama_context_params parameters = llama_context_default_params();
	/* The model's own: long factors of rotation are chosen by it. */
	int trained = llama_model_n_ctx_train(model);
	parameters.n_ctx = trained < TOKENS_MAX ? trained : TOKENS_MAX;
	parameters.n_batch = parameters.n_ubatch = BATCH;
	parameters.n_threads = parameters.n_threads_batch = 1;
	parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
	parameters.type_k = parameters.type_v = GGML_TYPE_F32;
	struct llama_context *context = llama_init_from_model(model, parameters);
	if (!context)
		errx(1, "cannot make a context for %s", argv[2]);

	size_t vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
	struct llama_batch batch = llama_batch_init(BATCH, 0, 1);
	FILE *sequences = fopen(argv[3], "r"), *output = fopen(argv[4], "w");
	if (!sequences || !output)
		err(1, "cannot open %s", sequences ? argv[4] : argv[3]);
	while (getline(&line, &room, sequences) > 0) {
		int count = parse(line, ids);

		llama_memory_clear(llama_get_memory(context), true);
		for (int first = 0; first < count; first += BATCH)
			evaluate(context, &batch, ids, first, count - first < BATCH ? count - first : BATCH, vocabulary, output);
	}
	if (fclose(output))
		err(1, "cannot write %s", argv[4]);
	return 0;
}
