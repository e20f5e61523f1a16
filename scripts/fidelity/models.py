# SPDX-License-Identifier: GPL-2.0
"""The files to measure: those of a directory, and those made from the project's own."""

import os
import pathlib
import re

REPO = pathlib.Path(__file__).resolve().parent.parent.parent
KERNEL_DOCS = REPO / "test_models/kernel-docs-7m-q4_0.gguf"
# Made of the trained models by llama.cpp's quantizer: a format everywhere, and the mixes that people download. The rows of SmolLM2
# are no multiple of 256, so the K formats are those of the smaller one.
PURE = ["F32", "F16", "BF16", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ3_S",
        "IQ4_NL", "IQ4_XS", "TQ1_0", "TQ2_0", "Q1_0", "Q2_0"]
MIXES = ["Q8_0", "Q4_K_M"]


class File:
    """One row: a name, where the file is, and the format that the quantizer makes of it first."""

    def __init__(self, name, path, quantize=None, pure=False):
        self.name, self.path, self.quantize = name, path, quantize
        self.options = ["--pure"] if pure else []


def folder():
    """The directory of the user's models, or that of tests where the project has it beside it."""
    return pathlib.Path(os.environ.get("SISLM_MODELS") or REPO.parent / "shared" / "models")


def files():
    """All files that the pattern MODEL matches, the small ones first."""
    found = [File(path.stem, path) for path in sorted((REPO / "test_models").glob("random-*.gguf"))]
    for path in sorted(pathlib.Path(os.environ["FIDELITY_ARCHITECTURES"]).glob("*.gguf")):
        found += [File(f"random-{path.stem}-f32", path, "F32"), File(f"random-{path.stem}", path)]
    found += [File(path.stem, path) for path in sorted(folder().rglob("*.gguf"))]
    names = {file.name for file in found}
    made = [File("kernel-docs-7m-q4_0", KERNEL_DOCS)]
    made += [File(f"kernel-docs-7m-{name.lower()}-pure", KERNEL_DOCS, name, pure=True) for name in PURE]
    found += [file for file in made if file.name not in names]
    smollm2 = os.environ.get("FIDELITY_SMOLLM2")
    if smollm2:
        found += [File("smollm2-135m-q4_1", smollm2), *(File(f"smollm2-135m-{mix.lower()}", smollm2, mix) for mix in MIXES)]
    return [file for file in found if re.search(os.environ.get("MODEL", ""), file.name)]
