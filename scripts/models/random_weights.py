# SPDX-License-Identifier: GPL-2.0
"""Random tensor data, drawn in the file's own formats: bytes from a seeded generator, with exponents set.

A float is drawn as sign, fixed exponent, random mantissa, so its magnitude is 2**e to 2**(e+1); the quantized
integers are all random. No float arithmetic takes part, so the same seed gives the same bytes everywhere."""

import math

import gguf_writer as gguf

MAGNITUDE = math.sqrt(7 / 3)  # root mean square of [1, 2)
# Root mean square of a block's weight over its scale d (Q4_K: of d * sc * q with sc and q of 0 to 15).
SPREAD = {"f32": 1.0, "f16": 1.0, "q4_0": 4.64, "q8_0": 73.9, "q4_k": 77.4, "q6_k": 85.8}


def exponent(rms, lowest):
    return max(lowest, round(math.log2(rms / MAGNITUDE)))


def set_f16(data, at, step, power):
    """Makes the two bytes at `at` of every `step` bytes an F16 of exponent `power`; sign and mantissa stay."""
    bits = (power + 15) << 2
    data[at + 1::step] = data[at + 1::step].translate(bytes((byte & 0x83) | bits for byte in range(256)))


def set_f32(data, power, signed=True):
    high, low = (power + 127) >> 1, ((power + 127) & 1) << 7
    data[3::4] = data[3::4].translate(bytes((byte & 0x80 if signed else 0) | high for byte in range(256)))
    data[2::4] = data[2::4].translate(bytes((byte & 0x7F) | low for byte in range(256)))


def mask(data, first, last, step, table):
    for at in range(first, last):
        data[at::step] = data[at::step].translate(table)


def draw(generator, size, kind, rms, signed=True):
    """`size` bytes (whole blocks) of weights with about this root mean square."""
    data = bytearray(generator.randbytes(size))
    step = gguf.FORMATS[kind][2]
    if kind == "f32":
        set_f32(data, exponent(rms, -100), signed)
        return data
    power = exponent(rms / SPREAD[kind], -14)
    if kind == "q4_k":
        mask(data, 4, 12, step, bytes(byte & 0x0F for byte in range(256)))  # scales and minima of 0 to 15
        set_f16(data, 2, step, power + 3)  # the minima balance the mean of d * sc * q
    if kind == "q6_k":
        mask(data, 192, 208, step, bytes(((byte & 0x0F) - 8) & 0xFF for byte in range(256)))  # scales of -8 to 7
    set_f16(data, {"q6_k": 208}.get(kind, 0), step, power)
    return data
