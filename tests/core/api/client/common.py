"""What the tests of ClusterClient share: a backend for a loopback server, and its objects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from mcks.auth.credential import Credential
from mcks.backends.base import Backend, Endpoint
from mcks.core.api.client import ClusterClient
from mcks.core.api.deadlines import Deadlines
from mcks.core.api.transport import Transport
from mcks.core.objects import Manifest, Ref, Selector, WatchEvent
from mcks.errors import MCKSError
from tests.fakes.loopback import AT_ONCE

PODS = "/api/v1/namespaces/ns/pods"
POD = Ref("v1", "Pod", "p", "ns")
SECRET_VALUE = "very-secret-value"


class TestBackend(Backend):
    """Tokens t1, t2 ... for one server."""

    __test__ = False
    mints = 0
    where = Endpoint("https://localhost")
    explanation: Callable[[MCKSError], Awaitable[str]] | None = None

    async def endpoint(self) -> Endpoint:
        return self.where

    async def mint(self) -> Credential:
        self.mints += 1
        return Credential(token=f"token-{self.mints}")

    async def explain(self, error: MCKSError) -> str:
        return "" if self.explanation is None else await self.explanation(error)


async def connect(backend: TestBackend, deadlines: Deadlines = AT_ONCE) -> ClusterClient:
    return ClusterClient(await Transport.of(backend, deadlines=deadlines))


def pod(name: str = "p", **meta: Any) -> Manifest:
    meta = {"name": name, "namespace": "ns", "labels": {"key": "k"}} | meta
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {}}


async def watched(client: ClusterClient, **settings: Any) -> list[WatchEvent]:
    selection = Selector("v1", "Pod", "ns")
    return [e async for e in client.watch(selection, "100", **settings)]
