"""Which kinds one API server has, and where: the built-in ones, and what it says of others.

Reading and writing their objects does not belong here.
"""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from mcks.core.api import kinds
from mcks.core.api.kinds import Resource
from mcks.core.api.request import DISCOVER, Request
from mcks.core.api.status import Asked
from mcks.core.api.transport import Transport
from mcks.errors import NotFound


class Discovery:
    """Finds the `Resource` of a kind; asks the server once per API version of custom kinds."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._asked: dict[str, asyncio.Task[dict[str, Resource]]] = {}

    async def find(self, api_version: str, kind: str) -> Resource:
        """Give the resource of *kind*. Raises `NotFound` if this cluster does not have it."""
        resource = kinds.built_in(api_version, kind)
        if resource is None:
            resource = (await self._known(api_version)).get(kind)
        if resource is None:
            # Custom kinds may be installed at any time, so an absence is not remembered.
            self._asked.pop(api_version, None)
            raise NotFound(
                f"cluster {self._transport.cluster!r} has no kind {kind} in {api_version}: "
                "are its custom resource definitions installed?",
                status=404,
                reason="NotFound",
            )
        return resource

    async def close(self) -> None:
        """Stop asking."""
        tasks = list(self._asked.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _known(self, api_version: str) -> dict[str, Resource]:
        task = self._asked.get(api_version)
        if task is None:
            task = asyncio.create_task(self._ask(api_version), name=f"discover {api_version}")
            self._asked[api_version] = task
        try:
            # One who waits may be cancelled; the others still want the answer.
            return await asyncio.shield(task)
        finally:
            failed = task.done() and (task.cancelled() or task.exception() is not None)
            if failed and self._asked.get(api_version) is task:
                del self._asked[api_version]

    async def _ask(self, api_version: str) -> dict[str, Resource]:
        asked = Asked(self._transport.cluster, f"find the kinds of {api_version}")
        path = kinds.group_path(quote(api_version, safe="/"))
        try:
            answer = await self._transport.send(Request(DISCOVER, path, asked))
        except NotFound:
            return {}
        return kinds.from_discovery(api_version, answer.json())
