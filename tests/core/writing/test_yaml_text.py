"""What is written as YAML is read by mcks as the same objects."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mcks.core.manifests.render import render
from mcks.core.writing.marks import Marks
from mcks.core.writing.yaml_text import commented, written

SURPRISES = [
    *("y", "n", "yes", "1e3", "0o17", "1_000", "12:30", "~", "", "null", "<<", "=", "- a"),
    *("{{x}}", "%x", "@", "---", "...", "\tx", "\n0\n", "a\n\n", "a\n  b\n", "a \nb"),
    "#!/bin/sh\nset -e\necho '{{ {% }}'\n",
]
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Co"]), max_size=12) | st.sampled_from(
    SURPRISES
)
VALUES = st.recursive(
    TEXTS | st.integers(-(2**53), 2**53) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, TEXTS)
def test_any_value_is_read_as_it_was(value: Any, user: str) -> None:
    marks = Marks()
    name = "a-" + marks.mark("x")
    document = {"kind": "K", "value": value, name: name, "alone": marks.mark("x"), "own": user}
    expected = {"kind": "K", "value": value, f"a-{user}": f"a-{user}", "alone": user, "own": user}
    assert render("t", written([document], marks), {"x": user}) == [expected]


def test_a_script_is_written_as_a_block_and_indented() -> None:
    text = written([{"kind": "K", "args": ["a\nb\n"]}], Marks())
    assert text == "kind: K\nargs:\n  - |\n    a\n    b\n\n"


def test_a_comment_without_words_says_whose_default_it_is() -> None:
    assert commented("x", ["uid"]).words == ("uid",)
    assert commented("x", []).words == ("KubeSpawner's default",)
