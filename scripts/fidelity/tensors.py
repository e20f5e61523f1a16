# SPDX-License-Identifier: GPL-2.0
"""Reads a GGUF file of plain numbers, or of Q8_0 where the quantizer leaves that: metadata, and tensors as float64 arrays."""

import math
import pathlib
import sys

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "models"))
from gguf_reader import Reader

# Tensor types by number: F32, F16; BF16 is the upper half of an F32.
PLAIN = {0: numpy.float32, 1: numpy.float16}
BF16 = 30
Q8_0, BLOCK = 8, numpy.dtype([("scale", "<f2"), ("quanta", "i1", 32)])


def tensor(file, name):
    """The tensor with its longest-varying extent first, as numpy has it."""
    shape, kind, offset = file.infos[name]
    count, start = math.prod(shape), file.base + offset
    if kind == BF16:
        halves = numpy.frombuffer(file.data, numpy.uint16, count, start)
        values = (halves.astype(numpy.uint32) << 16).view(numpy.float32)
    elif kind == Q8_0:
        blocks = numpy.frombuffer(file.data, BLOCK, count // 32, start)
        values = blocks["scale"].astype(numpy.float64)[:, None] * blocks["quanta"]
    elif kind in PLAIN:
        values = numpy.frombuffer(file.data, PLAIN[kind], count, start)
    else:
        raise ValueError(f"{name} is not of plain numbers (type {kind})")
    return values.astype(numpy.float64).reshape(shape[::-1])


def read(path):
    """Metadata and tensors of a file."""
    file = Reader(path)
    return file.metadata, {name: tensor(file, name) for name in file.infos}
