"""What the form says of clusters, beside the profiles and choices that lead to them."""

from __future__ import annotations

import html as escaping
import re
from typing import Any

import pytest

from mcks.core.objects import Ref
from mcks.core.servers.state import State, UserObject
from tests.core.profiles.choosing.common import CLUSTERS, form_of, spawner_of
from tests.core.profiles.choosing.test_away import away, radios

HOME = UserObject("b", Ref("v1", "PersistentVolumeClaim", "jupyter-ada", "default"))
TWO = [
    {"display_name": "Here", "cluster": "a", "description": "Near"},
    {"display_name": "There", "cluster": "b"},
]


def free(asked: list[str]) -> dict[str, Any]:
    """The clusters, of which each says what it has free, and notes that it was asked."""

    def capacity(cluster: Any) -> str:
        asked.append(cluster.name)
        return f"3 <GPUs> free in {cluster.name}"

    return {name: {**settings, "capacity": capacity} for name, settings in CLUSTERS.items()}


def described(html: str) -> dict[str, str]:
    """Slug -> what a screen reader says of the profile beside its name."""
    texts = dict(re.findall(r'id="(profile-(?:off|news|about)-[\w-]+)">\s*(.*?)\s*</div>', html))
    found = re.findall(r'value="([\w-]+)"(?: aria-describedby="([^"]*)")?[^<>]* required>', html)
    return {
        slug: escaping.unescape(" ".join(texts[name] for name in ids.split()))
        for slug, ids in found
    }


def options(html: str) -> list[str]:
    return [escaping.unescape(text) for text in re.findall(r"<option [^>]*>(.*?)</option>", html)]


async def test_what_its_cluster_has_free_is_said_of_each_profile() -> None:
    asked: list[str] = []
    html = await form_of(spawner_of(listed=TWO, clusters=free(asked)))
    assert described(html) == {"here": "3 <GPUs> free in a. Near", "there": "3 <GPUs> free in b."}
    assert sorted(asked) == ["a", "b"]


async def test_no_number_of_profiles_users_or_forms_asks_a_cluster_twice() -> None:
    asked: list[str] = []
    listed = [{"display_name": f"{n}", "cluster": "ab"[n % 2]} for n in range(100)]
    clusters = free(asked)
    for _ in range(20):
        await form_of(spawner_of(listed=listed, clusters=clusters))
    assert sorted(asked) == ["a", "b"]


async def test_nobody_is_asked_before_a_form_is_shown() -> None:
    asked: list[str] = []
    spawner = spawner_of(listed=TWO, clusters=free(asked))
    await spawner.apply_profile({"profile": "here"})
    assert spawner.unavailable("a") == ""
    assert asked == []


async def test_only_clusters_that_the_user_may_choose_are_asked() -> None:
    asked: list[str] = []
    listed = [TWO[0], {**TWO[1], "allowed_groups": ["insiders"]}]
    await form_of(spawner_of(listed=listed, clusters=free(asked)))
    assert asked == ["a"]


async def test_where_the_users_data_is_is_said() -> None:
    spawner = spawner_of(listed=TWO)
    spawner.remembered = State(data=(HOME,))
    assert described(await form_of(spawner)) == {"here": "Near", "there": "Your data is here."}


async def test_of_a_cluster_that_is_away_data_is_still_told_and_nobody_waits_for_it() -> None:
    spawner = away(spawner_of(listed=TWO), "b")
    spawner.remembered = State(data=(HOME,))
    said = described(await form_of(spawner))["there"]
    assert said == "Unavailable at the moment: b <does> not answer. Your data is here."


async def test_a_profile_without_a_cluster_means_the_hubs_own_or_the_only_one() -> None:
    asked: list[str] = []
    html = await form_of(spawner_of(listed=[{"display_name": "X"}], clusters=free(asked)))
    assert described(html) == {"x": ""}
    only = {"a": free(asked)["a"]}
    html = await form_of(spawner_of(listed=[{"display_name": "X"}], clusters=only))
    assert described(html) == {"x": "3 <GPUs> free in a."}
    own = spawner_of(listed=[{"display_name": "X"}], clusters=free(asked), cluster="b")
    assert described(await form_of(own)) == {"x": "3 <GPUs> free in b."}


async def test_of_a_cluster_that_a_function_chooses_nothing_is_known() -> None:
    listed = [{"display_name": "X", "spawner_override": {"cluster": lambda _: "b"}}]
    spawner = away(spawner_of(listed=listed, clusters=free([]), cluster="a"), "a")
    html = await form_of(spawner)
    assert (described(html), radios(html)) == ({"x": ""}, {"x": "checked"})


# -- options that choose among clusters -----------------------------------------------------


def choosing(**choices: dict[str, Any]) -> dict[str, Any]:
    return {"display_name": "X", "profile_options": {"where": {"choices": choices}}}


async def test_choices_among_clusters_have_news_of_their_own() -> None:
    listed = [choosing(a={"cluster": "a"}, b={"cluster": "b", "display_name": "West & co"})]
    spawner = spawner_of(listed=listed, clusters=free([]))
    spawner.remembered = State(data=(HOME,))
    html = await form_of(spawner)
    assert described(html) == {"x": ""}
    assert options(html) == [
        "a (3 <GPUs> free in a.)",
        "West & co (3 <GPUs> free in b. Your data is here.)",
    ]


async def test_a_choice_that_names_no_cluster_means_the_profiles() -> None:
    listed = [{**choosing(here={}, there={"cluster": "b"}), "cluster": "a"}]
    html = await form_of(spawner_of(listed=listed, clusters=free([])))
    assert options(html) == ["here (3 <GPUs> free in a.)", "there (3 <GPUs> free in b.)"]
    html = await form_of(away(spawner_of(listed=listed), "a"))
    assert radios(html) == {"x": "checked"}
    assert '<option value="there" selected>' in html
    assert '<option value="here" disabled>' in html


async def test_options_about_something_else_have_none() -> None:
    listed = [{**choosing(small={}, large={"spawner_override": {"mem_limit": "8G"}}), **TWO[0]}]
    html = await form_of(spawner_of(listed=listed, clusters=free([])))
    assert options(html) == ["small", "large"]
    assert described(html)["here"] == "3 <GPUs> free in a. Near"


@pytest.mark.parametrize("named", [["a", "b"], {"a": 1, "b": 2}])
async def test_any_of_several_clusters_has_no_news_and_is_away_only_with_all(named: Any) -> None:
    spawner = spawner_of(listed=[{"display_name": "GPU", "clusters": named}], clusters=free([]))
    html = await form_of(spawner)
    assert described(html) == {"gpu": ""}
    assert options(html) == [
        "Any cluster",
        "a (3 <GPUs> free in a.)",
        "b (3 <GPUs> free in b.)",
    ]
    html = await form_of(away(spawner, "a"))
    assert radios(html) == {"gpu": "checked"}
    assert '<option value="any" selected>Any cluster</option>' in html
    assert '<option value="a" disabled>' in html
    html = await form_of(away(spawner, "a", "b"))
    assert radios(html) == {"gpu": "disabled"}
    assert described(html)["gpu"].startswith("Unavailable at the moment: none of its clusters")


async def test_one_of_several_clusters_that_is_alone_is_told_of_as_any_other() -> None:
    listed = [{"display_name": "GPU", "clusters": {"a": 1, "b": 0}}]
    html = await form_of(spawner_of(listed=listed, clusters=free([])))
    assert described(html) == {"gpu": "3 <GPUs> free in a."}


async def test_the_hubs_own_candidates_are_what_a_profile_without_a_cluster_means() -> None:
    listed = [{"display_name": "X"}]
    spawner = spawner_of(listed=listed, clusters=free([]), candidates=["b"])
    assert described(await form_of(spawner)) == {"x": "3 <GPUs> free in b."}
    spawner = away(spawner_of(listed=listed, candidates=["a", "b"]), "a", "b")
    assert radios(await form_of(spawner)) == {"x": "disabled"}


AGE = "A server ends {} after its start, used or not."


async def test_how_long_servers_live_is_told_once() -> None:
    clusters = {name: {**settings, "max_age": 3600} for name, settings in CLUSTERS.items()}
    clusters["b"]["max_age"] = 60
    of_one = {"display_name": "One", "cluster": "a", "max_age": 1800}
    several = {"display_name": "Any", "clusters": ["a", "b"], "max_age": 1800}
    html = await form_of(spawner_of(listed=[of_one, several], clusters=clusters))
    assert described(html) == {"one": AGE.format("30 min"), "any": AGE.format("30 min")}
    assert options(html) == ["Any cluster", "a", f"b ({AGE.format('1 min')})"]


async def test_templates_of_ones_own_see_the_news() -> None:
    template = "{{ profile_list | map(attribute='news') | list | tojson }}"
    spawner = spawner_of(listed=TWO, clusters=free([]), profile_form_template=template)
    assert await form_of(spawner) == (
        r'[["3 \u003cGPUs\u003e free in a."], ["3 \u003cGPUs\u003e free in b."]]'
    )
    template = "{{ profile_list[0].profile_options.where.choices | tojson }}"
    listed = [choosing(a={"cluster": "a"}, b={"cluster": "b"})]
    spawner = spawner_of(listed=listed, clusters=free([]), profile_form_template=template)
    assert r'"news": ["3 \u003cGPUs\u003e free in b."]' in await form_of(spawner)
