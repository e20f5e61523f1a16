#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measures what BENCH (a regular expression) names, all engines or those that ENGINE names, and writes the report."""

import os
import re
import sys
import time

import counts
import guest
import latency
import loops
import record
import report
import sequences
import wall

# Names that a part can measure, and how it measures some of them, in the order in which they run.
PARTS = [
    (loops.NAMES, loops.measure),
    (counts.NAMES, counts.measure),
    (sequences.NAMES, sequences.measure),
    (wall.NAMES, wall.measure),
    (latency.NAMES, latency.measure),
]


def versions():
    """What was compared, and where."""
    peers = {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in os.environ["BENCH_PEERS_VERSIONS"].splitlines()}
    return {
        **peers,
        "sislm": os.environ["BENCH_COMMIT"],
        "llama.cpp": os.environ["BENCH_LLAMA_VERSION"],
        "kernel": os.environ["BENCH_KERNEL_VERSION"],
    }


def main():
    pattern = re.compile(os.environ.get("BENCH") or ".")
    known = [*counts.ENGINES, *counts.PEERS]
    wanted = os.environ.get("ENGINE", "").split() or known
    engines = [engine for engine in known if engine in wanted]
    if set(wanted) != set(engines):
        print(f"ENGINE is some of {', '.join(known)}")
        return 2
    if not os.environ.get("BENCH") and len(engines) == len(known):
        record.clear()
    found, failed, start = 0, 0, time.monotonic()
    for names, measure in PARTS:
        chosen = [name for name in names if pattern.search(name)]
        if not chosen:
            continue
        try:
            # Other builds than Debian's count instructions alone.
            of_part = engines if measure is counts.measure else [engine for engine in engines if engine in counts.ENGINES]
            for name, engine, figures in measure(chosen, of_part):
                if isinstance(figures, guest.Failed):
                    failed += 1
                    print(f"error: {figures}", flush=True)
                    continue
                found += 1
                record.put(name, engine, figures, versions())
                print(f"[{time.monotonic() - start:5.0f} s] {name} {engine}: {report.line(figures)}", flush=True)
        except guest.Failed as error:
            failed += 1
            print(f"error: {error}", flush=True)
    if not found:
        print(f"nothing measured: no name matches {pattern.pattern}" if not failed else "nothing measured")
        return 1
    report.write(record.read())
    print(f"{found} measurements, {failed} failed; {report.PATH.relative_to(record.models.REPO)} is written")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
