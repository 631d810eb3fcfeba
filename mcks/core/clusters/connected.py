"""One cluster, ready for use: client, watches, gateway session."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from mcks.backends.base import Backend
from mcks.core.api.breaker import Breaker
from mcks.core.api.client import ClusterClient
from mcks.core.api.transport import Transport
from mcks.core.api.watch import Reflector
from mcks.core.clusters.cluster import CONTEXT_PREFIX, Cluster
from mcks.core.clusters.lean_pods import lean
from mcks.core.clusters.pod_events import PodEvents
from mcks.core.gateways.gateway_session import GatewaySession
from mcks.core.labels import KEY_LABEL
from mcks.core.objects import Selector


@dataclass
class ConnectedCluster:
    """One cluster, ready for use. ``http`` asks gateways; ``namespace`` is where servers start,
    None if each user has one."""

    cluster: Cluster
    backend: Backend
    client: ClusterClient
    namespace: str | None
    http: GatewaySession
    breaker: Breaker
    log: logging.Logger
    pod_events: PodEvents = field(init=False)
    _former: list[Backend] = field(default_factory=list)
    _pods: dict[str | None, Reflector] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Nobody follows events yet."""
        self.pod_events = PodEvents(self.client)

    @property
    def title(self) -> str:
        """The cluster's name for people."""
        return self.cluster.name.removeprefix(CONTEXT_PREFIX)

    def pods_of(self, namespace: str | None) -> Reflector:
        """Return the watch of the servers in *namespace*, begun at the first call.

        Servers live in more than one if the configuration has changed while they ran. If each user
        has a namespace, one watch serves them all.
        """
        namespace = None if self.namespace is None else namespace
        if namespace not in self._pods:
            selection = Selector("v1", "Pod", namespace, KEY_LABEL)
            self._pods[namespace] = Reflector(self.client, selection, log=self.log, lean=lean)
            self._pods[namespace].start()
        return self._pods[namespace]

    def connect_anew(self, backend: Backend, transport: Transport) -> None:
        """Go on through *transport*, that of *backend*; watches and starts notice nothing."""
        self.client.connect_anew(transport)
        self._former.append(self.backend)
        self.backend = backend

    async def close_former(self) -> None:
        """Close what was in use before `connect_anew`."""
        former, self._former = self._former, []
        await self.client.close_former()
        for backend in former:
            await backend.close()

    async def close(self) -> None:
        """End the watches and close all connections."""
        await asyncio.gather(*(pods.stop() for pods in self._pods.values()))
        await self.pod_events.stop()
        await self.close_former()
        await self.client.close()
        await self.http.close()
        await self.backend.close()
