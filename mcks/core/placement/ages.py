"""Ages: ends servers that are as old as they may become, as the hub itself ends one.

How old that is, and that users are told at the start (limits.py), does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from weakref import ref

from mcks.core.placement.spans import span
from mcks.core.servers.server import Created
from mcks.core.servers.state import State

NOTICE = 600.0
"""Seconds before its end from which on a server's is told; of a short life the last quarter."""
AGAIN = 30.0
"""Seconds until a server is looked at again that cannot be ended at the moment."""
_LONGEST = 600.0
"""Seconds of one sleep: the machine's clock may be set meanwhile."""
_AT_ONCE = 10
"""Servers that are ended at a time."""


class User(Protocol):
    """A user of the hub, who has spawners and can stop them."""

    name: str
    settings: Mapping[str, Any]
    spawners: Any

    async def stop(self, server_name: str = "") -> None:
        """Stop a server, as the hub does."""


class Row(Protocol):
    """A server's row in the hub's database."""

    started: datetime | None
    """In UTC, without saying so."""


class AgingSpawner(Protocol):
    """A spawner, as far as its server is ended."""

    name: str
    orm_spawner: Row
    remembered: State
    log: logging.Logger
    _log_name: str
    _stop_pending: bool
    _stop_future: asyncio.Future[None] | None

    @property
    def user(self) -> User:
        """Whose server it is."""

    @property
    def pending(self) -> str | None:
        """What the hub does with the server at the moment, such as ``stop``."""

    def __hash__(self) -> int:
        """Tell it from others."""


@dataclass(order=True)
class _Due:
    """At this time a server is to be ended, or its end is to be told."""

    when: float
    number: int
    spawner: Callable[[], AgingSpawner | None] = field(compare=False)
    created: Created = field(compare=False)
    ends: bool = field(compare=False)

    def still(self) -> AgingSpawner | None:
        """Return the spawner if it has the same server still."""
        spawner = self.spawner()
        same = spawner is not None and spawner.remembered.created is self.created
        return spawner if same else None


class Ages:
    """Follows the servers of one hub that may only live so long, all in one task: ``keep``.

    *warn* tells a sentence about a server where its cluster's tools show it. *now* is UTC.
    """

    def __init__(
        self,
        warn: Callable[[Any, str], Awaitable[None]],
        now: Callable[[], float] = lambda: datetime.now(UTC).timestamp(),
    ) -> None:
        self._warn, self._now = warn, now
        self._due: list[_Due] = []
        self._numbers = itertools.count()
        self._sooner = asyncio.Event()
        self._working: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    def follow(self, spawner: AgingSpawner) -> None:
        """End the server of *spawner* in time, if it may live only so long.

        It is so after a start, and for each server that runs when the hub starts.
        """
        created, max_age = spawner.remembered.created, spawner.remembered.max_age
        started = spawner.orm_spawner.started
        if created is None or max_age is None or started is None:
            return
        ends = started.replace(tzinfo=UTC).timestamp() + max_age
        self._add(ends, spawner, created, ends=True)
        told = ends - _notice(max_age)
        if told > self._now():
            self._add(told, spawner, created, ends=False)

    async def keep(self) -> None:
        """Warn and end, each at its time, until cancelled; then a stop under way goes on."""
        while True:
            self._sooner.clear()
            while self._due and self._due[0].when <= self._now():
                self._begin(heapq.heappop(self._due))
            pause = self._due[0].when - self._now() if self._due else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if pause is None else min(pause, _LONGEST)):
                    await self._sooner.wait()

    def _add(self, when: float, spawner: AgingSpawner, created: Created, *, ends: bool) -> None:
        due = _Due(when, next(self._numbers), ref(spawner), created, ends)
        heapq.heappush(self._due, due)
        if self._due[0] is due:
            self._sooner.set()

    def _begin(self, due: _Due) -> None:
        work = asyncio.create_task(self._end(due) if due.ends else self._tell(due))
        self._working.add(work)
        work.add_done_callback(self._working.discard)

    async def _tell(self, due: _Due) -> None:
        if (spawner := due.still()) is not None:
            max_age = spawner.remembered.max_age or 0
            left, age = span(_notice(max_age)), span(max_age)
            spawner.log.info("%s ends in %s: it may live %s", spawner._log_name, left, age)
            await self._warn(spawner, f"This server ends in {left}: it may live {age}, used or not")

    async def _end(self, due: _Due) -> None:
        async with self._at_once:
            spawner = due.still()
            if spawner is None or spawner.pending == "stop":
                return
            if spawner.pending is None and spawner.user.spawners.get(spawner.name) is spawner:
                await _end(spawner)
            if due.still() is not None:
                self._add(self._now() + AGAIN, spawner, due.created, ends=True)


def _notice(max_age: int) -> float:
    return min(NOTICE, max_age / 4)


async def _end(spawner: AgingSpawner) -> None:
    """Stop the server of *spawner* as the hub's API does: whoever else wants that finds it done."""
    age = span(spawner.remembered.max_age or 0)
    spawner.log.info("%s is ended: it has lived %s", spawner._log_name, age)
    words = f"Your server was ended after {age}, as long as one may live."
    spawner.remembered = spawner.remembered._replace(ended=words)
    spawner._stop_pending = True  # before anything is waited for
    spawner._stop_future = asyncio.ensure_future(_stop(spawner))
    await asyncio.wait({spawner._stop_future})


async def _stop(spawner: AgingSpawner) -> None:
    user, settings = spawner.user, spawner.user.settings
    try:
        if proxy := settings.get("proxy"):
            await proxy.delete_user(user, spawner.name)
        await user.stop(spawner.name)
        if events := settings.get("eventlog"):
            said = {"action": "stop", "username": user.name, "servername": spawner.name}
            events.emit(schema_id=_SERVER_ACTION, data=said)
    except Exception:
        spawner.log.exception("%s could not be ended; it is tried again", spawner._log_name)
    finally:
        spawner._stop_future = None
        spawner._stop_pending = False


_SERVER_ACTION = "https://schema.jupyter.org/jupyterhub/events/server-action"
