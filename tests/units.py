# SPDX-License-Identifier: GPL-2.0
"""The units that need no guest: crates on this machine, the engine on emulated CPUs, scripts."""

import os
import pathlib
import platform

REPO = pathlib.Path(__file__).resolve().parent.parent
TARGET = "aarch64-unknown-linux-gnu"
# (CPU of qemu-user, instruction levels it has)
CPUS = [
    ("cortex-a53", "scalar,neon"),
    ("neoverse-n1", "scalar,neon,dotprod"),
    ("max,sve=off,sme=off", "scalar,neon,dotprod,i8mm"),
]


# The directory of the models that scripts/models/layouts makes.
LAYOUTS = os.environ.get("TEST_LAYOUTS", "")
# That of the models that scripts/models/architectures makes.
ARCHITECTURES = os.environ.get("TEST_ARCHITECTURES", "")
# The file of SmolLM2; empty when it could not be fetched.
SMOLLM2 = os.environ.get("TEST_SMOLLM2", "")


class Unit:
    """A command with its environment; its name is what TESTS is matched with."""

    def __init__(self, name, command, **environment):
        self.name, self.command, self.environment = name, [str(word) for word in command], environment


def built(name=""):
    """What cargo makes of this checkout: others have directories of their own, or would run each other's binaries."""
    return os.path.join(os.environ["TEST_BUILDS"], name)


def cargo(name, crate, *options, **environment):
    """The tests of a crate. The engine uses three unstable features of core, as the kernel does."""
    manifest = REPO / crate / "Cargo.toml"
    environment = {"RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": built(), **environment}
    harness = [] if "--" in options else ["--"]
    command = ["cargo", "test", "--locked", "--no-fail-fast", "--manifest-path", manifest, *options, *harness, "--show-output"]
    return Unit(name, command, **environment)


def emulated(crate, cpu, *options):
    """The same tests as an aarch64 program under qemu-user with that CPU."""
    return cargo(
        f"emulated-{cpu.split(',')[0]}",
        crate,
        "--target",
        TARGET,
        *options,
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER="aarch64-linux-gnu-gcc",
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=f"qemu-aarch64 -cpu {cpu}",
    )


def host(name, script, binary, *options, emulator=()):
    """A script of module/engine/tests over the host binary."""
    return Unit(name, [REPO / "module/engine/tests" / script, *options, "--", *emulator, built(f"{binary}/sislm-host")])


def build(name, *options, **environment):
    """sislm-host, built with these options; prints one result."""
    manifest = REPO / "module/engine/host/Cargo.toml"
    command = ["cargo", "build", "--quiet", "--locked", "--release", "--manifest-path", str(manifest), *options]
    script = '"$@" && echo "ok build"'
    environment = {"RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": built(), **environment}
    return Unit(name, ["sh", "-c", script, "sh", *command], **environment)


def fused():
    """Whether this is an x86 machine with FMA, which a default build does not use."""
    return platform.machine() == "x86_64" and " fma " in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii")


def units(everything):
    """All units in the order they run; `everything` adds the long tests."""
    more = ["--all"] if everything else []
    yield Unit("kernel-log", [REPO / "tests/kernel_log.py"])
    yield Unit("results", [REPO / "tests/results.py"])
    yield Unit("object-checks", [REPO / "tests/object_checks.py"])
    yield Unit("floors", [REPO / "tests/floors.py"])
    yield cargo("loom", "tests/loom")
    yield cargo("engine", "module/engine")
    yield cargo("client", "client")
    yield build("host-build")
    yield host("reference", "reference", "release")
    yield host("embeddings", "embeddings", "release")
    yield host("adder", "adder", "release")
    yield host("splits", "splits", "release")
    yield host("smollm2", "smollm2", "release", *more, SMOLLM2)
    yield host("digests", "digests", "release", *more)
    yield Unit("layouts", [REPO / "module/engine/tests/layouts", LAYOUTS, "--", built("release/sislm-host")])
    yield host("architectures", "architectures", "release", ARCHITECTURES)
    yield host("adapters", "adapters", "release", ARCHITECTURES)
    if fused():
        yield build("host-build-fma", RUSTFLAGS="-Ctarget-feature=+fma", CARGO_TARGET_DIR=built("fma"))
        yield host("digests-fma", "digests", "fma/release", *more)
    for cpu, _ in CPUS:
        yield emulated("module/engine", cpu)
    yield build(
        "host-build-arm64", "--target", TARGET, CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER="aarch64-linux-gnu-gcc"
    )
    for cpu, levels in CPUS:
        short = cpu.split(",")[0]
        emulator = ["qemu-aarch64", "-cpu", cpu]
        yield host(f"digests-{short}", "digests", f"{TARGET}/release", "--levels", levels, *more, emulator=emulator)
        highest = [ARCHITECTURES, "--levels", levels.split(",")[-1]]
        yield host(f"architectures-{short}", "architectures", f"{TARGET}/release", *highest, emulator=emulator)
        if "i8mm" in levels:
            digests = [ARCHITECTURES, "--digests", "--levels", levels]
            yield host(f"adapters-{short}", "adapters", f"{TARGET}/release", *digests, emulator=emulator)
    yield Unit("boot", [REPO / "tests/boot.py"])
    yield Unit("second-clone", [REPO / "tests/second_clone.py"])
    yield Unit("performance", [REPO / "tests/performance.py"])
    if everything:
        yield cargo("engine-long", "module/engine", "--release", "--", "--ignored")
        yield Unit("fuzz", [REPO / "scripts/fuzz"], T="30")
        yield Unit("openai", [REPO / "tests/openai_client.py"])
        yield Unit("javascript", [REPO / "tests/javascript_clients.py"])
        yield Unit("page", [REPO / "tests/page.py"])
        yield Unit("races", [REPO / "module/engine/tests/races"])
