"""A real cluster for spawners whose servers need no container: they run, and answer, at once.

API server, controllers and garbage collector are real; a proxy that can break the network stands
between them and the hub. What a hub makes of it (hub_process.py) does not belong here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from traitlets.config import Config

from mcks.core.labels import KEY_LABEL
from tests.cluster.api import KubernetesAPI
from tests.cluster.cluster import LocalCluster
from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.fakes.fault_proxy import FaultProxy, break_off, in_front_of, reset
from tests.fakes.simulated_kubelet import (
    SERVER_PATCH,
    SimulatedKubelet,
    simulated_gateway,
    simulated_kubelet,
)
from tests.hub.servers import HOME, SERVER_KINDS, no_open_transport, until

CLAIM = "PersistentVolumeClaim"
KINDS = [*SERVER_KINDS, ("v1", "ServiceAccount"), ("v1", CLAIM)]


@dataclass
class QuickCluster:
    """A cluster as a hub with the ``hub_id`` h has it; each server has a claim of its name."""

    api: KubernetesAPI
    namespace: str
    kubelet: SimulatedKubelet
    proxy: FaultProxy
    config: Config

    async def contents(self) -> set[str]:
        """What servers and users have in the cluster, as ``Kind name``."""
        lists = (
            asyncio.to_thread(self.api.list, api_version, kind, self.namespace)
            for api_version, kind in KINDS
        )
        return {
            f"{kind} {item['metadata']['name']}"
            for (_, kind), items in zip(KINDS, await asyncio.gather(*lists), strict=True)
            for item in items
            if KEY_LABEL in (item["metadata"].get("labels") or {})
        }

    async def clear(self) -> None:
        """Take out what a walk has left that failed."""
        for api_version, kind in KINDS:
            for item in await asyncio.to_thread(self.api.list, api_version, kind, self.namespace):
                if KEY_LABEL in (item["metadata"].get("labels") or {}):
                    place = api_version, kind, item["metadata"]["name"], self.namespace
                    await asyncio.to_thread(self.api.delete, *place)

        async def nothing_left() -> bool:
            return not await self.contents()

        await until(nothing_left)

    async def claims(self) -> set[str]:
        """Names of users' claims."""
        listed = await asyncio.to_thread(self.api.list, "v1", CLAIM, self.namespace)
        return {item["metadata"]["name"] for item in listed}

    def cut_off(self) -> None:
        """From now on the hub cannot reach the API server, which goes on without it."""
        self.proxy.go_dark(reset, break_off)

    @property
    def asked(self) -> int:
        """How many requests have come from the hub."""
        return sum(self.proxy.counts.values())


def objects_of(key: str) -> set[str]:
    """What a running server has in the cluster, its data aside."""
    return {f"{kind} {key}" for _, kind in KINDS if kind != CLAIM}


@asynccontextmanager
async def quick(
    cluster: LocalCluster, namespace: Namespace, config: Config
) -> AsyncIterator[QuickCluster]:
    """*cluster* for the servers of *config*, whose clusters have it from now on."""
    async with (
        simulated_gateway() as gateway,
        simulated_kubelet(cluster.api) as kubelet,
        in_front_of(namespace.kubeconfig, cluster.context) as proxy,
    ):
        settings = {"context": cluster.context, "ingress_public_url": gateway}
        config.MultiClusterKubeSpawner.clusters[cluster.name] = settings
        yield QuickCluster(cluster.api, namespace.name, kubelet, proxy, config)


def configuration() -> Config:
    """That of a hub without clusters."""
    config = Config()
    section = config.MultiClusterKubeSpawner
    section.hub_id, section.clusters = "h", {}
    section.objects.update({"05-home": HOME})
    section.patches = {"10-simulated": SERVER_PATCH}
    return config


@pytest.fixture
async def quick_cluster(
    local_clusters: LocalSet, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[QuickCluster]:
    monkeypatch.setenv("KUBECONFIG", str(namespace.kubeconfig))
    async with quick(local_clusters["a"], namespace, configuration()) as cluster:
        yield cluster
    await until(no_open_transport)


@pytest.fixture
async def quick_clusters(
    local_clusters: LocalSet, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[dict[str, QuickCluster]]:
    """Clusters ``a`` and ``b`` of one hub, by name."""
    monkeypatch.setenv("KUBECONFIG", str(namespace.kubeconfig))
    config = configuration()
    async with AsyncExitStack() as stack:
        yield {
            cluster.name: await stack.enter_async_context(quick(cluster, namespace, config))
            for cluster in local_clusters
        }
    await until(no_open_transport)
