"""A limit is a whole number that makes sense, or is told to be none."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.administrator.limits import Limits, mistake


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_servers", 0), ("max_per_user", 0), ("max_starting", 1), ("max_age", 1)],
)
def test_the_least_that_a_limit_may_be(name: str, value: int) -> None:
    assert mistake(name, value) == ""
    assert mistake(name, value - 1).endswith(f", not {value - 1}")


@pytest.mark.parametrize("name", Limits._fields)
@pytest.mark.parametrize("value", [True, False, "20", 20.0, [20], None])
def test_what_is_no_whole_number_is_told(name: str, value: Any) -> None:
    assert mistake(name, value).startswith("must be a whole number of ")
    assert mistake(name, value).endswith(f", or None for no limit, not {value!r}")
