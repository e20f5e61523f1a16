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
    """A command with its environment; its name is what TESTS is matched with.

    `needs` names a unit that has to end first, when it is among those that run. A unit that is `alone` runs beside no other:
    it boots a guest, or measures.
    """

    def __init__(self, name, command, needs=None, alone=False, **environment):
        self.name, self.command, self.environment = name, [str(word) for word in command], environment
        self.needs, self.alone = needs, alone


def built(name=""):
    """What cargo makes of this checkout: others have directories of their own, or would run each other's binaries."""
    return os.path.join(os.environ["TEST_BUILDS"], name)


def cargo(name, crate, *options, **environment):
    """The tests of a crate. The engine uses three unstable features of core, as the kernel does."""
    manifest = REPO / crate / "Cargo.toml"
    # What a debugger would read takes a fifth of the compiler's time.
    plain = {"CARGO_PROFILE_DEV_DEBUG": "none", "CARGO_PROFILE_TEST_DEBUG": "none"}
    environment = {"RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": built(), **plain, **environment}
    harness = [] if "--" in options else ["--"]
    command = ["cargo", "test", "--locked", "--no-fail-fast", "--manifest-path", manifest, *options, *harness, "--show-output"]
    return Unit(name, command, **environment)


# What has no loop of a level of its own, and takes a third of the time: one emulated CPU runs it.
ALIKE = ("check::bench", "sampling", "tokenizer")


def emulated(crate, cpu, *options):
    """The same tests as an aarch64 program under qemu-user with that CPU."""
    if cpu != CPUS[-1][0]:
        options += ("--", *(word for part in ALIKE for word in ("--skip", f"{part}::")))
    return cargo(
        f"emulated-{cpu.split(',')[0]}",
        crate,
        "--target",
        TARGET,
        *options,
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER="aarch64-linux-gnu-gcc",
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=f"qemu-aarch64 -cpu {cpu}",
    )


# The unit that builds sislm-host in each of these directories.
BUILDERS = {"release": "host-build", "fma/release": "host-build-fma", f"{TARGET}/release": "host-build-arm64"}


def host(name, script, binary, *options, emulator=()):
    """A script of module/engine/tests over the host binary."""
    command = [REPO / "module/engine/tests" / script, *options, "--", *emulator, built(f"{binary}/sislm-host")]
    return Unit(name, command, needs=BUILDERS[binary])


def build(name, *options, **environment):
    """sislm-host, built with these options; prints one result."""
    manifest = REPO / "module/engine/host/Cargo.toml"
    command = ["cargo", "build", "--quiet", "--locked", "--release", "--manifest-path", str(manifest), *options]
    script = '"$@" && echo "ok build"'
    environment = {"RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": built(), **environment}
    return Unit(name, ["sh", "-c", script, "sh", *command], **environment)


def module(kernel):
    """The module for a kernel, so that it is there when the guest boots; prints one result."""
    script = '"$1" "$2" >/dev/null && echo "ok build"'
    return Unit(f"module-{kernel}", ["sh", "-c", script, "sh", REPO / "scripts/module", kernel])


def fused():
    """Whether this is an x86 machine with FMA, which a default build does not use."""
    return platform.machine() == "x86_64" and " fma " in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii")


def builds():
    """What compiles, in an order in which the one compiler that uses one processor runs beside others."""
    yield build("host-build")
    yield cargo("engine", "module/engine")
    if fused():
        yield build("host-build-fma", RUSTFLAGS="-Ctarget-feature=+fma", CARGO_TARGET_DIR=built("fma"))
    yield cargo("client", "client")
    linker = {"CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER": "aarch64-linux-gnu-gcc"}
    yield build("host-build-arm64", "--target", TARGET, **linker)
    yield cargo("loom", "tests/loom")


def on_this_cpu(more):
    """Scripts over the host binary as this machine's."""
    yield host("reference", "reference", "release")
    yield host("embeddings", "embeddings", "release")
    yield host("adder", "adder", "release")
    yield host("splits", "splits", "release")
    yield host("quantized-kv", "quantized_kv", "release")
    yield host("smollm2", "smollm2", "release", *more, SMOLLM2)
    yield host("digests", "digests", "release", *more)
    layouts = [REPO / "module/engine/tests/layouts", LAYOUTS, "--", built("release/sislm-host")]
    yield Unit("layouts", layouts, needs="host-build")
    yield host("architectures", "architectures", "release", ARCHITECTURES)
    yield host("adapters", "adapters", "release", ARCHITECTURES)
    if fused():
        yield host("digests-fma", "digests", "fma/release", *more)


def on_emulated_cpus(everything):
    """The engine's tests, and scripts over the host binary, as programs of arm64.

    The last CPU has all levels, and runs each; the others run the level that they choose by themselves.
    """
    for cpu, _ in CPUS:
        yield emulated("module/engine", cpu)
    for cpu, levels in CPUS:
        short = cpu.split(",")[0]
        emulator = ["qemu-aarch64", "-cpu", cpu]
        highest = levels.split(",")[-1]
        wanted = levels if everything or (cpu, levels) == CPUS[-1] else highest
        more = ["--all"] if everything else []
        yield host(f"digests-{short}", "digests", f"{TARGET}/release", "--levels", wanted, *more, emulator=emulator)
        options = [ARCHITECTURES, "--levels", highest]
        yield host(f"architectures-{short}", "architectures", f"{TARGET}/release", *options, emulator=emulator)
        if "i8mm" in levels:
            options = [ARCHITECTURES, "--digests", "--levels", levels]
            yield host(f"adapters-{short}", "adapters", f"{TARGET}/release", *options, emulator=emulator)


def units(everything):
    """All units in the order they start; `everything` adds the long tests."""
    yield Unit("kernel-log", [REPO / "tests/kernel_log.py"])
    yield Unit("results", [REPO / "tests/results.py"])
    yield Unit("object-checks", [REPO / "tests/object_checks.py"])
    yield Unit("floors", [REPO / "tests/floors.py"])
    yield from builds()
    yield from on_this_cpu(["--all"] if everything else [])
    yield from on_emulated_cpus(everything)
    yield Unit("second-clone", [REPO / "tests/second_clone.py"])
    yield module("debug")
    yield Unit("boot", [REPO / "tests/boot.py"], alone=True)
    yield Unit("performance", [REPO / "tests/performance.py"], alone=True)
    if everything:
        yield cargo("engine-long", "module/engine", "--release", "--", "--ignored")
        yield Unit("fuzz", [REPO / "scripts/fuzz"], alone=True, T="30")
        replay = [REPO / "tests/replay.py", "--", built("release/sislm-host")]
        yield Unit("replay", replay, needs="host-build", alone=True)
        yield Unit("collectors", [REPO / "tests/collectors.py"], alone=True)
        yield Unit("same-bytes", [REPO / "tests/same_bytes.py"], alone=True)
        yield Unit("trained", [REPO / "tests/trained.py"], alone=True)
        yield Unit("openai", [REPO / "tests/openai_client.py"], alone=True)
        yield Unit("javascript", [REPO / "tests/javascript_clients.py"], alone=True)
        yield Unit("page", [REPO / "tests/page.py"], alone=True)
        yield Unit("races", [REPO / "module/engine/tests/races"], alone=True)
