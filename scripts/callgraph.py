# SPDX-License-Identifier: GPL-2.0
"""Functions of an arm64 object: their stack frames, whom they call, their instructions."""

import re
import subprocess

FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
SECTION = re.compile(r"^Disassembly of section (.+):$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
RELOCATION = re.compile(r"^\s*[0-9a-f]+:\s+R_AARCH64_(CALL26|JUMP26)\s+(.+?)(?:([+-])0x([0-9a-f]+))?$")
TARGET = re.compile(r"0x[0-9a-f]+ <([^+>]+)(?:\+0x[0-9a-f]+)?>")
FRAME = re.compile(r"^sp, sp, #(0x[0-9a-f]+|\d+)(?:, lsl #(12))?$")
# The last step of a jump through a table of offsets: base and offset are added.
TABLE_JUMP = re.compile(r"^x\d+, x\d+, [xw]\d+(?:, (?:lsl|sxtw|uxtw).*)?$")
PUSH = re.compile(r"\[sp, #-(0x[0-9a-f]+|\d+)\]!")


class Function:
    """A function: bytes of stack it takes, names it calls, names it ends in, (mnemonic, operands) of its body.

    `indirect`: it calls or ends in what a register names. Nothing that follows calls by their names sees that.
    """

    def __init__(self, name, section, address):
        self.name, self.section, self.address = name, section, address
        self.frame = 0
        self.calls, self.jumps, self.body = set(), set(), []
        self.indirect = False


def disassemble(path):
    command = ["llvm-objdump", "-d", "-r", "--no-show-raw-insn", path]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def functions(path):
    """Name to Function, for all of an object."""
    found, section, current, branch = {}, "", None, ""
    relocated = []
    for line in disassemble(path):
        if match := SECTION.match(line):
            section = match[1]
        elif match := FUNCTION.match(line):
            current = found.setdefault(match[2], Function(match[2], section, int(match[1], 16)))
        elif match := RELOCATION.match(line):
            offset = int((match[3] or "+") + (match[4] or "0"), 16)
            relocated.append((current, match[1] == "CALL26", match[2], offset))
        elif current and (match := INSTRUCTION.match(line)):
            branch, operands = match[2], match[3].split(" //")[0].strip()
            current.body.append((branch, operands))
            measure(current, branch, operands)
            target = TARGET.search(operands)
            if target and target[1] != current.name and branch in ("bl", "b"):
                (current.calls if branch == "bl" else current.jumps).add(target[1])
    starts = sorted((function.section, function.address, function.name) for function in found.values())
    for function, called, symbol, offset in relocated:
        name = symbol if symbol in found else inside(starts, symbol, offset) or symbol
        (function.calls if called else function.jumps).add(name)
    return found


def measure(function, branch, operands):
    """Adds what one instruction takes from the stack."""
    if branch == "sub" and (match := FRAME.match(operands)):
        function.frame += int(match[1], 0) << int(match[2] or 0)
    elif match := PUSH.search(operands):
        function.frame += int(match[1], 0)
    elif branch.startswith("blr") or (branch.startswith("br") and branch != "brk" and not by_table(function.body[:-1], operands)):
        function.indirect = True


def by_table(body, register):
    """Whether `br register` after these instructions goes to a place in the same function: the cases of a match."""
    for mnemonic, operands in reversed(body):
        if re.match(rf"(?:\w+, )?[xw]{register[1:]}\b", operands):
            return mnemonic == "add" and TABLE_JUMP.match(operands) is not None
    return False


def indirect(found):
    """The functions with indirect calls, as lines that say so."""
    return [f"indirect call: {function.name}" for function in found.values() if function.indirect]


def inside(starts, section, offset):
    """The function of `section` that holds `offset`, for relocations against sections."""
    best = None
    for place, address, name in starts:
        if place == section and address <= offset:
            best = name
    return best


def depths(found):
    """Name to (bytes on the deepest path from it, that path); ValueError on recursion."""
    done, path = {}, []

    def visit(name):
        if name not in found:
            return 0, []
        if name in done:
            return done[name]
        if name in path:
            raise ValueError("recursion: " + " -> ".join([*path[path.index(name) :], name]))
        path.append(name)
        function = found[name]
        best = (function.frame, [name])
        for callee in function.calls | function.jumps:
            if callee == name:
                continue
            below, chain = visit(callee)
            # A tail call gives its own frame back first.
            total = below if callee in function.jumps and callee not in function.calls else function.frame + below
            if total > best[0]:
                best = (total, [name, *chain])
        path.pop()
        done[name] = best
        return best

    for name in found:
        visit(name)
    return done
