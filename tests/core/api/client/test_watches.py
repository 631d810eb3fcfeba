"""ClusterClient's watches: what they give, and how they end."""

from __future__ import annotations

import asyncio
import gc
from asyncio import selector_events

import pytest
from aiohttp import web

from mcks.backends.base import Endpoint
from mcks.core.api.client import ClusterClient
from mcks.core.api.deadlines import Deadlines
from mcks.core.objects import Selector
from mcks.errors import (
    Gone,
    Unreachable,
)
from tests.core.api.client.common import TestBackend, connect, pod, watched
from tests.fakes.loopback import FakeAPIServer, Handler, event


async def test_a_watch_gives_events_and_bookmarks_until_the_server_ends_it(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    big = pod(annotations={"a": "x" * 3_000_000})
    mark = {"kind": "Pod", "metadata": {"resourceVersion": "105"}}
    lines = event("ADDED", pod()) + event("MODIFIED", big) + event("BOOKMARK", mark)
    server.watch_lines = [lines[i : i + 100_000] for i in range(0, len(lines), 100_000)]
    server.watch_lines.append(b'{"type": "ADDED", "object": {"incompl')
    server.watch_held.set()
    events = await watched(client, timeout=60)
    assert [e.type for e in events] == ["ADDED", "MODIFIED", "BOOKMARK"]
    assert events[1].object == big
    query = server.queries[-1]
    assert query["allowWatchBookmarks"] == "true"
    assert (query["resourceVersion"], query["timeoutSeconds"]) == ("100", "60")


async def test_a_watch_from_too_old_a_version_is_gone(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    body = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    server.watch_lines = [event("ERROR", body)]
    with pytest.raises(Gone, match="too old"):
        await watched(client)


async def test_a_watch_refused_with_401_is_opened_with_a_new_credential(
    client: ClusterClient, server: FakeAPIServer, backend: TestBackend
) -> None:
    server.tokens = {"token-2"}
    server.watch_lines = [event("ADDED", pod())]
    server.watch_held.set()
    assert len(await watched(client)) == 1
    assert backend.mints == 2


async def test_a_watch_that_does_not_end_in_time_is_unreachable(
    server: FakeAPIServer, backend: TestBackend
) -> None:
    client = await connect(backend, deadlines=Deadlines(overdue=0.05))
    with pytest.raises(Unreachable, match="silent"):
        await watched(client, timeout=0)
    await client.close()


async def test_a_watch_that_breaks_is_unreachable(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    async def break_off(request: web.Request, _handler: Handler) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(event("ADDED", pod()))
        assert request.transport is not None
        request.transport.abort()
        return response

    server.fail_next(break_off)
    with pytest.raises(Unreachable, match="cut off"):
        await watched(client)


async def test_a_watch_of_nonsense_is_unreachable(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.watch_lines = [b"nonsense\n"]
    with pytest.raises(Unreachable, match="no event"):
        await watched(client)


async def test_any_number_of_watches_leaves_room_for_requests(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.watch_lines = [event("ADDED", pod())]
    watches = [client.watch(Selector("v1", "Pod", "ns"), "100") for _ in range(120)]
    try:
        await asyncio.gather(*(anext(watch) for watch in watches))
        assert (await client.list(Selector("v1", "Pod", "ns")))[0] == []
    finally:
        await asyncio.gather(*(watch.aclose() for watch in watches))


async def test_a_watch_that_is_given_up_leaves_no_connection_even_if_the_loop_ends(
    server: FakeAPIServer,
) -> None:
    server.watch_lines = [event("ADDED", pod())]

    async def look_once() -> None:
        backend = TestBackend(cluster_name="a")
        backend.where = Endpoint(server.url, ca_data=server.ca_data)
        client, seen = await connect(backend), asyncio.Event()

        async def look() -> None:
            async for _ in client.watch(Selector("v1", "Pod", "ns"), "100"):
                seen.set()

        looking = asyncio.create_task(look())
        await seen.wait()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await client.close()
        await backend.close()

    for _ in range(5):
        await asyncio.to_thread(asyncio.run, look_once())
    assert [t for t in gc.get_objects() if is_open_without_a_loop(t)] == []


def is_open_without_a_loop(thing: object) -> bool:
    kind = selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    if not isinstance(thing, kind):
        return False
    return thing._sock is not None and thing._loop.is_closed()


async def test_a_watch_of_one_endless_line_is_unreachable(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.watch_lines = [b"x" * 2**20] * 17
    with pytest.raises(Unreachable, match="too long"):
        await watched(client)


async def test_an_event_without_an_object_is_unreachable(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.watch_lines = [b'{"type": "ADDED", "object": null}\n']
    with pytest.raises(Unreachable, match="without an object"):
        await watched(client)


async def test_a_watch_that_does_not_open_is_given_up_at_the_deadline(
    server: FakeAPIServer, backend: TestBackend
) -> None:
    client = await connect(backend, deadlines=Deadlines(total=0.05))

    async def silent(_request: web.Request, _handler: Handler) -> None:
        await server.watch_held.wait()

    server.fail_next(silent)
    with pytest.raises(Unreachable, match="no answer within"):
        await watched(client)
    await client.close()
