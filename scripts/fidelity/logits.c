// SPDX-License-Identifier: GPL-2.0
/*
 * The logits of llama.cpp at every position of given sequences, as sislm-host logits writes those of sislm, or an encoder's embeddings.
 *
 * logits BACKENDS MODEL SEQUENCES OUTPUT [embeddings]
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

/* Evaluates `count` ids from position `first` on, and writes a row of `width` numbers that `row` gives for each. */
static void evaluate(struct llama_context *context, struct llama_batch *batch, const llama_token *ids, int first, int count,
		     float *(*row)(struct llama_context *, int32_t), size_t width, FILE *output)
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
		if (fwrite(row(context, i), sizeof(float), width, output) != width)
			err(1, "cannot write");
}

int main(int argc, char **argv)
{
	static llama_token ids[TOKENS_MAX];
	char *line = NULL;
	size_t room = 0;

	bool embeddings = argc == 6 && !strcmp(argv[5], "embeddings");

	if (argc != 5 && !embeddings)
		errx(1, "usage: logits BACKENDS MODEL SEQUENCES OUTPUT [embeddings]");
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
	int rows = embeddings ? (int)parameters.n_ctx : BATCH;
	parameters.n_batch = parameters.n_ubatch = rows;
	if (embeddings) {
		/* All positions see all others, so a sequence is one pass. */
		parameters.embeddings = true;
		parameters.pooling_type = LLAMA_POOLING_TYPE_NONE;
		parameters.attention_type = LLAMA_ATTENTION_TYPE_NON_CAUSAL;
	}
	parameters.n_threads = parameters.n_threads_batch = 1;
	parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
	parameters.type_k = parameters.type_v = GGML_TYPE_F32;
	struct llama_context *context = llama_init_from_model(model, parameters);
	if (!context)
		errx(1, "cannot make a context for %s", argv[2]);

	size_t width = embeddings ? llama_model_n_embd_out(model) : llama_vocab_n_tokens(llama_model_get_vocab(model));
	struct llama_batch batch = llama_batch_init(rows, 0, 1);
	FILE *sequences = fopen(argv[3], "r"), *output = fopen(argv[4], "w");
	if (!sequences || !output)
		err(1, "cannot open %s", sequences ? argv[4] : argv[3]);
	while (getline(&line, &room, sequences) > 0) {
		int count = parse(line, ids);

		/* An encoder has none. */
		if (llama_get_memory(context))
			llama_memory_clear(llama_get_memory(context), true);
		for (int first = 0; first < count; first += rows)
			evaluate(context, &batch, ids, first, count - first < rows ? count - first : rows,
				 embeddings ? llama_get_embeddings_ith : llama_get_logits_ith, width, output);
	}
	if (fclose(output))
		err(1, "cannot write %s", argv[4]);
	return 0;
}
