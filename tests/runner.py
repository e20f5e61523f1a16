#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the units of tests, each a command that prints one line per result, and counts.

A result is a line of Rust's test harness (`test NAME ... ok`) or `ok NAME`, `not ok NAME why`, `skip NAME why`. A Rust test
that ends well and prints `SKIPPED: why` is skipped: the harness has no word for it, and shows what it prints (--show-output). The
last line is `N passed, N failed[, N skipped]`; the exit status is 1 when anything failed. From the environment: TESTS,
a regular expression that names of units must match; SISLM_ALL=1 for the long units; TEST_LOGS, where outputs are kept;
TEST_BUILDS, where cargo builds.
"""

import os
import pathlib
import re
import subprocess
import sys
import threading
import time
from concurrent import futures

import guests
import units

# Units at a time, of those that are not alone: much of what compiles uses one processor, much of what runs another.
LANES = 2
RUST = re.compile(r"^test (.+) \.\.\. (ok|FAILED|ignored.*)$")
# Where the harness shows what a test printed.
SHOWN = re.compile(r"^---- (.+) (?:stdout|stderr) ----$")
SKIPPED = "SKIPPED: "
LINE = re.compile(r"^(ok|not ok|skip) (\S.*)$")


class Result:
    """One test: its unit, its name, whether it is `ok`, `not ok` or `skip`, and why."""

    def __init__(self, unit, name, state, why=""):
        self.unit, self.name, self.state, self.why = unit, name, state, why


def skips(lines):
    """Names of Rust tests that say they were skipped, and why."""
    found, name = {}, None
    for line in lines:
        if shown := SHOWN.match(line):
            name = shown[1]
        elif name and line.startswith(SKIPPED):
            found[name] = line.removeprefix(SKIPPED)
    return found


def parse(unit, output):
    """The results that lines of a unit's output report."""
    lines = output.splitlines()
    skipped = skips(lines)
    for line in lines:
        if found := RUST.match(line):
            if found[2].startswith("ignored"):
                continue  # a long test, run by the unit for long tests
            if found[2] == "ok" and found[1] in skipped:
                yield Result(unit, found[1], "skip", skipped[found[1]])
            else:
                yield Result(unit, found[1], "ok" if found[2] == "ok" else "not ok")
        elif found := LINE.match(line):
            name, _, why = found[2].partition(" ")
            yield Result(unit, name, found[1], why)


def run(unit, log):
    """Runs one unit; its results, one more that failed when its status and its lines disagree."""
    environment = {**os.environ, **unit.environment}
    with open(log, "w+b") as output:
        status = subprocess.run(
            unit.command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False
        ).returncode
        output.seek(0)
        text = output.read().decode(errors="replace")
    results = list(parse(unit.name, text))
    if status != 0 and not any(result.state == "not ok" for result in results):
        last = " | ".join(text.strip().splitlines()[-12:])
        results.append(Result(unit.name, "status", "not ok", f"{status}: {last}"))
    elif not results:
        results.append(Result(unit.name, "results", "not ok", "it printed none"))
    return results


def count(results, state):
    return sum(result.state == state for result in results)


def summary(results):
    """`N passed, N failed`, and how many were skipped."""
    skipped = count(results, "skip")
    counts = f"{count(results, 'ok')} passed, {count(results, 'not ok')} failed"
    return counts + (f", {skipped} skipped" if skipped else "")


def show(name, results, seconds):
    print(f"{name}: {summary(results)} ({seconds:.0f} s)", flush=True)
    for result in results:
        if result.state != "ok":
            print(f"  {result.state} {result.name} {result.why}".rstrip(), flush=True)


def timed(unit, logs, ended):
    """Runs a unit once what it needs has ended; (its results, seconds)."""
    if unit.needs in ended:
        ended[unit.needs].wait()
    start = time.monotonic()
    try:
        return run(unit, logs / f"{unit.name}.log"), time.monotonic() - start
    finally:
        ended[unit.name].set()


def run_units(units, lanes, logs):
    """Yields (unit, results, seconds) as units end: those that may run side by side, then those that are alone.

    A unit starts after those before it have, so what one needs is never behind it.
    """
    ended = {unit.name: threading.Event() for unit in units}
    running = {lanes.submit(timed, unit, logs, ended): unit for unit in units if not unit.alone}
    for done in futures.as_completed(running):
        yield running[done], *done.result()
    for unit in units:
        if unit.alone:
            yield unit, *timed(unit, logs, ended)


def main():
    pattern = re.compile(os.environ.get("TESTS") or ".")
    logs = pathlib.Path(os.environ["TEST_LOGS"])
    logs.mkdir(parents=True, exist_ok=True)
    everything = os.environ.get("SISLM_ALL") == "1"
    chosen = [unit for unit in units.units(everything) if pattern.search(unit.name)]
    boots = guests.boots(everything, pattern)
    if not chosen and not boots:
        print(f"no unit's name matches {pattern.pattern}")
        return 1
    kernels = guests.start_builds(boots, logs)
    results = []
    with futures.ThreadPoolExecutor(LANES) as lanes:
        running = run_units(chosen, lanes, logs)
        for unit, found, seconds in running:
            show(unit.name, found, seconds)
            results += found
    for boot in boots:
        start = time.monotonic()
        found = [Result(boot.name, *entry) for entry in guests.run(boot, kernels, logs, LINE)]
        show(boot.name, found, time.monotonic() - start)
        results += found
    print(summary(results))
    return 1 if count(results, "not ok") else 0


if __name__ == "__main__":
    sys.exit(main())
