#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Instructions that the module takes for a token, against Documentation/performance.json: 2 % more fail.

Counted in one guest by scripts/benchmark/counts.py, what the client executes in user space left out. Renewed by
make bench ENGINE=sislm BENCH='instructions/((656k|6x256)-.*/decode|12x768-.*/prefill)$'. A row that has grown is counted again
in a second boot, and fails when it has grown there too.
"""

import os
import pathlib
import subprocess
import sys

REPO = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO / "scripts" / "benchmark"))

import counts  # noqa: E402
import guest  # noqa: E402
import record  # noqa: E402

DECODE = ("656k-q4_0", "6x256-q4_0", "6x256-q8_0", "6x256-q4_k_m", "6x256-f16")
PREFILL = ("12x768-q4_0", "12x768-q4_k_m")
NAMES = [f"instructions/{model}/decode" for model in DECODE] + [f"instructions/{model}/prefill" for model in PREFILL]
GROWTH = 1.02


def module(figures):
    """The module's part."""
    return figures["kernel"] + figures["threads"]


def compare(name, now, before):
    """The line of one result."""
    figures = f"{before:,} before, {now:,} now ({now / before - 1:+.1%})"
    return f"{'ok' if now <= before * GROWTH else 'not ok'} {name} {figures}"


def count(names, kept):
    """Yields name and line of each row, as one boot counts it; what failed has a line too."""
    for name, engine, figures in counts.boot(counts.cases_of(names), ["sislm"]):
        if isinstance(figures, guest.Failed):
            yield name, f"not ok {name} {figures}"
        elif name in names:
            yield name, compare(name, module(figures), module(kept[name][engine]))


def main():
    kept = record.read()
    programs = subprocess.run([REPO / "scripts/benchmark/programs"], check=True, capture_output=True, text=True).stdout.strip()
    os.environ["BENCH_PROGRAMS"] = programs
    missing = [name for name in NAMES if "sislm" not in kept.get(name, {})]
    for name in missing:
        print(f"not ok {name} no figure in {record.PATH.name}")
    failed = len(missing)
    if len(missing) == len(NAMES):
        return 1
    grown = set()
    for name, line in count(set(NAMES) - set(missing), kept):
        if line.startswith("not") and name in NAMES:
            grown.add(name)
        else:
            failed += line.startswith("not")
            print(line, flush=True)
    # One boot differs from another by 1 % of the smallest model: what has grown has grown in both.
    for _, line in count(grown, kept) if grown else ():
        failed += line.startswith("not")
        print(line, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
