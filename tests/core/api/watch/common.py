"""What the tests of the Reflector share: a cluster that does what it is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcks.core.api.deadlines import Deadlines, Pauses
from mcks.core.api.watch import Reflector
from mcks.core.objects import Manifest, Ref, Selector, WatchEvent
from mcks.errors import MCKSError

PODS = Selector("v1", "Pod", "ns")


def at(name: str) -> Ref:
    return Ref("v1", "Pod", name)


def pod(name: str, uid: str = "1", version: str = "1") -> Manifest:
    return {
        "metadata": {
            "name": name,
            "uid": uid,
            "resourceVersion": version,
            "managedFields": [{}],
        }
    }


class Script:
    """A cluster that does what it is told: ``lists`` are answers, ``events`` feed the watches."""

    def __init__(self) -> None:
        self.cluster, self.server = "it", "api.example.test"
        self.deadlines = Deadlines(between_watches=Pauses(0, 0))
        self.lists: list[list[Manifest] | MCKSError] = []
        self.events: asyncio.Queue[WatchEvent | Exception | None] = asyncio.Queue()
        self.watched: list[str] = []
        self.listed = 0

    async def list(
        self, selection: Selector, *, kept: Callable[[Manifest], Manifest], **_: Any
    ) -> tuple[list[Manifest], str]:
        assert selection == PODS
        self.listed += 1
        answer = self.lists.pop(0) if self.lists else []
        if isinstance(answer, MCKSError):
            raise answer
        return [kept(item) for item in answer], str(self.listed * 100)

    async def watch(
        self, selection: Selector, since: str, *, opened: Callable[[], None]
    ) -> AsyncGenerator[WatchEvent, None]:
        assert selection == PODS
        self.watched.append(since)
        opened()
        while (event := await self.events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    async def tell(self, kind: Any, manifest: Manifest) -> None:
        await self.events.put(WatchEvent(kind, manifest))


@asynccontextmanager
async def reflecting(script: Script) -> AsyncIterator[Reflector]:
    client: Any = script
    reflector = Reflector(client, PODS, log=logging.getLogger("test"))
    reflector.start()
    try:
        yield reflector
    finally:
        await reflector.stop()


def named(version: str) -> Any:
    return lambda p: p if p and p["metadata"]["resourceVersion"] == version else None


def gone(p: Manifest | None) -> bool | None:
    return True if p is None else None
