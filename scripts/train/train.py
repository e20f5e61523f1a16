#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Trains a llama-shaped model on the token files that prepare.py made, and writes WORK/model.npz."""

import argparse
import math
import os
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

CONTEXT, EPSILON, ROPE_BASE = 256, 1e-5, 10000.0


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return functional.rms_norm(x, (x.size(-1),), self.weight.to(x.dtype), EPSILON)


def rotate(x, cos, sin):
    """RoPE on neighbouring pairs, the order of GGUF's llama; x is (batch, position, head, dimension)."""
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = cos[:, None].to(x.dtype), sin[:, None].to(x.dtype)
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.heads, self.kv_heads = shape.heads, shape.kv_heads
        width, kv = shape.width, shape.width // shape.heads * shape.kv_heads
        self.attn_norm, self.ffn_norm = Norm(width), Norm(width)
        self.attn_q, self.attn_k, self.attn_v = (nn.Linear(width, size, bias=False) for size in (width, kv, kv))
        self.attn_output = nn.Linear(width, width, bias=False)
        self.ffn_gate, self.ffn_up = (nn.Linear(width, shape.feed_forward, bias=False) for _ in range(2))
        self.ffn_down = nn.Linear(shape.feed_forward, width, bias=False)

    def forward(self, x, cos, sin):
        batch, length, width = x.shape
        h = self.attn_norm(x)
        q = rotate(self.attn_q(h).view(batch, length, self.heads, -1), cos, sin).transpose(1, 2)
        k = rotate(self.attn_k(h).view(batch, length, self.kv_heads, -1), cos, sin).transpose(1, 2)
        v = self.attn_v(h).view(batch, length, self.kv_heads, -1).transpose(1, 2)
        k, v = (part.repeat_interleave(self.heads // self.kv_heads, 1) for part in (k, v))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_output(mixed.transpose(1, 2).reshape(batch, length, width))
        h = self.ffn_norm(x)
        return x + self.ffn_down(functional.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Model(nn.Module):
    """Parameter names are GGUF's tensor names but for the dots: token_embd, blk.N.attn_q and so on."""

    def __init__(self, shape):
        super().__init__()
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.output_norm = Norm(shape.width)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                into_residual = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(parameter, 0, 0.02 / (math.sqrt(2 * shape.layers) if into_residual else 1))
        size = shape.width // shape.heads
        angles = torch.outer(torch.arange(CONTEXT).float(), ROPE_BASE ** (-torch.arange(0, size, 2).float() / size))
        self.register_buffer("cos", torch.cos(angles), persistent=False)
        self.register_buffer("sin", torch.sin(angles), persistent=False)

    def forward(self, tokens):
        x = self.token_embd(tokens)
        for layer in self.blk:
            x = layer(x, self.cos[:tokens.size(1)], self.sin[:tokens.size(1)])
        return functional.linear(self.output_norm(x), self.token_embd.weight)


def loss_of(model, device, windows):
    """Mean cross-entropy, nats per token, of rows of CONTEXT + 1 tokens."""
    tokens = torch.from_numpy(windows.astype(numpy.int64)).to(device)
    with torch.autocast(device, dtype=torch.bfloat16):
        logits = model(tokens[:, :-1])
    return functional.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())


def save(model, shape, path):
    numbers = {name: getattr(shape, name) for name in ("layers", "width", "feed_forward", "heads", "kv_heads", "vocabulary")}
    arrays = {name: parameter.detach().float().cpu().numpy() for name, parameter in model.named_parameters()}
    numpy.savez(path + ".part.npz", **arrays, **numbers, context=CONTEXT, epsilon=EPSILON, rope_base=ROPE_BASE)
    os.replace(path + ".part.npz", path)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    for name, default in (("layers", 8), ("width", 256), ("feed-forward", 768), ("heads", 8), ("kv-heads", 4), ("vocabulary", 4096)):
        parser.add_argument("--" + name, type=int, default=default)
    return parser.parse_args()


def main():
    shape = arguments()
    torch.manual_seed(shape.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokens = {name: numpy.fromfile(os.path.join(shape.work, name), dtype=numpy.uint16)
              for name in ("all.training", "prose.training", "prose.validation")}
    model = Model(shape).to(device)
    matrices = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
                                  lr=0.0, betas=(0.9, 0.95))
    print(f"{sum(parameter.numel() for parameter in model.parameters())} parameters, on {device}")
    draw, start, step = numpy.random.default_rng(shape.seed), time.monotonic(), 0
    held = tokens["prose.validation"]
    held = held[:len(held) // (CONTEXT + 1) * (CONTEXT + 1)].reshape(-1, CONTEXT + 1)[:40]
    while (part := (time.monotonic() - start) / 60 / shape.minutes) < 1:
        corpus = tokens["all.training" if part < 2 / 3 else "prose.training"]
        first = draw.integers(0, len(corpus) - CONTEXT - 1, shape.batch)
        rate = 2e-3 * min(1, (step + 1) / 150) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * part)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = loss_of(model, device, numpy.stack([corpus[at:at + CONTEXT + 1] for at in first]))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 400 == 0 or step == 1:
            with torch.no_grad():
                print(f"step {step}: loss {loss.item():.3f}, validation {loss_of(model, device, held).item():.3f}, "
                      f"{step * shape.batch * CONTEXT / (time.monotonic() - start):.0f} tokens/s", flush=True)
            save(model, shape, os.path.join(shape.work, "model.npz"))
    save(model, shape, os.path.join(shape.work, "model.npz"))
    print(f"{step} steps: {os.path.join(shape.work, 'model.npz')}")


if __name__ == "__main__":
    main()
