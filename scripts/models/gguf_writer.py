# SPDX-License-Identifier: GPL-2.0
"""Writes GGUF version 3, little-endian (specification: ggml's docs/gguf.md). Standard library only."""

import struct

ALIGNMENT = 32

# Metadata value types.
UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64, INT64, FLOAT64 = range(13)
PACK = {UINT8: "B", INT8: "b", UINT16: "H", INT16: "h", UINT32: "I", INT32: "i", FLOAT32: "f", BOOL: "?",
        UINT64: "Q", INT64: "q", FLOAT64: "d"}

# Tensor types: number in the file, weights of a block, bytes of a block.
FORMATS = {"f32": (0, 1, 4), "f16": (1, 1, 2), "q4_0": (2, 32, 18), "q8_0": (8, 32, 34), "q4_k": (12, 256, 144),
           "q6_k": (14, 256, 210)}


def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind, content):
    """A metadata value without its type; an array is (element type, list)."""
    if kind == STRING:
        return string(content)
    if kind == ARRAY:
        element, items = content
        return struct.pack("<IQ", element, len(items)) + b"".join(value(element, item) for item in items)
    return struct.pack("<" + PACK[kind], content)


def pair(key, kind, content):
    return string(key) + struct.pack("<I", kind) + value(kind, content)


def tensor_bytes(shape, kind):
    """Bytes of a tensor; shape is (columns, rows...) as GGUF writes it, kind a key of FORMATS."""
    _, weights, size = FORMATS[kind]
    count = 1
    for extent in shape:
        count *= extent
    assert shape[0] % weights == 0, f"a row of {shape[0]} is no multiple of {weights} ({kind})"
    return count // weights * size


def tensor_info(name, shape, kind, offset):
    """kind is a key of FORMATS or a raw number."""
    number = kind if isinstance(kind, int) else FORMATS[kind][0]
    return string(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", number, offset)


def padded(size, alignment=ALIGNMENT):
    return (size + alignment - 1) // alignment * alignment


def header(pairs, infos, version=3, tensor_count=None, pair_count=None, magic=b"GGUF"):
    """The bytes before the tensor data. pairs and infos are lists of encoded entries."""
    data = magic + struct.pack("<IQQ", version, len(infos) if tensor_count is None else tensor_count,
                               len(pairs) if pair_count is None else pair_count)
    data += b"".join(pairs) + b"".join(infos)
    return data + bytes(padded(len(data)) - len(data))


def layout(tensors):
    """Infos of (name, shape, kind) laid one after the other, and the bytes of all data."""
    infos, offset = [], 0
    for name, shape, kind in tensors:
        infos.append(tensor_info(name, shape, kind, offset))
        offset += padded(tensor_bytes(shape, kind))
    return infos, offset
