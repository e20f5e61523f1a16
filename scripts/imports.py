# SPDX-License-Identifier: GPL-2.0
"""Which file of a crate imports which, from the text of its `use` lines and paths; circles among them."""

import pathlib
import re

USE = re.compile(r"^[ \t]*(pub(?:\([a-z]+\))? )?use ([^;]+);", re.MULTILINE)
# A path in code, as far as it may name modules.
PATH = re.compile(r"(?<![\w:])((?:crate|super|self)(?:::\w+)+)")
DECLARED = re.compile(r'(?:#\[path = "([^"]+)"\]\s*)?^\s*(?:pub(?:\([a-z]+\))? )?mod (\w+);', re.MULTILINE)
# A row of the table of weight formats declares the module of its format.
FORMAT = re.compile(r'^\s*\w+ = \d+, "\w+", (\w+)::\w+;', re.MULTILINE)
TEST = re.compile(r"^\s*#\[(?:cfg\((?:all\()?test|kunit_tests\().*?\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([a-z]+\))? )?mod (\w+)( \{|;)", re.MULTILINE)


def bare(text):
    """The text without comments, strings and the tests at its end."""
    text = re.sub(r'"(?:\\.|[^"\\])*"', '""', re.sub(r"//.*", "", text))
    for match in TEST.finditer(text):
        if match[2] == " {":
            return text[: match.start()]
    return text


def leaves(tree):
    """The paths of a `use` tree: `a::{b, c::d}` is a::b and a::c::d."""
    tree = re.sub(r"\s+", " ", tree).strip()
    head, brace, rest = tree.partition("{")
    if not brace:
        yield re.sub(r" as \w+$", "", tree)
        return
    depth, part = 0, ""
    for letter in rest[: rest.rindex("}")] + ",":
        depth += (letter == "{") - (letter == "}")
        if letter == "," and not depth:
            if part.strip():
                for leaf in leaves(part):
                    yield head.strip() + leaf
            part = ""
        else:
            part += letter


class Crate:
    """The files of a crate by the paths of their modules, as `mod` declares them from the root file on."""

    def __init__(self, root):
        self.files, self.tests = {}, set()
        self.add((), pathlib.Path(root), False)

    def add(self, module, file, tested):
        """A module's file and those it declares."""
        self.files[module] = file
        if tested:
            self.tests.add(module)
        text = file.read_text(encoding="utf-8")
        inner = {match[1] for match in TEST.finditer(text)}
        text = re.sub(r"//.*", "", text)
        declared = [(match[1], match[2]) for match in DECLARED.finditer(text)]
        declared += [(None, match[1]) for match in FORMAT.finditer(text)]
        for given, name in declared:
            child = self.find(module, file, given, name)
            if child:
                self.add((*module, name), child, tested or name in inner)

    @staticmethod
    def find(module, file, given, name):
        """The file of the module `name` that `file` declares."""
        if given:
            return file.parent / given
        here = file.parent if not module or file.stem == "mod" else file.with_suffix("")
        return next((path for path in (here / f"{name}.rs", here / name / "mod.rs") if path.exists()), None)

    def resolve(self, module, path):
        """The module that a path in `module` leads to; None outside the crate."""
        words, place = path.split("::"), list(module)
        if words[0] == "crate":
            words, place = words[1:], []
        elif words[0] in ("self", "super"):
            while words and words[0] in ("self", "super"):
                if words.pop(0) == "super":
                    place = place[:-1]
        elif (*module, words[0]) not in self.files:
            return None
        for word in words:
            if (*place, word) not in self.files:
                break
            place.append(word)
        return tuple(place)

    def imports(self):
        """Pairs of modules, the first of which imports the second; tests import what they like.

        What a module passes on from its own files (`pub use child::Name`) is no import of it, but a name of its own.
        """
        for module, file in self.files.items():
            if module in self.tests:
                continue
            text = bare(file.read_text(encoding="utf-8"))
            paths = []
            for match in USE.finditer(text):
                for leaf in leaves(match[2]):
                    target = self.resolve(module, leaf)
                    if not (match[1] and target and target[: len(module)] == module):
                        paths.append(target)
            paths += [self.resolve(module, path) for path in PATH.findall(USE.sub("", text))]
            for target in dict.fromkeys(paths):
                if target is not None and target != module and target not in self.tests:
                    yield module, target


def circles(pairs):
    """The sets of two nodes and more that lead to each other."""
    ahead = {}
    for start, end in pairs:
        ahead.setdefault(start, set()).add(end)
        ahead.setdefault(end, set())

    def reach(node):
        found, todo = set(), [node]
        while todo:
            for following in ahead[todo.pop()] - found:
                found.add(following)
                todo.append(following)
        return found

    reached = {node: reach(node) for node in ahead}
    sets = {frozenset(other for other in reached[node] if node in reached[other]) for node in ahead if node in reached[node]}
    return [sorted(circle) for circle in sets if len(circle) > 1]
