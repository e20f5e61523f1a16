#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""100 random answers, recorded on one CPU, computed again on two others and by the scalar loops of `sislm-host`: the same ids, and the
commitments of their records.

usage: replay.py -- SISLM-HOST
"""

import concurrent.futures
import json
import os
import pathlib
import random
import shlex
import subprocess
import sys
import tempfile

REPO = pathlib.Path(__file__).resolve().parent.parent
COUNT = 100
SEED = 20261127
# CPUs and the instruction level of each; the first one records.
CPUS = {"cortex-a53": "neon", "neoverse-n1": "dotprod", "max,sve=off,sme=off": "i8mm"}
# Models by name: the file in test_models, and adapters as `load` takes them.
MODELS = {
    "trained": ("kernel-docs-7m-q4_0", None),
    "nibbles": ("random-llama-q4_0", "lora-llama-q4_0=0.5"),
    "super": ("random-llama-q4_k", None),
    "halves": ("random-llama-f16", None),
    "gpt2": ("random-gpt2-q8_0", None),
}
DRAWINGS = [
    "--preset greedy",
    "--preset balanced",
    "--preset creative",
    "--temperature 0.7 --top-k 0 --min-p 0.05",
    "--typical 0.9 --repeat-penalty 1.3 --repeat-last-n 16",
    "--presence-penalty 0.5 --frequency-penalty 0.25 --logit-bias 7+1.5 --logit-bias 11-inf",
    "--dry-multiplier 0.8 --dry-allowed-length 1",
    "--xtc-probability 0.5 --xtc-threshold 0.05 --top-n-sigma 1.5",
    "--dynatemp-range 0.5 --temperature 1.1",
    "--mirostat 2 --mirostat-ent 4",
]
WORDS = ["the", "kernel", "driver", "memory", "device", "of", "is", "which", "and", "lock", "page", "when", "returns", "one", "ten", "tires"]
# What an answer ends with that is not the recorded one.
NOT_VERIFIED = 12


class Case:
    """An answer: its model, how it is asked for, and what."""

    def __init__(self, number, generator):
        self.number = number
        self.model = generator.choice(list(MODELS))
        self.options = shlex.split(generator.choice(DRAWINGS))
        if generator.random() < 0.25:
            self.options += ["--kv", generator.choice(["f32", "q8_0"])]
        self.tokens = generator.randint(1, 24)
        self.prompt = " ".join(generator.choices(WORDS, k=generator.randint(1, 12)))

    def infer(self):
        """The command that records it."""
        options = [*self.options, "--ignore-eos", "-n", str(self.tokens)]
        command = shlex.join(["sislm-client", "infer", "--json", "-m", self.model, *options, self.prompt])
        return f"{command} >/share/{self.number}.json"

    def replay(self):
        """The command that computes it again; it prints its number and status, too."""
        command = shlex.join(["sislm-client", "replay", "--json", *self.options, f"/share/{self.number}.json"])
        return f"said=$({command} 2>&1); echo {self.number} $? $said"

    def on_host(self, host, share, file=None):
        """The status and the words of `sislm-host replay`."""
        model, adapter = MODELS[self.model]
        command = [host, "--json", "-m", REPO / f"test_models/{model}.gguf"]
        command += ["--lora", REPO / f"test_models/{adapter.replace('=', '.gguf=')}"] if adapter else []
        done = subprocess.run(
            [*command, "replay", *self.options, file or share / f"{self.number}.json"], capture_output=True, text=True, check=False
        )
        return done.returncode, (done.stdout or done.stderr).strip()


def loads():
    """Commands that load the models."""
    for name, (model, adapter) in MODELS.items():
        lora = f" --lora /models/{adapter.replace('=', '.gguf=')}" if adapter else ""
        yield f"sislm-client load /models/{model}.gguf --name {name}{lora} >/dev/null || exit 1"


def guest(cpu, share, commands):
    """What the commands print in a guest with this CPU."""
    (share / "commands").write_text("\n".join([*loads(), *commands]) + "\n", encoding="utf-8")
    environment = {**os.environ, "KERNEL": "stock", "CPU": cpu, "SHARE": str(share), "CMD": "bash /share/commands"}
    done = subprocess.run(
        [REPO / "scripts/guest"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{cpu}: status {done.returncode}: {(done.stdout + done.stderr)[-600:]}")
    return done.stdout


def objects(text):
    """JSON objects, one a line."""
    return [json.loads(line) for line in text.splitlines()]


def sound(case):
    """What is said of an answer that is the recorded one."""
    return {"tokens": case.tokens, "parts_at": None, "commitment": True}


def recorded(cases, cpu, share):
    """Yields (name, whether it holds, what was seen) of the guest that records."""
    commands = [case.infer() for case in cases] + ["sislm-client trace --raw >/share/export", "sislm-client trace --json"]
    turns = [record for record in objects(guest(cpu, share, commands)) if record["kind"] == "turn"]
    answers = [json.loads((share / f"{case.number}.json").read_text(encoding="utf-8")) for case in cases]
    commitments = [turn["commitment"] for turn in turns]
    yield "records", commitments == [answer["receipt"]["commitment"] for answer in answers], commitments
    yield "seeds-differ", len({answer["seed"] for answer in answers}) == len(cases), ""
    yield "recorded-by", {turn["simd"] for turn in turns} == {CPUS[cpu]}, {turn["simd"] for turn in turns}


def replayed(cases, cpu, share):
    """Of a guest that computes the answers again, and looks at the other one's export."""
    commands = [case.replay() for case in cases]
    commands += ["sislm-client trace --json --verify /share/export", "sislm-client trace --json | grep '\"turn\",' | tail -n 1"]
    *lines, verified, last = guest(cpu, share, commands).splitlines()
    wrong = []
    for case, line in zip(cases, lines, strict=True):
        number, status, said = line.split(" ", 2)
        if (int(number), status) != (case.number, "0") or json.loads(said) != sound(case):
            wrong.append(f"{case.model} {case.options}: {line}")
    yield f"replay-{CPUS[cpu]}", not wrong, wrong
    yield f"verify-{CPUS[cpu]}", json.loads(verified)["records"] == len(cases) + len(MODELS), verified
    yield f"replayed-by-{CPUS[cpu]}", json.loads(last)["simd"] == CPUS[cpu], last


def on_host(cases, host, share):
    """Of this machine, and of an answer with another token."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda case: case.on_host(host, share), cases))
    wrong = [(case.model, case.options, said) for case, (status, said) in zip(cases, found, strict=True) if status or json.loads(said) != sound(case)]
    yield "replay-host", not wrong, wrong
    case = max(cases, key=lambda case: case.tokens)
    answer = json.loads((share / f"{case.number}.json").read_text(encoding="utf-8"))
    answer["ids"][5] ^= 1
    (share / "forged.json").write_text(json.dumps(answer), encoding="utf-8")
    status, said = case.on_host(host, share, share / "forged.json")
    wanted = {"tokens": case.tokens, "parts_at": 5, "commitment": False}
    yield "forged-host", status == NOT_VERIFIED and json.loads(said) == wanted, (status, said)


def results(host, share):
    """All of them."""
    generator = random.Random(SEED)
    cases = [Case(number, generator) for number in range(COUNT)]
    first, *others = CPUS
    yield from recorded(cases, first, share)
    yield from on_host(cases, host, share)
    for cpu in others:
        yield from replayed(cases, cpu, share)


def main():
    host = sys.argv[sys.argv.index("--") + 1]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sislm-replay.") as share:
        try:
            for name, holds, seen in results(host, pathlib.Path(share)):
                failed += not holds
                print(f"ok {name}" if holds else f"not ok {name} {str(seen)[:2000]!r}", flush=True)
        except RuntimeError as error:
            print(f"not ok guest {str(error)!r}")
            return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
