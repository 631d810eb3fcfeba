"""Candidates: what may be written, and in which order each user tries them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcks.core.clusters.candidates import in_order, mistakes, open_ones

USERS = [f"user-{number}" for number in range(10_000)]


def test_a_list_is_tried_as_it_is_written() -> None:
    assert in_order(["west", "east"], "ada") == ["west", "east"]
    assert open_ones(["west", "east"]) == ["west", "east"]


@pytest.mark.parametrize(
    "weights",
    [{"west": 3, "east": 1}, {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}, {"a": 0.1, "b": 9}],
)
def test_users_spread_as_the_weights_say(weights: dict[str, float]) -> None:
    first = Counter(in_order(weights, user)[0] for user in USERS)
    for name, weight in weights.items():
        share = weight / sum(weights.values())
        assert abs(first[name] / len(USERS) - share) < 0.02


def test_without_one_cluster_only_its_own_users_move() -> None:
    weights = {"a": 1, "b": 2, "c": 3, "d": 1, "e": 1}
    less = {name: weight for name, weight in weights.items() if name != "c"}
    moved = 0
    for user in USERS:
        before, after = in_order(weights, user), in_order(less, user)
        assert after == [name for name in before if name != "c"]
        moved += before[0] == "c"
    assert moved > 3000


@given(st.text(), st.dictionaries(st.text(min_size=1), st.floats(0, 1000), min_size=1))
def test_each_user_has_an_order_of_their_own_that_stays(
    user: str, weights: dict[str, float]
) -> None:
    order = in_order(weights, user)
    assert order == in_order(dict(reversed(weights.items())), user)
    assert sorted(order) == sorted(name for name, weight in weights.items() if weight > 0)


def test_weight_0_takes_no_new_servers() -> None:
    assert open_ones({"west": 0, "east": 1}) == in_order({"west": 0, "east": 1}, "ada") == ["east"]


@pytest.mark.parametrize("said", [["west"], ["west", "east"], {"west": 3, "east": 0.5}, ("a", "b")])
def test_what_is_right_has_no_mistakes(said: Any) -> None:
    assert not [*mistakes(said, "here")]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("west", "here must be a list of clusters' names in their order"),
        (3, "not int"),
        ([], "names no cluster"),
        ({}, "names no cluster"),
        ([1], "1 is no name of a cluster: quote it"),
        ([""], "'' is no name"),
        (["a", "b", "a"], "names a cluster twice: a, b, a"),
        ({"a": -1}, "here['a'] must be a number from 0 on, not -1"),
        ({"a": True}, "not True"),
        ({"a": "3"}, "not '3'"),
        ({"a": float("nan")}, "not nan"),
        ({"a": 10**400}, "must be a number from 0 on, not 1000"),
        ({"a": 0, "b": 0}, "all weights are 0"),
    ],
)
def test_what_is_wrong_is_told(said: Any, told: str) -> None:
    assert told in "; ".join(mistakes(said, "here"))
