# SPDX-License-Identifier: GPL-2.0
"""Runs commands in one guest, one after the other, each under count.c, and gives what they print and count."""

import json
import os
import shlex
import subprocess
import tempfile

import models

GUEST = models.REPO / "scripts" / "guest"
# What the guest runs before the commands. `measure NAME COMMAND...`; `model NAME`, after which a model is /models/NAME.gguf, in
# memory: files that come from outside take the kernel a different number of instructions each time.
PROLOGUE = """
rm -f /models && mkdir /models && mount -t tmpfs -o size=75% none /models || exit
model() {{ rm -f /models/* && cp "/share/{models}/$1.gguf" /models/; }}
measure() {{
	local name=$1 status
	shift
	echo "@begin $name"
	count /tmp/counts "$@" 2>/tmp/errors
	status=$?
	echo
	sed 's/^/@error /' /tmp/errors
	echo "@counts $(cat /tmp/counts)"
	echo "@end $name $status"
	rm -f /tmp/counts
}}
"""
# `llama NAME PROGRAM ARG...` measures one of Debian's llama.cpp, `peer NAME BUILD ARG...` another build in the same tree. The first run
# brings the libraries into memory.
LLAMA = """
tree=/share/{llama}/tree
mount -t proc none $tree/proc && mount --bind /dev $tree/dev && mount --bind /models $tree/models || exit
chroot $tree llama-bench --list-devices >/dev/null 2>&1 || exit
mount --bind /share/{peers} $tree/peers || exit
llama() {{ measure "$1" chroot $tree "$2" "${{@:3}}"; }}
peer() {{ measure "$1" chroot $tree "/peers/peer-$2" "${{@:3}}"; }}
"""


class Failed(Exception):
    """A command, or the guest, did not do what was asked; says which and why."""


class Result:
    """One command: its name, what it printed and reported, what count.c counted."""

    def __init__(self, name):
        self.name, self.output, self.errors, self.counts, self.status = name, [], [], {}, "none"

    def check(self):
        """That it succeeded."""
        if self.status != "0":
            raise Failed(f"{self.name}: status {self.status}: {' | '.join((self.errors + self.output)[-8:])}")

    def objects(self):
        """The JSON objects it printed, one a line."""
        return [self.parsed(line) for line in self.output]

    def json(self):
        """The object it printed; llama.cpp's programs put it into an array of one."""
        value = self.parsed("\n".join(self.output))
        return value[0] if isinstance(value, list) else value

    def parsed(self, text):
        """JSON of a command that succeeded."""
        self.check()
        try:
            return json.loads(text)
        except ValueError as error:
            raise Failed(f"{self.name}: no JSON in {text!r}") from error


def sislm(name, *words):
    """A line for the guest: the client."""
    return shlex.join(["measure", name, "sislm-client", *map(str, words)])


def llama(name, program, *words):
    """A line for the guest: one of llama.cpp's programs."""
    return shlex.join(["llama", name, program, *map(str, words)])


def peer(name, build, *words):
    """A line for the guest: peer.c with another build."""
    return shlex.join(["peer", name, build, *map(str, words)])


def model(name):
    """A line for the guest: the model that the commands after it use."""
    return f"model {name}"


def parse(lines):
    """The Results of the guest's lines, as they come."""
    result = None
    for line in lines:
        line = line.rstrip("\r\n")
        mark, _, rest = line.partition(" ")
        if mark == "@begin":
            result = Result(rest)
        elif result is None:
            continue
        elif mark == "@error":
            result.errors.append(rest)
        elif mark == "@counts":
            result.counts = json.loads(rest or "{}")
        elif mark == "@end":
            result.status = rest.rsplit(" ", 1)[1]
            yield result
            result = None
        elif line:
            result.output.append(line)


def run(lines, files, **options):
    """Boots with these variables of scripts/guest and yields a Result for each command; `files` are models it needs.

    GUEST_MODULE and GUEST_CLIENT of the environment may name those of another checkout.
    """
    for name in files:
        models.make(name)
    share = models.directory().parent
    prologue = PROLOGUE.format(models=models.directory().name)
    if any(line.startswith(("llama ", "peer ")) for line in lines):
        folders = {key: os.environ[f"BENCH_{key.upper()}"].rsplit("/", 1)[-1] for key in ("llama", "peers")}
        prologue += LLAMA.format(**folders)
    command = "\n".join([prologue, *lines, "true"])
    with tempfile.NamedTemporaryFile(prefix="sislm-bench.", suffix=".log") as log:
        options = {"KERNEL": "stock", "MEM": "6G", "TIMEOUT": "7200", "SHARE": str(share), "CMD": command, "LOG": log.name, **options}
        environment = {**os.environ, **options, "GUEST_PROGRAMS": os.environ["BENCH_PROGRAMS"]}
        guest = subprocess.Popen([GUEST], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace")
        with guest:
            yield from parse(guest.stdout)
    if guest.returncode != 0:
        raise Failed(f"the guest ended with status {guest.returncode}")
