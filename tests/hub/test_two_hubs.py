"""Two hubs with servers of the same users in one namespace: neither touches what is the other's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcks.core.labels import HUB_LABEL
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Clusters, Namespace
from tests.hub.servers import HOME, SERVER_KINDS, Make, until, until_empty

pytestmark = pytest.mark.cluster

KINDS = [*SERVER_KINDS, ("v1", "ServiceAccount"), ("v1", "PersistentVolumeClaim")]
HUBS = pytest.mark.parametrize(("first", "second"), [("one", "two"), ("", "two")])


def hubs(make: Make, first: str, second: str, **traits: Any) -> list[MultiClusterKubeSpawner]:
    """Make the spawner of the same user in each hub; each server has a volume."""
    spawners = [make(hub_id=hub_id, **traits) for hub_id in (first, second)]
    for spawner in spawners:
        spawner.objects = {**spawner.objects, "05-home": HOME}
    return spawners


def of_hub(api: KubernetesAPI, namespace: Namespace, hub_id: str) -> dict[str, str]:
    """Uid of each object of a hub; the empty name is the hub without one."""
    found = {}
    for api_version, kind in KINDS:
        for item in api.list(api_version, kind, namespace.name):
            labels = item["metadata"].get("labels") or {}
            ours = "mcks.hub.jupyter.org/key" in labels
            if ours and labels.get(HUB_LABEL, "") == hub_id:
                found[f"{kind} {item['metadata']['name']}"] = item["metadata"]["uid"]
    return found


def claim(found: dict[str, str]) -> str:
    """Uid of the volume among what was *found*."""
    (uid,) = (uid for name, uid in found.items() if name.startswith("PersistentVolumeClaim "))
    return uid


@HUBS
async def test_servers_of_one_user_come_and_go_in_each_hub_by_themselves(
    make: Make, clusters: Clusters, namespace: Namespace, first: str, second: str
) -> None:
    api = clusters["a"].api
    here, there = hubs(make, first, second)
    await asyncio.gather(here.start(), there.start())
    theirs = of_hub(api, namespace, second)
    ours = of_hub(api, namespace, first)
    assert len(ours) == len(theirs) == len(KINDS)
    assert not ours.keys() & theirs.keys()

    await here.stop()
    assert await there.poll() is None
    again, _ = hubs(make, first, second)
    await again.start()
    assert of_hub(api, namespace, second) == theirs

    crashed, _ = hubs(make, first, second)  # knows nothing of the server that runs
    await crashed.start()
    replaced = of_hub(api, namespace, first)
    assert replaced.keys() == ours.keys()
    assert set(replaced.values()) & set(ours.values()) == {claim(ours)}
    assert of_hub(api, namespace, second) == theirs

    api.delete("v1", "Pod", there.get_state()["key"], namespace.name)

    async def has_ended() -> bool:
        return await there.poll() is not None

    await until(has_ended)
    assert await crashed.poll() is None
    assert of_hub(api, namespace, first) == replaced
    await crashed.stop()
    await until_empty(clusters, namespace.name)
    for hub_id in (first, second):  # data stays, each hub's own
        assert len(of_hub(api, namespace, hub_id)) == 1


@pytest.mark.parametrize("turned", [False, True])
async def test_a_name_that_the_other_hub_has_taken_is_refused(
    make: Make, api: KubernetesAPI, namespace: Namespace, turned: bool
) -> None:
    """A database that was copied from one hub to the other brings both to one name."""
    first, second = ("", "two") if turned else ("two", "")
    owner = make(hub_id=first)
    await owner.start()
    saved = owner.get_state()
    ours = of_hub(api, namespace, first)

    copied = make(hub_id=second)
    copied.load_state(saved)
    await copied.stop()
    copied.clear_state()
    copied.load_state({"kept_key": saved["key"]})
    with pytest.raises(Exception, match="configuration has a mistake"):
        await copied.start()

    assert of_hub(api, namespace, first) == ours
    assert await owner.poll() is None
    await owner.stop()
