# SPDX-License-Identifier: GPL-2.0
"""Documentation/performance.md and its plots, from the figures."""


import counts
import latency
import loops
import models
import plots
import sequences
import targets
import wall

PATH = models.REPO / "Documentation" / "performance.md"
NONE = "–"
# The engines that this module is compared with, Debian's first.
OTHERS = [*counts.ENGINES[1:], *counts.PEERS]
INTRODUCTION = """<!-- SPDX-License-Identifier: GPL-2.0 -->
<!-- Written by scripts/bench: change that, not this. -->
# Performance

`make bench` makes all of this: it runs this module, Debian's llama.cpp and two other builds in the same guest, one after the other, on the same
files, and writes this page from `performance.json`. `make bench BENCH=pattern` measures a part (the names are the keys of that file) and leaves
the rest as it was, `ENGINE=names` some of `sislm`, `llama.cpp` (Debian's), `node-llama-cpp` (the npm package `@node-llama-cpp/linux-arm64`) and
`ik_llama.cpp` (the PyPI package `ik-llama-cpp-python`, with its weights repacked). Each compiler makes other loops of the same sources, so the ratio
is to the best of the three, whose name is in bold.

Nothing here was measured on Arm hardware. Instructions are counted exactly under emulation; a processor may take a different time for each.
Where weights come from memory faster than they are multiplied, fewer instructions mean fewer cores and less energy, not more tokens a second.

{versions}
"""
GOALS = """
## Goals

A decoded token is to take at most 0.65 of the instructions of the best other build, but in Q8_0, IQ4_NL and IQ4_XS, of which the others'
loops are near the least that the format allows, and in F16, for which the others multiply and add in binary16: the [contract](numerics.rst) forbids that.

{table}
"""
INSTRUCTIONS = r"""
## Instructions per token

One emulated CPU whose clock is its count of instructions (`-icount shift=0`), `PERF_COUNT_HW_INSTRUCTIONS` in the guest; the difference of
two lengths, so that loading and starting cancel. *sislm* is all that a token causes: the client, the module in the client's context, and the
module's threads. *llama.cpp* is what `llama-bench` executes in user space, the others what `scripts/benchmark/peer.c` does with their libraries: what they
cause in the kernel is page faults, which differ from run to run by more than they are. *Whole guest* is every instruction of the machine. All decode
one token a step; sislm also samples (greedily), the others do not. Weights are random but SmolLM2's; greedy decoding never ends at a token. "@" names a
CPU other than neoverse-n1 (dotprod): "@max" is `max,sve=off,sme=off` (i8mm), for which no build has loops that use SMMLA.

{plot}

{table}

\* Not every other build has been measured.

Files: {shapes}. Q4_K_M is Q4_K with a head of Q6_K. SmolLM2 is SmolLM2-135M-Instruct in Q4_1 as it is published, and what Debian's
`llama-quantize` makes of that: 576 wide, so that its Q4_K_M is Q5_0 and Q8_0 but for one matrix of each layer. Files of the other formats are what it
makes of an F16 one, all matrices in the format.
"""
LOOPS = """
## Inner loops

Of the engine's object as built for the module, and of Debian's `libggml-cpu`: instructions, and cycles by llvm-mca's models, for a block of 32
weights of a row and one activation row. GEMV is the loop for one activation row, GEMM the loop of the widest tile.

{table}
"""
WALL = """
## Time under emulation

Milliseconds per decoded token in the emulator, the median of three or five runs of each engine in turns, in one guest with as many CPUs as threads. This is
no statement about hardware: the emulator takes the longest for what processors do fastest. It shows that threads help, on a machine that may be
busy with other things.

{plot}

{table}
"""
MEMORY = """
## Loading and memory

Instructions of loading, with one CPU and the file in the page cache; for the others all of their start, repacking of weights included. sislm takes a SHA-256 of
the file beside packing, which is given apart. Peak: the most memory that the module held while loading; for Debian's llama.cpp the largest resident set,
mapped file included. Bytes per token: packed weights over those of the file, of which a step
reads each once.

{table}

Most work done between `kernel_neon_begin` and `kernel_neon_end` in any of these runs: {section} bytes of weights.
"""
SEQUENCES = """
## Eight sequences

Instructions per token of {model}, one sequence and eight at once, on one CPU. sislm: as many clients, each with a session, counted with all they cause in the
kernel. llama.cpp: `llama-batched`, whose steps have a row for each sequence, in user space. Both sample.

{table}
"""
LATENCY = """
## How late others wake

A thread of normal priority that sleeps for a millisecond at a time, as cyclictest does, in a guest with two CPUs, beside {sessions} sequences of {model}: sessions of
this module, and `llama-batched` with {threads} threads. Microseconds that it woke too late, each the median of {pairs} runs of {seconds} s, in turns. Emulated, so
both engines are compared with each other alone, on a machine that may be busy with other things; `make bench BENCH=latency` measures them again.

{table}
"""


def line(figures):
    """Figures in one line, numbers with thousands."""
    return ", ".join(f"{key} {value:,}" if isinstance(value, int) else f"{key} {value}" for key, value in figures.items())


def total(engine, figures):
    """Instructions that count for an engine: for others than sislm user space only, which is less than they take."""
    return figures["user"] if engine != "sislm" else figures["user"] + figures["kernel"] + figures["threads"]


def of(figures, name, engine, key):
    """A figure, or None when it has not been measured."""
    found = figures.get(name, {}).get(engine)
    if found is None:
        return None
    return total(engine, found) if key == "total" else found.get(key)


def peers(figures, name, key):
    """Each other engine's figure, where it was measured."""
    found = {engine: of(figures, name, engine, key) for engine in OTHERS}
    return {engine: value for engine, value in found.items() if value is not None}


def best(found):
    """The name of the engine with the least, or None."""
    return min(found, key=found.get, default=None)


def columns(found, unit, digits=2):
    """A cell for each other engine, the best in bold."""
    cells = {engine: number(found.get(engine), unit, digits) for engine in OTHERS}
    return [f"**{cell}**" if engine == best(found) and len(found) > 1 else cell for engine, cell in cells.items()]


def number(value, unit=1, digits=2):
    return NONE if value is None else f"{value / unit:,.{digits}f}"


def ratio(mine, theirs):
    return NONE if mine is None or not theirs else f"{mine / theirs:.2f}"


def table(head, rows):
    """A table, numbers to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in cells) + " |" for cells in lines)


def chart(name, title, bars, other="llama.cpp"):
    """Writes a plot and gives the line that shows it; nothing without bars."""
    if not bars:
        return ""
    plots.chart(PATH.with_name(name), f"{title}: {other} (grey), sislm (blue)", bars)
    return f"![{title}]({name})"


def versions(figures):
    """What was measured, and when: one line for each combination."""
    found = {tuple(sorted(entry["measured"].items())) for engines in figures.values() for entry in engines.values()}
    lines = []
    for stamp in sorted(map(dict, found), key=lambda stamp: (stamp["date"], stamp["sislm"], len(stamp))):
        others = [f"{name} {stamp[name]}" for name in OTHERS if name in stamp]
        lines.append("; ".join([f"* {stamp['date']}: sislm {stamp['sislm']}", *others, f"Linux {stamp['kernel']}"]))
    return "\n".join(dict.fromkeys(lines))


def targets_table(figures):
    rows = []
    for measure, name, key, unit, wanted in targets.TARGETS:
        mine, others = of(figures, name, "sislm", key), peers(figures, name, key)
        theirs = others.get(best(others))
        met = NONE if mine is None else "yes" if mine / unit <= wanted else "no"
        rows.append([measure, number(theirs, unit), number(mine, unit), f"{wanted:g}", met])
    for case in counts.CASES:
        if (case.kind, case.depth, case.cpu) != ("decode", 0, counts.N1) or case.model.endswith(targets.DECODE_EXCEPT):
            continue
        mine, others = of(figures, case.name, "sislm", "total"), peers(figures, case.name, "total")
        theirs = others.get(best(others))
        met = NONE if mine is None or not theirs else "yes" if mine / theirs <= targets.DECODE else "no"
        rows.append([f"decode, {case.model}, of the best other", "1", ratio(mine, theirs), f"{targets.DECODE:g}", met])
    for name in wall.NAMES:
        mine, theirs = (of(figures, name, engine, "milliseconds") for engine in counts.ENGINES)
        met = NONE if mine is None or not theirs else "yes" if mine / theirs <= targets.WALL else "no"
        rows.append([f"time under emulation, {name.removeprefix('wall/')}", "1", ratio(mine, theirs), f"{targets.WALL:g}", met])
    return GOALS.format(table=table(["measure", "the best other", "sislm", "wanted at most", "met"], rows))


def instructions(figures):
    rows, bars = [], []
    for name in counts.NAMES:
        mine, others = of(figures, name, "sislm", "total"), peers(figures, name, "total")
        guests = (of(figures, name, engine, "machine") for engine in counts.ENGINES)
        label, least = name.removeprefix("instructions/"), best(others)
        partly = "" if all(engine in others for engine in OTHERS if counts.case(name).runs_with(engine)) else " \\*"
        theirs = others.get(least)
        rows.append([label, *columns(others, 1e6), number(mine, 1e6), ratio(mine, theirs) + partly,
                     number(of(figures, name, "sislm", "user"), 1e6, 4), *(number(guest, 1e6) for guest in reversed(list(guests))),
                     of(figures, name, least, "backend") or NONE, of(figures, name, "sislm", "level") or NONE])
        if mine is not None and theirs:
            bars.append((label, theirs, mine, f"{theirs / 1e6:,.2f} M", f"{mine / 1e6:,.2f} M"))
    plot = chart("performance-instructions.svg", "Instructions per token", bars, "the best other build")
    head = ["M per token", *OTHERS, "sislm", "ratio", "of it in user space", "whole guest, llama.cpp", "whole guest, sislm", "the best's build",
            "level"]
    shapes = "; ".join(f"{shape}, {text}" for shape, (text, _) in models.SHAPES.items())
    return INSTRUCTIONS.format(plot=plot, table=table(head, rows), shapes=shapes)


def inner_loops(figures):
    rows = []
    for name in loops.NAMES:
        for which in ("gemv", "gemm"):
            for engine in counts.ENGINES:
                values = [of(figures, name, engine, f"{which} {key}") for key in ("instructions", *loops.PROCESSORS)]
                if values[0] is not None:
                    rows.append([f"{name.removeprefix('loops/')} {which.upper()}, {engine}", *(number(value, 1, 3) for value in values)])
    return LOOPS.format(table=table(["loop", "instructions", *loops.PROCESSORS], rows))


def times(figures):
    rows, bars = [], []
    for name in wall.NAMES:
        mine, theirs = (of(figures, name, engine, "milliseconds") for engine in counts.ENGINES)
        spread = [f"{number(of(figures, name, engine, 'least'))} to {number(of(figures, name, engine, 'most'))}" for engine in counts.ENGINES]
        load, digest = of(figures, name, "sislm", "load_ms"), of(figures, name, "sislm", "digest_ms")
        label = name.removeprefix("wall/")
        rows.append([label, number(theirs), spread[1], number(mine), spread[0], ratio(mine, theirs),
                     number(of(figures, name, "llama.cpp", "load_ms"), 1, 0), number(load, 1, 0), number(digest, 1, 0)])
        if mine is not None and theirs:
            bars.append((label, theirs, mine, f"{theirs:,.1f} ms", f"{mine:,.1f} ms"))
    plot = chart("performance-wall.svg", "Time per token under emulation", bars)
    head = ["ms per token", "llama.cpp", "least to most", "sislm", "least to most", "ratio", "load, llama.cpp", "load, sislm", "of it digest"]
    return WALL.format(plot=plot, table=table(head, rows))


def memory(figures):
    rows, section = [], 0
    for model in dict.fromkeys(case.model for case in counts.CASES):
        mine = figures.get(f"load/{model}", {}).get("sislm")
        theirs = figures.get(f"load/{model}", {}).get("llama.cpp", {})
        if not mine:
            continue
        resident = theirs.get("resident_kib")
        others = peers(figures, f"load/{model}", "instructions")
        rows.append([model, number(mine["file_bytes"], 1e6), *columns(others, 1e6, 0), number(mine["instructions"], 1e6, 0),
                     ratio(mine["instructions"], others.get(best(others))), number(mine["digest"], 1e6, 0),
                     number(resident and resident * 1024, 1e6), number(mine["peak_bytes"], 1e6), f"{mine['weight_bytes'] / mine['tensor_bytes']:.4f}"])
        section = max(section, mine["longest_section"])
    head = ["model", "file, MB", *(f"load, M instructions, {engine}" for engine in OTHERS), "sislm", "ratio", "of it digest", "peak, MB, llama.cpp",
            "sislm", "bytes per token / model's"]
    return MEMORY.format(table=table(head, rows), section=number(section or None, 1, 0))


def several(figures):
    rows = []
    for engine in reversed(counts.ENGINES):
        one, eight = (of(figures, name, engine, "total") for name in sequences.NAMES)
        rows.append([engine, number(one, 1e6), number(eight, 1e6), ratio(eight, one)])
    return SEQUENCES.format(model=sequences.MODEL, table=table(["M per token", "one", "eight", "eight / one"], rows))


def lateness(figures):
    rows = []
    for engine in reversed(counts.ENGINES):
        values = [of(figures, latency.NAMES[0], engine, key) for key in latency.KEYS]
        rows.append([engine, *(number(value, 1, 0) for value in values)])
    text = {"model": latency.MODEL, "sessions": latency.SESSIONS, "threads": latency.THREADS, "pairs": latency.PAIRS, "seconds": latency.SECONDS}
    return LATENCY.format(**text, table=table(["µs too late", "median", "99 %", "99.9 %", "most"], rows))


def write(figures):
    """Writes the report."""
    parts = [INTRODUCTION.format(versions=versions(figures)), targets_table(figures), instructions(figures), inner_loops(figures), times(figures),
             memory(figures), several(figures), lateness(figures)]
    PATH.write_text("".join(parts), encoding="utf-8")
