# SPDX-License-Identifier: GPL-2.0
"""Eight sequences at once against one: instructions per token of all, as counts.py counts them.

For this module eight clients, each a session of its own; for llama.cpp llama-batched, whose steps have a row for each
sequence. Both sample.
"""

import re
import shlex

import counts
import guest

MODEL = "12x768-q4_0"
SEQUENCES = (1, 8)
SHORT, LONG = 8, 12
NAMES = [f"sequences/{MODEL}/{many}" for many in SEQUENCES]


def sislm(name, many, length):
    """So many clients at once; the last command waits for all."""
    words = ["sislm-client", *map(str, counts.Case(MODEL, "decode", SHORT, LONG).sislm(length))]
    script = f"for i in $(seq {many}); do {shlex.join(words)} & done; wait"
    return shlex.join(["measure", name, "bash", "-c", script])


def llama(name, many, length):
    """llama-batched counts the prompt (BOS and one token) among the tokens of a sequence; -kvu lets sequences share a prompt."""
    return guest.llama(name, "llama-batched", "-m", f"/models/{MODEL}.gguf", "-t", 1, "-np", many, "-n", 2 + length, "-p", "e",
                       "--seed", 1, "-kvu")


def check(engine, many, length, result):
    """That so many tokens were generated."""
    if engine == "sislm":
        found = sum(len(answer["ids"]) for answer in result.objects())
    else:
        found = int((re.search(r"decoded (\d+) tokens", "\n".join(result.errors + result.output)) or "00")[1])
    if found != many * length:
        raise guest.Failed(f"{result.name}: {found} instead of {many * length} tokens")


def lines(chosen, engines):
    """The guest's commands."""
    yield guest.model(MODEL)
    for engine in engines:
        if engine == "sislm":
            yield guest.sislm("load", "load", f"/models/{MODEL}.gguf", "--name", "bench")
        for many in chosen:
            for length in (SHORT, LONG):
                yield (sislm if engine == "sislm" else llama)(f"sequences/{MODEL}/{many} {engine} {length}", many, length)
        if engine == "sislm":
            yield guest.sislm("unload", "unload", "bench")


def measure(names, engines):
    """Yields (name, engine, figures), or (name, engine, guest.Failed)."""
    chosen = [many for many, name in zip(SEQUENCES, NAMES, strict=True) if name in names]
    short = None
    for result in guest.run(list(lines(chosen, engines)), [MODEL], CPU=counts.N1, SMP="1", ICOUNT="0"):
        if not result.name.startswith("sequences/"):
            continue
        name, engine, length = result.name.split(" ")
        many = int(name.rsplit("/", 1)[1])
        try:
            result.check()
            check(engine, many, int(length), result)
        except guest.Failed as error:
            yield name, engine, error
            continue
        if int(length) == SHORT:
            short = result
            continue
        if not short:
            continue  # it failed
        tokens = many * (LONG - SHORT)
        yield name, engine, {key: round((result.counts[key] - short.counts[key]) / tokens) for key in counts.COUNTERS}
        short = None
