"""Users' data in whatever order servers stop, users are renamed and deleted, and clusters go away.

Thirty users in three hubs: each has an order of their own, in which their claims must be there as
long as they are, and go with them.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mcks.core.cli import main
from mcks.core.clusters.pool import Pool
from mcks.core.hub import address
from tests.hub.hub_process import HubProcess, running
from tests.hub.quick_cluster import QuickCluster
from tests.hub.servers import HOME, SHORT_OUTAGES, until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

HUBS, USERS = 3, 10
SHARED = HOME.replace("name: {{key}}", "name: home-{{username}}")
EVENTS = ("stop", "start", "delete_server", "rename", "delete_user")


@dataclass
class Person:
    """A user with a default server and a named one. *todo* is the order of what happens to them."""

    name: str
    todo: list[str]
    shared: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, name: str, todo: Sequence[str]) -> Person:
        key = f"h-jupyter-{name}"
        return cls(name, list(todo), {f"home-{name}", key}, {f"{key}--two"})

    @property
    def claims(self) -> set[str]:
        """What must be there now."""
        return self.shared | self.own


class Office:
    """One hub and its users. Each event tells whether the hub was ready for it."""

    def __init__(self, cluster: QuickCluster, hubs: list[HubProcess], database: Path) -> None:
        self.cluster, self.hubs, self.database = cluster, hubs, database
        self.dark = False

    @property
    def hub(self) -> HubProcess:
        return self.hubs[0]

    async def next(self, person: Person) -> None:
        if person.todo and await getattr(self, person.todo[0])(person):
            person.todo.pop(0)

    async def start(self, person: Person, server: str = "") -> bool:
        if person.claims and not self.hub.spawner(person.name, server).active:
            start = self.hub.begin(person.name, server)
            await asyncio.wait({start})
            if self.dark:
                return start.exception() is not None
            start.result()
        return True

    async def stop(self, person: Person, server: str = "") -> bool:
        if not person.claims or (server and not person.own):
            return True
        await self.hub.stop(person.name, server)
        return not self.hub.spawner(person.name, server).active

    async def delete_server(self, person: Person) -> bool:
        if not person.own:
            return True
        if not await self.stop(person, "two"):
            return False
        person.own.clear()
        await self.hub.delete_server(person.name, "two")
        return True

    async def delete_user(self, person: Person) -> bool:
        if not await self.stop(person) or not await self.stop(person, "two"):
            return False
        person.own.clear()
        person.shared.clear()
        await self.hub.delete_user(person.name)
        return True

    async def rename(self, person: Person) -> bool:
        if person.claims:
            user = self.hub.user(person.name)
            user.orm_user.name = person.name = person.name + "x"
            self.hub.session.commit()
        return True

    async def cut_off(self) -> None:
        self.dark = True
        self.cluster.cut_off()

    async def heal(self) -> None:
        self.dark = False
        self.cluster.proxy.heal()
        clusters = self.hub.spawner("operator").clusters
        await self.adopted()

        async def reachable() -> bool:
            return self.hub.pool.breaker("a", clusters).unavailable is None

        await self.hub.pool.connect("a", clusters)
        await until(reachable)

    async def adopted(self) -> None:
        async with asyncio.timeout(60):
            await self.hub.adoption

    async def restart(self) -> None:
        await self.hub.kill()
        self.hubs[0] = HubProcess(self.cluster.config, self.database)
        if not self.dark:
            await self.adopted()


@pytest.fixture
def gc_words(quick_cluster: QuickCluster, tmp_path: Path) -> list[str]:
    config_file = tmp_path / "jupyterhub_config.py"
    clusters = dict(quick_cluster.config.MultiClusterKubeSpawner.clusters)
    config_file.write_text(
        f"c.MultiClusterKubeSpawner.clusters = {clusters!r}\n"
        "c.MultiClusterKubeSpawner.hub_id = 'h'\n"
    )
    return ["gc", "--json", "--older-than", "0", "-f", str(config_file)]


@pytest.mark.parametrize("seed", range(HUBS))
async def test_claims_are_there_as_long_as_their_users_and_no_longer(  # noqa: PLR0917
    quick_cluster: QuickCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    gc_words: list[str],
    seed: int,
) -> None:
    monkeypatch.setattr(Pool, "deadlines", SHORT_OUTAGES)
    monkeypatch.setattr(address, "_LONGEST_PAUSE", 0.5)
    quick_cluster.config.MultiClusterKubeSpawner.objects.update({"06-shared": SHARED})
    chance = random.Random(seed)
    people = [Person.of(f"u{n}", chance.sample(EVENTS, len(EVENTS))) for n in range(USERS)]
    said = "\n".join(f"{person.name}: {', '.join(person.todo)}" for person in people)
    first, second, third = sorted(chance.choices(range(len(EVENTS) + 1), k=3))
    hub_events = [("cut_off", first), ("restart", second), ("heal", third)]
    if seed % 2:
        hub_events = [("restart", first), ("cut_off", second), ("heal", third)]
    database = tmp_path / "jupyterhub.sqlite"
    async with running(quick_cluster.config, database) as hubs:
        office = Office(quick_cluster, hubs, database)

        async def all_there() -> bool:
            return {c for p in people for c in p.claims} <= await quick_cluster.claims()

        try:
            await asyncio.gather(*(office.start(p, s) for p in people for s in ("", "two")))
            for tick in range(len(EVENTS) + 1):
                for event, when in hub_events:
                    if when == tick:
                        await getattr(office, event)()
                await asyncio.gather(*(office.next(person) for person in people))
                assert await all_there()
            while any(person.todo for person in people):  # what the hub was not ready for
                await asyncio.gather(*(office.next(person) for person in people))
                assert await all_there()
            await gone_at_last(quick_cluster, gc_words, database, capsys)
        except BaseException as exc:
            exc.add_note(f"{hub_events}\n{said}")
            raise
        finally:
            quick_cluster.proxy.heal()


async def gone_at_last(
    cluster: QuickCluster, words: list[str], database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By itself, or because mcks gc tells of it where a hub that ended has forgotten it."""

    async def gc(*more: str) -> set[str]:
        url = f"sqlite:///{database}"
        await asyncio.to_thread(main, [*words, *more, "--database", url])
        report: Any
        (report,) = json.loads(capsys.readouterr().out)
        assert not report["problem"]
        return {orphan["name"] for orphan in report["orphans"] if orphan["data"]}

    async def listed() -> bool:
        left = await cluster.claims()
        return await gc("--dry-run") == left

    await until(listed)
    await gc("--delete", "--data")

    async def gone() -> bool:
        return not await cluster.claims()

    await until(gone)
