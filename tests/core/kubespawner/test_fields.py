"""Fields are expanded in what administrators wrote, never in what users wrote."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcks.core.kubespawner.fields import (
    expand,
    expand_marked,
    expand_text,
    fields_of,
    insert_value,
    later,
    literal,
)
from mcks.errors import ConfigError

WHERE = fields_of(1, "ada", "gpu", scheme="safe", hub_namespace="default")


def test_fields_are_expanded_however_deep_and_doubled_braces_are_single_ones() -> None:
    value = {"{username}": ["{username}", {"a": "{{x}} {user_server}"}, 1]}
    assert expand(value, WHERE) == {"{username}": ["ada", {"a": "{x} ada--gpu"}, 1]}


@pytest.mark.parametrize("text", ["{", "}", "{nobody}", "{0}", "{username.__class__}", "{}"])
def test_what_is_no_field_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        expand_text(text, WHERE)


@given(st.text())
def test_a_literal_text_is_expanded_to_itself(text: str) -> None:
    assert expand_text(literal(text) + "-", WHERE) == text + "-"


@given(st.text())
def test_a_users_text_is_never_expanded_nor_breaks_what_is_around_it(text: str) -> None:
    inserted = insert_value({"k": ["<{value}>{username}{{userid}}/"]}, text)
    assert expand(inserted, WHERE) == {"k": [f"<{text}>ada1/"]}


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(ConfigError, match="slug_scheme 'x' must be one of: safe, escape"):
        fields_of(1, "ada", "", scheme="x", hub_namespace="default")


def test_a_marked_text_is_as_written_until_it_is_expanded() -> None:
    marked = later({"a": ["{x}", 5], "b": "{nobody}"}, {"a": ["{x}{y}", 5], "b": "{nobody}"})
    assert marked == {"a": ["{x}", 5], "b": "{nobody}"}
    fields = {"x": "1", "y": "2"}
    for text in (marked, copy.deepcopy(marked), pickle.loads(pickle.dumps(marked))):
        assert expand_marked(text, fields) == {"a": ["12", 5], "b": "{nobody}"}
    assert expand_marked("{x}", fields) == "{x}"
