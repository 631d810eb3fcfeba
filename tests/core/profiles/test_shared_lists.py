"""Profiles that ask the same have their lists of choices once in the form, which stays small."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest

from mcks.core.profiles.offer import with_availability, with_news
from mcks.core.profiles.options_form import form, is_field, user_options
from mcks.core.profiles.profile_list import Profile, parse
from mcks.core.profiles.selection import select
from tests.bench.profiles import profile

IMAGE: dict[str, Any] = {
    "display_name": "Image",
    "choices": {"scipy": {"display_name": "SciPy"}, "torch": {"display_name": "PyTorch"}},
    "unlisted_choice": {"enabled": True, "spawner_override": {"image": "{value}"}},
}
MEMORY: dict[str, Any] = {"choices": {"1": {}, "2": {}}}
OPTIONS = {"image": IMAGE, "memory": MEMORY}
TEXT = "image--unlisted-choice"


class Browser(HTMLParser):
    """What a browser without scripts or styles would post: each field by its name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.posted: dict[str, str] = {}
        self.preselected = ""
        self.slugs: list[str] = []
        self._list = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "select":
            self._list = "" if "disabled" in found else found["name"]
        elif tag == "option" and self._list and "selected" in found:
            self.posted[self._list] = found["value"]
        elif tag == "input" and found.get("type") == "radio":
            self.slugs.append(found["value"])
            self.preselected = found["value"] if "checked" in found else self.preselected
        elif tag == "input" and "name" in found and "disabled" not in found:
            self.posted[found["name"]] = found["value"]

    def lists(self, option: str) -> list[str]:
        """The names of the fields that ask for *option*."""
        return [name for name in self.posted if name.endswith(f"--{option}")]

    def submit(self, slug: str = "", **answers: str) -> dict[str, Any]:
        """Choose a profile, answer in all lists of that name, and read what is posted."""
        assert not slug or slug in self.slugs
        said = {name: value for key, value in answers.items() for name in self.lists(key)}
        fields = {**self.posted, **said, "profile": slug or self.preselected}
        return user_options({name: [value] for name, value in fields.items()})


def asking(*names: str, **options: Any) -> list[dict[str, Any]]:
    return [{"display_name": name, "profile_options": options or OPTIONS} for name in names]


def page_of(
    profiles: list[dict[str, Any]] | list[Profile], last: Mapping[str, str] | None = None
) -> Browser:
    found = [p for p in profiles if isinstance(p, Profile)] or parse(profiles).profiles
    return Browser(form("", found, chosen=select(found, last or {}, saved=True)))


def test_profiles_that_ask_the_same_have_their_lists_once() -> None:
    page = page_of(asking("A", "B", "C"))
    assert [len(page.lists(option)) for option in ("image", "memory", TEXT)] == [1, 1, 1]


def test_the_answer_is_that_of_the_chosen_profile() -> None:
    other = asking("D", "E", memory=MEMORY)
    page = page_of([*asking("A", "B"), *other, {"display_name": "F"}, *asking("G")])
    assert page.submit("g", image="torch") == {"profile": "g", "image": "torch", "memory": "1"}
    assert page.submit("e", memory="2") == {"profile": "e", "memory": "2"}
    assert page.submit("f") == {"profile": "f"}


def test_profiles_that_are_no_neighbours_share_too() -> None:
    page = page_of([*asking("A"), *asking("B", memory=MEMORY), *asking("C")])
    assert len(page.lists("image")) == 1
    assert page.lists("memory")[0] == "profile-option-b--memory"
    assert page.submit("b", memory="2") == {"profile": "b", "memory": "2"}
    assert page.submit("c")["image"] == "scipy"


@pytest.mark.parametrize(
    "other",
    [
        {**IMAGE, "display_name": "Picture"},
        {**IMAGE, "description": "What is in it"},
        {**IMAGE, "choices": {**IMAGE["choices"], "jax": {}}},
        {**IMAGE, "choices": dict(reversed(IMAGE["choices"].items()))},
        {**IMAGE, "choices": {"scipy": {"display_name": "SciPy"}, "torch": {"default": True}}},
        {**IMAGE, "unlisted_choice": {"enabled": False}},
        {**IMAGE, "unlisted_choice": {"enabled": True, "validation_regex": "a"}},
        {**IMAGE, "unlisted_choice": {"enabled": True, "validation_message": "a"}},
        {**IMAGE, "unlisted_choice": {"enabled": True, "display_name_in_choices": "Mine"}},
    ],
)
def test_what_looks_different_is_not_shared(other: dict[str, Any]) -> None:
    page = page_of([*asking("A", image=IMAGE), *asking("B", image=other)])
    assert page.lists("image") == ["profile-option-a--image", "profile-option-b--image"]


def test_what_choices_override_and_other_forms_read_makes_no_difference() -> None:
    def with_memory(limit: str) -> dict[str, Any]:
        large = {"spawner_override": {"mem_limit": limit}, "icon": f"{limit}.svg"}
        return {"choices": {"small": {}, "large": large}}

    listed = [*asking("A", size=with_memory("8G")), *asking("B", size=with_memory("16G"))]
    page = page_of(listed)
    assert len(page.lists("size")) == 1
    chosen = select(parse(listed).profiles, page.submit("b", size="large"))
    assert [dict(level.values) for level in chosen.levels][1:] == [{"mem_limit": "16G"}]


def test_the_last_answers_are_shown_again_and_stay_for_the_next_profile() -> None:
    last = {"profile": "b", "image": "torch", "memory": "2"}
    page = page_of([*asking("A", "B", "C"), *asking("D", "E", image=IMAGE)], last)
    assert page.submit() == last
    assert page.submit("c") == {**last, "profile": "c"}
    assert page.submit("d") == {"profile": "d", "image": "scipy"}


def test_a_text_of_ones_own_counts_if_the_list_says_so() -> None:
    page = page_of(asking("A", "B"), {"profile": "b", TEXT: "mine:1", "memory": "1"})
    assert page.submit() == {"profile": "b", TEXT: "mine:1", "memory": "1"}
    assert page.submit("a", image="torch") == {"profile": "a", "image": "torch", "memory": "1"}


def test_clusters_to_pick_are_a_list_that_is_shared_with_their_news() -> None:
    listed = [{"display_name": name, "clusters": ["west", "east"]} for name in "AB"]
    profiles = with_news(
        parse(listed).profiles, lambda o, _: ("3 GPUs free.",) if o and o.get("cluster") else ()
    )
    html = form("", profiles, chosen=select(profiles, {}))
    assert html.count("east (3 GPUs free.)") == 1
    assert Browser(html).submit("b", cluster="east") == {"profile": "b", "cluster": "east"}


def test_what_is_unavailable_shares_no_lists_and_needs_none_of_its_own() -> None:
    listed = [{**one, "cluster": one["display_name"]} for one in asking("a", "b", "c")]

    def away(*names: str) -> list[Profile]:
        return with_availability(
            parse(listed).profiles, lambda o: "away." if o.get("cluster") in names else ""
        )

    page = page_of(away("a", "b"))
    assert page.submit() == {"profile": "c", "image": "scipy", "memory": "1"}
    (whose,) = [value for name, value in page.posted.items() if is_list(name)]
    assert whose == "c"
    assert page_of(away("a", "b", "c")).lists("image") == []


def is_list(name: str) -> bool:
    return name.startswith("mcks-lists-") and "--" not in name


HOSTILE = ["a b", 'a"b', "a%20b", "ä\n", "<a>", "a--image", "mcks-lists-"]


@pytest.mark.parametrize("slug", HOSTILE)
def test_any_slug_finds_its_lists(slug: str) -> None:
    listed = [{**one, "slug": one["display_name"]} for one in asking("a", "b", slug)]
    page = page_of(listed)
    assert page.submit(slug, memory="2") == {"profile": slug, "image": "scipy", "memory": "2"}


def test_a_slug_that_begins_like_another_one_takes_no_answers_from_it() -> None:
    other = {"display_name": "a--x", "slug": "a--x", "profile_options": {"size": MEMORY}}
    chosen = select(
        parse(listed := [*asking("a", "b"), other]).profiles,
        page_of(listed).submit("a", image="torch"),
    )
    assert chosen.options == {"image": "torch", "memory": "1"}


def test_a_profiles_own_fields_count_before_lists_that_it_shares() -> None:
    shared = {"mcks-lists-0": ["a b"], "mcks-lists-0--image": ["torch"]}
    own = {"profile": ["a"], "profile-option-a--image": ["scipy"]}
    assert user_options({**shared, **own}) == {"profile": "a", "image": "scipy"}
    assert user_options({**shared, "profile": ["b"]}) == {"profile": "b", "image": "torch"}


@pytest.mark.parametrize("whose", ["", "A", "ab", "a-b", "c"])
def test_lists_of_others_count_for_nothing(whose: str) -> None:
    posted = {"mcks-lists-0": [whose], "mcks-lists-0--image": ["torch"], "profile": ["a"]}
    assert user_options(posted) == {"profile": "a"}
    assert user_options({**posted, "mcks-lists-0": [{"filename": "a"}]}) == {"profile": "a"}


def test_a_link_with_such_a_field_starts_nothing() -> None:
    assert is_field("mcks-lists-0--image")
    assert is_field("mcks-lists-0")


def test_templates_of_ones_own_see_each_profiles_own_lists() -> None:
    template = (
        "{% macro one(profile) %}{{ profile.profile_options.image.id }} {% endmacro %}"
        "{% for profile in profile_list %}{{ kept(profile, one) }}{% endfor %}"
    )
    html = form(template, parse(asking("A", "B")).profiles)
    assert html == "profile-option-a--image profile-option-b--image "


def test_one_users_answers_are_not_shown_to_others() -> None:
    profiles = parse(asking("A", "B")).profiles
    form("", profiles, chosen=select(profiles, {"profile": "b", "image": "torch"}))
    assert Browser(form("", profiles, chosen=select(profiles, {}))).submit("b")["image"] == "scipy"


def groups_of(number: int) -> list[dict[str, Any]]:
    """Profiles in several groups that ask the same, of which no two are neighbours."""
    listed = [profile(n) for n in range(300)]
    for n, one in enumerate(listed):
        more = {f"c{n}": {"display_name": f"Choice {n}"} for n in range(2 + n % number)}
        one["profile_options"] |= {"option1": {"display_name": "Option", "choices": more}}
    return listed


@pytest.mark.parametrize(
    ("listed", "most"),
    [
        ([profile(n) for n in range(300)], 110_000),
        ([{"display_name": f"Profile {n}"} for n in range(300)], 60_000),
        (groups_of(5), 120_000),
    ],
    ids=["the same options", "no options", "five groups"],
)
def test_the_form_of_300_profiles_is_small(listed: list[dict[str, Any]], most: int) -> None:
    profiles = parse(listed).profiles
    html = form("", profiles, chosen=select(profiles, {"profile": "profile-299"}))
    assert html.count('type="radio"') == 300
    assert len(html.encode()) < most


def test_lists_that_differ_cost_no_more_than_they_must() -> None:
    listed = [profile(n) for n in range(300)]
    for n, one in enumerate(listed):
        one["profile_options"] |= {
            "option1": {"display_name": f"Option of {n}", "choices": {"a": {}}}
        }
    assert len(form("", parse(listed).profiles).encode()) < 2_700 * 300
