"""A real HTTPS server on loopback, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mcks.backends.base import Endpoint
from mcks.core.api.client import ClusterClient
from tests.core.api.client.common import TestBackend, connect
from tests.fakes.loopback import FakeAPIServer


@pytest.fixture
async def server() -> AsyncIterator[FakeAPIServer]:
    async with FakeAPIServer().running() as server:
        yield server


@pytest.fixture
async def backend(server: FakeAPIServer) -> AsyncIterator[TestBackend]:
    backend = TestBackend(cluster_name="a")
    backend.where = Endpoint(server.url, ca_data=server.ca_data)
    yield backend
    await backend.close()


@pytest.fixture
async def client(backend: TestBackend) -> AsyncIterator[ClusterClient]:
    client = await connect(backend)
    yield client
    await client.close()
