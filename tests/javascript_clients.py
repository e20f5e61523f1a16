#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""JavaScript clients of the OpenAI API under Node.js against `sislm-client serve` in a guest: tests/javascript/clients.mjs.

TEST_JAVASCRIPT is the directory of scripts/javascript-clients, TEST_WEB the tree of scripts/web-tree; without them all is skipped.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from served import report

REPO = pathlib.Path(__file__).resolve().parent.parent
MODEL = "chat"
TOOLS = "chat-tools"
# Seconds for all of them.
LIMIT = 300


def results(guest):
    """Those that the script prints, and that it ended."""
    with tempfile.TemporaryDirectory(prefix="sislm-javascript.") as folder:
        # Modules are looked for beside the script.
        shutil.copy(REPO / "tests/javascript/clients.mjs", folder)
        os.symlink(f"{os.environ['TEST_JAVASCRIPT']}/node_modules", f"{folder}/node_modules")
        node = ["node", f"{folder}/clients.mjs", guest.url(), guest.key(), MODEL, TOOLS]
        command = [REPO / "scripts/in-web", os.environ["TEST_WEB"], *node]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    for line in done.stdout.splitlines():
        state, _, rest = line.partition("ok ")
        name, _, why = rest.partition(" ")
        yield name, state == "", why
    yield "status", done.returncode == 0, done.stderr[-600:]


def main():
    if not (os.environ.get("TEST_JAVASCRIPT") and os.environ.get("TEST_WEB")):
        print("skip javascript the clients or Node.js could not be fetched (scripts/javascript-clients)")
        return 0
    return report("javascript", {name: f"/run/sislm/{name}.gguf" for name in (MODEL, TOOLS)}, results)


if __name__ == "__main__":
    sys.exit(main())
