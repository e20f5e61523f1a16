# SPDX-License-Identifier: GPL-2.0
"""The inner loops of a built object: instructions counted, cycles by llvm-mca's models of processors.

A loop is a backward branch without another one between it and its target. Its blocks (32 weights of a row, multiplied with
one activation row) follow from its multiplications, which are as many in every loop that is right.
"""

import dataclasses
import os
import pathlib
import re
import subprocess

import guest

FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
TARGET = re.compile(r"0x([0-9a-f]+) <")
BRANCHES = re.compile(r"^(b|b\.\w+|cbn?z|tbn?z)$")
# (format, level, instruction that multiplies): functions of the engine's object, llama.cpp's build and functions for the same.
# Loops within the loop over blocks are not all of its work, and left out: llama.cpp's for Q8_0's GEMM, Q4_K and Q6_K, and all for
# blocks of 256 that are not over whole ones.
SISLM = "sislm_engine::simd::format::{format}::({level}::|\\w+(, \\d+>)? as .*::Layout>::multiply)"
CASES = {
    ("q4_0", "dotprod", "sdot"): ("armv8.2_2", "ggml_gemv_q4_0_4x4_q8_0$", "ggml_gemm_q4_0_4x4_q8_0$"),
    ("q8_0", "dotprod", "sdot"): ("armv8.2_2", "ggml_gemv_q8_0_4x4_q8_0$", None),
    ("q4_0", "i8mm", "smmla"): ("armv8.6_1", None, "ggml_gemm_q4_0_4x8_q8_0$"),
    ("q8_0", "i8mm", "smmla"): None,
    ("q4_k", "dotprod", "sdot"): None,
    ("q6_k", "dotprod", "sdot"): None,
    ("q4_0", "neon", "smull"): None,
    ("q8_0", "neon", "smull"): None,
    ("f16", "neon", "fmla"): None,
}
NAMES = [f"loops/{format}-{level}" for format, level, _ in CASES]
# Products of weight and activation in one instruction.
PRODUCTS = {"smmla": 32, "sdot": 16, "smull": 8, "smull2": 8, "smlal": 8, "smlal2": 8, "fmla": 4}
PROCESSORS = ("cortex-a55", "neoverse-n1", "neoverse-v1")
ITERATIONS = 200
# Blocks of a group of 16 rows by 256 columns.
WHOLE = 128


@dataclasses.dataclass(frozen=True)
class Loop:
    """An inner loop: its function, (mnemonic, operands) of its instructions, whether they are of integers."""

    function: str
    body: tuple

    def count(self, *mnemonics):
        return sum(mnemonic in mnemonics for mnemonic, _ in self.body)

    @property
    def kind(self):
        """The instruction that multiplies."""
        for mnemonic in ("smmla", "sdot"):
            if self.count(mnemonic):
                return mnemonic
        return "smull" if self.count("smull", "smull2", "smlal", "smlal2") else "fmla"

    @property
    def blocks(self):
        """Blocks of 32 weights, times activation rows, of one iteration."""
        mnemonics = ("smull", "smull2", "smlal", "smlal2") if self.kind == "smull" else (self.kind,)
        blocks = sum(PRODUCTS[mnemonic] * self.count(mnemonic) for mnemonic in mnemonics) / 32
        # A group of 16 rows by 256: what Q4_K multiplies besides are its minima.
        return blocks // WHOLE * WHOLE if blocks > WHOLE else blocks


def disassemble(path):
    """Name to [(address, mnemonic, operands)], names as in the source."""
    command = ["llvm-objdump", "-d", "--demangle", "--no-show-raw-insn", str(path)]
    functions, current = {}, None
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        if found := FUNCTION.match(line):
            current = functions.setdefault(found[1], [])
        elif current is not None and (found := INSTRUCTION.match(line)):
            current.append((int(found[1], 16), found[2], found[3].split(" //")[0].strip()))
    return functions


def loops(path, pattern):
    """The inner loops that multiply of the functions whose names match."""
    for name, body in disassemble(path).items():
        if not re.search(pattern, name):
            continue
        places = {address: index for index, (address, _, _) in enumerate(body)}
        ranges = []
        for index, (_, mnemonic, operands) in enumerate(body):
            target = TARGET.search(operands) if BRANCHES.match(mnemonic) else None
            start = places.get(int(target[1], 16)) if target else None
            if start is not None and start <= index:
                ranges.append((start, index))
        for start, end in ranges:
            if any((a, b) != (start, end) and start <= a and b <= end for a, b in ranges):
                continue
            loop = Loop(name, tuple((mnemonic, operands) for _, mnemonic, operands in body[start : end + 1]))
            if loop.blocks:
                yield loop


def cycles(loop, processor):
    """Cycles of an iteration in the steady state."""
    text = ["loop:"]
    for mnemonic, operands in loop.body:
        text.append(f"\t{mnemonic}\t" + re.sub(r"0x[0-9a-f]+ <.*>", "loop", operands))
    command = ["llvm-mca", "-mtriple=aarch64", f"-mcpu={processor}", "-mattr=+dotprod,+i8mm,+fullfp16", f"-iterations={ITERATIONS}", "-noalias=true"]
    done = subprocess.run(command, input="\n".join(text) + "\n", capture_output=True, text=True, check=True)
    return int(re.search(r"Total Cycles:\s+(\d+)", done.stdout)[1]) / ITERATIONS


def figures(loop):
    """Instructions and cycles per block."""
    return {"instructions": round(len(loop.body) / loop.blocks, 3),
            **{processor: round(cycles(loop, processor) / loop.blocks, 3) for processor in PROCESSORS}}


def both(found, kind):
    """GEMV and GEMM. GEMM is the loop with the fewest instructions for a block: the widest tile. GEMV is the one with the most
    of those that convert as many scales as they have rows of blocks, since it unpacks weights for one activation row."""
    found = sorted((loop for loop in found if loop.kind == kind), key=lambda loop: len(loop.body) / loop.blocks)
    if not found:
        return {}
    single = [loop for loop in found if loop.blocks <= 4 * loop.count("fcvtl", "fcvtl2")] or found
    result = {"gemm": figures(found[0]), "gemv": figures(single[-1])}
    return {"gemm": result["gemm"]} if kind == "smmla" else result


def flat(found):
    return {f"{which} {key}": value for which, values in found.items() for key, value in values.items()}


def engine_loops(format, level, kind):
    """Of the engine's object as it was built for the module."""
    path = pathlib.Path(os.environ["GUEST_MODULE"]).parent / "module" / "engine.o"
    if not path.exists():
        raise guest.Failed(f"no {path}: the module was not built here")
    found = list(loops(path, SISLM.format(format=format, level=level)))
    own = [loop for loop in found if f"::{level}::" in loop.function] or found
    if format.endswith("_k"):
        gemv = both([loop for loop in own if loop.blocks >= WHOLE], kind)
        return {"gemv": gemv["gemv"]} if gemv else {}
    return both(own, kind)


def ggml_loops(format, level, kind):
    """Of llama.cpp's build for that level."""
    build, *functions = CASES[format, level, kind]
    folder = pathlib.Path(os.environ["SISLM_CACHE"]) / "bench" / os.environ["BENCH_LLAMA"]
    path = folder / "tree/usr/lib/aarch64-linux-gnu/ggml/backends0" / f"libggml-cpu-{build}.so"
    found = {}
    for which, function in zip(("gemv", "gemm"), functions, strict=True):
        if function:
            found[which] = both(list(loops(path, function)), kind)[which]
    return found


def measure(names, engines):
    """Yields (name, engine, figures), or (name, engine, guest.Failed)."""
    for case, name in zip(CASES, NAMES, strict=True):
        if name not in names:
            continue
        for engine in engines:
            if engine == "llama.cpp" and not CASES[case]:
                continue
            found = flat(engine_loops(*case) if engine == "sislm" else ggml_loops(*case))
            yield name, engine, found or guest.Failed(f"{name}: {engine} has no such loop")
