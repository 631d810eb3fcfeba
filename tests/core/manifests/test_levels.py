"""Hub, profile and choice: whose text wins, and in which order all of them apply."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcks.core.manifests.levels import join_levels, merge_levels
from mcks.errors import ConfigError


def test_the_result_is_sorted_by_key_and_a_later_level_wins() -> None:
    merged = merge_levels({"50-b": "hub", "10-a": "hub"}, {"30-c": "profile", "50-b": "profile"})
    assert list(merged.items()) == [("10-a", "hub"), ("30-c", "profile"), ("50-b", "profile")]


def test_none_removes_what_a_lower_level_says() -> None:
    assert merge_levels({"a": "1", "b": "2"}, {"a": None}) == {"b": "2"}
    assert merge_levels({"a": "1"}, {"a": None}, {"a": "3"}) == {"a": "3"}


def test_no_level_and_an_absent_level_say_nothing() -> None:
    assert merge_levels() == {}
    assert merge_levels(None, {}, [], {"a": "1"}, None) == {"a": "1"}


def test_a_list_applies_in_its_order_after_the_dicts_below_it() -> None:
    assert list(merge_levels({"zz": "1"}, ["y", "x"]).values()) == ["1", "y", "x"]


def test_a_profiles_dict_overrides_the_hubs_list() -> None:
    assert list(merge_levels(["hub 1", "hub 2"], {"01-a": "profile"}).values()) == [
        "hub 1",
        "hub 2",
        "profile",
    ]


def test_lists_of_several_levels_never_replace_each_other() -> None:
    merged = merge_levels(["a", "b"], ["c"], {"x": "d"}, ["e"], ["f", "g"])
    assert list(merged.values()) == ["a", "b", "c", "d", "e", "f", "g"]


def test_a_list_longer_than_ten_keeps_its_order() -> None:
    texts = [str(number) for number in range(25)]
    assert list(merge_levels({"a": "x"}, texts).values()) == ["x", *texts]


levels = st.one_of(
    st.none(),
    st.lists(st.text(max_size=2), max_size=3),
    st.dictionaries(st.sampled_from("abc"), st.none() | st.text(max_size=2), max_size=3),
)


@given(st.lists(levels, max_size=6))
def test_merging_one_level_after_the_other_gives_the_same(several: list[Any]) -> None:
    step_by_step: dict[str, str] = {}
    for level in several:
        step_by_step = merge_levels(step_by_step, level)
    assert list(step_by_step.items()) == list(merge_levels(*several).items())


@given(st.lists(levels, max_size=6))
def test_no_input_is_changed(several: list[Any]) -> None:
    before = [level if level is None else type(level)(level) for level in several]
    merge_levels(*several)
    assert several == before


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ("kind: Pod", "a dict of texts or a list of texts, not a str"),
        (3, "not a int"),
        ({"a": {"kind": "Pod"}}, "'a' is a dict: write YAML as one text"),
        ([{"kind": "Pod"}], "is a dict: write YAML as one text"),
        ({1: "kind: Pod"}, "the key 1 is not a string: quote it"),
    ],
)
def test_other_types_are_refused(level: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        merge_levels({"x": "y"}, level)
    assert message in str(caught.value)


def test_a_none_can_be_kept_for_what_stands_below_all_levels() -> None:
    joined = join_levels({"b": "1"}, {"a": None})
    assert list(joined.items()) == [("a", None), ("b", "1")]
    assert merge_levels({"a": "default"}, joined) == {"b": "1"}
