#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Prints module/engine/tokenizer/unicode_table.rs: the classes of code points a pre-tokenizer tells apart."""
import sys
import unicodedata

OTHER, LETTER, NUMBER, SPACE = range(4)
# White_Space of PropList.txt, which Python does not expose as such; unchanged since Unicode 6.3.
WHITE_SPACE = {*range(0x9, 0xE), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}


def category(code):
    if code in WHITE_SPACE:
        return SPACE
    return {"L": LETTER, "N": NUMBER}.get(unicodedata.category(chr(code))[0], OTHER)


def transitions():
    last = None
    for code in range(sys.maxunicode + 1):
        present = category(code)
        if present != last:
            yield code << 2 | present
        last = present


def main():
    table = list(transitions())
    print("// SPDX-License-Identifier: GPL-2.0")
    print("//! Made by scripts/models/unicode.py; do not edit.")
    print()
    print("/// Version of the Unicode Character Database the table comes from.")
    print(f'#[cfg(test)]\npub(super) const VERSION: &str = "{unicodedata.unidata_version}";')
    print()
    print("/// Where the class changes, ascending: first code point << 2 | class, the class being 0 for")
    print("/// other, 1 for letters (L), 2 for numbers (N), 3 for white space.")
    print("#[rustfmt::skip]")
    print(f"pub(super) static TRANSITIONS: [u32; {len(table)}] = [")
    line = "   "
    for entry in table:
        text = f" {entry:#x},"
        if len(line) + len(text) > 100:
            print(line)
            line = "   "
        line += text
    print(line)
    print("];")


main()
