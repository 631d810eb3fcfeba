"""What all spawners of a hub share, and when it begins and ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from mcks.backends.registry import backend_class
from mcks.core.clusters import configure
from mcks.core.clusters.pool import Pool
from mcks.core.hub import error_pages
from mcks.core.hub.fleet import Fleet
from mcks.core.hub.sharing import fleet_of
from mcks.core.placement.drain_file import change
from mcks.core.placement.drains import Drain
from mcks.core.servers import plan
from mcks.core.servers.server import Plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import AuthError, Drained, MCKSError
from tests.core.profiles.choosing.common import CLUSTERS, spawner_of


async def test_the_spawners_of_an_event_loop_share_one_fleet_until_it_closes() -> None:
    fleet = fleet_of(spawner_of())
    assert fleet_of(spawner_of()) is fleet
    await fleet.close()
    after = fleet_of(spawner_of())
    assert after is not fleet
    await after.close()


def test_a_fleet_is_closed_with_its_event_loop_and_the_next_loop_has_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[Pool] = []

    async def close(pool: Pool) -> None:
        closed.append(pool)

    monkeypatch.setattr(Pool, "close", close)

    async def run() -> Fleet:
        fleet = fleet_of(spawner_of())
        await asyncio.sleep(0)  # a task that never began has nothing to end
        return fleet

    fleets = [asyncio.run(run()), asyncio.run(run())]
    assert closed == [fleet.pool for fleet in fleets]
    assert fleets[0] is not fleets[1]


async def test_starts_are_planned_one_in_a_turn_of_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns: list[int] = []
    turn = 0

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    def make(spawner: MultiClusterKubeSpawner, *rest: Any) -> Plan:
        turns.append(turn)
        return made(spawner, *rest)

    made = plan.make
    monkeypatch.setattr(plan, "make", make)
    fleet = fleet_of(spawner_of())
    counting = asyncio.create_task(count())
    spawners = [spawner_of(cluster="a") for _ in range(5)]
    await asyncio.gather(*(fleet.plan(s, s.configured(fleet.pool)) for s in spawners))
    counting.cancel()
    assert len(turns) == len(set(turns)) == len(spawners)
    await fleet.close()


def test_to_look_up_the_cluster_changes_nothing_in_a_spawner() -> None:
    spawner = spawner_of(cluster="a")
    before = spawner.remembered
    configured = spawner.configured(Pool(spawner.config, spawner.log))
    assert configured.cluster.name == spawner.chosen_cluster() == "a"
    assert spawner.remembered is before


async def test_why_a_cluster_is_away_is_said_without_the_clouds_words() -> None:
    spawner = spawner_of()
    fleet = fleet_of(spawner)
    assert fleet.unavailable("a", spawner.clusters) == ""
    breaker = fleet.pool.breaker("a", spawner.clusters)
    for _ in range(3):
        with pytest.raises(MCKSError), breaker.attempt():
            raise AuthError("no role arn:x")
    assert spawner.unavailable("a") == "the hub cannot log in to its cluster."
    await fleet.close()


async def test_a_drained_cluster_says_why_even_if_it_does_not_answer_either(
    tmp_path: Path,
) -> None:
    spawner = spawner_of(drain_file=str(tmp_path / "drained.json"))
    change(tmp_path / "drained.json", lambda found: found.update({"a": Drain("An upgrade")}))
    fleet = fleet_of(spawner)
    why = "its cluster takes no new servers. An upgrade."
    assert fleet.drained("a", spawner.clusters) == fleet.unavailable("a", spawner.clusters) == why
    assert fleet.drained("b", spawner.clusters) == fleet.unavailable("b", spawner.clusters) == ""
    breaker = fleet.pool.breaker("a", spawner.clusters)
    for _ in range(3):
        with pytest.raises(MCKSError), breaker.attempt():
            raise AuthError("no role arn:x")
    assert spawner.unavailable("a") == why
    await fleet.close()


async def test_a_cluster_is_drained_by_its_setting_or_by_that_of_all() -> None:
    clusters = {"a": CLUSTERS["a"] | {"drain": False}, "b": CLUSTERS["b"]}
    spawner = spawner_of(clusters=clusters)
    spawner.config.Cluster.drain = lambda name: f"{name} rests"
    fleet = fleet_of(spawner)
    assert fleet.drained("a", spawner.clusters) == ""
    assert fleet.drained("b", spawner.clusters) == "its cluster takes no new servers. b rests."
    assert fleet.drained("unknown", spawner.clusters) == ""
    await fleet.close()


async def test_a_start_in_a_drained_cluster_is_refused_with_words_for_the_user() -> None:
    spawner = spawner_of(clusters={"a": CLUSTERS["a"] | {"drain": "An upgrade"}})
    fleet = fleet_of(spawner)
    with pytest.raises(Drained, match=r"^cluster 'a' is drained\. An upgrade\.$") as caught:
        fleet.refuse_drained("a", spawner.clusters)
    assert caught.value.elsewhere
    assert caught.value.reason == "drained"
    assert caught.value.jupyterhub_message == (
        "The chosen cluster takes no new servers at the moment. An upgrade."
    )
    assert error_pages.reference_for(caught.value) == ""
    await fleet.close()


def test_the_backends_of_the_clusters_are_imported_ahead_whatever_is_wrong_with_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    imported: list[Any] = []

    def load(name: str) -> type:
        imported.append(name)
        return backend_class(name)

    monkeypatch.setattr(configure, "backend_class", load)
    config = Config()
    clusters = {"a": {"backend": "gke"}, "b": {}, "c": {"backend": "nobody's"}, "d": "x"}
    configure.import_backends(clusters | {"e": {"backend": 3}}, config)
    assert {*imported} == {"gke", "generic-kubeconfig", "nobody's", 3}
    imported.clear()
    configure.import_backends({}, config)
    assert imported == ["generic-kubeconfig"]
    imported.clear()
    config.Cluster.backend = "eks"
    configure.import_backends({"a": {}}, config)
    assert imported == ["eks"]
    imported.clear()
    config.Cluster.backend = 3
    configure.import_backends({"a": {}}, config)
    assert imported == []
