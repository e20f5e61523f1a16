#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of runner.py: what it takes from the output of units, cargo's among them."""

import sys

import runner

# What the harness of cargo test prints with --show-output.
CARGO = """\
running 4 tests
test half::rounds ... ok
test shared::cases ... ok
test shared::breaks ... FAILED
test long ... ignored, takes long

successes:

---- half::rounds stdout ----
not SKIPPED: a word in the middle

---- shared::cases stdout ----
a line
SKIPPED: no ../shared/models

successes:
    half::rounds
    shared::cases

failures:

---- shared::breaks stdout ----
SKIPPED: no ../shared/vocab
panicked at shared.rs:7

failures:
    shared::breaks
"""
# Name, output of a unit, (name, state, why) of its results.
CASES = [
    (
        "cargo",
        CARGO,
        [("half::rounds", "ok", ""), ("shared::cases", "skip", "no ../shared/models"), ("shared::breaks", "not ok", "")],
    ),
    (
        "lines",
        "ok a/b\nnot ok c why it failed\nskip d no kernel\nokay\n",
        [("a/b", "ok", ""), ("c", "not ok", "why it failed"), ("d", "skip", "no kernel")],
    ),
    ("nothing", "error: no tests\n", []),
]
# States of results, and what the last line says of them.
SUMMARIES = [
    (["ok", "ok"], "2 passed, 0 failed"),
    (["ok", "not ok", "skip"], "1 passed, 1 failed, 1 skipped"),
]


def results():
    """Yields (name, found, wanted)."""
    for name, output, wanted in CASES:
        yield name, [(result.name, result.state, result.why) for result in runner.parse("unit", output)], wanted
    for states, wanted in SUMMARIES:
        yield "summary", runner.summary([runner.Result("unit", "name", state) for state in states]), wanted


def main():
    failed = 0
    for name, found, wanted in results():
        failed += found != wanted
        print(f"ok results/{name}" if found == wanted else f"not ok results/{name} {found}, wanted {wanted}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
