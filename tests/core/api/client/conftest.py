"""A real HTTPS server on loopback, and a client of it."""

from __future__ import annotations

import pytest

from mcks.backends.base import Endpoint
from tests.core.api.client.common import TestBackend, connect
from tests.fakes.loopback import FakeAPIServer


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr("mcks.core.api.transport._FIRST_PAUSE", 0.001)


@pytest.fixture
async def server():
    async with FakeAPIServer().running() as server:
        yield server


@pytest.fixture
async def backend(server):
    backend = TestBackend(cluster_name="a")
    backend.where = Endpoint(server.url, ca_data=server.ca_data)
    yield backend
    await backend.close()


@pytest.fixture
async def client(backend):
    client = await connect(backend)
    yield client
    await client.close()
