"""A real ResourceQuota, counted by Kubernetes, read with the Role that ``mcks rbac`` prints."""

from __future__ import annotations

import asyncio

import pytest

from mcks.core.clusters.cluster import RESOURCE_QUOTA
from mcks.core.hub.sharing import fleet_of
from mcks.core.placement.capacity import Capacity
from mcks.core.placement.news import News
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.core.trying.hub_role import Needs, hub_role_rules
from tests.cluster import access
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Namespace
from tests.hub.servers import Make, until

pytestmark = pytest.mark.cluster

QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "all"},
    "spec": {"hard": {"pods": "3", "requests.nvidia.com/gpu": "4", "services": "9"}},
}


async def told(spawner: MultiClusterKubeSpawner) -> tuple[str, ...]:
    """Ask anew, as a form half a minute later does."""
    fleet = fleet_of(spawner)
    await fleet.news.capacity.close()
    fleet.news = News(fleet.pool, fleet.unavailable, spawner.log)
    fleet.news.capacity = Capacity(spawner.log, deadline=60)
    return (await spawner.news_of([("a", None)])).get(("a", None), ())


async def test_users_read_what_a_quota_leaves_once_the_hub_may_list_it(
    make: Make, api: KubernetesAPI, namespace: Namespace, caplog: pytest.LogCaptureFixture
) -> None:
    spawner = make()
    spawner.clusters = {"a": {**spawner.clusters["a"], "capacity": RESOURCE_QUOTA}}
    assert await told(spawner) == ()
    assert "resourcequotas is forbidden" in caplog.text

    least = hub_role_rules()
    extra = [rule for rule in hub_role_rules(Needs(quotas=True)) if rule not in least]
    await asyncio.to_thread(access.grant, api, namespace.name, extra)

    async def says_nothing() -> bool:
        return await told(spawner) == ()

    await until(says_nothing)
    await asyncio.to_thread(api.create, QUOTA, namespace.name)

    async def is_counted() -> bool:
        return await told(spawner) == ("3 of 3 servers, 4 GPUs free.",)

    await until(is_counted)
    await spawner.start()

    async def is_taken() -> bool:
        return await told(spawner) == ("2 of 3 servers, 4 GPUs free.",)

    await until(is_taken)
    await spawner.stop()
