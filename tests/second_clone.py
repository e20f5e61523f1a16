#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A second clone takes the module and the client that the first one built; a tree that differs does not."""

import pathlib
import subprocess
import sys
import tempfile

import copies

# Name of a build to its command and a file that it is made from.
BUILDS = {
    "client": (["scripts/client"], "module/uapi/sislm.h"),
    "module": (["scripts/module", "stock"], "module/sislm_main.rs"),
    "programs": (["tests/guest/programs"], "tests/guest/compat.c"),
}


# In the second clone, what would build says so in place of it.
REFUSE = """
artifact() { [ -e "$1/.complete" ] || { echo "would build"; exit 3; }; }
"""


def run(tree, *command):
    """(status, what a command of a tree prints)."""
    done = subprocess.run(command, cwd=tree, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip() or done.stderr.strip()[-600:]


def clone(tree):
    """Another clone, which refuses to build."""
    copies.copy(tree)
    with open(tree / "scripts/common.sh", "a", encoding="utf-8") as common:
        common.write(REFUSE)
    shared = copies.REPO.parent / "shared"
    if shared.exists():
        (tree.parent / "shared").symlink_to(shared.resolve())


def results(tree):
    """Yields (name, whether it holds, what was seen)."""
    for name, (command, _) in BUILDS.items():
        first, second = run(copies.REPO, *command), run(tree, *command)
        yield f"{name}-is-reused", first[0] == 0 and second == first, f"{second}, not {first}"
    for name, (command, file) in BUILDS.items():
        with open(tree / file, "a", encoding="utf-8") as source:
            source.write("\n")
        changed = run(tree, *command)
        yield f"{name}-changes-with-{pathlib.Path(file).name}", changed == (3, "would build"), str(changed)


def main():
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sislm-clone.") as folder:
        tree = pathlib.Path(folder) / "sislm"
        tree.mkdir()
        clone(tree)
        for name, holds, seen in results(tree):
            failed += not holds
            print(f"ok second-clone/{name}" if holds else f"not ok second-clone/{name} {seen}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
