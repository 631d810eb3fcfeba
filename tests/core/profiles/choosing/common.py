"""What the tests of choosing share: a list of profiles for two clusters, and a user's spawner."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tornado import web
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.spawner import MultiClusterKubeSpawner

CLUSTERS: dict[str, Any] = {
    "a": {"context": "ctx-a", "ingress_public_url": "http://192.0.2.1"},
    "b": {"context": "ctx-b", "ingress_public_url": "http://192.0.2.2"},
}

LISTED: list[dict[str, Any]] = [
    {"display_name": "Small", "cluster": "a", "spawner_override": {"mem_limit": "1G"}},
    {
        "display_name": "Large",
        "cluster": "a",
        "profile_options": {
            "image": {
                "choices": {
                    "torch": {"spawner_override": {"image": "torch:1"}},
                    "secret": {
                        "allowed_groups": ["insiders"],
                        "spawner_override": {"image": "secret:1"},
                    },
                },
                "unlisted_choice": {
                    "enabled": True,
                    "validation_regex": "[a-z:0-9]+",
                    "spawner_override": {"image": "{value}"},
                },
            },
            "where": {"choices": {"here": {}, "there": {"cluster": "b"}}},
        },
    },
    {"display_name": "GPU", "cluster": "a", "allowed_groups": ["gpu", "insiders"]},
]


def spawner_of(
    *groups: str,
    saved: dict[str, Any] | None = None,
    listed: Any = LISTED,
    clusters: dict[str, Any] = CLUSTERS,
    **settings: Any,
) -> MultiClusterKubeSpawner:
    """Make the spawner of a user in *groups*, as the hub does, with *saved* options."""
    config = Config()
    config.MultiClusterKubeSpawner.clusters = clusters
    config.MultiClusterKubeSpawner.profile_list = listed
    config.MultiClusterKubeSpawner.update(settings)
    spawner = sample_spawner(config, "ada", groups=groups)
    spawner.orm_spawner = SimpleNamespace(
        id=None, name="", server=None, state={}, user_options=saved
    )
    spawner.user_options = saved or {}
    spawner.choosing.remember(saved)
    return spawner


async def start(spawner: MultiClusterKubeSpawner, options: dict[str, Any] | None) -> None:
    """Do what the hub does before ``start``; None is a start without options."""
    if options is None:
        options = spawner.orm_spawner.user_options or {}
    else:
        spawner.orm_spawner.user_options = options
    spawner.user_options = options
    spawner.clear_state()
    await spawner._run_apply_user_options(options)


async def refusal(spawner: MultiClusterKubeSpawner, options: dict[str, Any] | None) -> Any:
    with pytest.raises(web.HTTPError) as caught:
        await start(spawner, options)
    return caught.value


async def form_of(spawner: MultiClusterKubeSpawner) -> str:
    return str(await spawner.get_options_form())
