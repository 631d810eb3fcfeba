"""By the chart's values a Pod of mcks is the one that the chart's KubeSpawner makes."""

from __future__ import annotations

import copy

import pytest

from mcks.core.objects import Manifest
from tests.core.kubespawner.differences import without_differences
from tests.core.kubespawner.side_by_side import USER, as_sent, planned, the, theirs_by
from tests.hub.chart import release
from tests.hub.chart.examples import HUBS, SWITCH, TYPICAL, WEST, Values, clusters

NOT_ISOLATED = clusters(west={"isolate": False})
"""Isolation adds to containers that say nothing of privileges."""
PROFILES = ["minimal", "much-memory", "a-gpu"]


async def expected(values: Values, servername: str = "", profile: str = "") -> list[Manifest]:
    config = release.hub_config(values)
    spawner = theirs_by(config, USER, servername, user_id=1)
    if profile:
        spawner.user_options = {"profile": profile}
        await spawner.load_user_options()
    found = [as_sent(await spawner.get_pod_manifest())]
    if spawner.storage_pvc_ensure:
        found.append(as_sent(spawner.get_pvc_manifest()))
    return [without_differences(manifest) for manifest in found]


async def made(values: Values, servername: str = "", **options: str) -> list[Manifest]:
    config = release.hub_config(values, SWITCH, WEST, NOT_ISOLATED)
    objects = await planned(config, USER, servername, **options)
    kinds = {manifest["kind"] for manifest in objects} & {"Pod", "PersistentVolumeClaim"}
    found = [copy.deepcopy(the(kind, objects)) for kind in sorted(kinds, reverse=True)]
    return [without_differences(manifest) for manifest in found]


@pytest.mark.parametrize("servername", ["", "gpu"])
@pytest.mark.parametrize("name", HUBS)
async def test_each_hub_keeps_its_pods_and_claims(name: str, servername: str) -> None:
    assert await made(HUBS[name], servername) == await expected(HUBS[name], servername)


@pytest.mark.parametrize("profile", PROFILES)
async def test_each_profile_keeps_its_pod(profile: str) -> None:
    assert await made(TYPICAL, profile=profile) == await expected(TYPICAL, profile=profile)


async def test_the_block_of_the_metadata_server_is_in_the_pod() -> None:
    pod, _ = await made({})
    (container,) = pod["spec"]["initContainers"]
    assert container["name"] == "block-cloud-metadata"
    assert container["securityContext"] == {
        "privileged": True,
        "runAsUser": 0,
        "capabilities": {"add": ["NET_ADMIN"]},
    }
