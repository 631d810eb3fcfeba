"""A request without a session around it: the same answers, the same errors, the same care."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import aiohttp
import pytest
import trustme
from aiohttp import web

from mcks.backends import wire as module
from mcks.backends.connector import Connector
from mcks.backends.wire import Response, Wire

UNBOUNDED = aiohttp.ClientTimeout(total=None)
LARGE = b"0123456789abcdef" * 200_000
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Site:
    """A server that tells what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[web.Request] = []
        self.peers: set[object] = set()
        """Who was connected: one for each connection."""

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        match request.path.rpartition("/")[2]:
            case "zipped":
                return web.Response(body=gzip.compress(LARGE), headers={"Content-Encoding": "gzip"})
            case "nothing":
                return web.Response(status=204)
            case "elsewhere":
                return web.Response(status=307, headers={"Location": "https://example.org"})
        return web.Response(status=201, body=await request.read() or LARGE)


@pytest.fixture
async def site() -> AsyncIterator[tuple[Site, aiohttp.ClientSession]]:
    """A server with TLS, and a session that trusts it."""
    site, ca, context = Site(), trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", "api.example.org").configure_cert(context)
    trusting = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
    app = web.Application(client_max_size=2 * len(LARGE))
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    site.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    connector = Connector(ssl=trusting)
    async with aiohttp.ClientSession(connector=connector, headers={"X-Team": "blue"}) as session:
        yield site, session
    await runner.cleanup()


@pytest.fixture(params=[True, False], ids=["over connections", "by the session"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KNOWN", request.param)


@pytest.mark.usefixtures("_either_way")
async def test_a_request_says_what_it_is_given_and_the_answer_comes_whole(
    site: tuple[Site, aiohttp.ClientSession],
) -> None:
    server, session = site
    wire = Wire(session, f"{server.url}/k8s/c%2F1/")
    for size in (10, 1_000_000):
        answer = await wire.ask(
            "POST", "/api/it%27s?q=a+b", {"X-Team": "red"}, LARGE[:size], timeout=UNBOUNDED
        )
        assert answer == (201, answer.headers, LARGE[:size])
    request = server.requests[-1]
    assert request.raw_path == "/k8s/c%2F1/api/it%27s?q=a+b"
    assert request.headers["X-Team"] == "red"
    assert request.headers["Host"] == server.url.removeprefix("https://")
    assert request.headers.getall("Content-Length") == ["1000000"]
    assert len(server.peers) == 1


@pytest.mark.usefixtures("_either_way")
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
async def test_a_request_without_a_body_has_the_session_s_headers(
    site: tuple[Site, aiohttp.ClientSession], method: str
) -> None:
    server, session = site
    answer = await Wire(session, server.url).ask(method, "/a/b", {}, timeout=UNBOUNDED)
    assert answer.body == LARGE
    request = server.requests[0]
    assert (request.method, request.headers["X-Team"]) == (method, "blue")
    assert request.headers.get("Content-Length", "0") == "0"
    assert "gzip" in request.headers["Accept-Encoding"]


@pytest.mark.usefixtures("_either_way")
async def test_what_is_packed_or_empty_or_a_redirect_is_an_answer_and_connections_are_kept(
    site: tuple[Site, aiohttp.ClientSession],
) -> None:
    server, session = site
    wire = Wire(session, server.url)
    zipped = await wire.ask("GET", "/zipped", {}, timeout=UNBOUNDED)
    assert zipped.body == LARGE
    nothing = await wire.ask("GET", "/nothing", {}, timeout=UNBOUNDED)
    assert nothing[::2] == (204, b"")
    redirect = await wire.ask("GET", "/elsewhere", {}, timeout=UNBOUNDED)
    assert (redirect.status, redirect.headers["location"]) == (307, "https://example.org")
    assert len(server.requests) == 3
    assert len(server.peers) == 1


@pytest.mark.usefixtures("_either_way")
async def test_no_more_is_read_than_was_asked_for(
    site: tuple[Site, aiohttp.ClientSession],
) -> None:
    server, session = site
    wire = Wire(session, server.url)
    for _ in range(2):
        answer = await wire.ask("GET", "/", {}, timeout=UNBOUNDED, most=1000)
        assert answer.body == LARGE[:1000]


@pytest.mark.usefixtures("_either_way")
async def test_the_name_in_the_certificate_may_be_another_than_the_host(
    site: tuple[Site, aiohttp.ClientSession],
) -> None:
    server, session = site
    wire = Wire(session, server.url, server_hostname="other.example.org")
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await wire.ask("GET", "/", {}, timeout=UNBOUNDED)
    wire = Wire(session, server.url, server_hostname="api.example.org")
    assert (await wire.ask("GET", "/", {}, timeout=UNBOUNDED)).status == 201


async def test_a_stream_and_a_question_share_connections(
    site: tuple[Site, aiohttp.ClientSession],
) -> None:
    server, session = site
    wire = Wire(session, server.url)
    await wire.ask("GET", "/", {}, timeout=UNBOUNDED)
    async with await wire.open("GET", "/", {}, timeout=UNBOUNDED) as opened:
        assert await opened.read() == LARGE
    assert len(server.peers) == 1


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/a\r\nX-Admin: yes", {}),
        ("/a", {"Authorization": "Bearer a\r\nX-Admin: yes"}),
        ("/a", {"Authorization": "Bearer a\nX-Admin: yes"}),
        ("/a", {"X-A\r\nX-Admin": "yes"}),
        ("/a", {"Authorization": "Bearer a\0"}),
        ("/a b", {}),
        ("a", {}),
        ("/ä", {}),
    ],
)
async def test_what_would_be_another_request_is_not_sent(
    site: tuple[Site, aiohttp.ClientSession], target: str, headers: dict[str, str]
) -> None:
    server, session = site
    with pytest.raises(ValueError, match=r"line break|percent-encoded") as caught:
        await Wire(session, server.url).ask("GET", target, headers, timeout=UNBOUNDED)
    assert "Bearer" not in str(caught.value)
    assert not server.requests


async def test_what_is_written_once_is_kept_for_the_next_and_not_for_ever(
    site: tuple[Site, aiohttp.ClientSession],
) -> None:
    server, session = site
    wire = Wire(session, server.url)
    for token in ("one", "two", "one", *map(str, range(20))):
        headers = {"Authorization": f"Bearer {token}"}
        await wire.ask("PATCH", "/a", headers, token.encode(), timeout=UNBOUNDED)
        assert server.requests[-1].headers["Authorization"] == f"Bearer {token}"
        assert server.requests[-1].headers["Content-Length"] == str(len(token))
    assert len(wire._lines) <= 16
    assert "Bearer" not in repr(wire)


def test_connections_that_are_used_otherwise_are_left_to_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert module.connections_are_known()

    class OtherRequest:
        def __init__(self, method: str, url: str, args: object) -> None: ...

    monkeypatch.setattr(aiohttp, "ClientRequest", OtherRequest)
    assert not module.connections_are_known()


def test_no_answer_is_shown_with_its_body() -> None:
    assert repr(Response(200, {}, b"c2VjcmV0")) == "Response(200)"


def raw(handle: Handler) -> AbstractAsyncContextManager[str]:
    """A server that answers each connection as *handle* does; yields its URL."""

    @asynccontextmanager
    async def serving() -> AsyncIterator[str]:
        ended: list[asyncio.Event] = []

        async def then_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ended.append(end := asyncio.Event())
            try:
                await handle(reader, writer)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
                end.set()

        server = await asyncio.start_server(then_close, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with asyncio.timeout(10):
                await asyncio.gather(*(end.wait() for end in ended))

    return serving()


async def ask(url: str, most: int = -1) -> Response:
    async with aiohttp.ClientSession() as session:
        return await Wire(session, url).ask("GET", "/", {}, timeout=UNBOUNDED, most=most)


async def test_a_kept_connection_that_ends_is_no_failure_of_what_may_be_sent_again() -> None:
    heard: list[bytes] = []

    async def hang_up_on_the_second(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        heard.append(await reader.readuntil(b"\r\n\r\n"))

    async with raw(hang_up_on_the_second) as url, aiohttp.ClientSession() as session:
        wire = Wire(session, url)
        assert (await wire.ask("GET", "/1", {}, timeout=UNBOUNDED)).body == b"ok"
        assert (await wire.ask("GET", "/2", {}, timeout=UNBOUNDED)).body == b"ok"
        assert [line.split(b" ")[1] for line in heard] == [b"/1", b"/2", b"/2"]
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await wire.ask("POST", "/3", {}, b"once", timeout=UNBOUNDED)
    assert sum(line.startswith(b"POST") for line in heard) == 1


async def test_a_server_that_hangs_up_always_is_asked_twice_at_most() -> None:
    heard: list[bytes] = []

    async def hang_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))

    async with raw(hang_up) as url:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await ask(url)
    assert len(heard) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", aiohttp.ClientPayloadError),
        (b"SSH-2.0-OpenSSH_9.6\r\n", aiohttp.ClientPayloadError),
        (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 10_000 + b"\r\n\r\n", aiohttp.ClientPayloadError),
    ],
    ids=["half a body", "no HTTP", "endless headers"],
)
async def test_what_is_no_whole_answer_is_an_error_of_aiohttp(
    answer: bytes, error: type[Exception]
) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with raw(say) as url:
        with pytest.raises(error):
            await ask(url)


async def test_answers_that_come_before_the_answer_are_passed_over() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\nuntil the end")
        await writer.drain()

    async with raw(say) as url:
        assert (await ask(url)).body == b"until the end"


async def test_a_body_that_comes_in_pieces_is_read_to_its_end() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"pi", b"ec"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    async with raw(say) as url:
        assert (await ask(url, most=1000)).body == b"piec"


async def test_who_waits_no_longer_leaves_no_connection_behind() -> None:
    closed, asked = asyncio.Event(), asyncio.Event()

    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        assert await reader.read() == b""
        closed.set()

    async with raw(wait) as url, aiohttp.ClientSession() as session:
        asking = asyncio.create_task(Wire(session, url).ask("GET", "/", {}, timeout=UNBOUNDED))
        await asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        async with asyncio.timeout(10):
            await closed.wait()


async def test_no_connection_in_time_and_a_closed_session_are_told_as_such(
    unused_tcp_port: int,
) -> None:
    session = aiohttp.ClientSession()
    wire = Wire(session, f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(aiohttp.ClientConnectorError):
        await wire.ask("GET", "/", {}, timeout=UNBOUNDED)
    await session.close()
    with pytest.raises(aiohttp.ClientConnectionError, match="closed"):
        await wire.ask("GET", "/", {}, timeout=UNBOUNDED)

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw(silent) as url, aiohttp.ClientSession() as session:
        wire = Wire(session, url.replace("http:", "https:"))
        with pytest.raises(aiohttp.ConnectionTimeoutError, match="no connection to https://127"):
            await wire.ask("GET", "/", {}, timeout=aiohttp.ClientTimeout(sock_connect=0.1))
