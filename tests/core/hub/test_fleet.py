"""What all spawners of a hub share, and when it begins and ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcks.core.clusters.pool import Pool
from mcks.core.hub.fleet import Fleet, fleet_of
from mcks.core.servers import plan
from mcks.core.servers.server import Plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import AuthError, MCKSError
from tests.core.profiles.choosing.common import spawner_of


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
