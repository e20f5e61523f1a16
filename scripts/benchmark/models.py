# SPDX-License-Identifier: GPL-2.0
"""The models that all engines run, made once and kept in the cache: shapes with random weights, what Debian's quantizer makes of one,
and SmolLM2-135M-Instruct in three formats."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "scripts/models"))
import gguf_reader  # noqa: E402

MAKERS = [REPO / "scripts/models" / f"{name}.py" for name in ("random_gguf", "random_weights", "gguf_writer", "vocabulary")]
# Shape of random_gguf.py to what is said of it, and whether the head is the embedding.
SHAPES = {
    "656k": ("2 layers, 128 wide, 2,048 pieces", True),
    "6x256": ("6 layers, 256 wide, 8,192 pieces", False),
    "12x768": ("12 layers, 768 wide, 32,000 pieces", False),
    "gpt2": ("GPT-2 124M: 12 layers, 768 wide, 50,257 pieces", True),
    "tinyllama": ("TinyLlama 1.1B: 22 layers, 2,048 wide, 32,000 pieces", False),
}
# Name of a kind of file to its formats of body, embedding and head, and of an embedding that is the head.
KINDS = {
    "q4_0": ("q4_0", "q4_0", "q4_0", "q4_0"),
    "q8_0": ("q8_0", "q8_0", "q8_0", "q8_0"),
    "q4_k_m": ("q4_k", "q4_k", "q6_k", "q6_k"),
    "f16": ("f16", "f16", "f16", "f16"),
}
# SmolLM2 comes in Q4_1; the others are made of that by Debian's quantizer.
SMOLLM2 = {"smollm2-q4_1": None, "smollm2-q8_0": "Q8_0", "smollm2-q4_k_m": "Q4_K_M"}
# The other formats that have loops at every level, in all matrices: made of a shape's F16 by the same quantizer, which none of them needs
# an importance matrix for. The file type of MXFP4 is one of experts alone, so it is asked for by the name of each tensor.
SOURCES = ("6x256-f16", "12x768-f16")
MXFP4 = ["--tensor-type", ".*=mxfp4", "--token-embedding-type", "mxfp4", "--output-tensor-type", "mxfp4"]
FORMATS = {kind.lower(): (kind, ["--pure"]) for kind in ("Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "BF16")}
FORMATS["mxfp4"] = ("MXFP4_MOE", MXFP4)
PURE = {f"{source.removesuffix('-f16')}-{name}": (source, *how) for source in SOURCES for name, how in FORMATS.items()}
# Tokens that a prompt has before its first character: BOS and the space prefix.
TOKENS_BEFORE = {"gpt2": 0}
OTHERS_BEFORE = 2


def directory():
    """Where the files are: another place for other makers."""
    key = hashlib.sha256(b"".join(maker.read_bytes() for maker in MAKERS)).hexdigest()[:12]
    return pathlib.Path(os.environ["SISLM_CACHE"]) / "bench" / f"models-{key}"


def maker(name, path, *options):
    """Runs random_gguf.py for SHAPE-KIND; what it says."""
    shape, kind = name.split("-")
    body, embedding, head, tied = KINDS[kind]
    command = [sys.executable, str(MAKERS[0]), str(path), "--shape", shape, "--format", body, *options]
    if SHAPES[shape][1]:
        command += ["--embedding-format", tied]
    else:
        command += ["--embedding-format", embedding, "--head-format", head]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def quantize(name, path):
    """Writes a model of another in this format; SmolLM2's weights lose no more by a lower one than by the format itself."""
    source, kind, options = os.environ["BENCH_SMOLLM2"], SMOLLM2.get(name), []
    if name in PURE:
        source, kind, options = PURE[name]
        source = make(source)
    if not kind:
        shutil.copyfile(source, path)
        return
    libraries = next(pathlib.Path(os.environ["BENCH_QUANTIZER"]).glob("tree/usr/lib/*-linux-gnu"))
    command = [libraries.parents[1] / "bin/llama-quantize", "--allow-requantize", *options, source, path, kind, str(os.cpu_count())]
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{libraries}:{libraries}/llama"}
    subprocess.run(command, check=True, capture_output=True, env=environment)


def make(name):
    """The file of SHAPE-KIND, or of SmolLM2, made unless it is there."""
    path = directory() / f"{name}.gguf"
    if not path.exists():
        part = path.parent / "part" / path.name
        part.parent.mkdir(parents=True, exist_ok=True)
        if name in SMOLLM2 or name in PURE:
            quantize(name, part)
        else:
            maker(name, part)
        os.replace(part, path)
    return path


def tensor_bytes(name):
    """Bytes of all weights in the file."""
    if name in SMOLLM2 or name in PURE:
        return gguf_reader.Reader(make(name)).tensor_bytes()
    said = maker(name, os.devnull, "--header-only")
    found = re.search(r": (\d+) bytes, of which the header's (\d+) are written", said)
    return int(found[1]) - int(found[2])


def prompt(name, tokens):
    """A text of so many tokens: full stops, of which no two are one piece; in SmolLM2's vocabulary a word is one."""
    if name in SMOLLM2:
        return "the" + " the" * (tokens - 1)
    return "." * (tokens - TOKENS_BEFORE.get(name.split("-")[0], OTHERS_BEFORE))
