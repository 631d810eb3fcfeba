"""Candidates of a spawner, and what tries elsewhere have left: nobody runs it, nobody keeps it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from mcks.core.hub.sharing import fleet_of
from mcks.core.labels import KEY_LABEL, LIFETIME
from mcks.core.servers.server import Created
from mcks.core.servers.state import Left
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import NotAllowed
from tests.fakes.loopback import Handler, status
from tests.fakes.loopback_servers import PODS, LoopbackHub, pod

KEY = "jupyter-ada"
SECRETS = "/api/v1/namespaces/ns/secrets"
LEFT = {"left": [["a", "ns", KEY]]}


def has_pending(spawner: MultiClusterKubeSpawner) -> bool:
    fleet = fleet_of(spawner)
    return fleet.sweeper.has_pending(fleet.pool.breaker("a", spawner.clusters))


def left_behind(hub: LoopbackHub, **labels: str) -> None:
    """Let a try of an earlier start have left its Secret and its Pod."""
    meta: dict[str, Any] = {"name": KEY, "namespace": "ns", "labels": {KEY_LABEL: KEY, **labels}}
    hub.server.put(f"{PODS}/{KEY}", pod(KEY) | {"metadata": meta})
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta}
    hub.server.put(f"{SECRETS}/{KEY}", secret)


def ours(hub: LoopbackHub) -> list[str]:
    return [path for path in hub.server.objects if path.endswith(KEY)]


async def test_what_an_interrupted_start_left_is_deleted_by_the_next(
    loopback_hub: LoopbackHub,
) -> None:
    left_behind(loopback_hub)
    spawner = loopback_hub.spawner()
    spawner.load_state(LEFT)
    spawner.clear_state()
    await spawner.placing.take_back()
    assert ours(loopback_hub) == []
    assert spawner.remembered.left == ()


async def test_what_is_somebody_elses_stays(loopback_hub: LoopbackHub) -> None:
    left_behind(loopback_hub, **{KEY_LABEL: "another"})
    spawner = loopback_hub.spawner()
    spawner.load_state(LEFT)
    await spawner.placing.take_back()
    assert len(ours(loopback_hub)) == 2
    assert spawner.remembered.left == ()


async def test_what_cannot_be_deleted_now_is_deleted_later_and_not_forgotten(
    loopback_hub: LoopbackHub,
) -> None:
    left_behind(loopback_hub)
    spawner = loopback_hub.spawner()
    spawner.load_state(LEFT)
    loopback_hub.server.tokens = set()
    await spawner.placing.take_back()
    assert spawner.remembered.left == (Left("a", "ns", KEY),)
    assert spawner.get_state()["left"] == [["a", "ns", KEY]]
    assert has_pending(spawner)


async def test_a_cluster_that_is_not_configured_any_more_keeps_what_it_has(
    loopback_hub: LoopbackHub, caplog: pytest.LogCaptureFixture
) -> None:
    spawner = loopback_hub.spawner()
    spawner.load_state({"left": [["former", "ns", KEY]]})
    await spawner.placing.take_back()
    assert spawner.remembered.left == ()
    assert f"{KEY} stays behind: unknown cluster 'former'" in caplog.text


async def test_nothing_is_asked_where_nothing_was_left(loopback_hub: LoopbackHub) -> None:
    spawner = loopback_hub.spawner()
    await spawner.placing.take_back()
    assert loopback_hub.server.seen == []


async def test_a_try_is_remembered_until_its_end(loopback_hub: LoopbackHub) -> None:
    spawner = loopback_hub.spawner()
    created = Created(KEY, "ns")
    spawner.placing.begins("a", created)
    spawner.placing.begins("a", created)
    spawner.placing.begins("b", created)
    assert [left.cluster for left in spawner.remembered.left] == ["a", "b"]
    spawner.placing.ends("a", created)
    assert [left.cluster for left in spawner.remembered.left] == ["b"]


async def test_weights_give_each_user_an_order_and_a_cluster_that_is_set_wins(
    loopback_hub: LoopbackHub,
) -> None:
    weights = {"a": 1.0, "b": 1.0, "c": 0.0}
    users = [loopback_hub.spawner(f"u{n}", candidates=weights) for n in range(20)]
    orders = {tuple(spawner.placing.named()) for spawner in users}
    assert orders == {("a", "b"), ("b", "a")}
    users[0].cluster = "b"
    assert users[0].placing.named() == ["b"]


async def test_only_clusters_that_the_user_may_use_are_tried(loopback_hub: LoopbackHub) -> None:
    clusters = loopback_hub.config.MultiClusterKubeSpawner.clusters
    clusters["b"] = {**clusters["a"], "allowed_groups": ["staff"]}
    clusters["c"] = {**clusters["a"], "allowed_groups": []}
    spawner = loopback_hub.spawner(candidates=["b", "c", "a"])
    assert await spawner.placing.candidates() == ["a"]
    spawner.candidates = ["b", "c"]
    with pytest.raises(NotAllowed):
        await spawner.placing.candidates()


CLAIMS = "/api/v1/namespaces/ns/persistentvolumeclaims"


def put_claim(hub: LoopbackHub, name: str, key: str = KEY, lifetime: str = "user") -> None:
    meta: dict[str, Any] = {"name": name, "namespace": "ns", "labels": {KEY_LABEL: key}}
    meta["annotations"] = {LIFETIME: lifetime}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta}
    hub.server.put(f"{CLAIMS}/{name}", claim)


async def test_data_that_an_interrupted_start_made_is_remembered_and_stays(
    loopback_hub: LoopbackHub,
) -> None:
    put_claim(loopback_hub, KEY)
    put_claim(loopback_hub, "home")
    put_claim(loopback_hub, "shared", lifetime="keep")
    put_claim(loopback_hub, "jupyter-bob", key="jupyter-bob")
    home = ["a", "v1", "PersistentVolumeClaim", "home", "ns", True]
    spawner = loopback_hub.spawner()
    spawner.load_state({**LEFT, "data": [home]})
    await spawner.placing.take_back()
    new = ["a", "v1", "PersistentVolumeClaim", KEY, "ns", False]
    assert spawner.get_state()["data"] == [home, new]
    assert len([path for path in loopback_hub.server.objects if path.startswith(CLAIMS)]) == 4


async def test_a_hub_that_may_not_list_claims_takes_back_the_rest(
    loopback_hub: LoopbackHub,
) -> None:
    left_behind(loopback_hub)

    async def refuse_lists(request: web.Request, _: Handler) -> web.StreamResponse | None:
        loopback_hub.server.fail_next(refuse_lists)
        return status(403, "Forbidden") if request.path == CLAIMS else None

    loopback_hub.server.fail_next(refuse_lists)
    spawner = loopback_hub.spawner()
    spawner.load_state(LEFT)
    await spawner.placing.take_back()
    assert ours(loopback_hub) == []
    assert spawner.remembered.left == ()


async def test_clusters_with_the_users_data_are_tried_first_even_if_they_had_no_place(
    loopback_hub: LoopbackHub,
) -> None:
    spawner = loopback_hub.spawner(candidates=["b", "c", "a"])
    data = [[name, "v1", "PersistentVolumeClaim", KEY, "ns", False] for name in ("a", "c")]
    spawner.load_state({"data": data})
    fleet_of(spawner).no_place.note("c", "")
    assert await spawner.placing.candidates() == ["c", "a", "b"]
