#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of layers-check: in copies of this checkout in which one file breaks one rule, it says which."""

import pathlib
import subprocess
import sys
import tempfile

import copies

# Name, file, line put after its SPDX line, what layers-check must say.
CASES = [
    ("nothing", "module/engine/math/half.rs", "", ""),
    ("engine-goes-up", "module/engine/math/half.rs", "use crate::sampling::parameters;", "import goes up: math::half sampling"),
    ("module-goes-up", "module/turn/stop.rs", "use crate::{device::Sislm, limits};", "import goes up: turn::stop device"),
    ("client-goes-up", "client/src/utf8.rs", "use super::session::Session;", "import goes up: utf8 session"),
    ("program-goes-up", "client/src/bin/sislm-client/exit_codes.rs", "use crate::commands;", "import goes up: exit_codes commands"),
    ("path-goes-up", "module/engine/math/half.rs", "const _: u32 = crate::abi::X + crate::wall::X;", "import goes up: math::half wall"),
    ("circle-of-files", "client/src/error.rs", "use crate::device::Device;", "in a circle: device error"),
    ("std-in-the-engine", "module/engine/math/half.rs", "use std::fs;", "may not import std"),
    ("bindings", "module/turn/stop.rs", "use crate::sys; const _: () = bindings::X;", "C bindings belong to module/sys"),
    ("unsafe-elsewhere", "module/turn/stop.rs", "unsafe fn x() {}", "unsafe outside its places"),
    ("no-floor", "client/src/lib.rs", "mod main;", "main has no floor"),
]


def complaints(tree):
    """What layers-check of a tree prints."""
    done = subprocess.run([tree / "scripts/layers-check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.strip() or ("" if done.returncode == 0 else f"status {done.returncode}")


def main():
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sislm-floors.") as folder:
        tree = pathlib.Path(folder)
        copies.copy(tree)
        (tree / "client/src/main.rs").write_text("// SPDX-License-Identifier: MIT OR Apache-2.0\n", encoding="ascii")
        for name, file, line, wanted in CASES:
            text = (tree / file).read_text(encoding="utf-8")
            head, _, rest = text.partition("\n")
            (tree / file).write_text(f"{head}\n{line}\n{rest}", encoding="utf-8")
            said = complaints(tree)
            (tree / file).write_text(text, encoding="utf-8")
            holds = wanted in said if wanted else not said
            failed += not holds
            print(f"ok floors/{name}" if holds else f"not ok floors/{name} {said!r}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
