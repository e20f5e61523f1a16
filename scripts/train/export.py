#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Writes a trained model (WORK/model.npz, WORK/vocabulary.model) as GGUF, llama architecture."""

import argparse
import os
import sys

import numpy
import sentencepiece

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models"))
import gguf_writer as gguf
from quantize import FORMATS

FILE_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 7}


def vocabulary(path):
    processor = sentencepiece.SentencePieceProcessor(model_file=path)
    tokens, scores, types = [], [], []
    for index in range(processor.get_piece_size()):
        tokens.append(processor.id_to_piece(index))
        scores.append(processor.get_score(index))
        kinds = ((processor.is_unknown(index), 2), (processor.is_control(index), 3), (processor.is_byte(index), 6),
                 (processor.is_unused(index), 5), (tokens[-1] == "\n", 4), (True, 1))
        types.append(next(kind for holds, kind in kinds if holds))
    return [
        gguf.pair("tokenizer.ggml.model", gguf.STRING, "llama"),
        gguf.pair("tokenizer.ggml.pre", gguf.STRING, "default"),
        gguf.pair("tokenizer.ggml.tokens", gguf.ARRAY, (gguf.STRING, tokens)),
        gguf.pair("tokenizer.ggml.scores", gguf.ARRAY, (gguf.FLOAT32, scores)),
        gguf.pair("tokenizer.ggml.token_type", gguf.ARRAY, (gguf.INT32, types)),
        gguf.pair("tokenizer.ggml.bos_token_id", gguf.UINT32, processor.bos_id()),
        gguf.pair("tokenizer.ggml.eos_token_id", gguf.UINT32, processor.eos_id()),
        gguf.pair("tokenizer.ggml.unknown_token_id", gguf.UINT32, processor.unk_id()),
        gguf.pair("tokenizer.ggml.add_bos_token", gguf.BOOL, True),
        gguf.pair("tokenizer.ggml.add_eos_token", gguf.BOOL, False),
        gguf.pair("tokenizer.ggml.add_space_prefix", gguf.BOOL, True),
    ]


def metadata(model, name, kind):
    width, heads = int(model["width"]), int(model["heads"])
    numbers = {"vocab_size": model["vocabulary"], "context_length": model["context"], "embedding_length": width,
               "block_count": model["layers"], "feed_forward_length": model["feed_forward"], "attention.head_count": heads,
               "attention.head_count_kv": model["kv_heads"], "rope.dimension_count": width // heads}
    return [
        gguf.pair("general.architecture", gguf.STRING, "llama"),
        gguf.pair("general.name", gguf.STRING, name),
        gguf.pair("general.description", gguf.STRING, "trained on the prose of the Linux kernel's Documentation"),
        gguf.pair("general.license", gguf.STRING, "GPL-2.0"),
        gguf.pair("general.file_type", gguf.UINT32, FILE_TYPES[kind]),
        *(gguf.pair("llama." + key, gguf.UINT32, int(number)) for key, number in numbers.items()),
        gguf.pair("llama.rope.freq_base", gguf.FLOAT32, float(model["rope_base"])),
        gguf.pair("llama.attention.layer_norm_rms_epsilon", gguf.FLOAT32, float(model["epsilon"])),
    ]


def format_of(name, array, kind):
    if array.ndim == 1:
        return "f32"
    return "q8_0" if name.startswith("token_embd") and kind == "q4_0" else kind


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work")
    parser.add_argument("output")
    parser.add_argument("--format", choices=FORMATS, default="q4_0")
    options = parser.parse_args()
    model = numpy.load(os.path.join(options.work, "model.npz"))
    tensors = [(name, model[name], format_of(name, model[name], options.format)) for name in model.files if name.endswith(".weight")]
    infos, _ = gguf.layout([(name, array.shape[::-1], kind) for name, array, kind in tensors])
    title = os.path.basename(options.output).removesuffix(".gguf")
    pairs = metadata(model, title, options.format) + vocabulary(os.path.join(options.work, "vocabulary.model"))
    with open(options.output, "wb") as file:
        file.write(gguf.header(pairs, infos))
        for _, array, kind in tensors:
            data = FORMATS[kind](array)
            file.write(data + bytes(gguf.padded(len(data)) - len(data)))
    print(f"{options.output}: {os.path.getsize(options.output)} bytes")


if __name__ == "__main__":
    main()
