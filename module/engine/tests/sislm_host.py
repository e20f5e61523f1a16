# SPDX-License-Identifier: GPL-2.0
"""Runs sislm-host for the tests, and prints their results as lines `ok NAME`, `not ok NAME why`, `skip NAME why`."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
FIXTURES = ROOT / "test_models"
SHARED = ROOT.parent / "shared" / "models"


class Host:
    """A command that runs the binary: `sislm-host`, or an emulator in front of it."""

    def __init__(self, command):
        self.command = command
        self.sizes = {}

    def run(self, *arguments, timeout=600):
        """The JSON object the binary prints; RuntimeError with its message when it fails."""
        done = subprocess.run(
            [*self.command, "--json", *map(str, arguments)], capture_output=True, timeout=timeout, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode(errors="replace").strip() or f"status {done.returncode}")
        return json.loads(done.stdout)

    def segments(self, file):
        """Sizes of the arena's segments: the module's own, then some in which each matrix of the model goes on in others."""
        if file not in self.sizes:
            least = -(-self.run("info", "-m", file)["item_bytes"] // 64) * 64
            self.sizes[file] = [32 << 20, least, 3 * least, 5 * least + 64, max(least, 64 << 10)]
        return self.sizes[file]


class Report:
    """Counts results; `end` gives the exit status."""

    def __init__(self):
        self.failed = 0

    def check(self, name, why):
        """Passed when `why` is empty."""
        if why:
            self.failed += 1
            print(f"not ok {name} {' '.join(why.split())}", flush=True)
        else:
            print(f"ok {name}", flush=True)

    def run(self, cases):
        """Runs `(name, check, arguments)`, one for each CPU at a time, and tells their results in order. A check returns why it
        failed, or ends with a RuntimeError that says it."""

        def why(check, arguments):
            try:
                return check(*arguments)
            except RuntimeError as error:
                return str(error)

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            running = [(name, pool.submit(why, check, arguments)) for name, check, arguments in cases]
            for name, result in running:
                self.check(name, result.result())

    def skip(self, name, why):
        """Says that something was not tested."""
        print(f"skip {name} {why}", flush=True)

    def end(self):
        """1 when anything failed."""
        return 1 if self.failed else 0


def usage(script):
    """Ends with the way to call a script."""
    sys.exit(f"usage: {script} [OPTION...] -- COMMAND... (such as `sislm-host`, or an emulator before it)")
