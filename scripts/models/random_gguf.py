#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes a GGUF model of any shape with seeded random weights: for tests of numbers, memory and speed, not of sense."""

import argparse
import random

import gguf_reader
import gguf_writer as gguf
import random_weights
import vocabulary

# architecture, layers, width, feed-forward width, heads, key/value heads, vocabulary, context
SHAPES = {
    "tinyllama": ("llama", 22, 2048, 5632, 32, 4, 32000, 2048),
    "gpt2": ("gpt2", 12, 768, 3072, 12, 12, 50257, 1024),
    "10m": ("llama", 6, 384, 768, 6, 6, 4096, 256),
    "12x768": ("llama", 12, 768, 2048, 12, 12, 32000, 2048),
    "6x256": ("llama", 6, 256, 768, 8, 8, 8192, 2048),
    "656k": ("llama", 2, 128, 384, 8, 4, 2048, 512),
}
FILE_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 7, "q4_k": 15, "q6_k": 18}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output")
    parser.add_argument("--shape", choices=SHAPES, help="defaults for the numbers below")
    parser.add_argument("--architecture", choices=("llama", "gpt2"))
    for name in ("layers", "width", "feed-forward", "heads", "kv-heads", "vocabulary", "context"):
        parser.add_argument("--" + name, type=int)
    parser.add_argument("--vocabulary-of", metavar="FILE", help="a GGUF file whose vocabulary the model gets")
    parser.add_argument("--format", choices=gguf.FORMATS, default="q4_0", help="of the matrices")
    parser.add_argument("--embedding-format", choices=gguf.FORMATS, help="of the token embedding (default: as --format)")
    parser.add_argument("--head-format", choices=gguf.FORMATS, help="of a head of its own (default: tied to the embedding)")
    parser.add_argument("--ragged-format", choices=("f32", "f16"), default="f16",
                        help="of matrices whose rows are no multiple of a block of --format")
    parser.add_argument("--string", metavar="KEY=TEXT", action="append", default=[], help="one more string of the metadata")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--header-only", action="store_true", help="leave the weights out: truncate -s makes the file whole, of zeroes")
    options = parser.parse_args()
    shape = SHAPES.get(options.shape, (None,) * 8)
    names = ("architecture", "layers", "width", "feed_forward", "heads", "kv_heads", "vocabulary", "context")
    options.tokenizer = None
    if options.vocabulary_of:
        vocabulary_file = gguf_reader.Reader(options.vocabulary_of)
        options.vocabulary = len(vocabulary_file.metadata["tokenizer.ggml.tokens"])
        options.tokenizer = [pair for key, pair in vocabulary_file.pairs.items() if key.startswith("tokenizer.")]
    for name, default in zip(names, shape):
        if getattr(options, name) is None:
            setattr(options, name, default)
        if getattr(options, name) is None:
            parser.error(f"without --shape, --{name.replace('_', '-')} is needed")
    if options.width % options.heads or options.heads % options.kv_heads:
        parser.error("heads must divide the width, and key/value heads the heads")
    if options.architecture == "gpt2" and options.kv_heads != options.heads:
        parser.error("gpt2 has as many key/value heads as heads")
    return options


def matrix(options, name, columns, rows, kind=None):
    kind = kind or options.format
    if columns % gguf.FORMATS[kind][1]:
        kind = options.ragged_format
    return name, (columns, rows), kind


def llama_layer(options, prefix):
    width, wide = options.width, options.feed_forward
    kv = width // options.heads * options.kv_heads
    return [
        (prefix + "attn_norm.weight", (width,), "f32"),
        matrix(options, prefix + "attn_q.weight", width, width),
        matrix(options, prefix + "attn_k.weight", width, kv),
        matrix(options, prefix + "attn_v.weight", width, kv),
        matrix(options, prefix + "attn_output.weight", width, width),
        (prefix + "ffn_norm.weight", (width,), "f32"),
        matrix(options, prefix + "ffn_gate.weight", width, wide),
        matrix(options, prefix + "ffn_up.weight", width, wide),
        matrix(options, prefix + "ffn_down.weight", wide, width),
    ]


def gpt2_layer(options, prefix):
    width, wide = options.width, options.feed_forward
    tensors = []
    for name, columns, rows in (("attn_norm", None, width), ("attn_qkv", width, 3 * width), ("attn_output", width, width),
                                ("ffn_norm", None, width), ("ffn_up", width, wide), ("ffn_down", wide, width)):
        weight = f"{prefix}{name}.weight"
        tensors.append((weight, (rows,), "f32") if columns is None else matrix(options, weight, columns, rows))
        tensors.append((f"{prefix}{name}.bias", (rows,), "f32"))
    return tensors


def tensors_of(options):
    """(name, shape, format) of all tensors, in file order."""
    width, gpt2 = options.width, options.architecture == "gpt2"
    tensors = [matrix(options, "token_embd.weight", width, options.vocabulary, options.embedding_format)]
    if gpt2:
        tensors.append(("position_embd.weight", (width, options.context), "f32"))
    layer = gpt2_layer if gpt2 else llama_layer
    for index in range(options.layers):
        tensors += layer(options, f"blk.{index}.")
    tensors.append(("output_norm.weight", (width,), "f32"))
    if gpt2:
        tensors.append(("output_norm.bias", (width,), "f32"))
    if options.head_format:
        tensors.append(matrix(options, "output.weight", width, options.vocabulary, options.head_format))
    return tensors


def metadata(options):
    name = options.architecture
    numbers = {"vocab_size": options.vocabulary, "context_length": options.context, "embedding_length": options.width,
               "block_count": options.layers, "feed_forward_length": options.feed_forward,
               "attention.head_count": options.heads, "attention.head_count_kv": options.kv_heads}
    pairs = [gguf.pair("general.architecture", gguf.STRING, name),
             gguf.pair("general.name", gguf.STRING, options.output.rsplit("/", 1)[-1].removesuffix(".gguf")),
             gguf.pair("general.description", gguf.STRING, f"random weights, seed {options.seed}"),
             gguf.pair("general.file_type", gguf.UINT32, FILE_TYPES[options.format])]
    pairs += [gguf.pair(f"{name}.{key}", gguf.UINT32, number) for key, number in numbers.items()]
    for string in options.string:
        key, _, text = string.partition("=")
        pairs.append(gguf.pair(key, gguf.STRING, text))
    if name == "llama":
        pairs += [gguf.pair("llama.rope.dimension_count", gguf.UINT32, options.width // options.heads),
                  gguf.pair("llama.rope.freq_base", gguf.FLOAT32, 10000.0),
                  gguf.pair("llama.attention.layer_norm_rms_epsilon", gguf.FLOAT32, 1e-5)]
        return pairs + (options.tokenizer or vocabulary.sentencepiece(options.vocabulary))
    pairs.append(gguf.pair("gpt2.attention.layer_norm_epsilon", gguf.FLOAT32, 1e-5))
    return pairs + (options.tokenizer or vocabulary.byte_level(options.vocabulary))


def weights(generator, name, shape, kind):
    """The tensor's bytes, in pieces of whole rows; magnitudes keep activations near 1 and logits a few units apart."""
    if name.endswith("norm.weight"):
        rms, signed = 1.5, False
    elif name.endswith(".bias"):
        rms, signed = 0.05, True
    else:
        rms, signed = (3.0 if name in ("token_embd.weight", "output.weight") else 1.0) / shape[0] ** 0.5, True
    rows = shape[1] if len(shape) == 2 else 1
    row = gguf.tensor_bytes(shape[:1], kind)
    at_once = max(1, (16 << 20) // row)
    for first in range(0, rows, at_once):
        yield random_weights.draw(generator, row * min(at_once, rows - first), kind, rms, signed)


def main():
    options = arguments()
    tensors = tensors_of(options)
    infos, size = gguf.layout(tensors)
    generator = random.Random(options.seed)
    head = gguf.header(metadata(options), infos)
    with open(options.output, "wb") as file:
        file.write(head)
        for name, shape, kind in tensors if not options.header_only else ():
            written = 0
            for piece in weights(generator, name, shape, kind):
                written += file.write(piece)
            file.write(bytes(gguf.padded(written) - written))
    print(f"{options.output}: {len(head) + size} bytes" + (f", of which the header's {len(head)} are written" if options.header_only else ""))


if __name__ == "__main__":
    main()
