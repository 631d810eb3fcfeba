"""Which namespaces a configuration names for servers."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.profiles import namespaces
from mcks.core.spawner import MultiClusterKubeSpawner

LISTED: list[dict[str, Any]] = [
    {"display_name": "Plain"},
    {
        "display_name": "GPU",
        "kubespawner_override": {"namespace": "gpu"},
        "profile_options": {
            "where": {
                "choices": {
                    "a": {"kubespawner_override": {"namespace": "of-a-choice"}},
                    "b": {"kubespawner_override": {"namespace": lambda _: "called"}},
                }
            }
        },
    },
]
GROUPS = {"1": {"groups": ["x"], "spawner_override": {"namespace": "of-a-group"}}}


def said(listed: Any = LISTED, **values: Any) -> set[str]:
    config = Config()
    config.MultiClusterKubeSpawner.profile_list = listed
    config.Spawner.update(values)
    return namespaces.said(sample_spawner(config, "ada"))


def test_those_of_profiles_choices_and_groups_are_known() -> None:
    assert said(group_overrides=GROUPS) == {"gpu", "of-a-choice", "of-a-group"}


def test_what_cannot_be_known_is_left_out() -> None:
    assert said(listed=lambda _: LISTED) == set()
    assert said(listed=[{"display_nam": "x"}]) == set()
    for groups in ({"1": "x", "2": {"spawner_override": 5}}, lambda _: "x"):
        assert said(listed=[], group_overrides=groups) == set()


def test_that_of_a_start_is_known_as_soon_as_its_profile_is_applied() -> None:
    spawner = sample_spawner(Config(), "ada")
    assert namespaces.of_start(spawner) == set()
    spawner.namespace = "of-a-hook"
    assert namespaces.of_start(spawner) == {"of-a-hook"}

    class Own(MultiClusterKubeSpawner):
        namespace = None  # type: ignore[assignment]

    assert namespaces.of_start(Own(_deprecated_db_session=None)) == set()


@pytest.mark.parametrize("listed", [LISTED, lambda _: LISTED, [{"display_nam": "x"}]])
async def test_those_of_profiles_can_be_told_later(listed: Any) -> None:
    config = Config()
    config.MultiClusterKubeSpawner.profile_list = listed
    config.Spawner.group_overrides = GROUPS
    spawner = sample_spawner(config, "ada")
    at_once, later = namespaces.beside_profiles(spawner), await namespaces.of_profiles(spawner)
    assert at_once == {"of-a-group"}
    assert at_once | later == namespaces.said(spawner)
