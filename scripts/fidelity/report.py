# SPDX-License-Identifier: GPL-2.0
"""Documentation/fidelity.md and its plots, from the figures."""

import math

import models
import plots

FOLDER = models.REPO / "Documentation"
# Of files in F32: most mean divergence that is wanted.
WANTED = 1e-7
# Standard errors beyond which a difference is not taken for chance.
CHANCE = 3
NONE = "–"
# Below any divergence that float64 shows.
LEAST = 1e-16
PAGE = """<!-- SPDX-License-Identifier: GPL-2.0 -->
<!-- Written by scripts/fidelity/run: change that, not this. -->
# Fidelity

`make fidelity` makes all of this: it evaluates the same tokens with the engine of this module and with Debian's llama.cpp, compares both with the
model's own distributions, and writes this page from `fidelity.json`. `make fidelity SISLM_MODELS=directory` takes the models of that directory
in place of those that lie beside the project, `MODEL=pattern` measures a part and leaves the rest as it was.

{versions}

{summary}

## What is measured

* **The truth** is a pass in float64 from the model's equations (`scripts/fidelity/truth.py`), which shares no code and no table with the engine.
  llama.cpp in F32 is no truth: its GELU goes through a table of binary16 (divergences of 1e-6 below). The weights are those of the same
  file, made F32 by `llama-quantize`: what quantizing a model loses is the same for both engines and not measured here; what
  is left is their arithmetic, in quantized files the rounding of activations to 8 bits above all.
* **KL**: Kullback-Leibler divergence of an engine's distribution from the true one, in nats: its mean over at least 2,000 positions, and
  the quantile of 99.9 %. All logits are compared, in full precision (`sislm-host logits`, `scripts/fidelity/logits.c`);
  the file that `llama-perplexity` writes has logits of 16 bits, too coarse for 1e-7.
* **Difference**: mean KL of sislm less that of llama.cpp at the same positions, and in brackets its standard error. Within {chance} standard errors it
  is called chance.
* **Top 1**: positions whose most likely token is the true one. **Greedy**: 16 answers of 32 tokens; mean share of an answer before its first
  token that is not the true pass's. In models of random weights the best tokens lie close together, so both are low in quantized files.
* **Perplexity**: by how much that of the text differs from the true pass's, in percent.
* The text is the licence of this project, in windows of 256 tokens; a vocabulary that has too few tokens for it gets random ids. Keys and values are f32 in both,
  llama.cpp computes on x86-64 (flash attention off, one thread). The bits of sislm are the same on every CPU ([contract](numerics.rst)).

## Files in F32 and F16

Wanted: a mean below 1e-7.

![Mean divergence of files in F32, F16 and BF16](fidelity-plain.svg)

{plain}

## Quantized files

Wanted: no more than llama.cpp's.

![Mean divergence of quantized files](fidelity-quantized.svg)

{quantized}

## Encoders

An encoder gives no distribution. Compared are the embeddings of all tokens, as they are before pooling: the distance from the true one over
that one's length, its mean and the quantile of 99.9 %. Wanted: no more than llama.cpp's.

{encoders}

## Why rows differ

* Both engines round activations to 8 bits in the same blocks (32 or 256), llama.cpp with a scale of binary16 in blocks of 32, sislm with one of binary32. So
  K and IQ formats agree within a hundredth, and the others differ by chance. TQ1_0 and TQ2_0 are computed as Q4_0 in sislm, with a scale for 32 activations,
  not 256, and NVFP4 as F16, without rounding of activations: these are nearer to the truth.
* F16 and BF16: llama.cpp rounds activations to the format of the weights, sislm does not.
* In models of experts a small difference can choose another expert. A few such positions make the mean, so its error is large.
* Perplexity moves by chance too, more than the divergence does.

## Refused

By one engine, or without a pass in float64 here. The random models are made for the tests of this project: some lack a tensor that llama.cpp
demands, and are then compared with the truth alone.

{refused}
"""
HEAD = ["file", "architecture", "formats", "KL", "llama.cpp", "99.9 %", "llama.cpp", "difference", "top 1", "llama.cpp", "greedy", "llama.cpp",
        "perplexity", "llama.cpp"]


ENCODER_HEAD = ["file", "architecture", "formats", "distance", "llama.cpp", "99.9 %", "llama.cpp", "difference"]


def table(rows, head=None):
    head = head or HEAD
    lines = [head, ["---"] * 3 + ["---:"] * (len(head) - 3), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def perplexity(figures, engine):
    if engine not in figures:
        return NONE
    return f"{100 * math.expm1(figures[engine]['nll'] - figures['truth']['nll']):+.3f} %"


def row(name, figures):
    sides, apart = (figures["sislm"], figures.get("llama.cpp")), figures.get("difference")
    pairs = [f"{side[key]:.2e}" if side else NONE for key in ("kl", "kl_999") for side in sides]
    shares = [f"{100 * side[key]:.1f} %" if side else NONE for key in ("top1", "greedy") for side in sides]
    between = f"{apart['kl']:+.1e} ({apart['error']:.1e})" if apart else NONE
    return [name, figures["architecture"], ", ".join(figures["formats"]), *pairs, between, *shares,
            perplexity(figures, "sislm"), perplexity(figures, "llama.cpp")]


def encoder_row(name, figures):
    sides, apart = (figures["sislm"], figures.get("llama.cpp")), figures.get("difference")
    pairs = [f"{side[key]:.2e}" if side else NONE for key in ("distance", "distance_999") for side in sides]
    between = f"{apart['distance']:+.1e} ({apart['error']:.1e})" if apart else NONE
    return [name, figures["architecture"], ", ".join(figures["formats"]), *pairs, between]


def is_plain(figures):
    return set(figures["formats"]) <= {"F32", "F16", "BF16"}


def of(figures, side):
    """How far one is from the truth: in an encoder by the distance."""
    return figures[side]["distance" if "distance" in figures[side] else "kl"]


def worse(figures):
    """Whether sislm is farther from the truth than llama.cpp by more than chance."""
    return of(figures, "difference") > CHANCE * figures["difference"]["error"]


def compared(rows):
    """Those that both engines took."""
    return {name: figures for name, figures in rows.items() if "difference" in figures}


def summary(measured, encoders):
    plain = {name: figures for name, figures in measured.items() if is_plain(figures)}
    quantized = {name: figures for name, figures in measured.items() if not is_plain(figures)}
    missed = [name for name, figures in plain.items() if figures["sislm"]["kl"] >= WANTED]
    theirs = [figures["llama.cpp"]["kl"] for figures in compared(plain).values()]
    quantized = compared(quantized)
    above = [name for name, figures in quantized.items() if figures["difference"]["kl"] > 0]
    beyond = [name for name in above if worse(quantized[name])]
    better = sum(figures["difference"]["kl"] < -CHANCE * figures["difference"]["error"] for figures in quantized.values())
    most = max((figures["sislm"]["kl"] for figures in plain.values()), default=0)
    lines = [
        f"**Files in F32, F16 and BF16** ({len(plain)}): largest mean {most:.1e}; not below 1e-7: {', '.join(missed) or 'none'} "
        f"(llama.cpp: {sum(value >= WANTED for value in theirs)} of {len(theirs)}, largest {max(theirs, default=0):.1e}).",
        f"**Quantized files** ({len(quantized)}): the mean is above llama.cpp's in {len(above)}; by more than chance in "
        f"{len(beyond)}{': ' if beyond else ''}{', '.join(beyond)}. It is below by more than chance in {better}."]
    encoders = compared(encoders)
    beyond = [name for name, figures in encoders.items() if worse(figures)]
    lines.append(f"**Encoders** ({len(encoders)}): the mean distance is above llama.cpp's by more than chance in "
                 f"{len(beyond)}{': ' if beyond else ''}{', '.join(beyond)}.")
    return "\n\n".join(lines)


def plot(name, title, rows, wanted=None):
    points = [(label, {engine: max(figures[engine]["kl"], LEAST) for engine in plots.COLORS if engine in figures})
              for label, figures in rows.items()]
    plots.chart(FOLDER / f"fidelity-{name}.svg", title, points, wanted)


def versions(record):
    stamps = {tuple(sorted(figures["measured"].items())) for figures in record.values()}
    stamps = sorted(tuple(dict(stamp)[key] for key in ("commit", "llama.cpp", "cpu")) for stamp in stamps)
    return "\n".join(f"* sislm {commit}, llama.cpp {other}, {cpu}" for commit, other, cpu in stamps)


def write(record):
    measured = {name: figures for name, figures in sorted(record.items()) if "sislm" in figures}
    encoders = {name: figures for name, figures in measured.items() if "distance" in figures["sislm"]}
    measured = {name: figures for name, figures in measured.items() if name not in encoders}
    plain = {name: figures for name, figures in measured.items() if is_plain(figures)}
    quantized = {name: figures for name, figures in measured.items() if not is_plain(figures)}
    if plain:
        plot("plain", "Mean KL from the truth, files in F32, F16 and BF16; the line is what is wanted", plain, WANTED)
    if quantized:
        plot("quantized", "Mean KL from the truth, quantized files", quantized)
    refused = [f"* {name}, {engine}: {why}" for name, figures in sorted(record.items()) for engine, why in figures.get("refused", {}).items()]
    page = PAGE.format(versions=versions(record), summary=summary(measured, encoders), chance=CHANCE, plain=table(row(*item) for item in plain.items()),
                       quantized=table(row(*item) for item in quantized.items()),
                       encoders=table((encoder_row(*item) for item in encoders.items()), ENCODER_HEAD), refused="\n".join(refused) or "Nothing.")
    (FOLDER / "fidelity.md").write_text(page, encoding="utf-8")
