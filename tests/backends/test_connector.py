"""A TLS connection holds little, and reads all the same."""

from __future__ import annotations

import io
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp import web

from mcks.backends.connector import _BUFFER, Connector

LARGE = b"0123456789abcdef" * 200_000


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, ssl.SSLContext]]:
    ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=await request.read() or LARGE)

    app = web.Application(client_max_size=2 * len(LARGE))
    app.router.add_route("*", "/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}/", trusting
    await runner.cleanup()


def protocol_of(response: aiohttp.ClientResponse) -> Any:
    assert response.connection is not None
    return response.connection.transport._ssl_protocol  # type: ignore[union-attr]


async def test_a_tls_connection_has_a_small_buffer_and_large_answers_come_whole(
    server: tuple[str, ssl.SSLContext],
) -> None:
    url, trusting = server
    async with aiohttp.ClientSession(connector=Connector(ssl=trusting)) as session:
        for _ in range(2):  # by the same connection
            async with session.get(url) as response:
                protocol = protocol_of(response)
                assert await response.read() == LARGE
                assert len(protocol._ssl_buffer) == _BUFFER
        async with session.post(url, data=io.BytesIO(LARGE)) as response:
            assert await response.read() == LARGE
        assert len(protocol.get_buffer(-1)) == _BUFFER


async def test_a_connection_without_tls_is_left_as_it_is() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="well")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with (
        aiohttp.ClientSession(connector=Connector()) as session,
        session.get(url) as response,
    ):
        assert await response.text() == "well"
    await runner.cleanup()
