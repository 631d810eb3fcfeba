"""Many requests at once take turns; each carries one credential, which is read once."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from types import FrameType
from typing import Any

import pytest
from aiohttp import web
from kubernetes_asyncio.client import ApiClient, Configuration, CoreV1Api

from mcks.auth.credential import Credential, CredentialCache
from mcks.backends.base import Backend, Endpoint
from mcks.core.api.client import ClusterClient
from mcks.core.api.transport import AT_ONCE, Transport
from mcks.core.objects import Ref
from tests.fakes.loopback import FakeAPIServer, Handler, status

MANY = 3 * AT_ONCE
POD = Ref("v1", "Pod", "p", "ns")


class _Backend(Backend):
    server: FakeAPIServer
    token = "t"

    async def endpoint(self) -> Endpoint:
        return Endpoint(self.server.url, ca_data=self.server.ca_data)

    async def mint(self) -> Credential:
        return Credential(token=self.token)


class Gate:
    """Holds requests back until it is opened; counts those under way at once."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.full = asyncio.Event()
        self.under_way = self.most = 0

    async def __call__(self, _request: web.Request, _handler: Handler) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.under_way == AT_ONCE:
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
async def backend(server: FakeAPIServer) -> AsyncIterator[_Backend]:
    backend = _Backend(cluster_name="a")
    backend.server = server
    yield backend
    await backend.close()


@pytest.fixture
async def client(backend: Backend) -> AsyncIterator[ClusterClient]:
    client = ClusterClient(await Transport.of(backend))
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
    assert gate.most == AT_ONCE
    assert len(answers) == MANY


async def test_a_request_that_is_cancelled_gives_its_turn_to_the_next(
    server: FakeAPIServer, client: ClusterClient
) -> None:
    gate = Gate()
    server.fail_next(*[gate] * AT_ONCE)
    first = [asyncio.create_task(client.get(POD)) for _ in range(AT_ONCE)]
    async with asyncio.timeout(20):
        await gate.full.wait()
        later = asyncio.create_task(client.get(POD))
        first[0].cancel()
        assert (await later)["metadata"]["name"] == "p"
        gate.opened.set()
        await asyncio.gather(*first, return_exceptions=True)


class Counting:
    """Counts how often the credential of a backend is asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads = 0
        get = CredentialCache.get

        async def counted(cache: CredentialCache, cluster: str = "") -> Credential:
            self.reads += 1
            return await get(cache, cluster)

        monkeypatch.setattr(CredentialCache, "get", counted)


async def test_each_request_reads_the_credential_once(
    server: FakeAPIServer, client: ClusterClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(monkeypatch)
    for number in (1, 2, 3):
        await client.get(POD)
        assert counting.reads == number
    assert server.headers[-1]["Authorization"] == "Bearer t"


async def test_a_refused_credential_is_read_once_more(
    server: FakeAPIServer, client: ClusterClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(monkeypatch)
    server.answer_next(status(401, "Unauthorized"))
    await client.get(POD)
    assert counting.reads == 2


async def test_a_client_that_is_used_by_itself_sends_the_credential_of_now(
    server: FakeAPIServer, backend: _Backend
) -> None:
    api = await backend.connect()
    backend.credentials.reject(await backend.credentials.get())
    backend.token = "renewed"
    found: Any = await CoreV1Api(api).read_namespaced_pod("p", "ns", _preload_content=False)
    found.release()
    assert server.headers[-1]["Authorization"] == "Bearer renewed"
    await api.close()


async def test_a_request_goes_through_few_functions(client: ClusterClient) -> None:
    """What each of them costs is little, and there are six requests in a start."""
    calls = Counter[str]()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        package = frame.f_globals.get("__package__") or ""
        if event == "call" and package.startswith("mcks."):
            calls[frame.f_code.co_qualname] += 1

    await client.delete(POD)
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        await client.create(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "ns"}}
        )
    finally:
        sys.setprofile(before)
    assert calls.total() <= 70, calls  # who goes on after a wait is called again


class _OwnLogin(_Backend):
    """A backend of another package, whose client logs in by its own means."""

    async def connect(self) -> ApiClient:
        configuration = Configuration(host=self.server.url)
        configuration.verify_ssl = False
        configuration.api_key["BearerToken"] = "Bearer of-its-own"
        return ApiClient(configuration)


async def test_a_client_with_its_own_login_keeps_it(server: FakeAPIServer) -> None:
    backend = _OwnLogin(cluster_name="a")
    backend.server = server
    client = ClusterClient(await Transport.of(backend))
    await client.get(POD)
    assert server.headers[-1]["Authorization"] == "Bearer of-its-own"
    await client.close()
    await backend.close()
