"""What the tests of all backends do: log in, read one Pod through the real client, close."""

from __future__ import annotations

from typing import Any

from mcks.backends.base import Backend
from mcks.core.api.client import ClusterClient
from mcks.core.api.transport import Transport
from mcks.core.objects import Manifest, Ref
from tests.fakes.loopback import AT_ONCE, FakeAPIServer

REF = Ref("v1", "Pod", "p", "ns")
_PATH = "/api/v1/namespaces/ns/pods/p"


def put_pod(server: FakeAPIServer) -> None:
    meta = {"name": "p", "namespace": "ns"}
    server.put(_PATH, {"apiVersion": "v1", "kind": "Pod", "metadata": meta})


async def client_of(backend: Backend) -> ClusterClient:
    return ClusterClient(await Transport.of(backend, deadlines=AT_ONCE))


async def read_pod(backend: Backend) -> Manifest:
    client = await client_of(backend)
    try:
        return await client.get(REF)
    finally:
        await client.close()
        await backend.close()


def bearer(server: FakeAPIServer) -> Any:
    """The token of the last request."""
    return server.headers[-1]["Authorization"].removeprefix("Bearer ")
