"""A thousand servers to watch: Pods that no scheduler takes, and a client that counts.

What is expected of them belongs to the tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable, Sequence
from typing import Any

from mcks.core.api.client import ClusterClient
from mcks.core.api.transport import Transport
from mcks.core.clusters.cluster import ConfiguredCluster
from mcks.core.labels import KEY_LABEL
from mcks.core.objects import Manifest, Ref, Selector, WatchEvent
from tests.cluster.api import AsyncKubernetesAPI

_AT_ONCE = 8
_WATCH_LIFE = 3.0


class CountingClient(ClusterClient):
    """Counts lists and watches. Its watches end soon; ``turned`` is set as one begins or ends."""

    lists = watches = 0

    def __init__(self, *args: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self.turned = asyncio.Event()

    async def list(self, selector: Selector, **how: Any) -> tuple[Sequence[Manifest], str]:
        self.lists += 1
        return await super().list(selector, **how)

    async def watch(
        self, selector: Selector, since: str, *, timeout: float | None = _WATCH_LIFE, **how: Any
    ) -> AsyncGenerator[WatchEvent, None]:
        self.watches += 1
        self.turned.set()
        async for event in super().watch(selector, since, timeout=timeout, **how):
            yield event
        self.turned.set()


async def counting_client(configured: ConfiguredCluster) -> CountingClient:
    """Log in as the hub does. Close the backend after the client."""
    return CountingClient(await Transport.of(configured.backend))


def server_pod(name: str, namespace: str) -> Manifest:
    """A Pod as the hub's selection finds it, that stays Pending without anybody's care."""
    container = {"name": "notebook", "image": "example.org/notebook:1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {KEY_LABEL: name}},
        "spec": {
            "schedulerName": "nobody",
            "nodeSelector": {"example.org/no-node": "has-this"},
            "containers": [container],
        },
    }


async def all_of(work: Iterable[Awaitable[object]]) -> None:
    """Do all of it, some at once."""
    some = asyncio.Semaphore(_AT_ONCE)

    async def one(work: Awaitable[object]) -> None:
        async with some:
            await work

    await asyncio.gather(*(one(each) for each in work))


async def change_some(admin: AsyncKubernetesAPI, namespace: str, batch: int) -> None:
    """Delete, change and create five servers each, other ones for each *batch* (below 100)."""
    numbers = range(5 * batch, 5 * batch + 5)
    change = {"metadata": {"labels": {"example.org/batch": str(batch)}}}
    await all_of(
        [
            *(admin.delete("v1", "Pod", f"s{n}", namespace, grace=0) for n in numbers),
            *(admin.patch("v1", "Pod", f"s{999 - n}", change, namespace) for n in numbers),
            *(admin.create(server_pod(f"new{n}", namespace)) for n in numbers),
        ]
    )


async def remove(client: ClusterClient, names: Iterable[str], namespace: str) -> None:
    """Delete these servers at once."""
    refs = [Ref("v1", "Pod", name, namespace) for name in names]
    await all_of(client.delete(ref, grace_period=0) for ref in refs)


def versions(pods: Iterable[Manifest]) -> dict[str, tuple[str, str]]:
    """Uid and version by name: equal if and only if all objects are."""
    found = [pod["metadata"] for pod in pods]
    return {meta["name"]: (meta["uid"], meta["resourceVersion"]) for meta in found}
