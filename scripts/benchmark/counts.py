# SPDX-License-Identifier: GPL-2.0
"""Instructions per token, by the difference of two lengths: exact, whatever else a run costs.

One CPU whose clock is its count of instructions (-icount shift=0), PERF_COUNT_HW_INSTRUCTIONS in the guest.
"""

import dataclasses
import re

import guest
import models

N1, I8MM, A53 = "neoverse-n1", "max,sve=off,sme=off", "cortex-a53"
COUNTERS = ("user", "kernel", "threads", "machine")
ENGINES = ("sislm", "llama.cpp")
# Other builds of llama.cpp's family, and what guest.peer calls them.
PEERS = {"node-llama-cpp": "node", "ik_llama.cpp": "ik"}
PROMPT = 3


@dataclasses.dataclass(frozen=True)
class Case:
    """A model, what is counted (decode, prefill), the two lengths in tokens, the CPU, the tokens before, how often.

    The kernel switches between the client and the module's thread at moments that hang on all instructions before, which is 1 %
    of the smallest model: of several runs the middle one counts.
    """

    model: str
    kind: str
    short: int
    long: int
    cpu: str = N1
    depth: int = 0
    runs: int = 1

    @property
    def name(self):
        """As BENCH is matched with."""
        depth = f"-{self.depth}" if self.depth else ""
        cpu = f"@{self.cpu.split(',')[0]}" if self.cpu != N1 else ""
        return f"instructions/{self.model}/{self.kind}{depth}{cpu}"

    def sizes(self, length):
        """Tokens of the prompt and of the answer for the client, which needs some of both."""
        return (max(self.depth, PROMPT), length) if self.kind == "decode" else (length, 1)

    def sislm(self, length):
        """The client's words: the end-of-sequence token does not end the answer."""
        prompt, tokens = self.sizes(length)
        context = 1024 if self.depth else 256
        return ["infer", "--json", "-m", "bench", "--preset", "greedy", "--ignore-eos", "--ctx", context, "-n", tokens,
                models.prompt(self.model, prompt)]

    def llama(self, length):
        """llama-bench's words."""
        tokens = ["-p", 0, "-n", length] if self.kind == "decode" else ["-p", length, "-n", 0]
        return ["llama-bench", "-m", f"/models/{self.model}.gguf", "-t", 1, *tokens, "-d", self.depth, "-r", 1,
                "--no-warmup", "-o", "json"]

    def peer(self, length):
        """peer.c's words."""
        return [f"/models/{self.model}.gguf", self.kind, length, self.depth]

    def runs_with(self, engine):
        """Whether an engine runs it: ik_llama.cpp's wheel needs dotprod, and its loader refuses GPT-2 whose head is the embedding."""
        return engine != "ik_llama.cpp" or not (self.cpu == A53 or self.model.startswith("gpt2"))

    def line(self, engine, length):
        """The guest's command."""
        name = f"{self.name} {engine} {length}"
        if engine == "sislm":
            return guest.sislm(name, *self.sislm(length))
        if engine in PEERS:
            return guest.peer(name, PEERS[engine], *self.peer(length))
        return guest.llama(name, *self.llama(length))

    def check(self, engine, length, result):
        """That the run was of that length."""
        answer = result.json()
        if engine == "sislm":
            found = len(answer["prompt_ids"]), len(answer["ids"]), answer["threads"]
            wanted = *self.sizes(length), 1
        elif engine in PEERS:
            found, wanted = (answer.get(self.kind), answer["depth"], answer["threads"]), (length, self.depth, 1)
        else:
            found = answer["n_prompt"], answer["n_gen"], answer["n_depth"], answer["n_threads"]
            wanted = (0, length, self.depth, 1) if self.kind == "decode" else (length, 0, self.depth, 1)
        if found != wanted:
            raise guest.Failed(f"{result.name}: {found} instead of {wanted} tokens")


SMOLLM2 = ("smollm2-q4_1", "smollm2-q8_0", "smollm2-q4_k_m")
CASES = [
    Case("656k-q4_0", "decode", 16, 80, runs=9),
    *(Case(f"6x256-{kind}", "decode", 8, 40) for kind in models.KINDS),
    *(Case(model, "decode", *((4, 12) if model.startswith("12x768") else (8, 40))) for model in models.PURE),
    *(Case(f"12x768-{kind}", "decode", 4, 12) for kind in models.KINDS),
    Case("12x768-q4_0", "decode", 4, 36, depth=512),
    *(Case(f"12x768-{kind}", "prefill", 32, 64) for kind in ("q4_0", "q8_0", "q4_k_m")),
    *(Case(f"gpt2-{kind}", "decode", 2, 6) for kind in models.KINDS),
    *(Case(f"tinyllama-{kind}", "decode", 1, 3) for kind in models.KINDS),
    Case("12x768-q4_0", "decode", 4, 12, cpu=I8MM),
    *(Case(f"12x768-{kind}", "prefill", 32, 64, cpu=I8MM) for kind in ("q4_0", "q8_0", "q4_k_m")),
    Case("6x256-q4_0", "decode", 8, 40, cpu=A53),
    *(Case(model, "decode", 2, 6) for model in SMOLLM2),
    *(Case(model, "prefill", 32, 64) for model in SMOLLM2),
]
NAMES = [case.name for case in CASES]


def lines(cases, engines):
    """The guest's commands, model by model, one engine after the other."""
    for model in dict.fromkeys(case.model for case in cases):
        yield guest.model(model)
        for engine in engines:
            if engine == "sislm":
                yield guest.sislm(f"load {model}", "load", "--json", f"/models/{model}.gguf", "--name", "bench")
            for case in (case for case in cases if case.model == model and case.runs_with(engine)):
                for length in (case.short, case.long) * case.runs:
                    yield case.line(engine, length)
            if engine == "sislm":
                yield guest.sislm(f"info {model}", "info", "--json")
                yield guest.sislm(f"unload {model}", "unload", "bench")


def per_token(case, short, long):
    """Instructions of each counter for one token more."""
    return {key: round((long.counts[key] - short.counts[key]) / (case.long - case.short)) for key in COUNTERS}


def middle(figures):
    """The middle one of several runs, by what the kernel and its threads took."""
    return sorted(figures, key=lambda run: run["kernel"] + run["threads"])[len(figures) // 2]


def backend(engine, result):
    """The build of its loops that llama.cpp took for this CPU."""
    if engine in PEERS:
        return result.json()["build"]
    found = re.search(r"libggml-cpu-(\S+)\.so", "\n".join(result.errors))
    return found[1] if found else ""


def loaded(name, load, info):
    """What loading took, and the memory: with one CPU and -icount the digest's nanoseconds are instructions."""
    answer, model = load.json(), info.json()["loaded"][0]
    return {
        "instructions": load.counts["user"] + load.counts["kernel"] + load.counts["threads"],
        "digest": answer["timings"]["digest_ns"],
        "file_bytes": answer["file_bytes"],
        "peak_bytes": answer["peak_bytes"],
        "tensor_bytes": models.tensor_bytes(name),
        "weight_bytes": model["weight_bytes"],
        "step_bytes": model["step_bytes"],
        "kv_block_bytes": model["kv_block_bytes"],
        "longest_section": info.json()["device"]["longest_section"],
        "resident_kib": load.counts["resident_kib"],
    }


def llama_loaded(case, short, figures):
    """llama.cpp's start and load: what its run took less the tokens' part."""
    return {
        "instructions": short.counts["user"] + short.counts["kernel"] - case.short * (figures["user"] + figures["kernel"]),
        "resident_kib": short.counts["resident_kib"],
    }


class Boot:
    """What the results of one boot mean, in their order."""

    def __init__(self, cases):
        self.cases = {case.name: case for case in cases}
        self.before, self.runs = {}, {}

    def take(self, result):
        """Yields (name, engine, figures) of a case that is complete, and of its model's loads."""
        name, *rest = result.name.split(" ")
        if name == "load":
            self.before[name] = result
            result.check()
        if (name in ("info", "unload") or rest[0] == "sislm") and self.before["load"].status != "0":
            return  # which has been said
        if name == "info":
            yield f"load/{rest[0]}", "sislm", loaded(rest[0], self.before["load"], result)
        if name not in self.cases:
            return
        case, (engine, length) = self.cases[name], rest
        case.check(engine, int(length), result)
        if int(length) == case.short:
            self.before[name, engine] = result
            return
        short = self.before.get((name, engine))
        if not short:
            return  # it failed
        runs = self.runs.setdefault((name, engine), [])
        runs.append(per_token(case, short, result))
        if len(runs) < case.runs:
            return
        figures = middle(runs)
        if engine == "sislm":
            yield name, engine, {**figures, "level": result.json()["simd"]}
            return
        yield name, engine, {**figures, "backend": backend(engine, result)}
        if (case.kind, case.depth) == ("decode", 0):
            yield f"load/{case.model}", engine, llama_loaded(case, short, figures)


def boot(cases, engines):
    """Counts cases of one CPU in one guest: yields (name, engine, figures), or (name, engine, guest.Failed)."""
    meaning, cpu = Boot(cases), cases[0].cpu
    models_of = dict.fromkeys(case.model for case in cases)
    for result in guest.run(list(lines(cases, engines)), models_of, CPU=cpu, SMP="1", ICOUNT="0"):
        try:
            for name, engine, figures in meaning.take(result):
                if cpu == N1 or not name.startswith("load/"):
                    yield name, engine, figures
        except guest.Failed as error:
            yield result.name, "", error


def case(name):
    """The case with this name."""
    return next(case for case in CASES if case.name == name)


def cases_of(names):
    """The cases with these names."""
    return [case for case in CASES if case.name in names]


def measure(names, engines):
    """As boot(), a guest for each model on each CPU, and one for all that are made of the same one."""
    chosen, guests = cases_of(names), {}
    for case in chosen:
        made = models.PURE.get(case.model, [case.model])[0]
        guests.setdefault((case.cpu, made, case.model in models.PURE), []).append(case)
    for cases in guests.values():
        yield from boot(cases, engines)
