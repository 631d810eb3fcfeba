"""Patches of a conversion apply before all others, a hub's before a profile's."""

from __future__ import annotations

import pytest

from mcks.core.conversion.keys import keys_before


@pytest.mark.parametrize("own", [[], ["01-memory"], ["00-a"], ["0"], ["!00-000"], ["", "x"]])
def test_keys_sort_before_those_of_the_administrator(own: list[str]) -> None:
    keys = keys_before(own)
    made = [
        *(keys.cmd, keys.of_hub("01-pod"), keys.of_hub("13-spec"), keys.variable("A")),
        *(keys.profile, keys.option(0, "image"), keys.option(11, "zone")),
    ]
    assert made == sorted(made)
    assert not own or own == ["", "x"] or max(made) < min(own)


def test_usual_keys_are_plain() -> None:
    assert keys_before(["10-x"]).profile == "00-profile"
