/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * sislm - a language model as a file: the userspace interface of /dev/sislm.
 *
 * This header is the only definition of the interface; the module and the
 * client both generate their bindings from it. Documentation/abi.rst
 * describes the behaviour.
 *
 * Rules for every structure: fixed-width fields, explicit padding that must be
 * zero, pointers as __u64, probabilities and times as integers, no floating
 * point. The size encoded in the ioctl number is the size the caller knows: a
 * larger structure is accepted while all bytes unknown to the kernel are zero
 * (else E2BIG), a shorter one is completed with zeroes. New members and new
 * ioctls go to the end. Unknown flags are EINVAL, unknown commands ENOTTY.
 */
#ifndef _UAPI_SISLM_H
#define _UAPI_SISLM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/** SISLM_ABI_VERSION: raised when an existing member changes its meaning. */
#define SISLM_ABI_VERSION	1
#define SISLM_NAME_MAX		64	/* model name, with its version, NUL included */
#define SISLM_BASE_MAX		53	/* model name without a version, NUL included */
#define SISLM_TARGETS_MAX	4	/* versions that an alias gives */
#define SISLM_CANDIDATES_MAX	8	/* models among which SISLM_CONFIGURE_AUTO chooses */
#define SISLM_CHOICES_PER_SECOND 32	/* of a user: each makes records */
#define SISLM_RANK_MAX		1000	/* an operator's opinion of a model */
#define SISLM_SHADOWS_MAX	16	/* aliases that have a shadow */
#define SISLM_PAIRS_MAX		8	/* versions whose answers are told apart by a shadow */
#define SISLM_WEIGHT_MAX	1000000	/* weight of one of them */
#define SISLM_DIGEST_SIZE	32	/* SHA-256 */
#define SISLM_STOP_MAX		4	/* stop strings, and stop ids, per file */
#define SISLM_STOP_BYTES	32	/* bytes of one stop string */
#define SISLM_BREAKER_MAX	8	/* sequence breakers of DRY per file */
#define SISLM_BREAKER_BYTES	32	/* bytes of one of them */
#define SISLM_BIAS_MAX		1024	/* logit biases per file */
#define SISLM_BIAS_BANNED	(-2147483647 - 1)	/* the bias of a token that is never drawn */
#define SISLM_TOP_MAX		64	/* candidates per position in EVALUATE */
#define SISLM_VALUE_MAX		32	/* text of a metadata key in LOAD, NUL included */
#define SISLM_ENDS_MAX		16	/* ids that end a turn in MODEL */
#define SISLM_PARTS_MAX		256	/* ranges of files behind the one of LOAD */
#define SISLM_ADAPTERS_MAX	4	/* adapters of a model */
#define SISLM_SCALE_MAX	100000000	/* scale of an adapter, millionths, either sign */
#define SISLM_LITERAL_MAX	4096	/* literal parts of a text in TOKENIZE */
#define SISLM_KEY_MAX		64	/* metadata key in METADATA, NUL included */
#define SISLM_METADATA_MAX	65536	/* longest string of a key that is kept */
#define SISLM_ARCHITECTURE_MAX	24	/* name of an architecture, NUL included */
#define SISLM_NONCE_SIZE	16	/* random bytes of a commitment */
#define SISLM_MILLION		1000000	/* unit of fractions and log-probabilities */

/* Instruction levels, ascending; also the values of the module parameter simd=. */
#define SISLM_SIMD_AUTOMATIC	0
#define SISLM_SIMD_SCALAR	1
#define SISLM_SIMD_NEON		2
#define SISLM_SIMD_DOTPROD	3
#define SISLM_SIMD_I8MM		4

/* Architectures and tokenizers a model can have. */
#define SISLM_ARCH_LLAMA	1
#define SISLM_ARCH_GPT2		2
#define SISLM_TOKENIZER_SPM	1	/* SentencePiece BPE: scores, byte fallback */
#define SISLM_TOKENIZER_BPE	2	/* byte-level BPE: merges */
#define SISLM_TOKENIZER_WPM	3	/* WordPiece: longest pieces of words */
#define SISLM_TOKENIZER_UTF8	4	/* BPE of characters: merges, byte fallback */
#define SISLM_TOKENIZER_UGM	5	/* Unigram: pieces of the greatest score in sum */

/* Type of the stored keys and values. */
#define SISLM_KV_F16		0
#define SISLM_KV_F32		1
#define SISLM_KV_Q8_0		2	/* 8-bit integers, a binary16 scale per 32 */

/* Why a turn ended. */
#define SISLM_FINISH_NONE	0	/* no turn yet, or it is running */
#define SISLM_FINISH_STOP	1	/* a token that ends a turn, or a stop string */
#define SISLM_FINISH_LENGTH	2	/* max_tokens reached */
#define SISLM_FINISH_CONTEXT	3	/* no position left in the context */
#define SISLM_FINISH_CANCELLED	4	/* CANCEL, RESET or close */
#define SISLM_FINISH_NUMERIC	5	/* a non-finite activation */
#define SISLM_FINISH_ERROR	6	/* memory, prompt too long, device broken */
#define SISLM_FINISH_DEADLINE	7	/* the time that CONFIGURE gave it is over */

/* Why a model was refused (struct sislm_load.reason). */
#define SISLM_LOAD_OK			0
#define SISLM_LOAD_NOT_GGUF		1	/* magic */
#define SISLM_LOAD_VERSION		2	/* GGUF version not 2 or 3, or big-endian */
#define SISLM_LOAD_TRUNCATED		3	/* the file ends before its contents */
#define SISLM_LOAD_MALFORMED		4	/* structure of the header */
#define SISLM_LOAD_COUNT		5	/* a count or length over its cap */
#define SISLM_LOAD_KEY_MISSING		6	/* a required metadata key */
#define SISLM_LOAD_KEY_TYPE		7	/* a metadata key of the wrong type */
#define SISLM_LOAD_KEY_VALUE		8	/* a metadata value out of range */
#define SISLM_LOAD_ARCHITECTURE		9	/* not a supported architecture */
#define SISLM_LOAD_TOKENIZER		10	/* not a supported tokenizer */
#define SISLM_LOAD_TENSOR_MISSING	11
#define SISLM_LOAD_TENSOR_TYPE		12	/* weight format not supported */
#define SISLM_LOAD_TENSOR_SHAPE		13
#define SISLM_LOAD_TENSOR_BOUNDS	14	/* outside the file, or overlapping */
#define SISLM_LOAD_TENSOR_DUPLICATE	15
#define SISLM_LOAD_NOT_FINITE		16	/* weight or scale is inf or NaN */
#define SISLM_LOAD_LIMIT		17	/* over a limit set with a module parameter */
#define SISLM_LOAD_VOCABULARY		18	/* inconsistent vocabulary */
#define SISLM_LOAD_UNSUPPORTED		19	/* a key or tensor asks for mathematics that is not here */
#define SISLM_LOAD_SPLIT		20	/* one part of a split model */
#define SISLM_LOAD_TENSOR_UNKNOWN	21	/* no model of the architecture has it */
#define SISLM_LOAD_VECTOR_TYPE		22	/* format of a norm or bias not supported */
#define SISLM_LOAD_ADAPTER		23	/* no adapter, or one of another architecture */

/* How the hidden states of a text become its embedding. */
#define SISLM_POOLING_MODEL	0	/* as the model's file says */
#define SISLM_POOLING_NONE	1	/* not at all: each token has its own */
#define SISLM_POOLING_MEAN	2
#define SISLM_POOLING_FIRST	3	/* that of the first token */
#define SISLM_POOLING_LAST	4	/* that of the last token */

/* What a token is, by its number in tokenizer.ggml.token_type (struct sislm_vocabulary). */
#define SISLM_TOKEN_UNDEFINED	0
#define SISLM_TOKEN_NORMAL	1	/* text */
#define SISLM_TOKEN_UNKNOWN	2	/* stands for text that the vocabulary lacks */
#define SISLM_TOKEN_CONTROL	3	/* a mark that is no text */
#define SISLM_TOKEN_USER_DEFINED 4	/* text that is always one token */
#define SISLM_TOKEN_UNUSED	5
#define SISLM_TOKEN_BYTE	6	/* one byte */

/* How struct sislm_load.detail is to be read. */
#define SISLM_DETAIL_NUMBER	0
#define SISLM_DETAIL_F32	1	/* bits of an f32 in the low half */
#define SISLM_DETAIL_TEXT	2	/* not at all: the value is a text */

/* What a model has otherwise than its file says (struct sislm_model.notes). */
#define SISLM_NOTE_BOS		(1u << 0)	/* bos_token_id is no token: the usual one, or none */
#define SISLM_NOTE_EOS		(1u << 1)	/* eos_token_id is no token: the usual one, or none */
#define SISLM_NOTE_UNKNOWN	(1u << 2)	/* unknown_token_id is no token: the usual one, or none */
#define SISLM_NOTE_END		(1u << 3)	/* another id that ends a turn is no token: not used */
#define SISLM_NOTE_MARK		(1u << 4)	/* a token named as an end of turn is made a control token */
#define SISLM_NOTE_SCORES	(1u << 5)	/* no scores: all are 0 */
#define SISLM_NOTE_WINDOW	(1u << 6)	/* the sliding window is passed over: all positions are seen */
#define SISLM_NOTE_PRETOKENIZER	(1u << 7)	/* no pre-tokenizer is named: the one called default */
#define SISLM_NOTE_METADATA	(1u << 8)	/* a string that METADATA would give is too long, and not kept */

/**
 * struct sislm_query - version, capabilities and limits
 * @abi: Output: SISLM_ABI_VERSION of the module.
 * @numerics: Output: version of the numerics contract.
 * @simd: Output: SISLM_SIMD_* level in use, never AUTOMATIC.
 * @threads: Output: worker threads of the team (callers help in addition).
 * @models: Output: number of loaded models.
 * @sessions: Output: number of open files of the user who opened this one; for
 *	an administrator who opened it, of all users.
 * @sessions_max: Output: limit of open files.
 * @prompt_max: Output: limit of one prompt, in bytes.
 * @context_max: Output: limit of a context, in positions.
 * @context_default: Output: positions of a context when none are asked for, or the
 *	model's own when smaller.
 * @model_max: Output: limit of the packed model, in bytes.
 * @kv_max: Output: limit of all keys and values, in bytes.
 * @longest_section: Output: most work done in one NEON section, in weight bytes.
 */
struct sislm_query {
	__u32 abi;
	__u32 numerics;
	__u32 simd;
	__u32 threads;
	__u32 models;
	__u32 sessions;
	__u32 sessions_max;
	__u32 prompt_max;
	__u32 context_max;
	__u32 context_default;
	__u64 model_max;
	__u64 kv_max;
	__u64 longest_section;
};

/**
 * struct sislm_part - a range of a file
 * @fd: descriptor of a regular file, open for reading.
 * @pad: Must be zero.
 * @offset: of its first byte in the file.
 * @bytes: its length; EINVAL when it goes past the end of the file.
 */
struct sislm_part {
	__s32 fd;
	__u32 pad;
	__u64 offset;
	__u64 bytes;
};

/**
 * struct sislm_adapter_file - an adapter (LoRA) to load with a model
 * @fd: descriptor of a regular file, open for reading.
 * @scale: millionths, within SISLM_SCALE_MAX: what it is multiplied by where CONFIGURE
 *	does not say.
 */
struct sislm_adapter_file {
	__s32 fd;
	__s32 scale;
};

#define SISLM_LOAD_REPLACE	(1u << 0)	/* in place of all versions before, which are unloaded as by DRAIN */

/**
 * struct sislm_load - load a GGUF file under a name (CAP_SYS_ADMIN)
 * @fd: Input: descriptor of a regular file, open for reading. Its position is
 *	neither used nor changed.
 * @flags: Input: SISLM_LOAD_REPLACE, or zero.
 * @name: Input: 1 to 52 characters of [A-Za-z0-9._-], NUL-terminated, then zero.
 * @done: Output: bytes of the file read so far, also on EINTR and on errors.
 * @total: Output: size of the model in bytes.
 * @reason: Output: SISLM_LOAD_*, set with EINVAL, EFBIG and EOPNOTSUPP.
 * @pad: Must be zero.
 * @detail: Output: number that belongs to @reason (offset, count, block).
 * @subject: Output: metadata key or tensor that @reason is about, NUL-terminated.
 * @digest_ns: Output: time spent in the digest.
 * @pack_ns: Output: time spent in packing, by all tasks together.
 * @read_ns: Output: time spent in reading.
 * @load_ns: Output: time of the load from start to end; digest, packing and
 *	reading go on at the same time.
 * @detail_type: Output: SISLM_DETAIL_*.
 * @pad2: Must be zero.
 * @value: Output: text that the metadata key @subject has, cut to fit, NUL-terminated.
 * @parts: Input: struct sislm_part, @part_count of them, or 0.
 * @part_count: Input: 0 to SISLM_PARTS_MAX.
 * @pad3: Must be zero.
 * @adapters: Input: struct sislm_adapter_file, @adapter_count of them, or 0.
 * @adapter_count: Input: 0 to SISLM_ADAPTERS_MAX.
 * @refused_file: Output: which file @reason is about: 0 for the model, else the place of
 *	the adapter, from 1.
 * @version: Output: the version that the model is.
 * @shared: Output: 1 when it shares the memory of another.
 * @rank: Input: 1 to SISLM_RANK_MAX, the more the better, for SISLM_CONFIGURE_AUTO; 0 for never chosen.
 * @pad4: Must be zero.
 *
 * The model becomes the next version of its name, from 1: NAME@VERSION is the name of it alone, and
 * stays so as long as the module does. NAME is an alias, of the newest version until ALIAS sets it. Wherever a
 * model is named, both are taken, but LOAD, where a name has no version, and ALIAS.
 *
 * EEXIST: a model of the name is being loaded. A file with the bytes of a loaded model's, and adapters
 * with those of its, shares its memory.
 *
 * The model is the file @fd, and behind it the bytes of @parts in their order. What
 * is said of a file (its size, offsets, digest) is meant of all that as one; @done and
 * @total count adapters with it. An adapter is for this model alone, and is unloaded with it.
 */
struct sislm_load {
	__s32 fd;
	__u32 flags;
	__u8 name[SISLM_NAME_MAX];
	__u64 done;
	__u64 total;
	__u32 reason;
	__u32 pad;
	__u64 detail;
	__u8 subject[SISLM_NAME_MAX];
	__u64 digest_ns;
	__u64 pack_ns;
	__u64 read_ns;
	__u64 load_ns;
	__u32 detail_type;
	__u32 pad2;
	__u8 value[SISLM_VALUE_MAX];
	__u64 parts;
	__u32 part_count;
	__u32 pad3;
	__u64 adapters;
	__u32 adapter_count;
	__u32 refused_file;
	__u32 version;
	__u32 shared;
	__u32 rank;
	__u32 pad4;
};

#define SISLM_UNLOAD_FORCE	(1u << 0)	/* although files have a context on it, or an alias gives it */
#define SISLM_UNLOAD_DRAIN	(1u << 1)	/* when no file has a context on it any more */

/**
 * struct sislm_unload - unload a model (CAP_SYS_ADMIN)
 * @name: Input: name given to LOAD, when there is one version of it (ENOTUNIQ), or that with a version.
 *	EBUSY while it is being loaded; while a file has a context on it, an alias that was set gives it or it
 *	is a shadow, unless forced.
 * @flags: Input: SISLM_UNLOAD_*, at most one.
 * @pad: Must be zero.
 *
 * With DRAIN no file begins to use it any more, and it is unloaded when the last one that does is closed or
 * configured anew; EBUSY while an alias that was set gives it. Forced, such aliases give it no more.
 *
 * By force, turns on the model end with finish reason ERROR and EIDRM in RESULT,
 * and so does whatever their files do with it, until CONFIGURE.
 */
struct sislm_unload {
	__u8 name[SISLM_NAME_MAX];
	__u32 flags;
	__u32 pad;
};

/**
 * struct sislm_progress - progress of the load under a name
 * @name: Input: name given to LOAD.
 * @done: Output: bytes read.
 * @total: Output: bytes of the file.
 */
struct sislm_progress {
	__u8 name[SISLM_NAME_MAX];
	__u64 done;
	__u64 total;
};

/**
 * struct sislm_adapter - an adapter of a loaded model
 * @title: general.name of its file, cut to fit, NUL-terminated.
 * @digest: SHA-256 of its file.
 * @file_bytes: size of its file.
 * @parameters: number of its weights.
 * @scale: millionths: what it is multiplied by where CONFIGURE does not say.
 * @rank: its largest rank.
 */
struct sislm_adapter {
	__u8 title[SISLM_NAME_MAX];
	__u8 digest[SISLM_DIGEST_SIZE];
	__u64 file_bytes;
	__u64 parameters;
	__s32 scale;
	__u32 rank;
};

#define SISLM_MODEL_LEAVING	(1u << 0)	/* unloaded when no file has a context on it any more */
#define SISLM_MODEL_SHARED	(1u << 1)	/* its memory is another's too, and counted once */

/**
 * struct sislm_model - one loaded model
 * @index: Input: place in the list, from 0, when @name is empty; ENOENT past the end.
 * @flags: Input: must be zero.
 * @name: Input: the model asked for, or empty. Output: its name.
 * @title: Output: general.name of the file, cut to fit, NUL-terminated.
 * @digest: Output: SHA-256 of the file.
 * @file_bytes: Output: size of the file.
 * @parameters: Output: number of weights.
 * @weight_bytes: Output: packed weights, norms and biases in memory.
 * @vocabulary_bytes: Output: vocabulary tables in memory.
 * @model_bytes: Output: descriptors and strings of the metadata in memory.
 * @arena_bytes: Output: memory taken for the model from the kernel, all parts.
 * @step_bytes: Output: activations of one step, for all who compute, at the longest context.
 * @kv_block_bytes: Output: one block of 32 positions in f16.
 * @kv_bytes: Output: keys and values in use now by the user who opened this
 *	file; for an administrator who opened it, by all users.
 * @peak_bytes: Output: most memory the module held while loading it.
 * @architecture: Output: SISLM_ARCH_*, 0 for those that have only a name.
 * @tokenizer: Output: SISLM_TOKENIZER_*.
 * @layers: Output.
 * @embedding: Output: width of the residual stream.
 * @heads: Output: attention heads.
 * @kv_heads: Output: key and value heads (GQA when fewer than @heads).
 * @head_size: Output: dimensions of a head.
 * @feed_forward: Output: width of the feed-forward layer.
 * @vocabulary: Output: number of token ids.
 * @context: Output: most positions of a context (the model's own, within the limit).
 * @bos: Output: id put before the text at position 0, or ~0.
 * @eos: Output: end-of-sequence token, or ~0.
 * @file_type: Output: general.file_type, or ~0.
 * @users: Output: open files with a context on this model; likewise of the user
 *	or of all.
 * @notes: Output: SISLM_NOTE_*.
 * @end_count: Output: number of token ids that end a turn.
 * @ends: Output: the first SISLM_ENDS_MAX of them, ascending, then zero.
 * @architecture_name: Output: its name in general.architecture, NUL-terminated.
 * @pooling: Output: SISLM_POOLING_* that its file names; NONE when it names none.
 * @encoder: Output: 1 when all positions of a text attend to all and there is no head:
 *	it makes embeddings, and no text.
 * @adapter_count: Output: number of its adapters.
 * @pad: Output: zero.
 * @adapters: Output: the adapters, then zero.
 * @version: Output: the version that it is; @name is given without.
 * @state: Output: SISLM_MODEL_*.
 * @instance: Output: number of its load, as in records.
 * @generation: Output: that of the alias which @name was; 0 when it had a version, or was empty.
 * @rank: Output: as LOAD said.
 * @pad2: Output: zero.
 *
 * Of an alias of several versions MODEL, METADATA, VOCABULARY and METRICS tell of the one that CONFIGURE
 * would give to this file.
 */
struct sislm_model {
	__u32 index;
	__u32 flags;
	__u8 name[SISLM_NAME_MAX];
	__u8 title[SISLM_NAME_MAX];
	__u8 digest[SISLM_DIGEST_SIZE];
	__u64 file_bytes;
	__u64 parameters;
	__u64 weight_bytes;
	__u64 vocabulary_bytes;
	__u64 model_bytes;
	__u64 arena_bytes;
	__u64 step_bytes;
	__u64 kv_block_bytes;
	__u64 kv_bytes;
	__u64 peak_bytes;
	__u32 architecture;
	__u32 tokenizer;
	__u32 layers;
	__u32 embedding;
	__u32 heads;
	__u32 kv_heads;
	__u32 head_size;
	__u32 feed_forward;
	__u32 vocabulary;
	__u32 context;
	__u32 bos;
	__u32 eos;
	__u32 file_type;
	__u32 users;
	__u32 notes;
	__u32 end_count;
	__u32 ends[SISLM_ENDS_MAX];
	__u8 architecture_name[SISLM_ARCHITECTURE_MAX];
	__u32 pooling;
	__u32 encoder;
	__u32 adapter_count;
	__u32 pad;
	struct sislm_adapter adapters[SISLM_ADAPTERS_MAX];
	__u32 version;
	__u32 state;
	__u64 instance;
	__u64 generation;
	__u32 rank;
	__u32 pad2;
};

/**
 * struct sislm_metadata - a string of a loaded model's metadata
 * @name: Input: the model.
 * @key: Input: the key, NUL-terminated, then zero: tokenizer.chat_template,
 *	tokenizer.chat_template.tool_use, tokenizer.ggml.model, tokenizer.ggml.pre,
 *	general.architecture, name, basename, finetune, size_label, version,
 *	organization, author, description, license, license.link, url.
 * @text: Input: where the bytes go; any bytes, as the file has them, without a NUL.
 * @capacity: Input: bytes at @text. ENOSPC when too few, with @length set.
 * @length: Output: bytes of the string.
 * @flags: Input: must be zero.
 * @pad: Must be zero.
 *
 * EINVAL: not one of these keys. ENODATA: the file has no string of this key.
 * EFBIG: it has, of more than SISLM_METADATA_MAX bytes, which is not kept.
 */
struct sislm_metadata {
	__u8 name[SISLM_NAME_MAX];
	__u8 key[SISLM_KEY_MAX];
	__u64 text;
	__u32 capacity;
	__u32 length;
	__u32 flags;
	__u32 pad;
};

/**
 * struct sislm_vocabulary - the tokens of a loaded model
 * @name: Input: the model.
 * @types: Input: where SISLM_TOKEN_* of each token goes, a __u8 each, by ascending id.
 * @ends: Input: where the place in @text at which its bytes end goes, a __u32 each; they
 *	begin where those of the token before end, at 0 for the first.
 * @text: Input: where the bytes go: of each token what DETOKENIZE gives for it behind
 *	others, with SISLM_TOKENIZE_CONTROL.
 * @capacity: Input: entries at @types and at @ends.
 * @text_capacity: Input: bytes at @text.
 * @count: Output: tokens.
 * @text_length: Output: bytes of all of them.
 * @flags: Input: must be zero.
 * @pad: Must be zero.
 *
 * ENOSPC when a capacity is too little, with @count and @text_length set.
 */
struct sislm_vocabulary {
	__u8 name[SISLM_NAME_MAX];
	__u64 types;
	__u64 ends;
	__u64 text;
	__u32 capacity;
	__u32 text_capacity;
	__u32 count;
	__u32 text_length;
	__u32 flags;
	__u32 pad;
};

/**
 * struct sislm_sampling - how the next token is drawn
 * @temperature: millionths, 0 to 100000000; 0 is greedy (argmax).
 * @top_k: candidates kept, 0 for all.
 * @top_p: millionths, 1 to 1000000; 1000000 keeps all.
 * @min_p: millionths, 0 to 1000000; 0 keeps all.
 * @typical_p: millionths, 1 to 1000000; 1000000 keeps all.
 * @repeat_penalty: millionths, 1 to 100000000; 1000000 is none.
 * @repeat_last: tokens looked back at by the penalties; 0 for none.
 * @presence_penalty: millionths, -100000000 to 100000000.
 * @frequency_penalty: millionths, -100000000 to 100000000.
 * @pad: Must be zero.
 */
struct sislm_sampling {
	__u32 temperature;
	__u32 top_k;
	__u32 top_p;
	__u32 min_p;
	__u32 typical_p;
	__u32 repeat_penalty;
	__u32 repeat_last;
	__s32 presence_penalty;
	__s32 frequency_penalty;
	__u32 pad;
};

/**
 * struct sislm_samplers - ways of drawing that are off unless asked for
 * @dry_multiplier: DRY: millionths, 0 to 100000000; 0 is off.
 * @dry_base: millionths, 1000000 to 100000000; also 0 while DRY is off. A token that
 *	would make a repetition of n tokens longer loses @dry_multiplier times @dry_base
 *	to the power of (n - @dry_allowed_length).
 * @dry_allowed_length: tokens of the shortest repetition that is penalized.
 * @dry_last: tokens looked back at; 0 for none.
 * @top_n_sigma: millionths, 0 to 100000000: standard deviations that a logit may lie
 *	below the best one; 0 keeps all.
 * @xtc_probability: XTC: millionths, 0 to 1000000: share of the draws in which all but the
 *	least likely of the candidates that reach @xtc_threshold are dropped; 0 is off.
 * @xtc_threshold: millionths, 0 to 1000000.
 * @dynatemp_range: millionths, 0 to 100000000: how far the temperature may be from
 *	@temperature of struct sislm_sampling, by the entropy; 0 is off.
 * @dynatemp_exponent: millionths, 0 to 100000000: power of the normalized entropy.
 * @mirostat: 0 is off, 2 is mirostat 2.
 * @mirostat_tau: millionths of a bit, 0 to 100000000: surprise aimed at.
 * @mirostat_eta: millionths, 0 to 100000000: how fast its limit follows.
 * @breaker_count: strings of @breaker, 0 to SISLM_BREAKER_MAX.
 * @pad: Must be zero.
 * @breaker_length: bytes of each, 1 to SISLM_BREAKER_BYTES.
 * @breaker: text that repetitions of DRY do not reach across; bytes past their lengths zero.
 *
 * All zero: none of them. The order is that of llama.cpp: biases, penalties, DRY,
 * top-n-sigma, top-k, typical, top-p, min-p, XTC, temperature, mirostat. A temperature of
 * 0 without @dynatemp_range takes the best after biases, penalties and DRY.
 */
struct sislm_samplers {
	__u32 dry_multiplier;
	__u32 dry_base;
	__u32 dry_allowed_length;
	__u32 dry_last;
	__u32 top_n_sigma;
	__u32 xtc_probability;
	__u32 xtc_threshold;
	__u32 dynatemp_range;
	__u32 dynatemp_exponent;
	__u32 mirostat;
	__u32 mirostat_tau;
	__u32 mirostat_eta;
	__u32 breaker_count;
	__u32 pad;
	__u32 breaker_length[SISLM_BREAKER_MAX];
	__u8 breaker[SISLM_BREAKER_MAX][SISLM_BREAKER_BYTES];
};

/**
 * struct sislm_bias - what is added to the logit of a token
 * @id: the token, below the model's vocabulary.
 * @bias: millionths, -100000000 to 100000000, or SISLM_BIAS_BANNED.
 */
struct sislm_bias {
	__u32 id;
	__s32 bias;
};

#define SISLM_CONFIGURE_SEED	(1u << 0)	/* @seed is given, else it is drawn */
#define SISLM_CONFIGURE_CONTROL	(1u << 1)	/* control tokens in text are parsed */
#define SISLM_CONFIGURE_IGNORE_EOS (1u << 2)	/* generate past the tokens that end a turn */
#define SISLM_CONFIGURE_UNHELPED (1u << 3)	/* computed by who waits for it, not by workers */
#define SISLM_CONFIGURE_SCALES	(1u << 4)	/* @scales are given, else they are those of LOAD */
#define SISLM_CONFIGURE_AUTO	(1u << 5)	/* the module chooses the model */

#define SISLM_CHOICE_NONE	0	/* a model was named */
#define SISLM_CHOICE_BEST	1	/* the highest rank */
#define SISLM_CHOICE_DEADLINE	2	/* the highest that is in time: better ones would not be */
#define SISLM_CHOICE_MEMORY	3	/* the highest that has memory: the best one has not */
#define SISLM_CHOICE_LEAST	4	/* none fits: the one that is ready first */

/**
 * struct sislm_configure - model, context and sampling of this file
 * @flags: Input: SISLM_CONFIGURE_*.
 * @context: Input: positions, 0 for the default (struct sislm_query, or the model's own
 *	when smaller).
 * @kv_type: Input: SISLM_KV_*.
 * @max_tokens: Input: most tokens of a turn, 0 for no limit but the context.
 * @model: Input: name, or empty for `default`, else the only one loaded.
 * @sampling: Input.
 * @seed: Input: with SISLM_CONFIGURE_SEED. Output: the seed in use.
 * @stop_count: Input: stop strings, 0 to SISLM_STOP_MAX.
 * @pad: Must be zero.
 * @stop_length: Input: bytes of each stop string, 1 to SISLM_STOP_BYTES.
 * @stop: Input: the stop strings; bytes past their lengths zero. They are looked
 *	for in the answer's text, of which control tokens are no part.
 * @stop_ids: Input: tokens that end a turn, whatever @flags say.
 * @stop_id_count: Input: entries of @stop_ids in use, 0 to SISLM_STOP_MAX; the others
 *	zero. EINVAL for an id that is not below the model's vocabulary.
 * @pad2: Must be zero.
 * @refused: Output: with EINVAL, the place in this structure, in bytes, of the member of
 *	@sampling or @samplers that is outside its range, of @bias_count, or of @biases for
 *	one of them; else 0.
 * @pad3: Must be zero.
 * @refused_least: Output: least value of that member.
 * @refused_most: Output: its largest.
 * @samplers: Input.
 * @biases: Input: struct sislm_bias, @bias_count of them, by ascending id, none twice.
 * @bias_count: Input: 0 to SISLM_BIAS_MAX; fewer are banned than the model has tokens.
 * @keep: Input: most positions of the context to keep, the first ones. Output: those
 *	that are kept; 0 where the model, its positions, @kv_type or scales are others than before,
 *	and for a model whose layers carry a state unless all that is computed is kept.
 * @scales: Input: with SISLM_CONFIGURE_SCALES what each adapter of the model is multiplied by,
 *	millionths, within SISLM_SCALE_MAX, 0 for off; else zero, as those past the last adapter.
 * @tenant: Input: any number: for whom the turns are. The caller's time is divided between
 *	its tenants equally, whatever each of them asks for.
 * @deadline_ms: Input: milliseconds from the start of a turn, 0 for no limit: then it ends with
 *	finish reason DEADLINE and the text so far. Not for EVALUATE.
 * @tokens_per_second: Input: most tokens of answers in a second, 0 for no limit. A turn that has
 *	had them waits; up to those of a second are made up for.
 * @prompt_tokens: Input: with SISLM_CONFIGURE_AUTO, the tokens that the prompt will have, about; else 0.
 * @choice: Output: SISLM_CHOICE_*: why it is @chosen.
 * @chosen: Output: the version that this file uses.
 *
 * With SISLM_CONFIGURE_AUTO @model is empty, and one of the models that LOAD gave a rank is chosen: by
 * @prompt_tokens, @max_tokens (0: the context), @deadline_ms, the time that rows and tokens of each have taken, what is
 * under way on it, and memory for keys and values. ENOENT: none has a rank; EDQUOT: more than
 * SISLM_CHOICES_PER_SECOND. Records of CHOICE tell all that.
 *
 * Allowed in IDLE only (EBUSY otherwise); empties the context behind @keep. A file that is
 * never configured uses the defaults: model as above, balanced sampling
 * (0.8, 40, 0.9), a drawn seed.
 */
struct sislm_configure {
	__u32 flags;
	__u32 context;
	__u32 kv_type;
	__u32 max_tokens;
	__u8 model[SISLM_NAME_MAX];
	struct sislm_sampling sampling;
	__u64 seed;
	__u32 stop_count;
	__u32 pad;
	__u32 stop_length[SISLM_STOP_MAX];
	__u8 stop[SISLM_STOP_MAX][SISLM_STOP_BYTES];
	__u32 stop_ids[SISLM_STOP_MAX];
	__u32 stop_id_count;
	__u32 pad2;
	__u32 refused;
	__u32 pad3;
	__s64 refused_least;
	__s64 refused_most;
	struct sislm_samplers samplers;
	__u64 biases;
	__u32 bias_count;
	__u32 keep;
	__s32 scales[SISLM_ADAPTERS_MAX];
	__u64 tenant;
	__u32 deadline_ms;
	__u32 tokens_per_second;
	__u32 prompt_tokens;
	__u32 choice;
	__u8 chosen[SISLM_NAME_MAX];
};

/**
 * struct sislm_result - the last turn of this file
 * @prompt_ids: Input: where to copy the prompt's ids, __u32 each, or 0.
 * @ids: Input: where to copy the generated ids, __u32 each, or 0.
 * @prompt_capacity: Input: entries at @prompt_ids. ENOSPC when too few.
 * @capacity: Input: entries at @ids. ENOSPC when too few.
 * @prompt_count: Output: ids of the prompt; also the count of a prompt that was too long.
 * @count: Output: generated ids.
 * @finish: Output: SISLM_FINISH_*.
 * @error: Output: errno of SISLM_FINISH_ERROR, else 0.
 * @simd: Output: SISLM_SIMD_*.
 * @threads: Output: workers of the team.
 * @context: Output: positions of the context.
 * @positions: Output: positions used in it, this turn included.
 * @reused: Output: positions of the context that were kept from earlier turns.
 * @numerics: Output: version of the numerics contract.
 * @seed: Output: seed of the turn.
 * @load_ns: Output: tokenizing and setting up.
 * @prefill_ns: Output: time until the first logits.
 * @decode_ns: Output: time from the first logits to the end, waits for a reader excluded.
 * @digest: Output: SHA-256 of the model's file.
 */
struct sislm_result {
	__u64 prompt_ids;
	__u64 ids;
	__u32 prompt_capacity;
	__u32 capacity;
	__u32 prompt_count;
	__u32 count;
	__u32 finish;
	__u32 error;
	__u32 simd;
	__u32 threads;
	__u32 context;
	__u32 positions;
	__u32 reused;
	__u32 numerics;
	__u64 seed;
	__u64 load_ns;
	__u64 prefill_ns;
	__u64 decode_ns;
	__u8 digest[SISLM_DIGEST_SIZE];
};

/**
 * struct sislm_run - one whole turn in one call
 * @prompt: Input: the text.
 * @text: Input: where the answer goes.
 * @prompt_length: Input: bytes of @prompt.
 * @capacity: Input: bytes at @text; an answer that does not fit is ENOSPC,
 *	with as much as fits and its full @length.
 * @flags: Input: must be zero.
 * @length: Output: bytes of the answer.
 * @result: As in RESULT; its pointers are honoured.
 * @turn: Input: 0. Output: with EINTR the number of the turn, which goes on, else 0.
 *
 * Only in IDLE (EBUSY). After EINTR call again with the same structure: it goes on
 * with the turn; any other use of the file ends that. A call that is restarted by
 * the kernel does so by itself; one whose structure has no room for @turn loses the
 * turn. A turn that another call ends is no error: its reason is cancelled, with the
 * text until then.
 */
struct sislm_run {
	__u64 prompt;
	__u64 text;
	__u32 prompt_length;
	__u32 capacity;
	__u32 flags;
	__u32 length;
	struct sislm_result result;
	__u64 turn;
};

/**
 * struct sislm_prompt - a prompt of token ids
 * @ids: Input: __u32 each, by this file's model. They are the whole prompt: nothing is
 *	put before or behind them.
 * @count: Input: ids, at least 1; more than a context can have are EMSGSIZE.
 * @flags: Input: must be zero.
 *
 * As a write, in IDLE only (EBUSY): the turn starts when somebody asks for its text.
 * EINVAL for an id outside the vocabulary.
 */
struct sislm_prompt {
	__u64 ids;
	__u32 count;
	__u32 flags;
};

#define SISLM_TOKENIZE_BOS	(1u << 0)	/* as at position 0: BOS, EOS and space prefix as the model says */
#define SISLM_TOKENIZE_CONTROL	(1u << 1)	/* names of control tokens are these tokens */

/**
 * struct sislm_literal - a part of a text in which names of control tokens are text
 * @offset: of its first byte.
 * @length: bytes, at least 1.
 */
struct sislm_literal {
	__u32 offset;
	__u32 length;
};

/**
 * struct sislm_tokenize - text to ids, by this file's model
 * @text: Input: the bytes.
 * @ids: Input: where the ids go, __u32 each.
 * @length: Input: bytes of @text.
 * @capacity: Input: entries at @ids. ENOSPC when too few, with @count set.
 * @flags: Input: SISLM_TOKENIZE_*.
 * @count: Output: ids.
 * @literal: Input: struct sislm_literal, @literal_count of them, ascending and apart,
 *	within the text, or 0.
 * @literal_count: Input: 0 to SISLM_LITERAL_MAX; above 0 with SISLM_TOKENIZE_CONTROL only.
 * @pad: Must be zero.
 *
 * In the literal parts, such as what a user wrote within a chat template, no control
 * token is parsed, nor one whose name reaches into them. Text is cut into tokens across
 * their borders.
 */
struct sislm_tokenize {
	__u64 text;
	__u64 ids;
	__u32 length;
	__u32 capacity;
	__u32 flags;
	__u32 count;
	__u64 literal;
	__u32 literal_count;
	__u32 pad;
};

/**
 * struct sislm_detokenize - ids to text, by this file's model
 * @ids: Input: __u32 each.
 * @text: Input: where the bytes go.
 * @count: Input: ids; more than a prompt can have are EMSGSIZE.
 * @capacity: Input: bytes at @text. ENOSPC when too few, with @length set.
 * @flags: Input: SISLM_TOKENIZE_BOS: as at position 0 (leading space removed);
 *	SISLM_TOKENIZE_CONTROL: control tokens as their names, else they have no text.
 * @length: Output: bytes.
 */
struct sislm_detokenize {
	__u64 ids;
	__u64 text;
	__u32 count;
	__u32 capacity;
	__u32 flags;
	__u32 length;
};

/**
 * struct sislm_candidate - a token and its log-probability
 * @id: the token.
 * @log_probability: natural logarithm, millionths, 0 or negative.
 */
struct sislm_candidate {
	__u32 id;
	__s32 log_probability;
};

#define SISLM_EVALUATE_EMBED	(1u << 0)	/* embeddings, and no log-probabilities */

/**
 * struct sislm_evaluate - log-probabilities of given tokens, or embeddings
 * @ids: Input: __u32 each, from position 0 of an empty context.
 * @log_probabilities: Input: __s32 each, @count entries, or 0. Entry 0 is 0;
 *	entry i is ln p(ids[i] | ids[0..i]) in millionths.
 * @top: Input: struct sislm_candidate, @count rows of @top_k, or 0: the most
 *	likely tokens after ids[0..=i], descending.
 * @count: Input: ids, 1 to the context.
 * @top_k: Input: 0 to SISLM_TOP_MAX.
 * @flags: Input: SISLM_EVALUATE_*. EOPNOTSUPP: without EMBED by an encoder.
 * @done: Input: 0. Output: rows finished.
 * @nll: Output: sum of the negative log-probabilities of ids[1..], millionths.
 * @prefill_ns: Output: time spent.
 * @logits_sha256: Output: SHA-256 over the f32 bits of all rows' logits, little-endian,
 *	positions ascending: the witness of the numerics contract.
 * @turn: Input: 0. Output: with EINTR the number of the turn, which goes on, else 0.
 * @embeddings: Input: with EMBED, where f32 go: rows of the model's @embedding values,
 *	not normalized; as many rows as @count with pooling NONE, else one.
 * @embeddings_capacity: Input: f32 at @embeddings. ENOSPC when too few.
 * @pooling: Input: SISLM_POOLING_*. Output: the one that is made.
 *
 * Only in IDLE (EBUSY). Empties the context before and after. After EINTR call again
 * with the same structure, as with RUN. ECANCELED: another call has ended the turn.
 * With EMBED @log_probabilities, @top and @top_k are 0, and so are @nll and
 * @logits_sha256; @done counts rows of embeddings.
 */
struct sislm_evaluate {
	__u64 ids;
	__u64 log_probabilities;
	__u64 top;
	__u32 count;
	__u32 top_k;
	__u32 flags;
	__u32 done;
	__u64 nll;
	__u64 prefill_ns;
	__u8 logits_sha256[SISLM_DIGEST_SIZE];
	__u64 turn;
	__u64 embeddings;
	__u32 embeddings_capacity;
	__u32 pooling;
};

/**
 * struct sislm_next - the next token of a turn that its caller guides
 * @turn: Input: 0 to begin a turn on the prompt that waits (ENODATA without one), else
 *	what the call before gave. Output: the number of the turn, also with EINTR; 0 when it
 *	is over.
 * @mask: Input: __u32 each, a bit for each token of the model that may be drawn: that of
 *	token i is bit i % 32 of entry i / 32; or 0, and all may be.
 * @forced: Input: __u32 each: ids that the answer goes on with before the one that is drawn.
 * @top: Input: where @top_k struct sislm_candidate go, or 0: the most likely tokens in the
 *	place of @id, descending; those past the vocabulary have the id ~0.
 * @mask_count: Input: entries at @mask: one for each 32 tokens of the model, the last bits
 *	zero; 0 without a mask.
 * @forced_count: Input: ids at @forced; more than a context can have are EMSGSIZE.
 * @top_k: Input: 0 to SISLM_TOP_MAX.
 * @flags: Input: must be zero.
 * @id: Output: the token drawn, or ~0 for none: a forced one has ended the turn, or its end
 *	has another reason. @top is not written then.
 * @log_probability: Output: natural logarithm, millionths, of the probability that the model
 *	gives @id, whatever mask and sampling are; as EVALUATE gives it.
 * @finish: Output: SISLM_FINISH_*; NONE while the turn goes on.
 * @count: Output: ids of the answer until now, as in RESULT.
 *
 * The token is drawn as CONFIGURE says, from those that are allowed and not banned; EINVAL
 * when there is none, or for an id outside the vocabulary. Between two calls the turn waits,
 * and nothing is computed. Its text is the caller's business (VOCABULARY, DETOKENIZE): there
 * is none to read, and stop strings are not looked for. What ends other turns ends this one
 * too, forced ids included. Any call that needs another state than RUNNING ends it as CANCEL
 * does, and so does the close of the file.
 *
 * EBUSY: another turn runs, or another call goes on with this one. ECANCELED: the turn has
 * been ended by another call. EIO: it failed, RESULT says how. After EINTR call again with
 * the same structure, as with RUN; mask and forced ids of that call are not used again.
 */
struct sislm_next {
	__u64 turn;
	__u64 mask;
	__u64 forced;
	__u64 top;
	__u32 mask_count;
	__u32 forced_count;
	__u32 top_k;
	__u32 flags;
	__u32 id;
	__s32 log_probability;
	__u32 finish;
	__u32 count;
};

/**
 * struct sislm_statistics - counters of who opened this file, since they have
 *	files open; for an administrator who opened it, of all users since the
 *	module was loaded
 * @turns: Output: turns started.
 * @prompt_tokens: Output: tokens of prompts.
 * @tokens: Output: generated tokens.
 * @prefill_ns: Output.
 * @decode_ns: Output.
 * @steps: Output: forward passes; 0 for others than administrators.
 * @sections: Output: NEON sections; likewise.
 * @longest_section: Output: most work in one section, weight bytes; likewise.
 * @kv_blocks: Output: blocks of 32 positions in use.
 * @kv_bytes: Output: their memory.
 * @positions_computed: Output: positions whose keys and values were computed.
 * @positions_reused: Output: positions kept from earlier turns.
 * @memory_models: Output: memory of all models; likewise.
 * @memory_steps: Output: memory of all steps; likewise.
 * @memory_sessions: Output: memory of open files, KV blocks excluded.
 * @cancelled: Output: turns ended by CANCEL, RESET, close or a signal.
 * @served_ns: Output: computing time of steps, whoever computed them: of each its turns pay
 *	equal shares of what any step takes, and the rest by their rows.
 * @longest_step_ns: Output: the most computing time of one step; likewise.
 * @expired: Output: turns ended with finish reason DEADLINE.
 * @paced: Output: tokens after which a turn waited for its rate.
 * @sessions_refused: Output: files that were not opened: EDQUOT or ENFILE.
 * @kv_refused: Output: times that blocks were not taken: EDQUOT or ENOMEM by a limit of the module.
 * @prompts_refused: Output: prompts that were not taken: likewise.
 */
struct sislm_statistics {
	__u64 turns;
	__u64 prompt_tokens;
	__u64 tokens;
	__u64 prefill_ns;
	__u64 decode_ns;
	__u64 steps;
	__u64 sections;
	__u64 longest_section;
	__u64 kv_blocks;
	__u64 kv_bytes;
	__u64 positions_computed;
	__u64 positions_reused;
	__u64 memory_models;
	__u64 memory_steps;
	__u64 memory_sessions;
	__u64 cancelled;
	__u64 served_ns;
	__u64 longest_step_ns;
	__u64 expired;
	__u64 paced;
	__u64 sessions_refused;
	__u64 kv_refused;
	__u64 prompts_refused;
};

#define SISLM_LIMITS_SET	(1u << 0)	/* change them, else only tell them */

/**
 * struct sislm_limits - what a user may have, and has (CAP_SYS_ADMIN)
 * @uid: Input: the user, in the initial user namespace.
 * @flags: Input: SISLM_LIMITS_*.
 * @sessions: Input: open files, 0 for no change; so for the others. Output: as it is now; all
 *	bits set is no limit of this kind.
 * @namespace_sessions: the same of each cgroup namespace of the user's.
 * @kv_bytes: bytes of keys and values; within those of all (kv_max_mb=). Without a limit it is
 *	half of what other users leave.
 * @namespace_kv_bytes: the same of each cgroup namespace.
 * @prompt_bytes: bytes of prompts that wait for a reader; within those of all.
 * @namespace_prompt_bytes: the same of each cgroup namespace.
 * @tokens_per_second: tokens of answers. Output: 0 is no limit.
 * @deadline_ms: milliseconds of a turn, as in CONFIGURE; the shorter one holds. Output: 0 is no
 *	limit.
 * @sessions_used: Output: open files now.
 * @pad: Output: zero.
 * @kv_used: Output: bytes of keys and values now.
 * @prompt_used: Output: bytes of prompts that wait.
 * @served_ns: Output: as in STATISTICS.
 *
 * Limits stay until the module is removed; ENOSPC when those of 256 users are set. What is above
 * a new limit already stays. A rate or a deadline is taken back by one that nothing meets: all
 * bits set.
 */
struct sislm_limits {
	__u32 uid;
	__u32 flags;
	__u32 sessions;
	__u32 namespace_sessions;
	__u64 kv_bytes;
	__u64 namespace_kv_bytes;
	__u64 prompt_bytes;
	__u64 namespace_prompt_bytes;
	__u32 tokens_per_second;
	__u32 deadline_ms;
	__u32 sessions_used;
	__u32 pad;
	__u64 kv_used;
	__u64 prompt_used;
	__u64 served_ns;
};

/**
 * struct sislm_trace - a descriptor that reads decision records (CAP_SYS_ADMIN)
 * @flags: Input: must be zero.
 * @fd: Output: the descriptor, closed on exec. It may be given to a process without rights.
 *
 * read() gives as many whole struct sislm_record as fit, at least one: EINVAL when none does.
 * It waits for the next one; EAGAIN with O_NONBLOCK. poll() says when there is one. Each
 * descriptor has a place of its own, which begins at the oldest record that is kept: the module
 * parameter trace_records= is how many are. ENFILE: too many descriptors.
 */
struct sislm_trace {
	__u32 flags;
	__s32 fd;
};

/* What a record is about (struct sislm_record.kind). */
#define SISLM_RECORD_LOST	1	/* records that are kept no more */
#define SISLM_RECORD_LOAD	2	/* a model was loaded */
#define SISLM_RECORD_UNLOAD	3	/* a model was unloaded */
#define SISLM_RECORD_TURN	4	/* an answer to a prompt is over */
#define SISLM_RECORD_EVALUATE	5	/* an EVALUATE is over; STOP: all its rows are done */
#define SISLM_RECORD_ALIAS	6	/* an alias was set, or follows the newest version again */
#define SISLM_RECORD_CHOICE	7	/* a model among which SISLM_CONFIGURE_AUTO chose */
#define SISLM_RECORD_COMPARE	8	/* an answer was computed again to compare it (struct sislm_shadow) */

#define SISLM_RECORD_GUIDED	(1u << 0)	/* a caller of NEXT guided the answer */

/**
 * struct sislm_record - what was done, by whom, with what
 * @size: of this record: 312. A later module may give longer ones, so whoever reads goes on by it.
 * @kind: SISLM_RECORD_*; members that it does not speak of are 0.
 * @sequence: number of the record, from 1; of LOST that of the first one lost.
 * @boot_ns: CLOCK_BOOTTIME when it was made.
 * @real_ns: CLOCK_REALTIME.
 * @session: number of the open file, from 1.
 * @turn: number of the turn in its file, from 1; of COMPARE both are those of the turn that is compared, and
 *	@uid, @tgid, @cgroup who computes: a thread of the module.
 * @cgroup: id of the cgroup (version 2) of who opened the file.
 * @tenant: as CONFIGURE had it when the turn began.
 * @model: number of the load that the model came with, from 1.
 * @seed: seed of the turn.
 * @queue_ns: from the start of the turn to its first step.
 * @prefill_ns: as in RESULT.
 * @decode_ns: as in RESULT.
 * @cpu_ns: computing time of its share of all its steps, whoever computed them.
 * @kv_bytes: keys and values of its context.
 * @lost: of LOST: how many records.
 * @digest: first bytes of the SHA-256 of the model's file.
 * @sampling: first bytes of the SHA-256 of how tokens were drawn (struct sislm_receipt).
 * @uid: user id of who opened the file, in the initial user namespace.
 * @tgid: its process, in the initial PID namespace.
 * @prompt_count: ids of the prompt, or of EVALUATE.
 * @reused: positions of the context that were kept from earlier turns.
 * @count: generated ids.
 * @peers: most turns that were computed together with it in one step, itself included.
 * @numerics: version of the numerics contract.
 * @simd: SISLM_SIMD_*.
 * @kv_type: SISLM_KV_*.
 * @finish: SISLM_FINISH_*.
 * @error: errno of SISLM_FINISH_ERROR.
 * @flags: SISLM_RECORD_GUIDED.
 * @commitment: of TURN that of struct sislm_receipt; of LOAD and UNLOAD the SHA-256 of the
 *	model's file; of ALIAS the numbers of the loads of its versions, __u64 each, little-endian, then zero.
 * @chain: SHA-256 of the chain of the record before (32 zero bytes before the first one) and of
 *	this record without its chain: what is before it, and what is behind it up to @size; of LOST
 *	the chain of the last record lost.
 * @served_ns: of TURN and EVALUATE: what the user who opened the file was served until this record,
 *	counted as in STATISTICS.
 * @all_served_ns: what all users were.
 * @longest_step_ns: the most computing time of one step until then, of all users.
 * @generation: of the alias that gave its file the model, when it did; 0 when the version was named.
 *	Of ALIAS: the new one.
 * @version: the version of the model.
 * @slot: which of the alias' versions it is, from 0: a function of @generation, @session and @weights.
 * @weights: those of the alias' versions, then zero.
 *
 * A choice has a record for each candidate, by rank, one after the other among those of its session. There
 * @slot is the candidate's place, from 0; @weights are its rank, the number of candidates, SISLM_CHOICE_* of the one that
 * was chosen (0 for the others), and rows of prompts that wait on it; @peers are the turns under way on it; @prompt_count
 * and @count the tokens asked for; @queue_ns is the deadline, 0 for none; @prefill_ns and @decode_ns are those of a row of
 * a prompt and of a token, 0 where not known; @kv_bytes is what it would need, and @served_ns what it could have.
 *
 * @served_ns to @longest_step_ns tell of all of a step or of nothing of it. The step that a turn ends with
 * comes after its record.
 */
struct sislm_record {
	__u32 size;
	__u32 kind;
	__u64 sequence;
	__u64 boot_ns;
	__u64 real_ns;
	__u64 session;
	__u64 turn;
	__u64 cgroup;
	__u64 tenant;
	__u64 model;
	__u64 seed;
	__u64 queue_ns;
	__u64 prefill_ns;
	__u64 decode_ns;
	__u64 cpu_ns;
	__u64 kv_bytes;
	__u64 lost;
	__u8 digest[8];
	__u8 sampling[8];
	__u32 uid;
	__u32 tgid;
	__u32 prompt_count;
	__u32 reused;
	__u32 count;
	__u32 peers;
	__u32 numerics;
	__u32 simd;
	__u32 kv_type;
	__u32 finish;
	__u32 error;
	__u32 flags;
	__u8 commitment[SISLM_DIGEST_SIZE];
	__u8 chain[SISLM_DIGEST_SIZE];
	__u64 served_ns;
	__u64 all_served_ns;
	__u64 longest_step_ns;
	__u64 generation;
	__u32 version;
	__u32 slot;
	__u32 weights[SISLM_TARGETS_MAX];
};

/**
 * struct sislm_receipt - what shows that the last turn of this file gave its ids
 * @flags: Input: must be zero.
 * @pad: Must be zero.
 * @session: Output: number of this file, as in its record.
 * @turn: Output: number of the turn, as in its record; 0 when it has none.
 * @nonce: Output: random bytes that no record has.
 * @commitment: Output: as in its record.
 *
 * The commitment is the SHA-256 of, little-endian: the nonce; the SHA-256 of the model's file and
 * of each of its adapters' (SISLM_ADAPTERS_MAX, then zero); what the adapters are multiplied by,
 * __s32 each (as many); __u32 version of the numerics contract, __u32 SISLM_KV_*; the SHA-256 of
 * struct sislm_sampling, struct sislm_samplers and each struct sislm_bias of CONFIGURE; __u64
 * seed; __u64 number of ids in the context when the answer began, and these, __u32 each; the ids
 * of the answer, __u32 each.
 */
struct sislm_receipt {
	__u32 flags;
	__u32 pad;
	__u64 session;
	__u64 turn;
	__u8 nonce[SISLM_NONCE_SIZE];
	__u8 commitment[SISLM_DIGEST_SIZE];
};

#define SISLM_HISTOGRAM_BOUNDS	20	/* most bounds of a histogram */
#define SISLM_METRICS_FINISHES	16	/* finish reasons that are counted apart */

/**
 * struct sislm_histogram - how often values were within which bounds
 * @sum: of all values.
 * @bound_count: bounds in use.
 * @pad: zero.
 * @bounds: ascending; times in nanoseconds.
 * @buckets: values that are above the bound before and not above their own; the one behind the
 *	last bound has those above it.
 */
struct sislm_histogram {
	__u64 sum;
	__u32 bound_count;
	__u32 pad;
	__u64 bounds[SISLM_HISTOGRAM_BOUNDS];
	__u64 buckets[SISLM_HISTOGRAM_BOUNDS + 1];
};

/**
 * struct sislm_metrics - counters, gauges and histograms (CAP_SYS_ADMIN)
 * @name: Input: a loaded model, or empty for all that there were.
 * @flags: Input: must be zero.
 * @pad: Must be zero.
 * @since_ns: Output: CLOCK_REALTIME when counting began: the load of the model, or of the module.
 * @answers: Output: answers that are over, by SISLM_FINISH_*.
 * @evaluations: Output: EVALUATE calls that are over.
 * @prompt_tokens: Output: ids of their prompts, and of EVALUATE.
 * @tokens: Output: generated ids.
 * @reused: Output: positions of contexts that were kept from earlier turns.
 * @steps: Output: forward passes.
 * @cpu_ns: Output: computing time of these.
 * @records: Output: decision records made; without @name only.
 * @active: Output: turns that wait or are computed, now.
 * @kv_bytes: Output: keys and values, now.
 * @kv_max: Output: their limit; without @name only.
 * @model_bytes: Output: memory of the model, or of all, now.
 * @sessions: Output: open files with a context on it; without @name all open files.
 * @sessions_max: Output: their limit; without @name only.
 * @models: Output: loaded models; without @name only.
 * @pad2: Must be zero.
 * @first_token: Output: from the start of a turn to its first token, tokenizing included.
 * @token: Output: time of each token after the first, the mean of an answer.
 * @request: Output: of turns, waits for their readers excluded.
 * @queue: Output: from the start of a turn to its first step.
 * @prompt: Output: ids of a prompt.
 * @answer: Output: ids of an answer.
 * @rows: Output: rows of a step.
 * @turns: Output: turns of a step.
 * @section: Output: weight bytes of a NEON section; without @name only.
 *
 * Turns are counted when they are over, steps when they are done.
 */
struct sislm_metrics {
	__u8 name[SISLM_NAME_MAX];
	__u32 flags;
	__u32 pad;
	__u64 since_ns;
	__u64 answers[SISLM_METRICS_FINISHES];
	__u64 evaluations;
	__u64 prompt_tokens;
	__u64 tokens;
	__u64 reused;
	__u64 steps;
	__u64 cpu_ns;
	__u64 records;
	__u64 active;
	__u64 kv_bytes;
	__u64 kv_max;
	__u64 model_bytes;
	__u32 sessions;
	__u32 sessions_max;
	__u32 models;
	__u32 pad2;
	struct sislm_histogram first_token;
	struct sislm_histogram token;
	struct sislm_histogram request;
	struct sislm_histogram queue;
	struct sislm_histogram prompt;
	struct sislm_histogram answer;
	struct sislm_histogram rows;
	struct sislm_histogram turns;
	struct sislm_histogram section;
};

/**
 * struct sislm_selftest - compare the loops in use with their scalar twins
 * @simd: Input: SISLM_SIMD_* to test, 0 for the one in use; EOPNOTSUPP when the CPU lacks it.
 * @flags: Input: must be zero.
 * @cases: Output: comparisons made.
 * @failures: Output: comparisons that differed; 0 on a sound machine.
 */
struct sislm_selftest {
	__u32 simd;
	__u32 flags;
	__u64 cases;
	__u64 failures;
};

/* What struct sislm_bench times. */
#define SISLM_BENCH_MULTIPLY	0	/* weights with rows of a batch */
#define SISLM_BENCH_DEQUANTIZE	1	/* rows of weights, as those of embeddings are */

/**
 * struct sislm_bench - time one inner loop on made-up data
 * @format: Input: GGUF tensor type of the weights (0 F32, 1 F16, 2 Q4_0, 8 Q8_0).
 * @rows: Input: rows of the batch, 1 to 8; 0 for DEQUANTIZE.
 * @columns: Input: row length, a multiple of 32 up to 8192.
 * @groups: Input: groups of 16 weight rows, 1 to 1024.
 * @repeats: Input: passes, 1 to 100000.
 * @flags: Input: must be zero.
 * @weights: Output: weight x row products computed, or weights dequantized.
 * @ns: Output: time of these passes.
 * @kind: Input: SISLM_BENCH_*.
 * @warm_up: Input: passes before those that are timed, up to 100000. The first pass makes the data.
 *
 * EFBIG when the data takes over 8 MiB.
 */
struct sislm_bench {
	__u32 format;
	__u32 rows;
	__u32 columns;
	__u32 groups;
	__u32 repeats;
	__u32 flags;
	__u64 weights;
	__u64 ns;
	__u32 kind;
	__u32 warm_up;
};

#define SISLM_ALIAS_SET		(1u << 0)	/* set it, else only tell it */

/**
 * struct sislm_target - a version that an alias gives
 * @name: a loaded model, NAME@VERSION.
 * @weight: 1 to SISLM_WEIGHT_MAX: how often, as compared with the others.
 * @pad: Must be zero.
 */
struct sislm_target {
	__u8 name[SISLM_NAME_MAX];
	__u32 weight;
	__u32 pad;
};

/**
 * struct sislm_alias - what a name without a version means (to set it: CAP_SYS_ADMIN)
 * @index: Input: place in the list, from 0, when @name is empty; ENOENT past the end.
 * @flags: Input: SISLM_ALIAS_*.
 * @name: Input: 1 to 52 characters as in LOAD, or empty. Output: the alias.
 * @generation: Output: number of the last change that this or another alias had until it was as it is.
 * @count: Input, with SET: 1 to SISLM_TARGETS_MAX; 0 lets it follow the newest version of @name again, and
 *	one of which there is none is gone. Output: versions that it gives.
 * @pinned: Must be zero. Output: 1 when it was set, 0 when it follows the newest version.
 * @targets: Input, with SET: these, then zero. Output: likewise.
 *
 * All of an alias is set at once. A file is given one of the versions when it begins to use the alias, by
 * CONFIGURE or its first turn, and keeps it until CONFIGURE: which one follows from the generation and the
 * number of the file (@slot of struct sislm_record). Versions that an alias which was set gives are not
 * unloaded but by force.
 *
 * ENOENT: no such alias, or no such version. ENOSPC: 64 aliases are set.
 */
struct sislm_alias {
	__u32 index;
	__u32 flags;
	__u8 name[SISLM_NAME_MAX];
	__u64 generation;
	__u32 count;
	__u32 pinned;
	struct sislm_target targets[SISLM_TARGETS_MAX];
};

#define SISLM_SHADOW_SET	(1u << 0)	/* set it, else only tell it */

/**
 * struct sislm_shadow - answers of a name compared with those of another version (CAP_SYS_ADMIN)
 * @index: Input: place in the list of pairs, of @name or, when that is empty, of all; ENOENT past the end.
 * @flags: Input: SISLM_SHADOW_*.
 * @alias: Input: 1 to 52 characters as in LOAD, or empty. Output: the name.
 * @shadow: Input, with SET: the version that compares, NAME@VERSION; empty for none, which forgets
 *	what was counted. Output: the version.
 * @primary: Output: the version that answered, NAME@VERSION; empty before the first turn of any.
 * @permille: Input, with SET: how many of 1,000 turns are compared, 0 to 1000. Output: likewise.
 * @pad: Must be zero.
 * @ended: Output: turns that ended with an answer; what follows is of these.
 * @drawn: Output: those that were to be compared: which follows from the generation of the alias, 0 where a version
 *	was named, and the numbers of file and turn.
 * @turns: Output: those that were compared.
 * @tokens: Output: tokens of their answers.
 * @equal: Output: of these, how often both versions found the same token the most likely one.
 * @difference: Output: sum over tokens of (log-probability by @primary - that by @shadow), millionths.
 * @tokens_squared: Output: sum over turns of the square of their tokens.
 * @difference_squared: Output: sum over turns of the square of their difference, in thousandths.
 * @product: Output: sum over turns of their tokens times their difference, in thousandths.
 * @primary_ns: Output: time that evaluating them took by @primary.
 * @shadow_ns: Output: the same by @shadow.
 * @busy: Output: turns not compared since another one was; what follows is likewise.
 * @vocabulary: Output: the versions have different tokens.
 * @length: Output: longer than a context of @shadow, or its context was full.
 * @memory: Output: there was not the memory, or more than half of all keys and values were in use.
 * @stopped: Output: a version was unloaded meanwhile, or computing failed.
 *
 * After a turn on a version that the alias gives, however it was named, its ids are evaluated by that version and by
 * @shadow, when no turn of anybody waits. Nobody is shown any of it. The version of @shadow is not unloaded but by
 * force; that of @primary is, and its turn is compared no further.
 *
 * SET changes @permille of a shadow that is there, or puts another one in its place. ENOENT: no such alias or
 * version. EOPNOTSUPP: it makes embeddings. ENOSPC: SISLM_SHADOWS_MAX aliases have a shadow. Of SISLM_PAIRS_MAX
 * versions and one more, the one counted first is forgotten.
 */
struct sislm_shadow {
	__u32 index;
	__u32 flags;
	__u8 alias[SISLM_NAME_MAX];
	__u8 shadow[SISLM_NAME_MAX];
	__u8 primary[SISLM_NAME_MAX];
	__u32 permille;
	__u32 pad;
	__u64 ended;
	__u64 drawn;
	__u64 turns;
	__u64 tokens;
	__u64 equal;
	__s64 difference;
	__u64 tokens_squared;
	__u64 difference_squared;
	__s64 product;
	__u64 primary_ns;
	__u64 shadow_ns;
	__u64 busy;
	__u64 vocabulary;
	__u64 length;
	__u64 memory;
	__u64 stopped;
};

#define SISLM_IOC_MAGIC		0xD7
#define SISLM_IOC_QUERY		_IOWR(SISLM_IOC_MAGIC, 0x00, struct sislm_query)
#define SISLM_IOC_LOAD		_IOWR(SISLM_IOC_MAGIC, 0x01, struct sislm_load)
#define SISLM_IOC_UNLOAD	_IOW(SISLM_IOC_MAGIC, 0x02, struct sislm_unload)
#define SISLM_IOC_PROGRESS	_IOWR(SISLM_IOC_MAGIC, 0x03, struct sislm_progress)
#define SISLM_IOC_MODEL		_IOWR(SISLM_IOC_MAGIC, 0x04, struct sislm_model)
#define SISLM_IOC_CONFIGURE	_IOWR(SISLM_IOC_MAGIC, 0x05, struct sislm_configure)
#define SISLM_IOC_RUN		_IOWR(SISLM_IOC_MAGIC, 0x06, struct sislm_run)
#define SISLM_IOC_TOKENIZE	_IOWR(SISLM_IOC_MAGIC, 0x07, struct sislm_tokenize)
#define SISLM_IOC_DETOKENIZE	_IOWR(SISLM_IOC_MAGIC, 0x08, struct sislm_detokenize)
#define SISLM_IOC_EVALUATE	_IOWR(SISLM_IOC_MAGIC, 0x09, struct sislm_evaluate)
#define SISLM_IOC_RESULT	_IOWR(SISLM_IOC_MAGIC, 0x0a, struct sislm_result)
#define SISLM_IOC_RESET		_IO(SISLM_IOC_MAGIC, 0x0b)
#define SISLM_IOC_CANCEL	_IO(SISLM_IOC_MAGIC, 0x0c)
#define SISLM_IOC_STATISTICS	_IOWR(SISLM_IOC_MAGIC, 0x0d, struct sislm_statistics)
#define SISLM_IOC_SELFTEST	_IOWR(SISLM_IOC_MAGIC, 0x0e, struct sislm_selftest)
#define SISLM_IOC_BENCH		_IOWR(SISLM_IOC_MAGIC, 0x0f, struct sislm_bench)
#define SISLM_IOC_METADATA	_IOWR(SISLM_IOC_MAGIC, 0x10, struct sislm_metadata)
#define SISLM_IOC_PROMPT	_IOW(SISLM_IOC_MAGIC, 0x11, struct sislm_prompt)
#define SISLM_IOC_VOCABULARY	_IOWR(SISLM_IOC_MAGIC, 0x12, struct sislm_vocabulary)
#define SISLM_IOC_NEXT		_IOWR(SISLM_IOC_MAGIC, 0x13, struct sislm_next)
#define SISLM_IOC_TRACE		_IOWR(SISLM_IOC_MAGIC, 0x14, struct sislm_trace)
#define SISLM_IOC_METRICS	_IOWR(SISLM_IOC_MAGIC, 0x15, struct sislm_metrics)
#define SISLM_IOC_LIMITS	_IOWR(SISLM_IOC_MAGIC, 0x16, struct sislm_limits)
#define SISLM_IOC_RECEIPT	_IOWR(SISLM_IOC_MAGIC, 0x17, struct sislm_receipt)
#define SISLM_IOC_ALIAS		_IOWR(SISLM_IOC_MAGIC, 0x18, struct sislm_alias)
#define SISLM_IOC_SHADOW	_IOWR(SISLM_IOC_MAGIC, 0x19, struct sislm_shadow)

#endif /* _UAPI_SISLM_H */
