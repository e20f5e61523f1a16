#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Prints module/engine/tokenizer/unicode_table.rs: the categories of code points a pre-tokenizer tells apart."""
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


main()
