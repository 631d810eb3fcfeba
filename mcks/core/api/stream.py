"""The stream of a watch: lines, and the events in them.

Opening it again, and keeping a copy of what it tells (`mcks.core.api.watch`), do not belong here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator

import aiohttp

from mcks.core.api.no_answer import NotKubernetes
from mcks.core.api.status import Asked, error_event
from mcks.core.objects import WatchEvent
from mcks.errors import Unreachable

_EVENTS_PER_TURN = 100
_LONGEST_LINE = 16 * 2**20
"""Bytes: etcd takes objects of 1.5 MiB, and JSON may make more of them, but not ten times more."""


async def events(
    asked: Asked, response: aiohttp.ClientResponse
) -> AsyncGenerator[WatchEvent, None]:
    """Give the events of *response* until the server ends it; close it in any case.

    Raises `Gone` or another `APIError` for an ``ERROR`` event, `NotKubernetes` for what is no
    event, `Unreachable` if the stream breaks or stays silent for longer than its read time-out.
    """
    seen = 0
    try:
        async for line in _lines(asked, response):
            yield _event(asked, line)
            seen += 1
            if seen % _EVENTS_PER_TURN == 0:
                await asyncio.sleep(0)  # a burst of events must not hold up the hub
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        cause = "silent for too long" if isinstance(exc, TimeoutError) else "cut off"
        raise Unreachable(f"{asked}: the stream from the API server was {cause}") from exc
    finally:
        _break_off(response)


def _break_off(response: aiohttp.ClientResponse) -> None:
    """Close a stream that has not ended, without the goodbye of TLS: nobody would wait for it."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()


async def _lines(asked: Asked, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Split a stream into lines. An incomplete last line is dropped."""
    rest: list[bytes] = []
    length = 0
    async for chunk in response.content.iter_any():
        *complete, tail = chunk.split(b"\n")
        if complete:
            complete[0] = b"".join(rest) + complete[0]
            rest, length = [], 0
        rest.append(tail)
        length += len(tail)
        if length > _LONGEST_LINE:
            raise NotKubernetes(f"{asked}: the stream holds a line that is too long for an event")
        for line in complete:
            if line:
                yield line


def _event(asked: Asked, line: bytes) -> WatchEvent:
    try:
        event = json.loads(line)
        kind, body = event["type"], event["object"]
    except (ValueError, KeyError, TypeError) as exc:
        raise NotKubernetes(f"{asked}: the stream holds something that is no event") from exc
    if not isinstance(body, dict):
        raise NotKubernetes(f"{asked}: the stream holds an event without an object")
    if kind == "ERROR":
        raise error_event(asked, body)
    return WatchEvent(kind, body)
