"""How commands write what they found: columns for people, JSON for programs. Pure.

What the columns are does not belong here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for each of *rows*, which have the same number of cells."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def as_json(value: object) -> str:
    """Write *value* for programs."""
    return json.dumps(value, indent=2) + "\n"


def counted(number: int, what: str) -> str:
    """Write *number* and the noun *what*.

    >>> counted(1, "orphan"), counted(2, "orphan")
    ('1 orphan', '2 orphans')
    """
    return f"{number} {what}{'' if number == 1 else 's'}"
