# SPDX-License-Identifier: GPL-2.0
"""Time of decoding under emulation: medians of runs of both engines in turns, in one guest.

It says that threads help and do no harm. What it says about speed is true of the emulator, which takes other times for
instructions than any processor.
"""

import statistics

import counts
import guest

# Name of a measurement to its model, threads, tokens, and runs of each engine.
CASES = {
    **{f"wall/12x768-q4_0/{threads}-threads": ("12x768-q4_0", threads, 12, 5) for threads in (1, 2, 4)},
    **{f"wall/6x256-q4_0/{threads}-threads": ("6x256-q4_0", threads, 32, 5) for threads in (1, 2, 4)},
    "wall/tinyllama-q4_0/2-threads": ("tinyllama-q4_0", 2, 3, 3),
}
NAMES = list(CASES)


def lines(name, engines):
    """The guest's commands."""
    model, threads, tokens, pairs = CASES[name]
    yield guest.model(model)
    case = counts.Case(model, "decode", tokens, tokens)
    yield guest.sislm("load", "load", "--json", f"/models/{model}.gguf", "--name", "bench")
    for pair in range(pairs):
        if "sislm" in engines:
            yield guest.sislm(f"sislm {pair}", *case.sislm(tokens))
        if "llama.cpp" in engines:
            words = case.llama(tokens)
            words[words.index("-t") + 1] = threads
            yield guest.llama(f"llama.cpp {pair}", *words)


def milliseconds(engine, result):
    """Of a token: a forward pass; the module's time begins with the first token, which is the prompt's pass."""
    answer = result.json()
    if engine == "llama.cpp":
        return answer["avg_ns"] / answer["n_gen"] / 1e6
    return answer["timings"]["decode_ns"] / (len(answer["ids"]) - 1) / 1e6


def loading(engine, load, runs):
    """Milliseconds of loading: of the one load, the digest apart; for llama.cpp the median of what its runs took besides."""
    if engine == "llama.cpp":
        besides = [run.counts["elapsed_ns"] / 1e6 - milliseconds(engine, run) * run.json()["n_gen"] for run in runs]
        return {"load_ms": round(statistics.median(besides))}
    return {"load_ms": round(load.counts["elapsed_ns"] / 1e6), "digest_ms": round(load.json()["timings"]["digest_ns"] / 1e6)}


def measure(names, engines):
    """Yields (name, engine, figures), or (name, engine, guest.Failed)."""
    for name in filter(names.__contains__, CASES):
        model, threads, *_ = CASES[name]
        options = {"CPU": counts.N1, "SMP": str(threads), "INSMOD": f"workers={threads}"}
        found = {}
        try:
            for result in guest.run(list(lines(name, engines)), [model], **options):
                found.setdefault(result.name.split(" ")[0], []).append(result)
            for engine in engines:
                times = [milliseconds(engine, run) for run in found[engine]]
                yield name, engine, {"milliseconds": round(statistics.median(times), 2), "least": round(min(times), 2),
                                     "most": round(max(times), 2), **loading(engine, found["load"][0], found[engine])}
        except guest.Failed as error:
            yield name, "", error
