#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Splits a GGUF file into parts, as llama.cpp's llama-gguf-split does with --no-tensor-first-split.

split.py FILE PREFIX COUNT: writes PREFIX-00001-of-0000N.gguf and so on; the first part has the keys and no tensor.
"""

import sys

import gguf_writer as gguf
from gguf_reader import Reader


def numbers(place, count, tensors):
    """The keys by which parts know each other."""
    return [gguf.pair("split.no", gguf.UINT16, place), gguf.pair("split.count", gguf.UINT16, count),
            gguf.pair("split.tensors.count", gguf.INT32, tensors)]


def part(file, pairs, names, ends):
    """The bytes of a part with the tensors `names`."""
    infos, data = [], b""
    for name in names:
        shape, kind, offset = file.infos[name]
        infos.append(gguf.tensor_info(name, shape, kind, len(data)))
        content = file.data[file.base + offset:file.base + ends[name]]
        data += content + bytes(gguf.padded(len(content)) - len(content))
    return gguf.header(pairs, infos) + data


def main():
    path, prefix, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    file = Reader(path)
    names = sorted(file.infos, key=lambda name: file.infos[name][2])
    starts = [file.infos[name][2] for name in names]
    ends = dict(zip(names, [*starts[1:], len(file.data) - file.base]))
    for place in range(count):
        own = list(file.pairs.values()) if place == 0 else []
        first, last = ((len(names) * max(0, edge) // (count - 1)) for edge in (place - 1, place))
        with open(f"{prefix}-{place + 1:05}-of-{count:05}.gguf", "wb") as out:
            out.write(part(file, own + numbers(place, count, len(names)), names[first:last], ends))


if __name__ == "__main__":
    main()
