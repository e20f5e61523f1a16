# SPDX-License-Identifier: GPL-2.0
"""Measures both engines on one file against the truth."""

import collections
import math
import pathlib
import tempfile

import engines
import numpy
import sequences
import truth
from attention import ENCODERS
from divergence import Divergence, agreement, difference
from gguf_reader import Reader

TYPES = ["F32", "F16", "Q4_0", "Q4_1", "-", "-", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K",
         "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "-", "-", "-", "-", "-",
         "IQ1_M", "BF16", "-", "-", "-", "TQ1_0", "TQ2_0", "-", "-", "-", "MXFP4", "NVFP4", "Q1_0", "Q2_0"]
# Logits of the truth that are computed at a time.
LOGITS = 1 << 25


def formats(file):
    """Formats of the matrices, that of most weights first; those of under a hundredth are left out."""
    counts = collections.Counter()
    for shape, kind, _ in file.infos.values():
        if len(shape) > 1:
            counts[TYPES[kind] if kind < len(TYPES) else str(kind)] += math.prod(shape)
    return [name for name, count in counts.most_common() if count * 100 > counts.total()]


class Measurement:
    """One file, with a directory for what the engines write."""

    def __init__(self, path, text, directory):
        self.path, self.directory = path, pathlib.Path(directory)
        self.engines = {"sislm": engines.Sislm(), "llama.cpp": engines.Llama()}
        self.info = self.engines["sislm"].info(path)
        file = Reader(path)
        ids = self.engines["sislm"].tokenize(path, text)
        begin = ids[0] if ids and ids[0] == file.metadata.get("tokenizer.ggml.bos_token_id") else None
        self.context, self.vocabulary = self.info["context"], self.info["vocabulary"]
        self.rows = sequences.windows(ids, self.vocabulary, self.context, begin)
        self.record = {"sha256": self.info["model_sha256"], "architecture": file.metadata["general.architecture"],
                       "formats": formats(file)}

    def run(self):
        """The record."""
        plain = self.directory / "f32.gguf"
        self.engines["llama.cpp"].quantize(self.path, plain, "F32")
        model = truth.Model(plain)
        prompts, count = sequences.prompts(self.rows, self.context)
        answers = model.greedy(prompts, count)
        given = self.directory / "sequences"
        sequences.write(given, self.rows, numpy.concatenate([prompts, answers[:, :-1]], 1))
        found = {}
        for name, engine in self.engines.items():
            try:
                engine.logits(self.path, given, self.directory / name)
            except engines.Failed as failure:
                if name == "sislm":
                    raise
                self.record["refused"] = {name: str(failure)}
            else:
                found[name] = engines.rows(self.directory / name, self.vocabulary)
        self.compare(model, found)
        for name, logits in found.items():
            best = logits[self.rows.size:].argmax(-1).reshape(len(answers), -1)
            self.record[name]["greedy"] = agreement(best[:, prompts.shape[1] - 1:], answers)
        return self.record

    def compare(self, model, found):
        """Compares the windows."""
        collected = {name: Divergence() for name in (*found, "truth")}
        length = self.rows.shape[1]
        share = max(1, LOGITS // (length * self.vocabulary))
        for first in range(0, len(self.rows), share):
            for place, exact in enumerate(model.logits(self.rows[first:first + share]), first):
                collected["truth"].add(exact, exact, self.rows[place, 1:])
                for name, logits in found.items():
                    collected[name].add(exact, logits[place * length:(place + 1) * length], self.rows[place, 1:])
        for name, collection in collected.items():
            self.record[name] = collection.result()
        if "llama.cpp" in found:
            self.record["difference"] = difference(collected["sislm"], collected["llama.cpp"])


class EncoderMeasurement(Measurement):
    """One file of an encoder, which gives no distribution: the embeddings of its tokens."""

    def run(self):
        """The record."""
        plain = self.directory / "f32.gguf"
        self.engines["llama.cpp"].quantize(self.path, plain, "F32")
        exact, found = truth.Model(plain).hidden(self.rows), {}
        for name, engine in self.engines.items():
            try:
                given = numpy.array(engine.embeddings(self.path, self.rows), numpy.float64)
            except engines.Failed as failure:
                if name == "sislm":
                    raise
                self.record["refused"] = {name: str(failure)}
            else:
                found[name] = (numpy.linalg.norm(given - exact, axis=-1) / numpy.linalg.norm(exact, axis=-1)).ravel()
        for name, distances in found.items():
            self.record[name] = {"distance": distances.mean(), "distance_999": numpy.quantile(distances, 0.999)}
        if "llama.cpp" in found:
            apart = found["sislm"] - found["llama.cpp"]
            self.record["difference"] = {"distance": apart.mean(), "error": apart.std(ddof=1) / math.sqrt(apart.size)}
        return self.record


def measure(path, text):
    """The record of a file, with why llama.cpp refuses it where it does. Failed, Unknown: it cannot be measured."""
    with tempfile.TemporaryDirectory(prefix="fidelity-", dir="/tmp") as directory:
        measurement = Measurement(path, text, directory)
        if measurement.record["architecture"] in ENCODERS:
            measurement = EncoderMeasurement(path, text, directory)
        return measurement.run()
