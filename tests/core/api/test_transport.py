"""Many requests at once to one API server take turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from mcks.auth.credential import Credential
from mcks.backends.base import Backend, Endpoint
from mcks.core.api.client import ClusterClient
from mcks.core.api.transport import _AT_ONCE
from mcks.core.objects import Ref
from tests.fakes.loopback import FakeAPIServer, Handler

MANY = 3 * _AT_ONCE
POD = Ref("v1", "Pod", "p", "ns")


class _Backend(Backend):
    server: FakeAPIServer

    async def endpoint(self) -> Endpoint:
        return Endpoint(self.server.url, ca_data=self.server.ca_data)

    async def mint(self) -> Credential:
        return Credential(token="t")


class Gate:
    """Holds requests back until it is opened; counts those under way at once."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.full = asyncio.Event()
        self.under_way = self.most = 0

    async def __call__(self, _request: web.Request, _handler: Handler) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.under_way == _AT_ONCE:
            self.full.set()
        await self.opened.wait()
        self.under_way -= 1


@pytest.fixture
async def server() -> AsyncIterator[FakeAPIServer]:
    async with FakeAPIServer().running() as server:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "ns"}}
        server.put("/api/v1/namespaces/ns/pods/p", pod)
        yield server


@pytest.fixture
async def backend(server: FakeAPIServer) -> AsyncIterator[Backend]:
    backend = _Backend(cluster_name="a")
    backend.server = server
    yield backend
    await backend.close()


@pytest.fixture
async def client(backend: Backend) -> AsyncIterator[ClusterClient]:
    client = ClusterClient(await backend.connect(), cluster="a")
    yield client
    await client.close()


async def test_many_requests_at_once_take_turns_and_all_are_answered(
    server: FakeAPIServer, client: ClusterClient
) -> None:
    gate = Gate()
    server.fail_next(*[gate] * MANY)
    asked = [asyncio.create_task(client.get(POD)) for _ in range(MANY)]
    async with asyncio.timeout(20):
        await gate.full.wait()
        gate.opened.set()
        answers = await asyncio.gather(*asked)
    assert gate.most == _AT_ONCE
    assert len(answers) == MANY


async def test_a_request_that_is_cancelled_gives_its_turn_to_the_next(
    server: FakeAPIServer, client: ClusterClient
) -> None:
    gate = Gate()
    server.fail_next(*[gate] * _AT_ONCE)
    first = [asyncio.create_task(client.get(POD)) for _ in range(_AT_ONCE)]
    async with asyncio.timeout(20):
        await gate.full.wait()
        later = asyncio.create_task(client.get(POD))
        first[0].cancel()
        assert (await later)["metadata"]["name"] == "p"
        gate.opened.set()
        await asyncio.gather(*first, return_exceptions=True)
