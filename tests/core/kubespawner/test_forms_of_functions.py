"""A hub's own ``options_form`` may set the profile list and return KubeSpawner's form of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mcks.core.checking.sample import sample_spawner
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.core.kubespawner.side_by_side import configuration

LISTED = [{"display_name": "Of this user", "kubespawner_override": {"uid": 5}}]


def listing(spawner: Any) -> Any:
    spawner.profile_list = LISTED
    return spawner._options_form_default()


async def listing_async(spawner: Any) -> Any:
    return listing(spawner)


def listing_by_a_function(spawner: Any) -> Any:
    spawner.profile_list = lambda spawner: LISTED
    return spawner._options_form_default()


def spawner_with(form: Any) -> MultiClusterKubeSpawner:
    return sample_spawner(configuration({"options_form": form}), "ada")


@pytest.mark.parametrize("form", [listing, listing_async, listing_by_a_function])
async def test_the_form_has_the_profiles_that_a_function_has_set(form: Callable[..., Any]) -> None:
    spawner = spawner_with(form)
    assert "Of this user" in await spawner.get_options_form()
    await spawner.apply_profile({"profile": "of-this-user"})
    assert spawner.uid == 5


async def test_without_a_list_the_form_is_empty() -> None:
    assert (
        await spawner_with(lambda spawner: spawner._options_form_default()).get_options_form() == ""
    )


async def test_a_form_of_their_own_stays_as_it_is() -> None:
    assert await spawner_with("<p>own</p>").get_options_form() == "<p>own</p>"
    assert await spawner_with(lambda spawner: "<p>own</p>").get_options_form() == "<p>own</p>"
