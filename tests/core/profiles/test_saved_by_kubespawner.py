"""What the installed KubeSpawner has saved of users' choices means the same here; so do links."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcks.core.checking.sample import sample_spawner
from mcks.core.profiles import options_form, profile_list
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError
from tests.core.kubespawner.side_by_side import configuration
from tests.core.profiles.kubespawner_cases import LISTS, Case, cases
from tests.core.profiles.side_by_side import configured, kubespawner, ours, values

FORMS = [case for case in cases() if case.way == "form"]
EVERY_KIND: list[dict[str, Any]] = [
    {"display_name": "Small & cheap", "kubespawner_override": {"image": "small:1"}},
    {"display_name": "Größe M (GPU)", "slug": "gpu", "kubespawner_override": {"image": "gpu:1"}},
    {
        "display_name": "Éclair / 2",
        "profile_options": {
            "image": {
                "choices": {
                    "scipy": {"slug": "ignored", "kubespawner_override": {"image": "scipy:1"}},
                    "torch": {"default": True, "kubespawner_override": {"image": "torch:1"}},
                },
                "unlisted_choice": {
                    "enabled": True,
                    "validation_regex": "[a-z]+:[0-9]+",
                    "kubespawner_override": {"image": "{value}"},
                },
            }
        },
    },
]
POSTED: list[dict[str, list[str]]] = [
    {},
    {"profile": ["small-cheap"]},
    {"profile": ["gpu"]},
    {"profile": ["eclair-2"]},
    {"profile": ["eclair-2"], "profile-option-eclair-2--image": ["scipy"]},
    {"profile": ["eclair-2"], "profile-option-eclair-2--image--unlisted-choice": ["own:5"]},
    {"profile": ["gpu"], "profile-option-eclair-2--image": ["scipy"]},
]


def after_the_change(listed: Any, saved: dict[str, Any]) -> MultiClusterKubeSpawner:
    """The spawner of a user who started last with KubeSpawner, of which the hub knows *saved*."""
    spawner = sample_spawner(configured(listed), "ada")
    spawner.user_options = json.loads(json.dumps(saved))  # as from the hub's database
    spawner.choosing.remember(spawner.user_options)
    return spawner


async def theirs(listed: Any, posted: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What KubeSpawner saves of *posted*, and the traits that it sets by that."""
    spawner = kubespawner(listed)
    spawner.user_options = spawner.options_from_form(posted)
    await spawner.load_user_options()
    return spawner.user_options, values(spawner)


@pytest.mark.parametrize("posted", POSTED, ids=str)
async def test_saved_options_set_the_same_traits(posted: dict[str, list[str]]) -> None:
    saved, expected = await theirs(EVERY_KIND, posted)
    spawner = after_the_change(EVERY_KIND, saved)
    await spawner.apply_profile(spawner.user_options)
    assert values(spawner) == expected
    assert spawner.choosing.notices == ()


@pytest.mark.parametrize("case", FORMS, ids=str)
async def test_so_do_those_of_all_lists_that_are_compared(case: Case) -> None:
    listed = LISTS[case.listed]
    try:
        saved, expected = await theirs(listed, case.posted)
    except (KeyError, TypeError, ValueError):
        return  # KubeSpawner started nothing with these
    spawner = after_the_change(listed, saved)
    await spawner.apply_profile(spawner.user_options)
    assert values(spawner) == expected


@pytest.mark.parametrize("posted", POSTED, ids=str)
async def test_both_save_the_same_of_a_posted_form(posted: dict[str, list[str]]) -> None:
    saved, _ = await theirs(EVERY_KIND, posted)
    assert options_form.user_options(posted) == saved
    assert ours(EVERY_KIND).run_options_from_form(posted) == saved


@pytest.mark.parametrize("posted", POSTED[1:], ids=str)
async def test_a_links_choice_is_the_one_that_is_shown(posted: dict[str, list[str]]) -> None:
    spawner = ours(EVERY_KIND)
    query = {name: [value.encode() for value in said] for name, said in posted.items()}
    spawner.choosing.take_link(query)
    html = await spawner.get_options_form()
    (slug,) = posted["profile"]
    checked = html.partition(" checked")[0].rpartition("<input")[2]
    assert f'value="{slug}"' in checked


@pytest.mark.parametrize("posted", POSTED, ids=str)
async def test_a_server_of_the_api_is_the_same(posted: dict[str, list[str]]) -> None:
    saved, expected = await theirs(EVERY_KIND, posted)
    spawner = ours(EVERY_KIND)
    await spawner.apply_profile(saved)
    assert values(spawner) == expected


@given(st.text(min_size=1, max_size=40))
def test_a_profile_without_a_slug_gets_the_same(name: str) -> None:
    (initialized,) = kubespawner([])._get_initialized_profile_list([{"display_name": name}])
    try:
        (profile,) = profile_list.parse([{"display_name": name}]).profiles
    except ConfigError:
        assert initialized["slug"] == ""
    else:
        assert profile.slug == initialized["slug"]


async def test_a_claim_that_the_old_spawner_saved_is_found_with_the_choice() -> None:
    config = configuration(
        {
            "profile_list": EVERY_KIND,
            "storage_pvc_ensure": True,
            "storage_capacity": "1Gi",
        }
    )
    spawner = sample_spawner(config, "Ada@example.org")
    spawner.load_state(
        {
            "kubespawner_version": "7.0.0",
            "pod_name": "jupyter-ada-example-org---3b518a08",
            "namespace": "jhub",
            "dns_name": "x.jhub",
            "pvc_name": "claim-ada-40example-2eorg",
        }
    )
    assert spawner.translation().fields()["pvc_name"] == "claim-ada-40example-2eorg"
    assert await spawner.poll() == 0
