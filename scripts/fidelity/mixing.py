# SPDX-License-Identifier: GPL-2.0
"""What mixes the positions in a layer: attention, latent attention, a short convolution or a gated delta rule, each with what it
keeps of the positions before."""

import math

import numpy
from attention import Attention, sigmoid, softmax
from feed_forward import silu
from rotation import Rotation, scaling


def mixer(model, index):
    """That of layer `index`, by the tensors that are there."""
    for name, kind in (("shortconv.in_proj", ShortConvolution), ("ssm_out", Delta), ("attn_kv_a_mqa", Latent)):
        if model.has(f"blk.{index}.{name}"):
            return kind(model, index)
    return Attention(model, index)


class Convolution:
    """A causal one of each column on its own: the last tap is for the present position."""

    def __init__(self, taps):
        self.taps, self.before = taps, None

    def run(self, row, first):
        count, length = self.taps.shape[1], row.shape[1]
        before = self.before if first else numpy.zeros((len(row), count - 1, row.shape[2]))
        whole = numpy.concatenate([before, row], 1)
        self.before = whole[:, length:]
        return sum(whole[:, tap:tap + length] * self.taps[:, tap] for tap in range(count))


class ShortConvolution:
    """Of lfm2."""

    def __init__(self, model, index):
        self.model, self.prefix = model, f"blk.{index}.shortconv."
        self.convolution = Convolution(model.tensors[self.prefix + "conv.weight"])

    def run(self, row, first):
        """`row` [sequences, positions, width], from position `first` on."""
        before, after, values = numpy.split(self.model.linear(row, self.prefix + "in_proj"), 3, -1)
        return self.model.linear(after * self.convolution.run(before * values, first), self.prefix + "out_proj")


class Delta:
    """Of qwen35: a state for each head, which forgets, and learns what it did not foretell."""

    def __init__(self, model, index):
        self.model, self.prefix = model, f"blk.{index}."
        self.size, self.key_heads, self.heads = (model.key(f"ssm.{name}") for name in ("state_size", "group_count", "time_step_rank"))
        self.convolution = Convolution(model.tensors[self.prefix + "ssm_conv1d.weight"])
        self.state = None

    def heads_of(self, row, first):
        """Queries and keys of length 1 (queries over the root of their size), and values."""
        size, wide = self.size, self.size * self.key_heads
        mixed = silu(self.convolution.run(self.model.linear(row, self.prefix + "attn_qkv"), first))
        parts = numpy.split(mixed, [wide, 2 * wide], -1)
        query, key, value = (part.reshape(*row.shape[:2], -1, size) for part in parts)
        query, key = (heads / numpy.sqrt((heads * heads).sum(-1, keepdims=True) + self.model.epsilon) for heads in (query, key))
        times = self.heads // self.key_heads
        return numpy.tile(query / math.sqrt(size), (1, 1, times, 1)), numpy.tile(key, (1, 1, times, 1)), value

    def run(self, row, first):
        """`row` [sequences, positions, width], from position `first` on."""
        model, prefix = self.model, self.prefix
        query, key, value = self.heads_of(row, first)
        learned = sigmoid(model.linear(row, prefix + "ssm_beta"))
        step = numpy.logaddexp(0, model.linear(row, prefix + "ssm_alpha") + model.tensors[prefix + "ssm_dt.bias"])
        kept = numpy.exp(model.tensors[prefix + "ssm_a"].reshape(-1) * step)
        state = self.state if first else numpy.zeros((len(row), self.heads, self.size, self.size))
        out = numpy.empty(value.shape)
        for place in range(row.shape[1]):
            state = state * kept[:, place, :, None, None]
            foretold = numpy.einsum("bhkv,bhk->bhv", state, key[:, place])
            error = (value[:, place] - foretold) * learned[:, place, :, None]
            state = state + key[:, place, :, :, None] * error[:, :, None, :]
            out[:, place] = numpy.einsum("bhkv,bhk->bhv", state, query[:, place])
        self.state = state
        gate = silu(model.linear(row, prefix + "attn_gate")).reshape(out.shape)
        return model.linear((model.norm(out, prefix + "ssm_norm") * gate).reshape(*row.shape[:2], -1), prefix + "ssm_out")


class Latent:
    """Of deepseek2: keys and values of all heads are made of one short row for each position."""

    def __init__(self, model, index):
        self.model, self.prefix = model, f"blk.{index}.attn_"
        self.rotation = Rotation(model, False)
        self.rank = model.key("attention.kv_lora_rank")
        self.unturned = model.key("attention.key_length_mla") - self.rotation.dimensions
        self.scale = 1 / math.sqrt(model.key("attention.key_length_mla"))
        if model.key("rope.scaling.type") == "yarn":
            self.scale *= (1 + model.key("rope.scaling.yarn_log_multiplier", 0.0) * math.log(1 / scaling(model.key))) ** 2
        self.rows = self.turned = None

    def queries(self, row):
        model, prefix = self.model, self.prefix
        if model.has(prefix + "q_a"):
            query = model.linear(model.norm(model.linear(row, prefix + "q_a"), prefix + "q_a_norm"), prefix + "q_b")
        else:
            query = model.linear(row, prefix + "q")
        query = query.reshape(*row.shape[:2], model.heads, -1)
        return query[..., :self.unturned], query[..., self.unturned:]

    def run(self, row, first):
        """`row` [sequences, positions, width], from position `first` on."""
        model, prefix = self.model, self.prefix
        query, turning = self.queries(row)
        both = model.linear(row, prefix + "kv_a_mqa")
        rows = model.norm(both[..., :self.rank], prefix + "kv_a_norm")
        turned = self.rotation.turn(both[:, :, None, self.rank:], first)[:, :, 0]
        if first:
            rows, turned = numpy.concatenate([self.rows, rows], 1), numpy.concatenate([self.turned, turned], 1)
        self.rows, self.turned = rows, turned
        keys = numpy.einsum("buc,hcn->buhn", rows, model.tensors[prefix + "k_b.weight"])
        values = numpy.einsum("buc,hvc->buhv", rows, model.tensors[prefix + "v_b.weight"])
        scores = numpy.einsum("bthn,buhn->bhtu", query, keys)
        scores = (scores + numpy.einsum("bthr,bur->bhtu", self.rotation.turn(turning, first), turned)) * self.scale
        unseen = numpy.arange(first, first + row.shape[1])[:, None] < numpy.arange(rows.shape[1])
        out = numpy.einsum("bhtu,buhv->bthv", softmax(numpy.where(unseen, -numpy.inf, scores)), values)
        return model.linear(out.reshape(*row.shape[:2], -1), prefix + "output")
