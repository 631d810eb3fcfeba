"""Entries of ``env`` stand after what they refer to, as far as that is possible."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcks.core.manifests import references

NAMES = "ABCDEFG"


def entries(**values: str) -> dict[str, dict[str, Any]]:
    return {name: {"name": name, "value": value} for name, value in values.items()}


def order(ours: dict[str, dict[str, Any]], *fixed: dict[str, Any]) -> str:
    return "".join(entry["name"] for entry in references.in_order(ours, fixed))


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("$(A)", {"A"}),
        ("x$(A)y$(B.c-d)", {"A", "B.c-d"}),
        ("$$(A)", set()),
        ("$$$(A)", {"A"}),
        ("$$$$(A)", set()),
        ("$A ${A} $(", set()),
        ("$(A$(B)", {"A$(B"}),
        ("$()", set()),
    ],
)
def test_references_are_read_as_the_kubelet_reads_them(value: str, names: set[str]) -> None:
    assert references.names(value) == names


def test_a_chain_stands_in_its_order() -> None:
    assert order(entries(A="$(B)", B="$(C)", C="$(SECRET)")) == "CBA"


def test_independent_entries_keep_their_order() -> None:
    assert order(entries(B="x", A="$(SECRET)", C="$$(D)", D="y")) == "BACD"


def test_a_circle_comes_last_and_nothing_else_with_it() -> None:
    assert order(entries(A="$(B)", B="$(A)", C="$(D)", D="x", E="$(E):x")) == "DECAB"


VALUES = st.lists(st.sampled_from([f"$({n})" for n in NAMES] + ["$$(A)", "x"])).map("".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(NAMES), VALUES), st.integers(0, 3))
def test_every_entry_is_there_once_and_those_of_patches_keep_their_order(
    values: dict[str, str], count: int
) -> None:
    ours = entries(**values)
    fixed = [ours.pop(name) for name in list(ours)[:count]]
    ordered = references.in_order(ours, fixed)
    assert sorted(entry["name"] for entry in ordered) == sorted(values)
    assert [entry for entry in ordered if entry in fixed] == fixed


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(NAMES), st.data())
def test_without_circles_everything_stands_after_what_it_refers_to(
    names: list[str], data: st.DataObject
) -> None:
    values = {
        name: "".join(
            f"$({n})" for n in data.draw(st.sets(st.sampled_from([*NAMES[i + 1 :], "Z"])))
        )
        for i, name in enumerate(NAMES)
    }
    ordered = references.in_order(entries(**{name: values[name] for name in names}), [])
    for place, entry in enumerate(ordered):
        before = {e["name"] for e in ordered[:place]}
        assert references.names(entry["value"]) - {"Z"} <= before
