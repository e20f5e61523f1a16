# SPDX-License-Identifier: GPL-2.0
"""`sislm-client serve` in a guest, for tests of what speaks to it over the network."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

REPO = pathlib.Path(__file__).resolve().parent.parent
# Seconds for a guest to boot, on a busy machine that emulates it.
BOOT = 300
SERVER = """
{loads}
sislm-client key --keys /share/keys tester >/tmp/key && mv /tmp/key /share/key
sislm-client serve --listen 0.0.0.0:8080 --keys /share/keys & server=$!
until [ -e /share/stop ]; do sleep 0.2; done
kill "$server"; wait "$server"
"""


class Guest:
    """A server in a guest, reached at a port of this machine's loopback. `models` are files in the guest by names."""

    def __init__(self, share, models, cpu=None):
        self.share = pathlib.Path(share)
        loads = "\n".join(f"sislm-client load {file} --name {name} >/dev/null" for name, file in models.items())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        programs = subprocess.run([REPO / "tests/guest/programs"], capture_output=True, text=True, check=True).stdout.strip()
        environment = {"KERNEL": "stock", "SHARE": share, "FORWARD": str(self.port), "GUEST_PROGRAMS": programs}
        environment = {**os.environ, **environment, "CMD": SERVER.format(loads=loads), "TIMEOUT": "900"}
        if cpu:
            environment["CPU"] = cpu
        command = [REPO / "scripts/guest"]
        with open(self.share / "log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def key(self):
        return (self.share / "key").read_text().strip()

    def answers(self):
        """Whether it does, in time."""
        end = time.monotonic() + BOOT
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url()}/health", timeout=5):
                    return True
            except (OSError, urllib.error.URLError):
                time.sleep(0.2)
        return False

    def end(self):
        """Stops the server by SIGTERM; its exit code."""
        (self.share / "stop").touch()
        return self.process.wait(timeout=BOOT)

    def log(self):
        """The last that it said, on one line."""
        return (self.share / "log").read_text(errors="replace")[-600:].replace("\n", " | ")


def report(unit, models, results, files=None, cpu=None):
    """Boots a guest that serves `models`, and prints a line for each (name, whether it holds, what was seen) of `results(guest)`
    and for the server's end. `files` are paths by the names they have in the guest, in /share. The exit status: 1 when one does
    not hold."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sislm-served.") as share:
        for name, path in (files or {}).items():
            shutil.copy(path, f"{share}/{name}")
        guest = Guest(share, models, cpu)
        try:
            if not guest.answers():
                print(f"not ok {unit}/boot", guest.log())
                return 1
            for name, holds, seen in results(guest):
                failed += not holds
                print(f"ok {unit}/{name}" if holds else f"not ok {unit}/{name} {str(seen)!r}", flush=True)
        finally:
            status = guest.end()
        print(f"ok {unit}/exit-code" if status == 0 else f"not ok {unit}/exit-code {status}: {guest.log()}")
    return 1 if failed or status != 0 else 0
