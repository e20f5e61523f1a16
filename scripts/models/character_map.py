# SPDX-License-Identifier: GPL-2.0
"""Maps of characters as SentencePiece stores them (module/engine/tokenizer/character_map.rs): a double array, then texts."""

import struct
from itertools import count

VALUE, LEAF = 1 << 31, 1 << 8


def compiled(changes):
    """The bytes of a map from texts to others; children lie where they fit first."""
    texts, places = bytearray(), {}
    for before, after in sorted(changes.items()):
        places[before.encode()] = len(texts)
        texts += after.encode() + b"\0"
    fronts = {before[:end] for before in places for end in range(len(before) + 1)}
    units, waiting = {0: 0}, [(0, b"")]
    while waiting:
        unit, front = waiting.pop()
        following = [byte for byte in range(1, 256) if front + bytes([byte]) in fronts]
        # The unit of the text, or of none, comes first: no others are as far.
        children = next(at for at in count(256) if not any(at ^ byte in units for byte in (0, *following)))
        units[unit] |= (unit ^ children) << 10 | LEAF * (front in places)
        units[children] = VALUE | places[front] if front in places else 0
        for byte in following:
            units[children ^ byte] = byte
            waiting.append((children ^ byte, front + bytes([byte])))
    # In whole blocks, so that no byte leads out of the array.
    array = b"".join(struct.pack("<I", units.get(at, 0)) for at in range((max(units) | 255) + 1))
    return struct.pack("<I", len(array)) + array + bytes(texts)
