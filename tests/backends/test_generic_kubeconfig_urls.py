"""What a kubeconfig's URLs say besides a host: a log-in, a name in Unicode, a proxy's password."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from mcks.backends.generic_kubeconfig import GenericKubeconfigBackend
from mcks.core.objects import Selector
from mcks.errors import ConfigError, Unreachable
from tests.backends.reading import REF, client_of, read_pod
from tests.fakes.loopback import FakeAPIServer, event

PODS = Selector("v1", "Pod", "ns")
BASIC = f"Basic {base64.b64encode(b'ada:passw0rd').decode()}"


def backend_for(
    api: FakeAPIServer, user: dict[str, Any], **cluster: Any
) -> GenericKubeconfigBackend:
    ca = base64.b64encode(api.ca_data).decode()
    fields = {"server": api.url, "certificate-authority-data": ca} | cluster
    content = {
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": fields}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": user}],
    }
    return GenericKubeconfigBackend(cluster_name="a", kubeconfig=content)


@pytest.mark.parametrize(
    ("user", "sent"),
    [
        ({}, BASIC),
        ({"token": "tok"}, "Bearer tok"),
        ({"username": "x", "password": "y"}, "Basic eDp5"),
    ],
)
async def test_a_user_in_the_servers_url_logs_in_unless_the_entry_does(
    server: FakeAPIServer, user: dict[str, Any], sent: str
) -> None:
    pod = server.objects["/api/v1/namespaces/ns/pods/p"]
    server.watch_lines = [event("ADDED", pod)]
    url = server.url.replace("//", "//ada:passw0rd@")
    backend = backend_for(server, user, server=url)
    client = await client_of(backend)
    assert await client.get(REF)
    async for told in client.watch(PODS, "1"):
        assert told
        break
    await client.close()
    await backend.close()
    assert [headers["Authorization"] for headers in server.headers] == [sent, sent]


async def test_its_password_is_in_no_message(server: FakeAPIServer, unused_tcp_port: int) -> None:
    url = f"https://ada:passw0rd@127.0.0.1:{unused_tcp_port}"
    with pytest.raises(Unreachable, match="no connection") as failure:
        await read_pod(backend_for(server, {}, server=url))
    assert "passw0rd" not in str(failure.value)


@pytest.mark.parametrize(
    ("field", "url"),
    [
        ("server", "https://ada:passw0rd@[::1"),
        ("server", "https://ada:passw0rd@api.example.test:abc"),
        ("server", "https://"),
        ("proxy-url", "http://ada:passw0rd@[::1"),
        ("proxy-url", "http://ada:passw0rd@proxy.example.test:99999"),
        ("proxy-url", "http://"),
    ],
)
async def test_what_is_no_url_is_told_offline(server: FakeAPIServer, field: str, url: str) -> None:
    backend = backend_for(server, {"token": "t"}, **{field: url})
    (problem,) = backend.problems()
    assert problem.startswith("cluster 'a': ")
    assert field in problem
    assert "passw0rd" not in problem
    with pytest.raises(ConfigError):
        await backend.endpoint()


@pytest.fixture
async def proxy() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A proxy that leads all to 127.0.0.1: where it is, and what it was asked."""
    asked: list[bytes] = []
    tasks: list[asyncio.Task[None]] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        port = int(asked[-1].split()[1].rpartition(b":")[2])
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        tasks.append(asyncio.create_task(pump(reader, inner_writer)))
        tasks.append(asyncio.create_task(pump(inner_reader, writer)))

    listening = await asyncio.start_server(lead, "127.0.0.1", 0)
    async with listening:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}", asked
    await asyncio.gather(*tasks)


async def test_a_proxy_with_a_password_is_used_and_asked_for_one_connection(
    server: FakeAPIServer, proxy: tuple[str, list[bytes]]
) -> None:
    address, asked = proxy
    url = f"https://api.example.test:{urlsplit(server.url).port}"  # only a proxy knows the way
    cluster = {"server": url, "proxy-url": f"http://ada:passw0rd@{address}"}
    backend = backend_for(server, {"token": "t"}, **cluster)
    client = await client_of(backend)
    for _ in range(2):
        assert await client.get(REF)
    await client.close()
    await backend.close()
    (head,) = asked
    assert f"Proxy-Authorization: {BASIC}".encode() in head
    assert "Proxy-Authorization" not in server.headers[-1]


async def test_a_name_in_unicode_is_asked_for_as_in_http(
    server: FakeAPIServer, proxy: tuple[str, list[bytes]]
) -> None:
    address, asked = proxy
    port = urlsplit(server.url).port
    cluster = {"server": f"https://bücher.test:{port}", "proxy-url": f"http://{address}"}
    assert await read_pod(
        backend_for(server, {"token": "t"}, **cluster, **{"tls-server-name": "localhost"})
    )
    assert server.headers[-1]["Host"] == f"xn--bcher-kva.test:{port}"
    assert asked[0].startswith(f"CONNECT xn--bcher-kva.test:{port} ".encode())
