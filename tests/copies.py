# SPDX-License-Identifier: GPL-2.0
"""Copies of this checkout for tests that change one."""

import pathlib
import shutil
import subprocess

REPO = pathlib.Path(__file__).resolve().parent.parent


def copy(tree):
    """Copies this checkout with its changes to `tree`, as another clone with the same commit and changes would be."""
    command = ["git", "-C", REPO, "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (REPO / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPO / name, tree / name)
    subprocess.run(["git", "-C", tree, "init", "--quiet"], check=True)
