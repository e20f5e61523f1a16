# SPDX-License-Identifier: GPL-2.0
"""How late others wake beside four sequences: probe.c beside each engine in turns, in one guest of two CPUs.

For this module four clients, each a session of its own; for llama.cpp llama-batched with as many sequences and two threads.
"""

import shlex
import statistics

import counts
import guest

MODEL = "12x768-q4_0"
SESSIONS, THREADS, SECONDS, PAIRS = 4, 2, 15, 3
# More than are generated while probe.c measures.
TOKENS = 400
NAMES = [f"latency/{MODEL}/{SESSIONS}"]
KEYS = ("median_us", "p99_us", "p99_9_us", "most_us")


def sislm(name):
    """The probe beside so many clients."""
    client = f"sislm-client infer -m bench --preset greedy --ignore-eos -n {TOKENS} e >/dev/null"
    script = f"for i in $(seq {SESSIONS}); do {client} & done; wait"
    return shlex.join(["measure", name, "probe", str(SECONDS), "bash", "-c", script])


def llama(name):
    """The probe beside llama-batched; `$tree` is the guest's."""
    words = ["llama-batched", "-m", f"/models/{MODEL}.gguf", "-t", THREADS, "-np", SESSIONS, "-n", TOKENS, "-p", "e", "--seed", 1, "-kvu"]
    return shlex.join(["measure", name, "probe", str(SECONDS), "bash", "-c"]) + f' "exec chroot $tree {shlex.join(map(str, words))} >/dev/null"'


def lines(engines):
    """The guest's commands."""
    yield guest.model(MODEL)
    if "llama.cpp" in engines:
        yield guest.llama("warm", "llama-bench", "--list-devices")
    if "sislm" in engines:
        yield guest.sislm("load", "load", f"/models/{MODEL}.gguf", "--name", "bench")
    for pair in range(PAIRS):
        for engine in engines:
            yield (sislm if engine == "sislm" else llama)(f"{engine} {pair}")


def measure(names, engines):
    """Yields (name, engine, figures), or (name, engine, guest.Failed)."""
    found = {engine: [] for engine in engines}
    for result in guest.run(list(lines(engines)), [MODEL], CPU=counts.N1, SMP="2", INSMOD=f"workers={THREADS}"):
        engine = result.name.split(" ")[0]
        if engine in found:
            found[engine].append(result.json())
    for engine, runs in found.items():
        yield names[0], engine, {key: round(statistics.median(run[key] for run in runs), 1) for key in KEYS}
