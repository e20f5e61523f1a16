# SPDX-License-Identifier: GPL-2.0
"""Made-up vocabularies of any size: SentencePiece BPE with byte fallback, byte-level BPE, and Unigram."""

from itertools import count, islice, product

import character_map
import gguf_writer as gguf

LETTERS = "etaoinshrdlucmfwypvbgkqjxz"  # English letters by frequency


def words():
    """Letter strings: all of length 1, then 2, 3 ...; each prefix of length 1 or more comes before it."""
    for length in count(1):
        for letters in product(LETTERS, repeat=length):
            yield "".join(letters)


def pieces(space):
    """Words with and without the mark of a leading space."""
    yield space
    for word in words():
        yield word
        yield space + word


def sentencepiece_lists(size, byte_tokens=True):
    """Tokens, scores and types of `size` ids: unknown, BOS, EOS, 256 bytes, a few signs, then words; scores fall with the id."""
    tokens, types = ["<unk>", "<s>", "</s>"], [2, 3, 3]
    if byte_tokens:
        tokens += [f"<0x{byte:02X}>" for byte in range(256)]
        types += [6] * 256
    tokens += [".", ",", "!", "é", "\n"][: max(0, size - len(tokens) - 2)]
    tokens += islice(pieces("▁"), size - len(tokens))
    types += [1] * (size - len(types))
    scores = [0.0 if kind != 1 else -float(index) for index, kind in enumerate(types)]
    return tokens, scores, types


def sentencepiece(size, byte_tokens=True):
    """Metadata of such a vocabulary."""
    tokens, scores, types = sentencepiece_lists(size, byte_tokens)
    return [
        gguf.pair("tokenizer.ggml.model", gguf.STRING, "llama"),
        gguf.pair("tokenizer.ggml.tokens", gguf.ARRAY, (gguf.STRING, tokens)),
        gguf.pair("tokenizer.ggml.scores", gguf.ARRAY, (gguf.FLOAT32, scores)),
        gguf.pair("tokenizer.ggml.token_type", gguf.ARRAY, (gguf.INT32, types)),
        gguf.pair("tokenizer.ggml.bos_token_id", gguf.UINT32, 1),
        gguf.pair("tokenizer.ggml.eos_token_id", gguf.UINT32, 2),
        gguf.pair("tokenizer.ggml.unknown_token_id", gguf.UINT32, 0),
        gguf.pair("tokenizer.ggml.add_bos_token", gguf.BOOL, True),
        gguf.pair("tokenizer.ggml.add_eos_token", gguf.BOOL, False),
        gguf.pair("tokenizer.ggml.add_space_prefix", gguf.BOOL, True),
    ]


def byte_characters():
    """GPT-2's printable character for each byte, in the order of its own vocabulary."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(rest))]


def byte_level(size):
    """Metadata of a vocabulary of `size` ids: 256 bytes, merged words, the end of text last."""
    bytes_ = byte_characters()
    merged = [piece for piece in islice(pieces("Ġ"), 2 * size) if len(piece) > 1][: size - 257]
    tokens = bytes_ + merged + ["<|endoftext|>"]
    return [
        gguf.pair("tokenizer.ggml.model", gguf.STRING, "gpt2"),
        gguf.pair("tokenizer.ggml.pre", gguf.STRING, "gpt-2"),
        gguf.pair("tokenizer.ggml.tokens", gguf.ARRAY, (gguf.STRING, tokens)),
        gguf.pair("tokenizer.ggml.token_type", gguf.ARRAY, (gguf.INT32, [1] * (size - 1) + [3])),
        gguf.pair("tokenizer.ggml.merges", gguf.ARRAY, (gguf.STRING, [f"{piece[:-1]} {piece[-1]}" for piece in merged])),
        gguf.pair("tokenizer.ggml.bos_token_id", gguf.UINT32, size - 1),
        gguf.pair("tokenizer.ggml.eos_token_id", gguf.UINT32, size - 1),
        gguf.pair("tokenizer.ggml.add_bos_token", gguf.BOOL, False),
    ]


# What Unigram changes, after NFKC: wide letters, ligatures, spaces, accents that stand apart, and what grows most.
CHANGES = {chr(0xFEE0 + code): chr(code) for code in range(0x21, 0x7F)} | {
    "\t": " ", "\n": " ", "\r": "", "\u00a0": " ", "\u3000": " ", "\u200b": " ", "\u00ad": "", "\ufeff": "", "ﬁ": "fi", "ﬂ": "fl", "½": "1⁄2",
    "①": "1", "㍿": "株式会社", "e\u0301": "é", "E\u0301": "É", "a\u0308": "ä", "ｶﾞ": "ガ", "ｶ": "カ", "…": "...",
    "\ufdfa": "صلى الله عليه وسلم", "Å": "Å"}


def unigram(size):
    """Metadata of such a vocabulary in XLM-R's order: four special tokens, pieces with scores of which some are equal, <mask>."""
    signs = [".", ",", "1", "2", "é", "ä", "ガ", "会社", "⁄", "\ufffd", "--------", "e▁a", "▁the▁"]
    marks = [("<u>", 4), ("<u>e", 4), ("zz", 5), ("<0x41>", 6)]
    kinds = [3, 3, 3, 2]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *signs, *islice(pieces("▁"), size - len(signs) - len(marks) - 5)]
    kinds += [1] * (len(tokens) - 4) + [kind for _, kind in marks] + [3]
    tokens += [name for name, _ in marks] + ["<mask>"]
    scores = [-4 - index * 37 % 101 / 9 if kind != 3 else 0.0 for index, kind in enumerate(kinds)]
    return [
        gguf.pair("tokenizer.ggml.model", gguf.STRING, "t5"),
        gguf.pair("tokenizer.ggml.pre", gguf.STRING, "default"),
        gguf.pair("tokenizer.ggml.tokens", gguf.ARRAY, (gguf.STRING, tokens)),
        gguf.pair("tokenizer.ggml.scores", gguf.ARRAY, (gguf.FLOAT32, scores)),
        gguf.pair("tokenizer.ggml.token_type", gguf.ARRAY, (gguf.INT32, kinds)),
        gguf.pair("tokenizer.ggml.token_type_count", gguf.UINT32, 1),
        gguf.pair("tokenizer.ggml.add_space_prefix", gguf.BOOL, True),
        gguf.pair("tokenizer.ggml.remove_extra_whitespaces", gguf.BOOL, True),
        gguf.pair("tokenizer.ggml.precompiled_charsmap", gguf.ARRAY, (gguf.UINT8, list(character_map.compiled(CHANGES)))),
        gguf.pair("tokenizer.ggml.bos_token_id", gguf.UINT32, 0),
        gguf.pair("tokenizer.ggml.eos_token_id", gguf.UINT32, 2),
        gguf.pair("tokenizer.ggml.unknown_token_id", gguf.UINT32, 3),
        gguf.pair("tokenizer.ggml.seperator_token_id", gguf.UINT32, 2),
        gguf.pair("tokenizer.ggml.padding_token_id", gguf.UINT32, 1),
        gguf.pair("tokenizer.ggml.cls_token_id", gguf.UINT32, 0),
        gguf.pair("tokenizer.ggml.mask_token_id", gguf.UINT32, size - 1),
        gguf.pair("tokenizer.ggml.add_bos_token", gguf.BOOL, True),
        gguf.pair("tokenizer.ggml.add_eos_token", gguf.BOOL, True),
        gguf.pair("tokenizer.ggml.add_sep_token", gguf.BOOL, True),
    ]
