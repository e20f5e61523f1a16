#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes training text, a vocabulary and token files from the kernel's Documentation/; usage: prepare.py DOCUMENTATION WORK"""

import os
import random
import re
import sys

import numpy
import sentencepiece

PIECES = 4096


def sources(root):
    found = [os.path.join(folder, name) for folder, _, names in os.walk(root) if "translations" not in folder
             for name in names if name.endswith(".rst")]
    found.sort()
    random.Random(0).shuffle(found)
    return found


def clean(text):
    """reStructuredText without its directives, rules and roles, and without lines that look like tables or code."""
    text = re.sub(r"^\.\. SPDX.*\n", "", text, flags=re.M)
    text = re.sub(r"^\.\. (toctree|contents|include|kernel-doc|c:|_|\|).*\n(?:[ \t]+.*\n|\n(?=[ \t]))*", "", text, flags=re.M)
    text = re.sub(r"^[=\-~^\"*#+`.:]{3,}\s*$\n", "", text, flags=re.M)
    text = re.sub(r":[a-z:]+:`([^`<]*?)(?:\s*<[^>]*>)?`", r"\1", text)
    text = text.replace("``", "").replace("::\n", "\n")
    text = re.sub(r"[ \t]{3,}", "  ", text)
    lines = [line for line in text.split("\n") if not re.search(r"[|{};\t]|={3,}|-{4,}|0x[0-9a-f]{4,}", line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def prose(text):
    """Only whole paragraphs of sentences, each on one line."""
    kept = []
    for paragraph in re.split(r"\n\s*\n", text):
        flat = re.sub(r"\s+", " ", paragraph).strip()
        letters = sum(character.isalpha() or character in " ,.'" for character in flat)
        if len(flat) >= 60 and letters >= 0.93 * len(flat) and flat.count(" ") >= 9 and not re.search(r"@|http|\$", flat):
            kept.append(flat)
    return "\n\n".join(kept) if len(kept) >= 2 else ""


def train_vocabulary(work, documents):
    text = os.path.join(work, "text")
    with open(text, "w", encoding="utf-8") as file:
        file.write("\n".join(documents))
    sentencepiece.SentencePieceTrainer.train(
        input=text, model_prefix=os.path.join(work, "vocabulary"), vocab_size=PIECES, model_type="bpe", byte_fallback=True,
        character_coverage=0.9999, normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True,
        allow_whitespace_only_pieces=True, max_sentence_length=16384, input_sentence_size=400000, shuffle_input_sentence=True,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1, user_defined_symbols=["\n"], minloglevel=1)
    return sentencepiece.SentencePieceProcessor(model_file=os.path.join(work, "vocabulary.model"))


def write_tokens(path, processor, documents):
    ids = [token for document in documents for token in [processor.bos_id(), *processor.encode(document), processor.eos_id()]]
    numpy.array(ids, dtype=numpy.uint16).tofile(path)
    print(f"{path}: {len(ids)} tokens")


def main():
    root, work = sys.argv[1:]
    os.makedirs(work, exist_ok=True)
    documents = []
    for path in sources(root):
        with open(path, encoding="utf-8", errors="replace") as file:
            documents.append(clean(file.read()))
    held_back = len(documents) // 50
    parts = {"validation": documents[:held_back], "training": documents[held_back:]}
    parts = {name: [text for text in texts if len(text) >= 400] for name, texts in parts.items()}
    processor = train_vocabulary(work, parts["training"])
    for name, texts in parts.items():
        write_tokens(os.path.join(work, f"all.{name}"), processor, texts)
        write_tokens(os.path.join(work, f"prose.{name}"), processor, [text for text in map(prose, texts) if text])


if __name__ == "__main__":
    main()
