"""Clusters that are away cannot be chosen, and the form says so."""

from __future__ import annotations

import contextlib
import re

import pytest

from mcks.core.hub.sharing import fleet_of
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import (
    AuthError,
    MCKSError,
    Unreachable,
)
from tests.core.profiles.choosing.common import CLUSTERS, form_of, spawner_of


def away(spawner: MultiClusterKubeSpawner, *clusters: str) -> MultiClusterKubeSpawner:
    """Let *clusters* be unavailable."""
    spawner.unavailable = (  # type: ignore[method-assign]
        lambda cluster: f"{cluster} <does> not answer." if cluster in clusters else ""
    )
    return spawner


def radios(html: str) -> dict[str, str]:
    """Slug -> checked, disabled, or nothing."""
    found = re.findall(r'value="([\w-]+)"([^<>]*) required>', html)
    return {
        slug: " ".join(word for word in rest.split() if word in ("checked", "disabled"))
        for slug, rest in found
    }


async def fail(spawner: MultiClusterKubeSpawner, cluster: str, error: MCKSError) -> None:
    breaker = fleet_of(spawner).pool.breaker(cluster, spawner.clusters)
    for _ in range(3):
        with contextlib.suppress(MCKSError), breaker.attempt():
            raise error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Unreachable("10.1.2.3 refuses"), "its cluster does not answer."),
        (AuthError("no role arn:x"), "the hub cannot log in to its cluster."),
    ],
)
async def test_a_cluster_that_fails_again_and_again_is_away_until_it_answers(
    error: MCKSError, words: str
) -> None:
    spawner = spawner_of(listed=TWO)
    assert radios(await form_of(spawner)) == {"here": "checked", "there": ""}
    await fail(spawner, "a", error)
    html = await form_of(spawner)
    assert radios(html) == {"here": "disabled", "there": "checked"}
    assert f"Unavailable at the moment: {words}</div>" in html
    assert str(error) not in html
    breaker = fleet_of(spawner).pool.breaker("a", spawner.clusters)
    with breaker.attempt(even_if_unavailable=True):
        pass
    assert radios(await form_of(spawner)) == {"here": "checked", "there": ""}


TWO = [
    {"display_name": "Here", "cluster": "a", "description": "Near"},
    {"display_name": "There", "cluster": "b"},
]


async def test_a_profile_of_a_cluster_that_is_away_cannot_be_chosen_and_says_why() -> None:
    html = await form_of(away(spawner_of(listed=TWO), "a"))
    assert radios(html) == {"here": "disabled", "there": "checked"}
    assert (
        'id="profile-off-here">Unavailable at the moment: a &lt;does&gt; not answer.</div>' in html
    )
    assert radios(await form_of(spawner_of(listed=TWO))) == {"here": "checked", "there": ""}


async def test_a_remembered_profile_that_is_away_gives_its_place_to_the_first_that_is_not() -> None:
    html = await form_of(away(spawner_of(listed=TWO, saved={"profile": "there"}), "b"))
    assert radios(html) == {"here": "checked", "there": "disabled"}


async def test_if_all_is_away_nothing_can_be_chosen_and_the_form_says_so() -> None:
    html = await form_of(away(spawner_of(listed=TWO), "a", "b"))
    assert radios(html) == {"here": "disabled", "there": "disabled"}
    assert "No server can start at the moment." in html


async def test_an_option_that_chooses_among_clusters_decides_for_its_profile() -> None:
    where = {"choices": {"a": {"cluster": "a"}, "b": {"cluster": "b"}}}
    listed = [{"display_name": "Any", "cluster": "a", "profile_options": {"where": where}}]
    saved = {"profile": "any", "where": "a"}
    html = await form_of(away(spawner_of(listed=listed, saved=saved), "a"))
    assert radios(html) == {"any": "checked"}
    assert " disabled>a (unavailable at the moment: a &lt;does&gt; not answer.)</option>" in html
    assert '<option value="b" selected>b</option>' in html
    html = await form_of(away(spawner_of(listed=listed), "a", "b"))
    assert radios(html) == {"any": "disabled"}


async def test_the_only_cluster_is_meant_by_profiles_that_name_none() -> None:
    spawner = spawner_of(listed=[{"display_name": "X"}], clusters={"a": CLUSTERS["a"]})
    assert radios(await form_of(away(spawner, "a"))) == {"x": "disabled"}


async def test_what_a_user_wrote_stays_while_another_choice_is_away() -> None:
    options = {
        "where": {"choices": {"a": {"cluster": "a"}, "b": {"cluster": "b"}}},
        "image": {"unlisted_choice": {"enabled": True}},
    }
    listed = [{"display_name": "Any", "profile_options": options}]
    saved = {"profile": "any", "where": "a", "image--unlisted-choice": "mine:1"}
    html = await form_of(away(spawner_of(listed=listed, saved=saved), "a"))
    assert 'value="mine:1"' in html
    assert '<option value="b" selected>b</option>' in html
