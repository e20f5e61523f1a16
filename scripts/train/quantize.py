# SPDX-License-Identifier: GPL-2.0
"""Matrices to the bytes of GGUF's tensor formats; the rounding of ggml's quantize_row_*_ref."""

import numpy


def f32(matrix):
    return matrix.astype("<f4").tobytes()


def f16(matrix):
    return matrix.astype("<f2").tobytes()


def blocks(matrix):
    """(blocks, 32); rows must be a multiple of 32 long."""
    return matrix.astype(numpy.float32).reshape(-1, 32)


def inverse(scale):
    return numpy.divide(1, scale, out=numpy.zeros_like(scale), where=scale != 0)


def q8_0(matrix):
    """A block is an F16 scale d = max|w| / 127 and 32 integers round(w / d)."""
    weights = blocks(matrix)
    scale = numpy.abs(weights).max(1, keepdims=True) / numpy.float32(127)
    quants = weights * inverse(scale)
    quants = numpy.trunc(quants + numpy.copysign(numpy.float32(0.5), quants)).astype(numpy.int8)
    return numpy.concatenate([scale.astype("<f2").view(numpy.uint8), quants.view(numpy.uint8)], 1).tobytes()


def q4_0(matrix):
    """A block is an F16 scale d = (weight of largest magnitude) / -8 and 32 nibbles: low halves first, w = d * (q - 8)."""
    weights = blocks(matrix)
    largest = numpy.take_along_axis(weights, numpy.abs(weights).argmax(1)[:, None], 1)
    scale = largest / numpy.float32(-8)
    quants = numpy.minimum(numpy.trunc(weights * inverse(scale) + numpy.float32(8.5)), 15).astype(numpy.uint8)
    return numpy.concatenate([scale.astype("<f2").view(numpy.uint8), quants[:, :16] | quants[:, 16:] << 4], 1).tobytes()


FORMATS = {"f32": f32, "f16": f16, "q8_0": q8_0, "q4_0": q4_0}
