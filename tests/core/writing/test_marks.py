"""Texts with marks become templates that mean the same text, whatever characters they have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcks.core.manifests.render import render_text
from mcks.core.writing.marks import Marks, refuse_marks
from mcks.errors import ConfigError

PIECES = st.sampled_from(
    [
        *("{", "}", "{{", "}}", "{%", "%}", "{#", "#}", "{value}"),
        *("'", '"', "\\", "a", "-", " ", "ü", "\U00100000", "\r\n", "\n"),
    ]
)


def meaning(template: str, **variables: str) -> str:
    return render_text("t", template, variables)


@given(st.lists(PIECES, max_size=8), st.lists(PIECES, max_size=8))
def test_all_that_is_no_mark_is_text(before: list[str], after: list[str]) -> None:
    marks = Marks()
    text = "".join(before) + marks.mark("x") + "".join(after) + "."
    meant = "".join(before) + "{user}" + "".join(after) + "."
    written = marks.text(text)
    assert "{value}" not in written
    without_returns = meant.replace("\r\n", "\n")  # YAML writes them as an escape
    assert meaning(written, x="{user}").replace("\r\n", "\n") == without_returns
    assert meaning(f"{{{{ {marks.expression(text)} }}}}", x="{user}") == meant


@pytest.mark.parametrize(("user", "meant"), [("ada", "/h-ada"), ("", "/h"), ("a--", "/h-a")])
def test_a_dash_at_the_end_goes_where_kubespawner_takes_it_off(user: str, meant: str) -> None:
    marks = Marks()
    text = "/h-" + marks.mark("x", open_ended=True)
    assert meaning(marks.text(text), x=user) == meant
    assert meaning(marks.text(text + "/"), x=user) == f"/h-{user}/"


def test_what_a_format_asks_is_an_expression() -> None:
    marks = Marks()
    text = "{x:.2}|{x!r}|{x:>5}.".format(x=marks.field("x"))
    assert meaning(marks.text(text), x="abc") == "ab|'abc'|  abc."


def test_the_same_expression_has_the_same_mark() -> None:
    marks = Marks()
    assert marks.mark("x") == marks.mark("x") != marks.mark("y")


def test_an_expression_with_operators_stands_in_parentheses() -> None:
    marks = Marks()
    text = "a" + marks.mark("x or y") + "b"
    assert meaning(f"{{{{ {marks.expression(text)} }}}}", x="", y="1") == "a1b"


def test_a_value_that_has_such_a_character_is_refused() -> None:
    refuse_marks({"a": ["b", ("c",)]})
    with pytest.raises(ConfigError, match=r"U\+EC01"):
        refuse_marks({"a": ["b", {"\uec01": 1}]})
