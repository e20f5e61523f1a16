#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of stack-check, engine-panics and vector-check: small arm64 objects that break one rule each, and some that break none."""

import pathlib
import subprocess
import sys
import tempfile

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent / "scripts"
# Name, check, assembler, what the check prints of it (nothing: it holds).
CASES = [
    ("direct-calls", "stack-check", "f: sub sp, sp, #2048; bl g; add sp, sp, #2048; ret\n g: ret", ""),
    ("indirect-call", "stack-check", "f: blr x3; ret", "indirect call: f"),
    ("indirect-tail-call", "stack-check", "f: ldr x3, [x0, #24]; br x3", "indirect call: f"),
    ("pointer-argument", "stack-check", "f: br x0", "indirect call: f"),
    ("match-by-table", "stack-check", "f: adr x9, f; ldrh w10, [x8]; add x9, x9, x10, lsl #2; mov x1, x2; br x9", ""),
    ("large-frame", "stack-check", "f: sub sp, sp, #2064; ret", "frame of 2064 bytes: f"),
    (
        "deep-calls",
        "stack-check",
        "f: sub sp, sp, #2048; bl g; ret\n g: sub sp, sp, #2048; bl h; ret\n h: sub sp, sp, #2048; bl i; ret\n i: stp x1, x2, [sp, #-16]!; ret",
        "depth of 6160 bytes",
    ),
    ("recursion", "stack-check", "f: bl g; ret\n g: bl f; ret", "recursion: f -> g -> f"),
    ("no-panic", "engine-panics", "f: bl g; ret\n g: ret", ""),
    ("panic", "engine-panics", "f: bl engine_panic", "f\n    calls engine_panic"),
    ("hidden-panic", "engine-panics", "f: blr x8; ret", "indirect call: f"),
    ("integers", "vector-check", "f: add x0, x1, x2; ret", ""),
    ("vectors", "vector-check", "f: fadd v0.4s, v1.4s, v2.4s; ret", "f: fadd v0.4s, v1.4s, v2.4s"),
]


def assemble(text, folder):
    """An object of functions, each in the global scope."""
    source, built = folder / "case.s", folder / "case.o"
    names = [line.split(":")[0].strip() for line in text.splitlines()]
    head = "".join(f".globl {name}\n.type {name}, %function\n" for name in names)
    source.write_text(head + text.replace(";", "\n") + "\n", encoding="ascii")
    subprocess.run(["clang", "--target=aarch64-linux-gnu", "-c", "-o", built, source], check=True)
    return built


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, check, text, wanted in CASES:
            built = assemble(text, pathlib.Path(folder))
            done = subprocess.run([SCRIPTS / check, built], capture_output=True, text=True, check=False)
            said = done.stdout.strip()
            holds = done.returncode == bool(wanted) and (wanted in said if wanted else not said)
            failed += not holds
            print(f"ok {check}/{name}" if holds else f"not ok {check}/{name} status {done.returncode}: {said!r} {done.stderr[-300:]!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
