#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes an adapter (LoRA) of a model, of random weights, beside all of its matrices that take one.

adapter.py MODEL OUTPUT [--alpha A]
"""

import argparse
import math
import pathlib
import random
import re
import struct

import gguf_writer as gguf
from gguf_reader import Reader

# What multiplies no row, or each head or expert by itself.
WITHOUT = re.compile(r"position_embd|token_types|per_layer_token_embd|_exps|attn_[kv]_b|conv|_norm")
EMBEDDINGS, HEAD = "token_embd.weight", "output.weight"


def floats(values, kind="f32"):
    """The bytes of values, and the values that those stand for."""
    code = "f" if kind == "f32" else "e"
    data = struct.pack(f"<{len(values)}{code}", *values)
    return data, struct.unpack(f"<{len(values)}{code}", data)


def write(path, pairs, tensors):
    """A file of (name, shape, kind, data)."""
    infos, _ = gguf.layout([tensor[:3] for tensor in tensors])
    with open(path, "wb") as file:
        file.write(gguf.header(pairs, infos))
        for _, _, _, data in tensors:
            file.write(data + bytes(gguf.padded(len(data)) - len(data)))


class Pair:
    """A as rows of inputs, of the token embeddings as columns of tokens, and B as rows of the rank, with their bytes."""

    def __init__(self, generator, name, shape, rank, kind):
        inputs, outputs = shape
        self.shape, self.rank, self.kind = shape, rank, kind
        self.is_embedding = name == EMBEDDINGS
        down, up = (outputs, inputs) if self.is_embedding else (inputs, outputs)

        def draw(count, size):
            return floats([generator.uniform(-0.6, 0.6) / math.sqrt(size) for _ in range(count)], kind)

        self.down_data, self.down = draw(rank * down, rank if self.is_embedding else inputs)
        self.up_data, self.up = draw(rank * up, rank)

    def tensors(self, name):
        inputs, outputs = self.shape
        down, up = ((self.rank, outputs), (self.rank, inputs)) if self.is_embedding else ((inputs, self.rank), (self.rank, outputs))
        yield f"{name}.lora_a", down, self.kind, self.down_data
        yield f"{name}.lora_b", up, self.kind, self.up_data

    def merge(self, rows, factor):
        """Adds `factor` times B A to the rows of the matrix."""
        inputs, rank = self.shape[0], self.rank
        for output, row in enumerate(rows):
            if self.is_embedding:
                own = self.down[output * rank:][:rank]
                row[:] = [w + factor * sum(a * self.up[column * rank + k] for k, a in enumerate(own)) for column, w in enumerate(row)]
                continue
            for k in range(rank):
                weight = factor * self.up[output * rank + k]
                row[:] = [w + weight * a for w, a in zip(row, self.down[k * inputs:], strict=False)]


class Adapter:
    """Of the model in `file`: ranks from 1 to 19, matrices in f32 and f16 in turn."""

    def __init__(self, file):
        self.reader = Reader(file)
        generator = random.Random(pathlib.Path(file).name)
        self.pairs = {}
        for number, (name, (shape, _, _)) in enumerate(self.reader.infos.items()):
            takes = len(shape) == 2 and name.endswith(".weight") and not WITHOUT.search(name)
            if takes and (name != EMBEDDINGS or HEAD in self.reader.infos):
                self.pairs[name] = Pair(generator, name, shape, 1 + number % 7 * 3, ("f32", "f16")[number % 2])

    def write(self, path, alpha):
        keys = [gguf.pair("general.type", gguf.STRING, "adapter"), gguf.pair("adapter.type", gguf.STRING, "lora"),
                self.reader.pairs["general.architecture"], gguf.pair("general.name", gguf.STRING, pathlib.Path(path).stem),
                gguf.pair("adapter.lora.alpha", gguf.FLOAT32, alpha)]
        write(path, keys, [tensor for name, pair in self.pairs.items() for tensor in pair.tensors(name)])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("model")
    parser.add_argument("output")
    parser.add_argument("--alpha", type=float, default=6.0)
    options = parser.parse_args()
    Adapter(options.model).write(options.output, options.alpha)


if __name__ == "__main__":
    main()
