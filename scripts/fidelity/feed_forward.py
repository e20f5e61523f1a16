# SPDX-License-Identifier: GPL-2.0
"""The feed-forward part of a layer: dense, gated, or of experts."""

import math

import numpy
from attention import sigmoid, softmax

GELU = {"gpt2", "phi2", "starcoder2", "gptneox", "falcon", "mpt", "gemma", "gemma2", "gemma3", "gemma4", "gemma-embedding", "bert"}
# The weights of the chosen experts stay as the softmax over all gave them.
NOT_NORMALIZED = {"qwen2moe", "olmoe", "deepseek2"}
# The value of expert_gating_func.
SIGMOID = 2
# Least sum that weights are divided by: the smallest normal binary16.
SUM_MIN = 2.0 ** -14


def silu(x):
    return x * sigmoid(x)


def gelu(x):
    return 0.5 * x * (1 + numpy.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def squared_relu(x):
    return numpy.maximum(x, 0) ** 2


def clamped(gate, up):
    """Of gpt-oss."""
    gate = numpy.minimum(gate, 7.0)
    return gate * sigmoid(1.702 * gate) * (numpy.clip(up, -7.0, 7.0) + 1)


def activation(architecture):
    if architecture == "nemotron":
        return squared_relu
    return gelu if architecture in GELU else silu


def dense(model, row, prefix, suffix=""):
    """`suffix` distinguishes the shared expert."""
    act, up = activation(model.architecture), model.linear(row, f"{prefix}ffn_up{suffix}")
    if model.has(f"{prefix}ffn_gate{suffix}"):
        inner = act(model.linear(row, f"{prefix}ffn_gate{suffix}")) * up
    elif up.shape[-1] == 2 * model.tensors[f"{prefix}ffn_down{suffix}.weight"].shape[-1]:
        gate, up = numpy.split(up, 2, axis=-1)
        inner = act(gate) * up
    else:
        inner = act(up)
    return model.linear(inner, f"{prefix}ffn_down{suffix}")


def of_best_groups(model, preferred):
    """What each expert is chosen by, out of the best groups alone: those with the largest sums of two."""
    count, used = model.key("expert_group_count", 1), model.key("expert_group_used_count", 0)
    if not 0 < used < count:
        return preferred
    groups = preferred.reshape(len(preferred), count, -1)
    best = numpy.sort(groups, -1)[..., -2:].sum(-1)
    last = numpy.sort(best, -1)[:, -used, None]
    return numpy.where((best >= last)[..., None], groups, -numpy.inf).reshape(preferred.shape)


def route(model, rows, prefix):
    """Numbers and weights [rows, used] of each row's experts."""
    scores = model.linear(rows, prefix + "ffn_gate_inp")
    ranked = scores if model.architecture == "gpt-oss" else softmax(scores)
    if model.key("expert_gating_func") == SIGMOID:
        ranked = sigmoid(scores)
    preferred = of_best_groups(model, ranked + model.tensors.get(prefix + "exp_probs_b.bias", 0.0))
    chosen = numpy.argsort(-preferred, -1, kind="stable")[:, :model.key("expert_used_count")]
    weights = numpy.take_along_axis(ranked, chosen, -1)
    if model.architecture == "gpt-oss":
        weights = softmax(weights)
    elif model.key("expert_weights_norm", model.architecture not in NOT_NORMALIZED):
        weights = weights / numpy.maximum(weights.sum(-1, keepdims=True), SUM_MIN)
    return chosen, weights * (model.key("expert_weights_scale") or 1.0)


def experts(model, row, prefix):
    rows = row.reshape(-1, row.shape[-1])
    chosen, weights = route(model, rows, prefix)
    out = numpy.zeros_like(rows)

    def multiply(values, name, expert):
        product = values @ model.tensors[f"{prefix}ffn_{name}_exps.weight"][expert].T
        bias = model.tensors.get(f"{prefix}ffn_{name}_exps.bias")
        return product if bias is None else product + bias[expert]
    for expert in range(model.key("expert_count")):
        places, rank = numpy.nonzero(chosen == expert)
        gate, up = multiply(rows[places], "gate", expert), multiply(rows[places], "up", expert)
        inner = clamped(gate, up) if model.architecture == "gpt-oss" else silu(gate) * up
        out[places] += weights[places, rank][:, None] * multiply(inner, "down", expert)
    out = out.reshape(row.shape)
    if not model.has(prefix + "ffn_gate_shexp"):
        return out
    shared = dense(model, row, prefix, "_shexp")
    gate = model.tensors.get(f"{prefix}ffn_gate_inp_shexp.weight")
    return out + (shared if gate is None else shared * sigmoid(row @ gate.reshape(-1, 1)))


def feed_forward(model, row, prefix):
    if model.has(prefix + "ffn_gate_inp"):
        return experts(model, row, prefix)
    return dense(model, row, prefix)
