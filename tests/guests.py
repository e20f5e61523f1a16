# SPDX-License-Identifier: GPL-2.0
"""The guest tests: tests/guest/*.sh, those with the same kernel and boot options together in one boot.

At the head of a test, `# kernels: stock debug custom rt` says where it runs and `# boot: MEM=1G SMP=4 INSMOD=...` what it
needs (variables of scripts/guest).
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

REPO = pathlib.Path(__file__).resolve().parent.parent
GUEST = REPO / "scripts" / "guest"
# Seconds for one test. The debug kernel is 10 to 30 times slower.
LIMIT = {"stock": 600, "rt": 600, "custom": 600, "debug": 1800}
# What scripts/kernel/stock says of a kernel that Debian does not have at the moment.
UNFETCHED = "cannot be fetched"
# Further machines of the long run: every test that asks for none of its own.
MACHINES = [{"CPU": "cortex-a53", "SMP": "1"}, {"CPU": "neoverse-n1", "SMP": "4"}, {"CPU": "max,sve=off,sme=off", "SMP": "2"}]


class Boot:
    """Tests to run in one guest."""

    def __init__(self, kernel, options, tests):
        self.kernel, self.options, self.tests = kernel, options, tests
        words = [f"{key}={value}" for key, value in options.items()]
        self.name = " ".join([f"guest-{kernel}", *words])


def header(test, key):
    """The words after `# key:` at the head of a test."""
    found = re.search(rf"^# {key}: (.*)$", test.read_text(encoding="utf-8"), re.MULTILINE)
    return shlex.split(found[1]) if found else []


def boots(everything, pattern):
    """Boots for the tests whose `guest-KERNEL OPTIONS/TEST` matches the pattern, the stock kernel first."""
    groups = {}
    for kernel in ["stock", "rt", "custom", "debug"] if everything else ["stock", "debug"]:
        for test in sorted((REPO / "tests" / "guest").glob("*.sh")):
            if kernel not in header(test, "kernels"):
                continue
            asked = dict(word.split("=", 1) for word in header(test, "boot"))
            machines = [asked] if asked or not everything or kernel in ["debug", "rt"] else [asked, *MACHINES]
            for options in machines:
                boot = groups.setdefault((kernel, tuple(options.items())), Boot(kernel, options, []))
                if pattern.search(f"{boot.name}/{test.stem}"):
                    boot.tests.append(test.name)
    return [boot for boot in groups.values() if boot.tests]


def start_builds(boots, logs):
    """Starts making the kernels that are needed beside what runs meanwhile; kernel name to process."""
    started = {}
    for kernel in dict.fromkeys(boot.kernel for boot in boots):
        with open(logs / f"kernel-{kernel}.log", "wb") as log:
            command = ["nice", "-n", "5", str(REPO / "scripts/kernel/tree"), kernel]
            started[kernel] = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    return started


def script(tests, seconds):
    """What the guest runs: every test in its own time, with the module there for each."""
    lines = ["mkdir -p /tmp; cd /tmp"]
    for test in tests:
        lines += [
            "[ -e /dev/sislm ] || insmod /host/sislm.ko",
            f"echo '<6>sislm test: {test}' >/dev/kmsg",
            f"echo '# begin {test}'",
            f"timeout {seconds} /share/{test} 2>&1",
            f"echo '# end {test}' $?",
        ]
    return "\n".join(lines)


def boot_once(boot, tests, environment, share, log):
    """Boots and runs the tests; (the output, the lines of the kernel log that report an error)."""
    limit = LIMIT[boot.kernel]
    options = {
        "KERNEL": boot.kernel,
        "SHARE": share,
        "CMD": script(tests, limit),
        "TIMEOUT": str(300 + limit * 2),
        "LOG": f"{log}.kernel",
        **boot.options,
    }
    with open(log, "wb") as output:
        subprocess.run(
            [GUEST], env={**os.environ, **environment, **options}, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    checker = [REPO / "scripts" / "kernel-log-check", options["LOG"]]
    checked = subprocess.run(checker, capture_output=True, check=False)
    text = pathlib.Path(log).read_text(encoding="utf-8", errors="replace")
    return text, checked.stdout.decode(errors="replace").splitlines() or checked.stderr.decode().splitlines()


def results(test, text, line):
    """(name, state, why) of one test, from what it printed between its marks; and whether it ended."""
    body = text.split(f"# begin {test}\n", 1)
    if len(body) == 1:
        return None
    body, end, status = body[1].partition(f"# end {test} ")
    status = status.split("\n", 1)[0]
    found = []
    for entry in body.splitlines():
        if match := line.match(entry):
            name, _, why = match[2].partition(" ")
            found.append((name, match[1], why))
    stem = test.removesuffix(".sh")
    failed = any(state == "not ok" for _, state, _ in found)
    if not end:
        found.append((f"{stem}/end", "not ok", "the guest stopped or hung in it"))
    elif status != "0" and not failed:
        found.append((f"{stem}/status", "not ok", f"{status}: {' | '.join(body.splitlines()[-5:])}"))
    elif not found:
        found.append((f"{stem}/results", "not ok", "it printed none"))
    return found


def prepare(boot):
    """Builds what the guest needs; (environment for scripts/guest, why not)."""
    wanted = {
        "GUEST_MODULE": [REPO / "scripts/module", boot.kernel],
        "GUEST_CLIENT": [REPO / "scripts/client"],
        "GUEST_PROGRAMS": [REPO / "tests/guest/programs"],
    }
    environment = {}
    for name, command in wanted.items():
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            return None, " | ".join(done.stderr.decode(errors="replace").splitlines()[-15:])
        environment[name] = done.stdout.decode().strip()
    return environment, ""


def run(boot, kernels, logs, line):
    """Yields (name, state, why) for each result; when the guest stops in a test, the others get a new boot."""
    failed = kernels[boot.kernel].wait() != 0
    said = (logs / f"kernel-{boot.kernel}.log").read_text(errors="replace")
    if failed:
        yield "kernel", "skip" if UNFETCHED in said else "not ok", said[-600:].replace("\n", " | ")
        return
    for note in re.findall("^note: (.*)$", said, re.MULTILINE):
        yield "kernel", "skip", note
    environment, why = prepare(boot)
    if why:
        yield "build", "not ok", why
        return
    left, number = list(boot.tests), 0
    with tempfile.TemporaryDirectory(prefix="sislm-share.") as share:
        shutil.copytree(REPO / "tests" / "guest", share, dirs_exist_ok=True)
        shutil.copytree(os.environ["TEST_LAYOUTS"], share, dirs_exist_ok=True)
        if "smollm2.sh" in left and os.environ["TEST_SMOLLM2"]:
            shutil.copy(os.environ["TEST_SMOLLM2"], f"{share}/smollm2.gguf")
        while left:
            number += 1
            log = str(logs / f"{boot.name.replace(' ', '_')}.{number}.log")
            text, reports = boot_once(boot, left, environment, share, log)
            ran = [test for test in left if f"# begin {test}\n" in text]
            for test in ran:
                yield from results(test, text, line)
            if reports:
                yield "kernel-log", "not ok", " | ".join(reports[:6]) + f" (all of it: {log}.kernel)"
            else:
                yield "kernel-log", "ok", ""
            if not ran:
                yield "boot", "not ok", " | ".join(text.splitlines()[-6:])
                return
            left = [test for test in left if test not in ran]
