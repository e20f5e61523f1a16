# SPDX-License-Identifier: GPL-2.0
"""Bar charts as SVG."""

from xml.sax.saxutils import escape

LEFT, WIDTH, BAR, STEP = 250, 380, 9, 30
COLORS = {"llama.cpp": "#9a9a9a", "sislm": "#2f6fb0"}


def text(x, y, content, anchor="start"):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(content)}</text>'


def bar(y, value, scale, engine, label):
    width = max(1, round(value * scale, 1))
    return f'<rect x="{LEFT}" y="{y}" width="{width}" height="{BAR}" fill="{COLORS[engine]}"/>' + text(LEFT + width + 4, y + BAR - 1, label)


def chart(path, title, rows):
    """Writes a chart: for each (label, llama.cpp's value, sislm's, labels of both) two bars, llama.cpp's of the same length in all."""
    height = 40 + STEP * len(rows)
    most = max(max(1, mine / theirs) for _, theirs, mine, *_ in rows)
    scale = WIDTH / most
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 110}" height="{height}" font-family="sans-serif" font-size="11">',
             '<rect width="100%" height="100%" fill="white"/>', text(10, 18, title)]
    for index, (label, theirs, mine, *labels) in enumerate(rows):
        y = 34 + STEP * index
        parts += [text(LEFT - 8, y + BAR + 3, label, "end"), bar(y, 1, scale, "llama.cpp", labels[0]),
                  bar(y + BAR + 1, mine / theirs, scale, "sislm", labels[1])]
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")
