"""Servers that are slow, broken, refused or not who they should be."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp import web

from mcks.backends.base import Endpoint
from mcks.core.api.client import ClusterClient
from mcks.core.api.deadlines import Deadlines
from mcks.core.objects import Selector
from mcks.errors import (
    Forbidden,
    NotFound,
    ServerError,
    TooManyRequests,
    Unavailable,
    Unreachable,
)
from tests.core.api.client.common import POD, PODS, TestBackend, connect, pod
from tests.fakes.loopback import FakeAPIServer, Handler, cut, status


async def test_reads_are_repeated_after_a_broken_connection_and_5xx(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.put(f"{PODS}/p", pod())
    server.fail_next(cut)
    server.answer_next(status(503, "ServiceUnavailable"))
    await client.get(POD)
    assert len(server.seen) >= 3, "aiohttp itself repeats a GET once on a broken connection"


async def test_reads_are_repeated_a_bounded_number_of_times(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.answer_next(*(status(503, "ServiceUnavailable") for _ in range(9)))
    with pytest.raises(ServerError):
        await client.get(POD)
    assert len(server.seen) == 4


async def test_retry_after_is_honoured_for_every_verb(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.answer_next(status(429, "TooManyRequests", Retry_After="0.01"))
    await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST", "POST"]


async def test_a_retry_after_beyond_the_deadline_is_an_error_at_once(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.answer_next(status(429, "TooManyRequests", Retry_After="3600"))
    with pytest.raises(TooManyRequests) as failure:
        await client.create(pod())
    assert failure.value.retry_after == 3600
    assert len(server.seen) == 1


async def test_a_silent_server_is_given_up_at_the_deadline(
    server: FakeAPIServer, backend: TestBackend
) -> None:
    client = await connect(backend, deadlines=Deadlines(connect=1, total=0.5))

    async def silent(_request: web.Request, _handler: Handler) -> None:
        await server.watch_held.wait()

    server.fail_next(silent)
    with pytest.raises(Unreachable, match="no answer within"):
        await client.get(POD)
    assert len(server.seen) == 1
    await client.close()


async def test_a_silent_server_is_given_up_as_soon_as_it_answers_nothing_at_all(
    server: FakeAPIServer, backend: TestBackend
) -> None:
    client = await connect(backend, deadlines=Deadlines(silence=0.1))
    made = asyncio.Event()

    async def silent(_request: web.Request, _handler: Handler) -> None:
        made.set()
        await server.watch_held.wait()

    server.fail_next(silent, silent)
    async with asyncio.timeout(10):
        with pytest.raises(Unreachable, match="nor to what takes no work"):
            await client.create(pod())
    assert made.is_set()
    assert [path for _, path in server.seen] == [PODS, "/version"], "it is not asked any more"
    await client.close()


async def test_a_slow_answer_is_waited_for_if_the_server_lives(
    server: FakeAPIServer, backend: TestBackend
) -> None:
    client = await connect(backend, deadlines=Deadlines(silence=1.0))
    asked = asyncio.Event()

    async def slow(_request: web.Request, _handler: Handler) -> None:
        await asked.wait()

    async def version(_request: web.Request, _handler: Handler) -> web.Response:
        asked.set()
        return status(403, "Forbidden")

    server.fail_next(slow, version)
    assert (await client.create(pod())).json()["metadata"]["uid"]
    await client.close()


async def test_a_refused_connection_names_cluster_server_and_cause(backend: TestBackend) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        backend.where = Endpoint(f"https://127.0.0.1:{port}", backend.where.ca_data)
        client = await connect(backend)
        with pytest.raises(Unreachable, match=f"cluster 'a'.*127.0.0.1:{port}: no connection"):
            await client.create(pod())
        await client.close()


async def test_a_name_that_does_not_resolve_is_said(backend: TestBackend) -> None:
    backend.where = Endpoint("https://nowhere.invalid", backend.where.ca_data)
    client = await connect(backend)
    with pytest.raises(Unreachable, match=r"nowhere.invalid: its name cannot be resolved"):
        await client.get(POD)
    await client.close()


async def test_a_wrong_ca_is_said(server: FakeAPIServer, backend: TestBackend) -> None:
    backend.where = Endpoint(server.url, FakeAPIServer().ca_data)
    client = await connect(backend)
    with pytest.raises(Unreachable, match="its certificate was refused"):
        await client.get(POD)
    assert server.seen == []
    await client.close()


async def test_a_rotated_ca_is_learned_without_a_new_client(
    server: FakeAPIServer, backend: TestBackend
) -> None:
    right = backend.where
    backend.where = Endpoint(server.url, FakeAPIServer().ca_data)
    client = await connect(backend)
    backend.where = right
    await client.create(pod())
    assert [m for m, _ in server.seen] == ["POST"]
    await client.close()


async def test_a_wrong_host_name_is_refused(server: FakeAPIServer, backend: TestBackend) -> None:
    backend.where = Endpoint(server.url, server.ca_data, tls_server_name="other.example.test")
    client = await connect(backend)
    with pytest.raises(Unreachable, match="certificate was refused"):
        await client.get(POD)
    await client.close()


async def test_requests_beyond_a_bound_wait_for_their_turn(
    client: ClusterClient, server: FakeAPIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way = most = 0

    async def count(_request: web.Request, _handler: Handler) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1

    server.fail_next(*[count] * 30)
    await asyncio.gather(*(client.list(Selector("v1", "Pod", "ns")) for _ in range(30)))
    assert 0 < most <= 10


async def test_a_deletion_is_tried_even_while_the_cluster_is_left_alone(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    made = (await client.create(pod())).json()
    for _ in range(3):
        server.answer_next(*(status(503, "ServiceUnavailable") for _ in range(4)))
        with pytest.raises(ServerError):
            await client.get(POD)
    with pytest.raises(Unavailable):
        await client.get(POD)
    assert await client.delete(POD, uid=made["metadata"]["uid"])
    with pytest.raises(NotFound):
        await client.get(POD)


async def test_a_create_is_brought_to_its_end_though_others_fail_meanwhile(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    async def others_fail(request: web.Request, _handler: Handler) -> web.Response:
        for _ in range(3):
            with (
                pytest.raises(Unreachable),
                client._transport.breaker.attempt(even_if_unavailable=True),
            ):
                raise Unreachable("away")
        return status(503, "ServiceUnavailable")

    server.fail_next(others_fail)
    assert await client.create(pod())
    assert [method for method, _ in server.seen] == ["POST", "GET", "POST"]


async def test_creates_that_succeed_at_the_second_try_do_not_close_a_cluster(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.answer_next(*(status(503, "ServiceUnavailable") for _ in range(5)))
    await asyncio.gather(*(client.create(pod(f"p{number}")) for number in range(5)))
    assert client._transport.breaker.unavailable is None
    assert len((await client.list(Selector("v1", "Pod", "ns")))[0]) == 5


async def test_a_retry_after_may_be_in_the_body_and_may_be_nonsense(
    client: ClusterClient, server: FakeAPIServer
) -> None:
    server.answer_next(status(429, "TooManyRequests", details={"retryAfterSeconds": 3600}))
    with pytest.raises(TooManyRequests) as failure:
        await client.get(POD)
    assert failure.value.retry_after == 3600
    server.answer_next(status(403, "Forbidden", Retry_After="soon"))
    with pytest.raises(Forbidden) as refused:
        await client.get(POD)
    assert refused.value.retry_after is None


async def test_a_server_that_speaks_no_tls_is_said(backend: TestBackend) -> None:
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        writer.close()

    plain = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = plain.sockets[0].getsockname()[1]
    backend.where = Endpoint(f"https://127.0.0.1:{port}", backend.where.ca_data)
    client = await connect(backend)
    with pytest.raises(Unreachable, match="TLS failed"):
        await client.get(POD)
    await client.close()
    plain.close()


async def test_a_proxy_that_refuses_is_said(backend: TestBackend) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    proxy = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    where = backend.where
    backend.where = Endpoint(where.server, where.ca_data, proxy_url=f"http://127.0.0.1:{port}")
    client = await connect(backend)
    with pytest.raises(Unreachable, match=r"the proxy refused the connection \(HTTP status 407\)"):
        await client.get(POD)
    await client.close()
    proxy.close()
