#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Prints module/engine/tokenizer/unicode_table.rs: the categories of code points a pre-tokenizer tells apart; with `normalizer`
module/engine/tokenizer/normalizer_table.rs: what WordPiece makes of letters."""
import sys
import unicodedata

# The order is that of `Category` in unicode.rs.
OTHER, LETTER, NUMBER, SPACE, MARK, PUNCTUATION, SYMBOL = range(7)
GENERAL = {"L": LETTER, "N": NUMBER, "M": MARK, "P": PUNCTUATION, "S": SYMBOL}
# White_Space of PropList.txt, which Python does not expose as such; unchanged since Unicode 6.3.
WHITE_SPACE = {*range(0x9, 0xE), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}


def category(code):
    if code in WHITE_SPACE:
        return SPACE
    return GENERAL.get(unicodedata.category(chr(code))[0], OTHER)


def transitions():
    last = None
    for code in range(sys.maxunicode + 1):
        present = category(code)
        if present != last:
            yield code << 3 | present
        last = present


def array(doc, name, kind, values):
    """Prints a static array, filling lines of 100 characters."""
    print(f"/// {doc}")
    print("#[rustfmt::skip]")
    print(f"pub(super) static {name}: [{kind}; {len(values)}] = [")
    line = "   "
    for value in values:
        text = f" {value:#x}," if kind == "u32" else f" {value},"
        if len(line) + len(text) > 100:
            print(line)
            line = "   "
        line += text
    print(line)
    print("];")


def decomposed(code):
    """The first code point of the canonical decomposition."""
    return ord(unicodedata.normalize("NFD", chr(code))[0])


def lowered(code):
    """The first code point of the lower case."""
    return ord(chr(code).lower()[0])


def letters():
    """Every code point but surrogates and syllables of Hangul, whose parts are counted."""
    return (code for code in range(sys.maxunicode + 1) if not (0xD800 <= code < 0xE000 or 0xAC00 <= code < 0xD7A4))


def bases():
    """(First code point of a run, what all of the run become; 0: they stay)."""
    last = 0
    for code in letters():
        base = decomposed(code)
        base = 0 if base == code else base
        if base != last:
            yield code, base
        last = base


def lower_cases():
    """(First code point, last, from one to the next, what is added) of those that change."""
    run = None
    for code in filter(lambda code: lowered(code) != code, letters()):
        added = lowered(code) - code
        step = code - run[1] if run else 0
        if run and run[3] == added and step in ((1, 2) if run[0] == run[1] else (run[2],)):
            run[1:3] = [code, step]
            continue
        if run:
            yield tuple(run)
        run = [code, code, 1, added]
    yield tuple(run)


def controls():
    """(First, last) code point of those of a category that begins with C, unassigned ones aside."""
    run = None
    for code in letters():
        if unicodedata.category(chr(code)) not in ("Cc", "Cf", "Co"):
            continue
        if run and run[1] == code - 1:
            run[1] = code
            continue
        if run:
            yield tuple(run)
        run = [code, code]
    yield tuple(run)


def rows(doc, name, kind, values):
    """Prints a static array of tuples."""
    print(f"/// {doc}")
    print("#[rustfmt::skip]")
    print(f"pub(super) static {name}: [{kind}; {len(values)}] = [")
    line = "   "
    for value in values:
        text = f" ({', '.join(hex(number) for number in value)}),"
        if len(line) + len(text) > 100:
            print(line)
            line = "   "
        line += text
    print(line)
    print("];")


def normalizer():
    print("// SPDX-License-Identifier: GPL-2.0")
    print("//! Made by scripts/models/unicode.py; do not edit.")
    print()
    rows("Where the base of a character changes, ascending: first code point, base of all from there on; 0: they stay.",
         "BASES", "(u32, u32)", list(bases()))
    print()
    rows("Characters with a lower case: first, last, from one to the next, what is added.", "LOWER", "(u32, u32, u32, i32)",
         list(lower_cases()))
    print()
    rows("Control characters: first, last.", "CONTROLS", "(u32, u32)", list(controls()))


def main():
    print("// SPDX-License-Identifier: GPL-2.0")
    print("//! Made by scripts/models/unicode.py; do not edit.")
    print()
    print("/// Version of the Unicode Character Database the table comes from.")
    print(f'#[cfg(test)]\npub(super) const VERSION: &str = "{unicodedata.unidata_version}";')
    print()
    array("Category of each ASCII character, by its number in `Category`.", "ASCII", "u8", [category(code) for code in range(128)])
    print()
    array("Where the category changes, ascending: first code point << 3 | category.", "TRANSITIONS", "u32", list(transitions()))


if sys.argv[1:] == ["normalizer"]:
    normalizer()
else:
    main()
