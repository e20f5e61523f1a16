# SPDX-License-Identifier: GPL-2.0
"""The figures: Documentation/performance.json, in which each measurement replaces its own last one."""

import datetime
import json

import models

PATH = models.REPO / "Documentation" / "performance.json"


def read():
    """Name to {engine: figures}; empty when there is no file."""
    return json.loads(PATH.read_text(encoding="ascii")) if PATH.exists() else {}


def clear():
    """Forgets all: a whole run leaves nothing from before it."""
    PATH.unlink(missing_ok=True)


def put(name, engine, figures, versions):
    """Keeps figures with the day and what was measured."""
    kept = read()
    stamp = {"date": datetime.date.today().isoformat(), **versions}
    kept.setdefault(name, {})[engine] = {**figures, "measured": stamp}
    PATH.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="ascii")
