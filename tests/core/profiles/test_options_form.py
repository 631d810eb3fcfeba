"""The form as HTML, and what a posted form or a link says."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mcks.core.profiles.options_form import DataQuestion, form, is_field, user_options
from mcks.core.profiles.profile_list import parse
from mcks.core.profiles.selection import select
from mcks.errors import ConfigError

HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}'
GPU = {
    "display_name": "GPU",
    "profile_options": {
        "image": {
            "display_name": "Image",
            "description": "What is in it",
            "choices": {"torch": {"display_name": "PyTorch"}, "jax": {"display_name": "JAX"}},
            "unlisted_choice": {
                "enabled": True,
                "display_name": "Image of your own",
                "display_name_in_choices": "Another",
                "validation_regex": "[a-z]+",
                "validation_message": "Lower case",
                "spawner_override": {"image": "secret/{value}"},
            },
        },
        "note": {"display_name": "Note", "unlisted_choice": {"enabled": True}},
    },
    "spawner_override": {"environment": {"TOKEN": "secret"}},
}


class Page(HTMLParser):
    """Which fields a form has, and which of them have a label."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[str] = []
        self.radios: list[dict[str, str | None]] = []
        self.fields: list[dict[str, str | None]] = []
        self.options: list[dict[str, str | None]] = []
        self.labelled: set[str | None] = set()
        self.ids: list[str | None] = []
        self._in_label = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        assert not any(name.startswith("on") for name in found), found
        assert not any(name in ("src", "href") for name in found), found
        if tag == "label":
            self._in_label = "for" not in found
            self.labelled |= {found["for"]} if "for" in found else set()
        elif tag == "option":
            self.options.append(found)
        elif tag in ("input", "select") and found.get("type") != "hidden":
            self.fields.append(found)
            self.labelled |= {found["id"]} if self._in_label else set()
            if found.get("type") == "radio":
                self.radios.append(found)

    def handle_endtag(self, tag: str) -> None:
        self._in_label = self._in_label and tag != "label"


def shown(profile_list: list[Any], options: dict[str, Any] | None = None, **more: Any) -> Page:
    profiles = parse(profile_list).profiles
    chosen = select(profiles, options or {}, saved=True)
    return Page(form("", profiles, chosen=chosen, **more))


def test_every_profile_is_a_radio_button_and_the_default_is_preselected() -> None:
    radios = shown([{"display_name": "a"}, {"display_name": "b"}]).radios
    assert [(i["type"], i["name"], i["value"], "checked" in i) for i in radios] == [
        ("radio", "profile", "a", True),
        ("radio", "profile", "b", False),
    ]


@pytest.mark.parametrize(("last", "checked"), [("b", "b"), ("old", "a"), ("", "a")])
def test_the_last_choice_is_preselected_unless_it_is_gone(last: str, checked: str) -> None:
    radios = shown([{"display_name": "a"}, {"display_name": "b"}], {"profile": last}).radios
    assert [i["value"] for i in radios if "checked" in i] == [checked]


def test_every_field_has_a_label_and_an_id_of_its_own() -> None:
    page = shown([GPU, {"display_name": "b"}])
    assert {field["id"] for field in page.fields} == page.labelled
    assert len(page.ids) == len(set(page.ids))
    assert [field["name"] for field in page.fields] == [
        "profile",
        "profile-option-gpu--image",
        "profile-option-gpu--image--unlisted-choice",
        "profile-option-gpu--note--unlisted-choice",
        "profile",
    ]


def test_choices_are_offered_and_the_default_is_selected() -> None:
    options = shown([GPU]).options
    assert [(o["value"], "selected" in o) for o in options] == [
        ("torch", True),
        ("jax", False),
        ("unlisted-choice", False),
    ]


def test_the_last_choices_are_selected() -> None:
    options = shown([GPU], {"profile": "gpu", "image": "jax"}).options
    assert [o["value"] for o in options if "selected" in o] == ["jax"]


def test_the_last_text_is_shown_again() -> None:
    page = shown([GPU], {"image--unlisted-choice": "mine", "note--unlisted-choice": "hello"})
    assert [o["value"] for o in page.options if "selected" in o] == ["unlisted-choice"]
    texts = [field for field in page.fields if field.get("type") == "text"]
    assert [text["value"] for text in texts] == ["mine", "hello"]


def test_nothing_that_a_profile_overrides_is_in_the_page() -> None:
    assert "secret" not in shown([GPU]).html


def test_the_form_loads_nothing_from_elsewhere() -> None:
    html = shown([GPU]).html
    assert not [word for word in ("http:", "https:", "url(", "@import", "src=") if word in html]


@pytest.mark.parametrize(("number", "searched"), [(9, False), (10, True)])
def test_a_search_field_appears_from_ten_profiles_on(number: int, searched: bool) -> None:
    page = shown([{"display_name": f"p{n}"} for n in range(number)])
    assert ("mcks-search" in page.ids) is searched


def test_texts_are_escaped() -> None:
    hostile: dict[str, Any] = {
        "display_name": HOSTILE,
        "slug": HOSTILE,
        "description": HOSTILE,
        "profile_options": {
            HOSTILE: {
                "display_name": HOSTILE,
                "description": HOSTILE,
                "choices": {HOSTILE: {"display_name": HOSTILE}},
                "unlisted_choice": {
                    "enabled": True,
                    "display_name": HOSTILE,
                    "display_name_in_choices": HOSTILE,
                    "validation_message": HOSTILE,
                },
            }
        },
    }
    page = shown([hostile], {f"{HOSTILE}--unlisted-choice": HOSTILE + HOSTILE})
    assert page.tags.count("script") == 1
    assert page.radios[0]["value"] == HOSTILE
    assert page.options[0]["value"] == HOSTILE
    assert page.fields[-1]["value"] == HOSTILE + HOSTILE
    assert "alert(1)</script>" not in page.html


def test_description_html_is_trusted() -> None:
    page = shown([{"display_name": "a", "description_html": "<em>b</em>"}])
    assert "<em>b</em>" in page.html


def test_a_template_sees_the_list_without_overrides() -> None:
    template = "{{ profile_list | tojson }}|{{ user_options | tojson }}"
    profiles = parse([GPU]).profiles
    html = form(template, profiles, chosen=select(profiles, {"profile": "gpu", "n": 7}))
    assert "PyTorch" in html
    assert "secret" not in html
    assert html.endswith('|{"image": "torch", "profile": "gpu"}')


def test_a_directory_may_bring_the_form(tmp_path: Path) -> None:
    (tmp_path / "form.html").write_text("{% include 'part.txt' %}{{ profile_list[0].slug }}")
    (tmp_path / "part.txt").write_text("part of ")
    assert form("", parse([GPU]).profiles, directories=[str(tmp_path)]) == "part of gpu"
    assert form("own", parse([GPU]).profiles, directories=[str(tmp_path)]) == "own"


def test_a_directory_without_a_form_changes_nothing(tmp_path: Path) -> None:
    assert "mcks-profiles" in form("", parse([GPU]).profiles, directories=[str(tmp_path)])


@pytest.mark.parametrize(
    ("posted", "options"),
    [
        ({"profile": ["gpu"]}, {"profile": "gpu"}),
        ({"profile": ["gpu", "cpu"]}, {"profile": "gpu"}),
        ({"profile": []}, {}),
        ({"profile": "gpu"}, {}),
        ({}, {}),
        ({"other": ["x"], "select-profile": ["x"]}, {}),
        ({"profile_file": [{"filename": "x", "body": b""}]}, {}),
        ({"profile": [{"filename": "x"}]}, {}),
    ],
)
def test_a_posted_form_becomes_user_options(
    posted: dict[str, Any], options: dict[str, str]
) -> None:
    assert user_options(posted) == options


@pytest.mark.parametrize(
    ("posted", "options"),
    [
        ({"--image": ["jax"]}, {"image": "jax"}),
        ({"--image--unlisted-choice": ["x"]}, {"image--unlisted-choice": "x"}),
        ({"--image": ["jax"], "--image--unlisted-choice": [""]}, {"image": "jax"}),
        ({"--image": []}, {}),
        ({"--": ["x"]}, {}),
        ({"-2--image": ["x"]}, {}),
        ({"--image": [{"filename": "x"}]}, {}),
        ({"--profile": ["other"]}, {}),
    ],
)
def test_fields_of_the_chosen_profile_become_its_options(
    posted: dict[str, Any], options: dict[str, str]
) -> None:
    fields = {f"profile-option-gpu{name}": values for name, values in posted.items()}
    assert user_options({"profile": ["gpu"], **fields}) == {"profile": "gpu", **options}


@pytest.mark.parametrize(
    ("listed", "written", "options"),
    [
        ("jax", "left over", {"image": "jax"}),
        ("unlisted-choice", "mine", {"image--unlisted-choice": "mine"}),
        ("unlisted-choice", "", {"image": "unlisted-choice"}),
    ],
)
def test_without_scripts_the_list_decides_whether_the_text_counts(
    listed: str, written: str, options: dict[str, str]
) -> None:
    posted = {
        "mcks-form": ["1"],
        "profile": ["gpu"],
        "profile-option-gpu--image": [listed],
        "profile-option-gpu--image--unlisted-choice": [written],
    }
    assert user_options(posted) == {"profile": "gpu", **options}


def test_links_of_a_template_to_the_hub_lead_below_its_base_url() -> None:
    template = """<script defer src='/hub/a.js'></script><a class=x href="/hub/b">/hub/c</a>
        <img alt="src=/hub/" src=/hub/d><p title="/hub/e">x</p><link href="/hubs/">"""
    html = form(template, [], hub_url="/x/hub/")
    for link in ("src='/x/hub/a.js'", 'href="/x/hub/b"', "src=/x/hub/d"):
        assert link in html
    for text in (">/hub/c<", 'alt="src=/hub/"', 'title="/hub/e"', 'href="/hubs/"'):
        assert text in html
    assert form(template, []) == form(template, [], hub_url="/hub/")


ANSWER = {"mcks-data": "elsewhere"}


def test_the_answer_about_data_is_posted_with_a_profile_or_alone() -> None:
    posted = {"profile": ["gpu"], "mcks-data": ["elsewhere"], "mcks-form": ["1"]}
    assert user_options(posted) == {"profile": "gpu", **ANSWER}
    assert user_options({"mcks-data": ["elsewhere"]}) == ANSWER
    assert user_options({"profile": ["gpu"], "mcks-data": [""]}) == {"profile": "gpu"}
    assert is_field("mcks-data")


def test_no_option_of_a_profile_can_take_the_answers_name() -> None:
    listed = [{"display_name": "X", "profile_options": {"mcks-data": {"choices": {"a": {}}}}}]
    with pytest.raises(ConfigError, match="an option cannot have this key"):
        parse(listed)


def test_the_form_says_where_data_is_and_asks_only_where_that_may_count() -> None:
    html = shown([{"display_name": "X"}], data=DataQuestion(("<a>", "b"))).html
    assert "Your data is in &lt;a&gt; and b." in html
    assert 'name="mcks-data"' not in html
    asking = shown([{"display_name": "X"}], data=DataQuestion(("a",), asks=True))
    (box,) = [field for field in asking.fields if field.get("type") == "checkbox"]
    assert (box["name"], box["value"]) == ("mcks-data", "elsewhere")
    assert "checked" not in box
    assert box["id"] in asking.labelled
    agreed = DataQuestion(("a",), asks=True, agreed=True)
    (box,) = [f for f in shown([{"display_name": "X"}], data=agreed).fields if "value" in f][1:]
    assert "checked" in box
    assert "Your data" not in shown([{"display_name": "X"}]).html
