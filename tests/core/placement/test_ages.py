"""Servers end when they are as old as they may become, once, and their users hear of it before."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from mcks.core.placement import ages as ages_module
from mcks.core.placement.ages import AGAIN, NOTICE, Ages
from mcks.core.servers.server import Created
from mcks.core.servers.state import State
from tests.core.placement.hub import settled

LOG = logging.getLogger("test")
BEGAN = 1_700_000_000.0


class User:
    """A user whose server is stopped as JupyterHub does it, with its proxy and its event log."""

    name = "ada"

    def __init__(self, *, proxy_fails: int = 0) -> None:
        self.done: list[str] = []
        self.spawners: dict[str, Any] = {}
        self.may_stop = asyncio.Event()
        self.may_stop.set()
        self._proxy_fails = proxy_fails
        emit = self._emit
        self.settings: Mapping[str, Any] = {"proxy": self, "eventlog": SimpleNamespace(emit=emit)}

    def _emit(self, *, schema_id: str, data: dict[str, str]) -> None:
        assert schema_id.endswith("jupyterhub/events/server-action")
        self.done.append(f"told {data['action']} {data['username']}")

    async def delete_user(self, user: User, server_name: str) -> None:
        assert user is self
        if self._proxy_fails:
            self._proxy_fails -= 1
            raise ConnectionError
        self.done.append(f"unrouted {server_name}")

    async def stop(self, server_name: str = "") -> None:
        spawner = self.spawners[server_name]
        assert spawner.pending == "stop"
        await self.may_stop.wait()
        self.done.append(f"stopped {server_name}")
        spawner.remembered = spawner.remembered.without_server()
        del self.spawners[server_name]


class Spawner:
    """A spawner whose server began at BEGAN and may live *max_age*."""

    _log_name = "ada:lab"
    _stop_future: asyncio.Future[None] | None = None
    _stop_pending = False
    busy: str | None = None
    name = "lab"
    log = LOG

    def __init__(self, user: User, max_age: int | None) -> None:
        self.user = user
        began = datetime.fromtimestamp(BEGAN, UTC).replace(tzinfo=None)
        self.orm_spawner: Any = SimpleNamespace(started=began)
        created = Created("key", "ns", "h", {"Pod": "uid"})
        self.remembered = State(created, "a", max_age=max_age)
        user.spawners["lab"] = self

    @property
    def pending(self) -> str | None:
        return "stop" if self._stop_pending else self.busy


class Clock:
    """A clock that the test sets; whoever sleeps wakes then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = BEGAN
        self.sleeps: list[float | None] = []
        self._timeouts: list[asyncio.Timeout] = []
        module = SimpleNamespace(**vars(asyncio))
        module.timeout = self._timeout
        monkeypatch.setattr(ages_module, "asyncio", module)

    def _timeout(self, seconds: float | None) -> asyncio.Timeout:
        self.sleeps.append(seconds)
        self._timeouts.append(asyncio.timeout(None))
        return self._timeouts[-1]

    async def set(self, now: float) -> None:
        self.now = now
        self._timeouts[-1].reschedule(asyncio.get_running_loop().time())
        await settled()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
async def warned() -> list[str]:
    return []


@pytest.fixture
async def ages(clock: Clock, warned: list[str]) -> AsyncIterator[Ages]:
    async def warn(_spawner: Spawner, sentence: str) -> None:
        warned.append(sentence)

    ages = Ages(warn, lambda: clock.now)
    keeping = asyncio.create_task(ages.keep())
    await settled()
    yield ages
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


async def test_a_server_is_told_of_and_ended_at_its_time_as_the_hub_does(
    ages: Ages, clock: Clock, warned: list[str]
) -> None:
    user = User()
    spawner = Spawner(user, 7200)
    ages.follow(spawner)
    await settled()
    await clock.set(BEGAN + 7200 - NOTICE - 1)
    assert warned == []
    await clock.set(BEGAN + 7200 - NOTICE)
    assert warned == ["This server ends in 10 min: it may live 2 h, used or not"]
    await clock.set(BEGAN + 7199)
    assert user.done == []
    await clock.set(BEGAN + 7200)
    assert user.done == ["unrouted lab", "stopped lab", "told stop ada"]
    assert spawner.remembered.ended == ("Your server was ended after 2 h, as long as one may live.")
    assert (spawner._stop_pending, spawner._stop_future) == (False, None)
    assert ages._due == []
    assert clock.sleeps[-1] is None  # nobody looks again until there is a server
    assert max(pause for pause in clock.sleeps if pause is not None) <= 600


async def test_of_a_short_life_the_last_quarter_is_told(
    ages: Ages, clock: Clock, warned: list[str]
) -> None:
    spawner = Spawner(User(), 60)
    ages.follow(spawner)
    await settled()
    await clock.set(BEGAN + 45)
    assert warned == ["This server ends in 15 s: it may live 1 min, used or not"]


async def test_a_server_that_grew_too_old_while_the_hub_was_away_ends_at_once(
    ages: Ages, clock: Clock, warned: list[str]
) -> None:
    clock.now = BEGAN + 90000
    user = User()
    spawner = Spawner(user, 3600)
    ages.follow(spawner)
    await settled()
    assert user.done[:2] == ["unrouted lab", "stopped lab"]
    assert warned == []


@pytest.mark.parametrize("missing", ["max_age", "started", "created"])
async def test_who_may_live_for_ever_or_does_not_run_is_not_followed(
    ages: Ages, missing: str
) -> None:
    spawner = Spawner(User(), None if missing == "max_age" else 60)
    if missing == "started":
        spawner.orm_spawner.started = None
    elif missing == "created":
        spawner.remembered = spawner.remembered.without_server()
    ages.follow(spawner)
    assert ages._due == []


async def test_a_server_that_was_stopped_and_started_again_has_a_life_of_its_own(
    ages: Ages, clock: Clock, warned: list[str]
) -> None:
    user = User()
    spawner = Spawner(user, 60)
    ages.follow(spawner)
    again = Created("key", "ns", "h", {"Pod": "another"})
    spawner.remembered = spawner.remembered._replace(created=again)
    await settled()
    await clock.set(BEGAN + 61)
    assert user.done == warned == []
    assert ages._due == []


async def test_a_server_that_somebody_else_stops_at_that_moment_is_left_to_them(
    ages: Ages, clock: Clock
) -> None:
    user = User()
    spawner = Spawner(user, 60)
    ages.follow(spawner)
    await settled()
    spawner.busy = "stop"
    await clock.set(BEGAN + 61)
    assert user.done == []
    assert ages._due == []


async def test_a_server_that_the_hub_still_looks_at_is_ended_afterwards(
    ages: Ages, clock: Clock
) -> None:
    user = User()
    spawner = Spawner(user, 60)
    ages.follow(spawner)
    await settled()
    spawner.busy = "check"
    await clock.set(BEGAN + 61)
    assert user.done == []
    spawner.busy = None
    await clock.set(BEGAN + 61 + AGAIN)
    assert "stopped lab" in user.done


async def test_a_server_whose_route_cannot_be_taken_away_is_ended_later(
    ages: Ages, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    user = User(proxy_fails=1)
    spawner = Spawner(user, 60)
    ages.follow(spawner)
    await settled()
    await clock.set(BEGAN + 60)
    assert user.done == []
    assert not spawner._stop_pending
    assert "ada:lab could not be ended; it is tried again" in caplog.text
    await clock.set(BEGAN + 60 + AGAIN)
    assert "stopped lab" in user.done


async def test_many_that_are_due_at_once_are_ended_some_at_a_time(ages: Ages, clock: Clock) -> None:
    users = [User() for _ in range(30)]
    for user in users:
        user.may_stop.clear()
        ages.follow(Spawner(user, 60))
    await settled()
    await clock.set(BEGAN + 60)
    assert sum(bool(user.done) for user in users) == 10
    for user in users:
        user.may_stop.set()
    await settled()
    await settled()
    assert all("stopped lab" in user.done for user in users)


async def test_a_spawner_that_nobody_has_any_more_is_forgotten(
    ages: Ages, clock: Clock, warned: list[str]
) -> None:
    user = User()
    ages.follow(Spawner(user, 60))
    user.spawners.clear()
    await settled()
    await clock.set(BEGAN + 61)
    assert user.done == warned == []
