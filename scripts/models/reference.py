#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Writes NAME.ref.json beside NAME.gguf: greedy ids of a few prompts, computed apart from the engine.

Plain double-precision arithmetic, no KV cache type, no batches, no SIMD: only the formulas of the papers, and the
activations rounded to 8 bits where they meet quantized weights, as the numerics contract says. min_top2_gap is
the smallest distance between the two best logits on the way; generation stops where it is too small to decide."""

import hashlib
import json
import math
import os
import re
import sys

from gguf_reader import Reader

PROMPTS = ("he", "one ten tires", "Some notes: a, b!")
TOKENS, GAP = 64, 0.01


def rounded(row, size):
    """Activations as the integer loops see them: blocks of this size, scale amax / 127."""
    result = []
    for first in range(0, len(row), size):
        block = row[first:first + size]
        scale = max(map(abs, block)) / 127
        result += [round(x / scale) * scale if scale else 0.0 for x in block]
    return result


def multiply(matrix, row):
    rows, block = matrix
    if block > 1:
        row = rounded(row, block)
    return [math.fsum(w * x for w, x in zip(weights, row)) for weights in rows]


def add(a, b):
    return a if b is None else [x + y for x, y in zip(a, b)]


def softmax(scores):
    top = max(scores)
    powers = [math.exp(score - top) for score in scores]
    total = math.fsum(powers)
    return [power / total for power in powers]


class Transformer:
    def __init__(self, file):
        self.file, meta = file, file.metadata
        name = meta["general.architecture"]
        self.gpt2 = name == "gpt2"
        self.layers, self.heads = meta[f"{name}.block_count"], meta[f"{name}.attention.head_count"]
        self.kv_heads, self.context = meta[f"{name}.attention.head_count_kv"], meta[f"{name}.context_length"]
        self.size = meta[f"{name}.embedding_length"] // self.heads
        self.epsilon = meta[f"{name}.attention.layer_norm_" + ("epsilon" if self.gpt2 else "rms_epsilon")]
        self.base = meta.get(f"{name}.rope.freq_base")
        self.tensors = {key: (file.matrix(key) if len(info[0]) == 2 else file.vector(key)) for key, info in file.infos.items()}
        self.keys = [[] for _ in range(self.layers)]
        self.values = [[] for _ in range(self.layers)]

    def get(self, name):
        return self.tensors.get(name)

    def norm(self, row, name):
        weight, bias = self.get(name + ".weight"), self.get(name + ".bias")
        if self.gpt2:
            mean = math.fsum(row) / len(row)
            row = [x - mean for x in row]
        scale = 1 / math.sqrt(math.fsum(x * x for x in row) / len(row) + self.epsilon)
        return add([x * scale * w for x, w in zip(row, weight)], bias)

    def linear(self, row, name):
        return add(multiply(self.get(name + ".weight"), row), self.get(name + ".bias"))

    def rotate(self, heads, position):
        for head in heads:
            for pair in range(0, self.size, 2):
                angle = position * self.base ** (-pair / self.size)
                a, b, cos, sin = head[pair], head[pair + 1], math.cos(angle), math.sin(angle)
                head[pair], head[pair + 1] = a * cos - b * sin, a * sin + b * cos

    def split(self, row):
        return [row[at:at + self.size] for at in range(0, len(row), self.size)]

    def attention(self, layer, row, position):
        prefix = f"blk.{layer}.attn_"
        if self.gpt2:
            whole = self.linear(row, prefix + "qkv")
            query, key, value = (self.split(whole[part * len(row):(part + 1) * len(row)]) for part in range(3))
        else:
            query, key, value = (self.split(self.linear(row, prefix + part)) for part in "qkv")
            self.rotate(query, position)
            self.rotate(key, position)
        self.keys[layer].append(key)
        self.values[layer].append(value)
        out = []
        for head in range(self.heads):
            shared = head * self.kv_heads // self.heads
            scores = [math.fsum(q * k for q, k in zip(query[head], keys[shared])) / math.sqrt(self.size) for keys in self.keys[layer]]
            weights = softmax(scores)
            out += [math.fsum(p * v[shared][at] for p, v in zip(weights, self.values[layer])) for at in range(self.size)]
        return self.linear(out, prefix + "output")

    def feed_forward(self, layer, row):
        prefix = f"blk.{layer}.ffn_"
        up = self.linear(row, prefix + "up")
        if self.gpt2:
            up = [0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))) for x in up]
        else:
            up = [g / (1 + math.exp(-g)) * u for g, u in zip(self.linear(row, prefix + "gate"), up)]
        return self.linear(up, prefix + "down")

    def logits(self, token, position):
        row = self.get("token_embd.weight")[0][token]
        if self.gpt2:
            row = add(row, self.get("position_embd.weight")[0][position])
        for layer in range(self.layers):
            row = add(row, self.attention(layer, self.norm(row, f"blk.{layer}.attn_norm"), position))
            row = add(row, self.feed_forward(layer, self.norm(row, f"blk.{layer}.ffn_norm")))
        head = "output.weight" if self.get("output.weight") else "token_embd.weight"
        return multiply(self.get(head), self.norm(row, "output_norm"))


def merged(symbols, rank):
    """Byte-pair merging, the slow and plain way: the best pair first, the leftmost of equals."""
    while True:
        pairs = [(rank(a, b), at) for at, (a, b) in enumerate(zip(symbols, symbols[1:])) if rank(a, b) is not None]
        if not pairs:
            return symbols
        _, at = min(pairs)
        symbols[at:at + 2] = [symbols[at] + symbols[at + 1]]


def tokenize(meta, text):
    ids = {token: index for index, token in enumerate(meta["tokenizer.ggml.tokens"])}
    if meta["tokenizer.ggml.model"] == "llama":
        scores = meta["tokenizer.ggml.scores"]
        pieces = merged(list(("▁" if meta["tokenizer.ggml.add_space_prefix"] else "") + text.replace(" ", "▁")),
                        lambda a, b: -scores[ids[a + b]] if a + b in ids else None)
        found = [meta["tokenizer.ggml.bos_token_id"]]
        for piece in pieces:
            found += [ids[piece]] if piece in ids else [ids[f"<0x{byte:02X}>"] for byte in piece.encode()]
        return found
    ranks = {merge: rank for rank, merge in enumerate(meta["tokenizer.ggml.merges"])}
    words = re.findall(r" ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+", text)  # enough of GPT-2's pattern for the prompts above
    assert "".join(words) == text
    return [ids[piece] for word in words for piece in merged(list(word.replace(" ", "Ġ")), lambda a, b: ranks.get(f"{a} {b}"))]


def generate(file, prompt):
    model, meta = Transformer(file), file.metadata
    ids, found, gap, reason = tokenize(meta, prompt), [], math.inf, "max_new_tokens"
    for position in range(len(ids) + TOKENS - 1):
        token = ids[position] if position < len(ids) else found[-1]
        logits = model.logits(token, position)
        if position < len(ids) - 1:
            continue
        best, second = sorted(logits, reverse=True)[:2]
        if best - second < GAP:
            reason = "too_close"
            break
        gap = min(gap, best - second)
        found.append(logits.index(best))
        if found[-1] == meta["tokenizer.ggml.eos_token_id"]:
            reason = "eos"
            break
    return {"prompt": prompt, "prompt_ids": ids, "gen_ids": found, "stop_reason": reason, "min_top2_gap": round(gap, 6)}


def main():
    for path in sys.argv[1:]:
        file = Reader(path)
        result = {"file": os.path.basename(path), "sha256": hashlib.sha256(file.data).hexdigest(),
                  "architecture": file.metadata["general.architecture"],
                  "software": {"reference": "scripts/models/reference.py"},
                  "settings": {"decoding": "greedy (argmax)", "kv_cache": "f32", "max_new_tokens": TOKENS},
                  "prompts": [generate(file, prompt) for prompt in PROMPTS]}
        with open(path.removesuffix(".gguf") + ".ref.json", "w", encoding="utf-8") as out:
            json.dump(result, out, ensure_ascii=False)
            out.write("\n")
        print(path, [(len(prompt["gen_ids"]), prompt["stop_reason"], prompt["min_top2_gap"]) for prompt in result["prompts"]])


if __name__ == "__main__":
    main()
