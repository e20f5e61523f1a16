# SPDX-License-Identifier: GPL-2.0
"""Runs both engines, and llama.cpp's quantizer."""

import json
import os
import pathlib
import subprocess
import tempfile

import numpy
import sequences


class Failed(Exception):
    """A program of an engine refused a file."""

    def __init__(self, engine, why):
        super().__init__(why)
        self.engine = engine


def call(engine, command, **environment):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, env=os.environ | environment)
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines() or [f"status {done.returncode}"]
        # llama.cpp says the cause first.
        raise Failed(engine, next((line for line in lines if "error" in line or "failed to quantize:" in line), lines[-1]))
    return done.stdout


class Sislm:
    """The engine of the module, by its host binary."""

    def __init__(self):
        self.program = [os.environ["FIDELITY_HOST"], "--threads", str(os.cpu_count())]

    def logits(self, model, sequences, output):
        call("sislm", [*self.program, "-m", model, "logits", "--kv", "f32", sequences, output])

    def embeddings(self, model, rows):
        """Those of all tokens of each row."""
        options = ["embed", "--raw", "--pooling", "none", "--ids"]
        return [json.loads(call("sislm", [*self.program, "-m", model, *options, ",".join(map(str, ids))]))["embeddings"] for ids in rows.tolist()]

    def tokenize(self, model, text):
        return json.loads(call("sislm", [*self.program, "--json", "-m", model, "tokenize", text]))["ids"]

    def info(self, model):
        return json.loads(call("sislm", [*self.program, "--json", "-m", model, "info"]))


class Llama:
    """Debian's llama.cpp, unpacked in a tree of its own."""

    def __init__(self):
        libraries = next(pathlib.Path(os.environ["FIDELITY_LLAMA"]).glob("tree/usr/lib/*-linux-gnu"))
        self.program = [os.environ["FIDELITY_LOGITS"], libraries / "ggml/backends0"]
        self.quantizer = libraries.parents[1] / "bin/llama-quantize"
        self.environment = {"LD_LIBRARY_PATH": f"{libraries}:{libraries}/llama"}

    def logits(self, model, sequences, output):
        call("llama.cpp", [*self.program, model, sequences, output], **self.environment)

    def embeddings(self, model, rows):
        """As Sislm.embeddings."""
        with tempfile.TemporaryDirectory(prefix="fidelity-", dir="/tmp") as directory:
            given, written = pathlib.Path(directory) / "sequences", pathlib.Path(directory) / "embeddings"
            sequences.write(given, rows)
            call("llama.cpp", [*self.program, model, given, written, "embeddings"], **self.environment)
            return numpy.fromfile(written, numpy.float32).reshape(*rows.shape, -1)

    def quantize(self, model, output, name, *options):
        """Writes the weights of `model` in the format `name`."""
        call("llama.cpp", [self.quantizer, "--allow-requantize", *options, model, output, name, os.cpu_count()], **self.environment)


def rows(path, vocabulary):
    """The logits that an engine wrote, [positions of all sequences, vocabulary]."""
    return numpy.memmap(path, numpy.float32, "r").reshape(-1, vocabulary)
