"""What commands write can be read by people, and by programs."""

from __future__ import annotations

import json

from mcks.core.commands import layout


def test_columns_are_as_wide_as_their_widest_cell_and_lines_end_with_their_text() -> None:
    rows = [("CLUSTER", "STEP", "WHAT"), ("a", "discover", "found"), ("", "mint", "")]
    assert layout.columns(rows) == [
        "CLUSTER  STEP      WHAT",
        "a        discover  found",
        "         mint",
    ]


def test_json_ends_with_its_line() -> None:
    written = layout.as_json([{"a": 1}])
    assert json.loads(written) == [{"a": 1}]
    assert written.endswith("]\n")


def test_one_is_not_many() -> None:
    assert [layout.counted(n, "orphan") for n in (0, 1, 2)] == [
        "0 orphans",
        "1 orphan",
        "2 orphans",
    ]
