# SPDX-License-Identifier: GPL-2.0
"""Points on a logarithmic scale as SVG."""

import math
from xml.sax.saxutils import escape

LEFT, WIDTH, STEP = 260, 420, 13
COLORS = {"llama.cpp": "#9a9a9a", "sislm": "#2f6fb0"}


def text(x, y, content, anchor="start"):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(content)}</text>'


def chart(path, title, rows, wanted=None):
    """Writes a chart: for each (label, {engine: value above 0}) a point of each engine; a line at the value `wanted`."""
    values = [value for _, points in rows for value in points.values()] + ([wanted] if wanted else [])
    least, most = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def place(value):
        return round(LEFT + WIDTH * (math.log10(value) - least) / max(1, most - least), 1)
    bottom = 44 + STEP * len(rows)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 30}" height="{bottom + 24}" font-family="sans-serif" font-size="10">',
             '<rect width="100%" height="100%" fill="white"/>', text(10, 16, title)]
    for index, (engine, color) in enumerate(COLORS.items()):
        parts += [f'<circle cx="{LEFT + 12 + 90 * index}" cy="28" r="4" fill="{color}"/>', text(LEFT + 20 + 90 * index, 32, engine)]
    for exponent in range(least, most + 1):
        x = place(10.0 ** exponent)
        parts += [f'<line x1="{x}" y1="38" x2="{x}" y2="{bottom}" stroke="#e0e0e0"/>', text(x, bottom + 14, f"1e{exponent}", "middle")]
    if wanted:
        parts.append(f'<line x1="{place(wanted)}" y1="38" x2="{place(wanted)}" y2="{bottom}" stroke="#c04040"/>')
    for index, (label, points) in enumerate(rows):
        y = 44 + STEP * index
        parts.append(text(LEFT - 8, y + 4, label, "end"))
        parts += [f'<circle cx="{place(points[engine])}" cy="{y}" r="4" fill="{color}" fill-opacity="0.75"/>' for engine, color in COLORS.items() if engine in points]
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")
