"""A real hub whose profile names clusters a and b: a has no place for the server, or no gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.hub.hubs import Start, stop_server
from tests.hub.placement.test_next_cluster import ANYWHERE, lands_in_b
from tests.hub.servers import objects, until_empty

pytestmark = pytest.mark.cluster

NO_KIND = "no machine is of the kind that this profile asks for"
SELECTOR = """
c.MultiClusterKubeSpawner.place_timeout = 3
c.MultiClusterKubeSpawner.patches["90-selector"] = '''
    kind: Pod
    metadata: {{name: "{{{{key}}}}"}}
    spec: {{nodeSelector: {{{}: "yes"}}}}
'''
"""
NO_GATEWAY = """
c.MultiClusterKubeSpawner.place_timeout = 8
c.MultiClusterKubeSpawner.clusters["a"]["ingress_public_url"] = "http://127.0.0.1:{}"
"""


@pytest.fixture
def only_in_b(local_clusters: LocalSet, namespace: Namespace) -> Iterator[str]:
    """A label that only b's nodes have."""
    label, b = f"example.org/{namespace.name}", local_clusters["b"].api
    nodes = [one["metadata"]["name"] for one in b.list("v1", "Node")]
    try:
        for node in nodes:
            b.patch("v1", "Node", node, {"metadata": {"labels": {label: "yes"}}})
        yield label
    finally:
        for node in nodes:
            b.patch("v1", "Node", node, {"metadata": {"labels": {label: None}}})


@pytest.mark.alone  # other tests have nodes of their own
async def test_a_server_for_which_a_has_no_node_starts_in_b_and_so_does_the_next_one_at_once(
    start_hub: Start, local_clusters: LocalSet, namespace: Namespace, only_in_b: str
) -> None:
    async with start_hub(ANYWHERE + SELECTOR.format(only_in_b)) as hub:
        told = await lands_in_b(hub, local_clusters, namespace.name)
        looked = f"No place in the cluster yet, still looking: {NO_KIND}"
        assert any(looked in one for one in told), "\n".join(told)
        refused = f"a: The cluster has no place for your server: {NO_KIND}."
        assert any(one.startswith(refused) and "Trying b next" in one for one in told)
        assert await objects(local_clusters, "a", namespace.name) == []
        assert "didn't match Pod's node affinity/selector" in hub.log.read_text()
        await stop_server(hub, "ada")
        told = await lands_in_b(hub, local_clusters, namespace.name)
        assert "Connecting to a" not in told
        await stop_server(hub, "ada")
        await until_empty(local_clusters, namespace.name)


async def test_a_server_whose_gateway_in_a_does_not_answer_starts_in_b(
    start_hub: Start, local_clusters: LocalSet, namespace: Namespace, unused_tcp_port: int
) -> None:
    async with start_hub(ANYWHERE + NO_GATEWAY.format(unused_tcp_port)) as hub:
        async with asyncio.timeout(180):
            told = await lands_in_b(hub, local_clusters, namespace.name)
        silent = "a: The server runs, but its cluster's gateway does not answer at all."
        assert any(one.startswith(silent) and "Trying b next" in one for one in told), told
        assert await objects(local_clusters, "a", namespace.name) == []
        await stop_server(hub, "ada")
        await until_empty(local_clusters, namespace.name)
