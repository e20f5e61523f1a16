# SPDX-License-Identifier: GPL-2.0
"""The model of a GGUF file with its Q8_0 matrices in Q4_0, but those of the embedding and the head: of the same weights, as far
as those go.

    python3 quantized.py IN.gguf OUT.gguf
"""

import math
import struct
import sys

import gguf_writer as gguf
from gguf_reader import Reader

Q4_0, Q8_0 = 2, 8
BLOCK = 32


def quantized(values):
    """A block of Q4_0: its scale makes the value of the largest magnitude -8."""
    largest = max(values, key=abs)
    scale, = struct.unpack("<e", struct.pack("<e", largest / -8))
    numbers = [min(15, max(0, math.floor(value / scale + 8.5))) if scale else 8 for value in values]
    half = BLOCK // 2
    return struct.pack("<e", scale) + bytes(low | high << 4 for low, high in zip(numbers[:half], numbers[half:]))


def tensor(file, name):
    """Format and bytes of a tensor."""
    shape, kind, offset = file.infos[name]
    if kind == Q8_0 and name.startswith("blk."):
        flat = file.q8_0(file.base + offset, math.prod(shape))
        return Q4_0, b"".join(quantized(flat[at:at + BLOCK]) for at in range(0, len(flat), BLOCK))
    after = [place for _, _, place in file.infos.values() if place > offset]
    end = min(after, default=len(file.data) - file.base)
    return kind, file.data[file.base + offset:file.base + end]


def main():
    path, to = sys.argv[1:]
    file = Reader(path)
    infos, data = [], b""
    for name in sorted(file.infos, key=lambda name: file.infos[name][2]):
        kind, content = tensor(file, name)
        infos.append(gguf.tensor_info(name, file.infos[name][0], kind, len(data)))
        data += content + bytes(gguf.padded(len(content)) - len(content))
    with open(to, "wb") as out:
        out.write(gguf.header(list(file.pairs.values()), infos) + data)


if __name__ == "__main__":
    main()
