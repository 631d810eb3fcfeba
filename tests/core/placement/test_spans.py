"""Lengths of time and places are written as people write them."""

from __future__ import annotations

import pytest

from mcks.core.placement.spans import ordinal, span


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (90, "1 min 30 s"),
        (3600, "1 h"),
        (3601, "1 h"),
        (28800, "8 h"),
        (129600, "1 d 12 h"),
        (604800, "7 d"),
    ],
)
def test_a_length_of_time_has_its_two_largest_units(seconds: float, written: str) -> None:
    assert span(seconds) == written


def test_a_place_ends_as_it_is_said() -> None:
    places = [1, 2, 3, 4, 10, 11, 12, 13, 21, 22, 23, 101, 111, 112]
    assert " ".join(map(ordinal, places)) == (
        "1st 2nd 3rd 4th 10th 11th 12th 13th 21st 22nd 23rd 101st 111th 112th"
    )
