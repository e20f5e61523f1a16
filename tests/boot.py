#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of scripts/guest: without CMD it gives a shell on the terminal, and guests at the same time keep their logs apart."""

import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import time

GUEST = pathlib.Path(__file__).resolve().parent.parent / "scripts" / "guest"
# Seconds for a guest to boot, and for a command in it, on a busy machine that emulates it.
BOOT, COMMAND = 300, 60
# The guest's shell asks the terminal for its cursor after the prompt.
PROMPT = r"# (\x1b\[6n)?$"
# Kernel log lines of two guests: one reports an error, the other does not.
LOGS = {"BUG: written by a test": "1", "harmless": "0"}


class Terminal:
    """A guest without CMD, on a pseudo-terminal."""

    def __init__(self):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.environ.pop("CMD", None)
            os.environ["KERNEL"] = "stock"
            os.execv(GUEST, [GUEST])
        self.said = ""

    def read(self, seconds):
        """Adds what the guest prints next; False when it prints no more, or nothing for so long."""
        if not select.select([self.terminal], [], [], seconds)[0]:
            return False
        try:
            more = os.read(self.terminal, 4096)
        except OSError:  # the other end is closed
            return False
        self.said += more.decode(errors="replace")
        return bool(more)

    def wait_for(self, pattern, seconds):
        """Whether the pattern comes; what was printed up to its end is forgotten."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.said)):
            if not self.read(max(0, end - time.monotonic())):
                return False
        self.said = self.said[found.end() :]
        return True

    def type(self, text):
        """Sends keys."""
        os.write(self.terminal, text.encode())

    def status(self):
        """The status of scripts/guest, which must end now."""
        end = time.monotonic() + COMMAND
        while self.read(max(0, end - time.monotonic())):
            pass
        if time.monotonic() >= end:
            os.kill(self.process, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def shell():
    """Yields (name, whether it holds, what was seen) of a shell on a terminal."""
    terminal = Terminal()
    yield "prompt", terminal.wait_for(PROMPT, BOOT), terminal.said
    terminal.type("echo $((6 * 7))-$(tty)-$(ls /dev/sislm)\n")
    yield "answer", terminal.wait_for("42-/dev/hvc0-/dev/sislm\r*\n", COMMAND), terminal.said
    # One process says so and sleeps: a key could come while the shell is about to start another.
    terminal.type("sh -c 'echo begin; exec sleep 6000'\n")
    yield "command", terminal.wait_for("\nbegin\r*\n", COMMAND), terminal.said
    terminal.type("\x03")
    terminal.type("echo status $?\n")
    yield "interrupt", terminal.wait_for("\nstatus 130\r*\n", COMMAND), terminal.said
    terminal.type("exit 7\n")
    status = terminal.status()
    yield "status", status == 7, f"{status} instead of 7: {terminal.said}"


def logs():
    """Yields (name, whether it holds, what was seen) of two guests at the same time, without a LOG."""
    environment = {key: value for key, value in os.environ.items() if key != "LOG"}
    guests = {}
    for line in LOGS:
        # Both write, and then wait until the other surely has.
        options = {"KERNEL": "stock", "MODULE": "0", "SMP": "1", "CMD": f"echo '<4>{line}' >/dev/kmsg; sleep 20", "TIMEOUT": str(BOOT)}
        guests[line] = subprocess.Popen(
            [GUEST], env={**environment, **options}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    for line, wanted in LOGS.items():
        said = guests[line].communicate()[0]
        status = str(guests[line].returncode)
        yield f"log-of-{line.split()[-1]}", status == wanted, f"status {status}, wanted {wanted}: {said}"


def main():
    failed = 0
    for name, holds, seen in [*shell(), *logs()]:
        failed += not holds
        why = " | ".join(seen.splitlines()[-8:])
        print(f"ok boot/{name}" if holds else f"not ok boot/{name} {why}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
