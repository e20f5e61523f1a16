# SPDX-License-Identifier: GPL-2.0
"""What the engines evaluate: a text in windows, and greedy answers to pieces of it."""

import numpy

# Positions that are compared at least, and of one window.
POSITIONS, WINDOW = 2048, 256
# Greedy answers, tokens of each and of its prompt.
ANSWERS, ANSWER, PROMPT = 16, 32, 16


def windows(ids, vocabulary, context, begin):
    """[sequences, positions] of the text's `ids`; of random ids where they are too few. Each begins with `begin` if that is not
    None."""
    length = min(context, WINDOW)
    count = -(-POSITIONS // length)
    own = length - (begin is not None)
    ids = numpy.array(ids)
    if ids.size < count * own:
        ids = numpy.random.default_rng(1).integers(0, vocabulary, count * own)
    rows = ids[:count * own].reshape(count, own)
    if begin is None:
        return rows
    return numpy.concatenate([numpy.full((count, 1), begin), rows], 1)


def prompts(rows, context):
    """Beginnings of the windows and of their second halves, and how many tokens an answer to them has."""
    length, half = min(PROMPT, context // 2), rows.shape[1] // 2
    pieces = numpy.concatenate([rows[:, :length], rows[:, half:half + length]])
    return pieces[:ANSWERS], min(ANSWER, context - length)


def write(path, *groups):
    """One sequence on each line."""
    lines = [" ".join(map(str, row)) for group in groups for row in group.tolist()]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
