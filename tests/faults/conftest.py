"""The hub that all tests of faults ask."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mcks.core.hub.fleet import Fleet
from mcks.core.hub.sharing import share
from tests.cluster.fixtures import Clusters, Namespace
from tests.fakes import fault_proxy
from tests.faults.common import QUICK, Hub
from tests.faults.tries import attempt
from tests.hub.servers import Make

__all__ = ["attempt", "hub"]


@pytest.fixture
async def hub(make: Make, clusters: Clusters, namespace: Namespace) -> AsyncIterator[Hub]:
    context = clusters["a"].context
    async with fault_proxy.in_front_of(namespace.kubeconfig, context) as proxy:
        hub = Hub(make, proxy, clusters, namespace.name)
        share(Fleet(make(), retry_after=1.0))
        hub.pool.deadlines = QUICK
        yield hub
        proxy.heal()
        await hub.pool.close()
