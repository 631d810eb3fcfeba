"""When a cluster is swept, what that asks of the database and the cluster, and what it deletes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from mcks.core.clusters.connected import ConnectedCluster
from mcks.core.hub import sweep
from mcks.core.hub.fleet import Fleet
from mcks.core.hub.sharing import fleet_of, share
from mcks.core.hub.sweep import PendingDeletion
from mcks.core.labels import HUB_LABEL
from mcks.core.objects import Ref
from mcks.core.servers import state
from mcks.core.servers.server import Created
from mcks.core.servers.state import State
from mcks.errors import MCKSError, Unreachable
from tests.core.knowledge.test_records import HubDatabase, statements
from tests.fakes.loopback_servers import PODS, LoopbackHub, pod, until

SECRETS = "/api/v1/namespaces/ns/secrets"
GONE = Ref("v1", "PersistentVolumeClaim", "home-eve", "ns")


@pytest.fixture
def database() -> Iterator[HubDatabase]:
    hub = HubDatabase()
    yield hub
    hub.close()


def known(database: HubDatabase, user: str, namespace: str = "ns") -> None:
    created = Created(f"jupyter-{user}", namespace, "h")
    database.save(user, state.save(State(created, "a", "https://a")))


def put_pod(hub: LoopbackHub, user: str, age: float = 3600, namespace: str = "ns") -> None:
    body = pod(f"jupyter-{user}")
    body["metadata"]["labels"][HUB_LABEL] = "h"
    body["metadata"]["namespace"] = namespace
    hub.server.put(f"/api/v1/namespaces/{namespace}/pods/jupyter-{user}", body, age=age)


@pytest.fixture
async def fleet(loopback_hub: LoopbackHub, database: HubDatabase) -> AsyncIterator[Fleet]:
    """A fleet with a database, which looks after its cluster."""
    spawner = loopback_hub.spawner(hub_id="h")
    former = fleet_of(spawner)
    spawner.user.db = database.session
    fleet = share(Fleet(spawner))
    fleet.pool.deadlines = former.pool.deadlines
    await former.close()
    yield fleet
    await fleet.close()


@pytest.fixture
def unattended(fleet: Fleet) -> Fleet:
    """The same, whose cluster is swept by the test only."""
    fleet.pool._look_after = None
    return fleet


async def connected(fleet: Fleet, hub: LoopbackHub) -> ConnectedCluster:
    clusters = hub.config.MultiClusterKubeSpawner.clusters
    cluster = await fleet.pool.connect("a", clusters)
    await cluster.pods_of("ns").synced.wait()
    return cluster


def searches(hub: LoopbackHub) -> int:
    return hub.server.seen.count(("GET", SECRETS))


async def test_a_sweep_that_finds_nothing_asks_nothing_of_the_database(
    loopback_hub: LoopbackHub, unattended: Fleet, database: HubDatabase
) -> None:
    for user in ("ada", "bob"):
        known(database, user)
        put_pod(loopback_hub, user)
    put_pod(loopback_hub, "young", age=1)
    cluster = await connected(unattended, loopback_hub)
    await unattended.sweeper.sweep(cluster)
    with statements(database) as sent:
        await unattended.sweeper.sweep(cluster)
        await unattended.sweeper.sweep(cluster)
    assert sent == []
    assert len([path for path in loopback_hub.server.objects if path.startswith(PODS)]) == 3


async def test_a_server_is_an_orphan_only_after_the_database_was_read_again(
    loopback_hub: LoopbackHub, unattended: Fleet, database: HubDatabase
) -> None:
    put_pod(loopback_hub, "lost")
    put_pod(loopback_hub, "moved")
    database.server("moved")
    cluster = await connected(unattended, loopback_hub)
    assert unattended.memory.records is not None
    index = await unattended.memory.records.index()
    known(database, "moved")
    index.put(database.server("moved").id, None)  # as if another process had written that
    with statements(database) as sent:
        await unattended.sweeper.sweep(cluster)
    assert len(sent) == 1
    left = [path for path in loopback_hub.server.objects if path.startswith(PODS)]
    assert left == [f"{PODS}/jupyter-moved"]


async def test_orphans_are_found_where_the_database_has_other_servers(
    loopback_hub: LoopbackHub, unattended: Fleet, database: HubDatabase
) -> None:
    known(database, "ada", "group-a")
    for user, namespace in (("ada", "group-a"), ("lost", "group-a"), ("lost", "nobodys")):
        put_pod(loopback_hub, user, namespace=namespace)
    cluster = await connected(unattended, loopback_hub)
    await unattended.sweeper.sweep(cluster)
    left = [path for path in loopback_hub.server.objects if "/pods/" in path]
    assert sorted(left) == [
        "/api/v1/namespaces/group-a/pods/jupyter-ada",
        "/api/v1/namespaces/nobodys/pods/jupyter-lost",
    ]
    with statements(database) as sent:
        await unattended.sweeper.sweep(cluster)
    assert sent == []


async def test_no_cluster_is_swept_while_its_breaker_is_open(
    loopback_hub: LoopbackHub, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "_PAUSE", 0.0)
    cluster = await connected(fleet, loopback_hub)
    await until(lambda: cluster.breaker in fleet.sweeper._searched)
    for _ in range(3):
        with pytest.raises(MCKSError), cluster.breaker.attempt(even_if_unavailable=True):
            raise Unreachable("silent")
    turns: list[ConnectedCluster] = []
    monkeypatch.setattr(fleet.sweeper, "_sweep_as_needed", turns.append)
    for _ in range(5):
        fleet.sweeper.delete_later(cluster.breaker, PendingDeletion(data=GONE))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert turns == []


async def test_what_could_not_be_deleted_is_without_another_search(
    loopback_hub: LoopbackHub, fleet: Fleet
) -> None:
    cluster = await connected(fleet, loopback_hub)
    await until(lambda: cluster.breaker in fleet.sweeper._searched)
    for _ in range(5):
        fleet.sweeper.delete_later(cluster.breaker, PendingDeletion(data=GONE))
        await until(lambda: not fleet.sweeper.has_pending(cluster.breaker))
    assert searches(loopback_hub) == 1


async def test_few_clusters_are_searched_at_a_time(
    loopback_hub: LoopbackHub, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = await connected(fleet, loopback_hub)
    await until(lambda: searches(loopback_hub) == 1)
    under_way, most = 0, 0

    async def slow(*_: object) -> list[object]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _turn in range(3):
            await asyncio.sleep(0)
        under_way -= 1
        return []

    monkeypatch.setattr(sweep, "_list", slow)
    await asyncio.gather(*(fleet.sweeper.sweep(cluster) for _ in range(10)))
    assert most == 2
