# SPDX-License-Identifier: GPL-2.0
"""Measures every model, keeps the figures in Documentation/fidelity.json, and writes the page: scripts/fidelity/run."""

import json
import os
import pathlib
import tempfile

import engines
import measure
import models
import report
import truth

PATH = models.REPO / "Documentation" / "fidelity.json"
TEXT = models.REPO / "LICENSE"


def read():
    """Name of a file to its figures; empty when there is no record."""
    return json.loads(PATH.read_text(encoding="ascii")) if PATH.exists() else {}


def rounded(figures):
    """Six digits of every number."""
    if isinstance(figures, dict):
        return {key: rounded(value) for key, value in figures.items()}
    return float(f"{figures:.6g}") if isinstance(figures, float) else figures


def figures_of(file, text):
    """The figures of a file, or why there are none."""
    with tempfile.TemporaryDirectory(prefix="fidelity-", dir="/tmp") as directory:
        path = pathlib.Path(file.path)
        try:
            if file.quantize:
                path = pathlib.Path(directory) / f"{file.name}.gguf"
                engines.Llama().quantize(file.path, path, file.quantize, *file.options)
            return measure.measure(path, text)
        except engines.Failed as failure:
            return {"refused": {failure.engine: str(failure)}}
        except truth.Unknown as failure:
            return {"refused": {"the truth": f"no pass for {failure}"}}


def main():
    text = TEXT.read_text(encoding="ascii")
    stamp = {"commit": os.environ["FIDELITY_COMMIT"], "llama.cpp": os.environ["FIDELITY_VERSION"], "cpu": os.environ["FIDELITY_CPU"]}
    for file in models.files():
        figures = rounded(figures_of(file, text))
        kept = read()
        kept[file.name] = {**figures, "measured": stamp}
        PATH.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="ascii")
        print(file.name, *(f"{name} {report.of(figures, name):.3g}" for name in ("sislm", "llama.cpp", "difference") if name in figures),
              *figures.get("refused", {}).values(), flush=True)
    report.write(read())


if __name__ == "__main__":
    main()
