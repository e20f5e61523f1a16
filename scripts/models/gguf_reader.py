# SPDX-License-Identifier: GPL-2.0
"""Reads a sound GGUF file whole: metadata as a dictionary, tensors as rows of floats. Standard library only."""

import math
import struct

from gguf_writer import ARRAY, PACK, STRING, padded


class Reader:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.at = 4
        _, tensors, pairs = self.numbers("IQQ")
        self.metadata = {}
        self.pairs = {}  # as they are in the file
        for _ in range(pairs):
            start = self.at
            key = self.string()
            self.metadata[key] = self.value(self.numbers("I")[0])
            self.pairs[key] = self.data[start:self.at]
        self.infos = {}
        for _ in range(tensors):
            name = self.string()
            shape = self.numbers("Q" * self.numbers("I")[0])
            self.infos[name] = (shape, *self.numbers("IQ"))
        self.base = padded(self.at)

    def tensor_bytes(self):
        """Bytes of all tensors, as far as they can be told: from the first one to the end of the file."""
        return len(self.data) - self.base

    def numbers(self, layout):
        found = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return found

    def string(self):
        length, = self.numbers("Q")
        self.at += length
        return self.data[self.at - length:self.at].decode()

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            element, count = self.numbers("IQ")
            return [self.value(element) for _ in range(count)]
        return self.numbers(PACK[kind])[0]

    def matrix(self, name):
        """The rows of a tensor, and over how many columns the activations they meet are quantized together (1: they are not);
        None if there is none."""
        if name not in self.infos:
            return None
        shape, kind, offset = self.infos[name]
        count = math.prod(shape)
        start = self.base + offset
        read, block = {0: (self.f32, 1), 1: (self.f16, 1), 2: (self.q4_0, 32), 8: (self.q8_0, 32), 12: (self.q4_k, 256),
                       14: (self.q6_k, 256)}[kind]
        flat = read(start, count)
        return [flat[row:row + shape[0]] for row in range(0, count, shape[0])], block

    def vector(self, name):
        found = self.matrix(name)
        return found[0][0] if found else None

    def f32(self, start, count):
        return list(struct.unpack_from(f"<{count}f", self.data, start))

    def f16(self, start, count):
        return list(struct.unpack_from(f"<{count}e", self.data, start))

    def q8_0(self, start, count):
        flat = []
        for at in range(start, start + count // 32 * 34, 34):
            scale, *quants = struct.unpack_from("<e32b", self.data, at)
            flat += [scale * quant for quant in quants]
        return flat

    def q4_0(self, start, count):
        flat = []
        for at in range(start, start + count // 32 * 18, 18):
            scale, *nibbles = struct.unpack_from("<e16B", self.data, at)
            flat += [scale * ((pair & 15) - 8) for pair in nibbles] + [scale * ((pair >> 4) - 8) for pair in nibbles]
        return flat

    def q4_k(self, start, count):
        flat = []
        for at in range(start, start + count // 256 * 144, 144):
            scale, least, *rest = struct.unpack_from("<2e140B", self.data, at)
            packed, pairs = rest[:12], rest[12:]
            for part in range(8):
                if part < 4:
                    multiplier, minimum = packed[part] & 63, packed[part + 4] & 63
                else:
                    multiplier = packed[part + 4] & 15 | packed[part - 4] >> 6 << 4
                    minimum = packed[part + 4] >> 4 | packed[part] >> 6 << 4
                for pair in pairs[part // 2 * 32:][:32]:
                    flat.append(scale * multiplier * (pair >> part % 2 * 4 & 15) - least * minimum)
        return flat

    def q6_k(self, start, count):
        flat = []
        for at in range(start, start + count // 256 * 210, 210):
            *rest, scale = struct.unpack_from("<192B16be", self.data, at)
            lower, upper, multipliers = rest[:128], rest[128:192], rest[192:]
            for k in range(256):
                half, quarter, i = k // 128, k // 32 % 4, k % 32
                quant = lower[64 * half + quarter % 2 * 32 + i] >> quarter // 2 * 4 & 15
                quant |= (upper[32 * half + i] >> 2 * quarter & 3) << 4
                flat.append(scale * multipliers[k // 16] * (quant - 32))
        return flat
