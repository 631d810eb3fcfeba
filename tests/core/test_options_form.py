from __future__ import annotations

from html.parser import HTMLParser

import pytest

from mcks.core.options_form import default_form_template, form, user_options
from mcks.core.profiles import parse

HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}'


class Inputs(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "input":
            self.found.append(dict(attrs))


def shown(profile_list: list[dict[str, str]], options: dict[str, str]) -> Inputs:
    return Inputs(form(default_form_template(), parse(profile_list), options))


def test_every_profile_is_a_radio_button_and_the_default_is_preselected() -> None:
    inputs = shown([{"display_name": "a"}, {"display_name": "b"}], {}).found
    assert [(i["type"], i["name"], i["value"], "checked" in i) for i in inputs] == [
        ("radio", "profile", "a", True),
        ("radio", "profile", "b", False),
    ]


def test_the_last_choice_is_preselected() -> None:
    inputs = shown([{"display_name": "a"}, {"display_name": "b"}], {"profile": "b"}).found
    assert [i["value"] for i in inputs if "checked" in i] == ["b"]


def test_a_last_choice_that_is_gone_leaves_the_default() -> None:
    inputs = shown([{"display_name": "a"}, {"display_name": "b"}], {"profile": "old"}).found
    assert [i["value"] for i in inputs if "checked" in i] == ["a"]


def test_texts_of_profiles_are_escaped() -> None:
    parsed = shown([{"display_name": HOSTILE, "slug": HOSTILE, "description": HOSTILE}], {})
    assert "script" not in parsed.tags
    assert parsed.found[0]["value"] == HOSTILE


@pytest.mark.parametrize(
    ("posted", "options"),
    [
        ({"profile": ["gpu"]}, {"profile": "gpu"}),
        ({"profile": ["gpu", "cpu"]}, {"profile": "gpu"}),
        ({"profile": []}, {}),
        ({}, {}),
        ({"other": ["x"]}, {}),
    ],
)
def test_a_posted_form_becomes_user_options(
    posted: dict[str, list[str]], options: dict[str, str]
) -> None:
    assert user_options(posted) == options
