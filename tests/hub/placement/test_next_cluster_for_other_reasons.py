"""A real hub whose profile names clusters a and b: a is too small, closed, full, or left alone."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.demo.hub import Hub
from tests.fakes import fault_proxy
from tests.hub.hubs import Start, progress, stop_server
from tests.hub.placement.test_next_cluster import ANYWHERE, lands_in_b
from tests.hub.servers import objects, until, until_empty
from tests.hub.test_main_path import is_ready

pytestmark = pytest.mark.cluster

IN_A = 'c.MultiClusterKubeSpawner.clusters["a"]["{}"] = {!r}\n'
TOO_LARGE = """
kind: Pod
metadata: {name: "{{key}}"}
spec:
  containers:
  - {name: notebook, resources: {requests: {cpu: "1000"}}}
"""
PLACE_TIMEOUT = "c.MultiClusterKubeSpawner.place_timeout = 3\n"


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("patches", {"90-large": TOO_LARGE}, "The cluster has no place for your server"),
        ("drain", "An upgrade until noon", "takes no new servers at the moment. An upgrade until"),
        ("max_servers", 0, "a takes no servers at present."),
    ],
    ids=["too-small", "drained", "capped"],
)
async def test_what_a_does_not_take_starts_in_b(  # noqa: PLR0917
    start_hub: Start,
    local_clusters: LocalSet,
    namespace: Namespace,
    setting: str,
    value: object,
    words: str,
) -> None:
    async with start_hub(ANYWHERE + PLACE_TIMEOUT + IN_A.format(setting, value)) as hub:
        told = await lands_in_b(hub, local_clusters, namespace.name)
        assert any(line.startswith("a: ") and words in line for line in told), told
        assert any(line.startswith("Connecting to b") for line in told), "\n".join(told)
        assert await objects(local_clusters, "a", namespace.name) == []
        await stop_server(hub, "ada")
        await until_empty(local_clusters, namespace.name)


async def test_what_a_has_no_room_for_beside_a_server_that_runs_starts_in_b(
    start_hub: Start, local_clusters: LocalSet, namespace: Namespace
) -> None:
    async with start_hub(ANYWHERE + IN_A.format("max_servers", 1)) as hub:
        await pick(hub, "bob", "a")

        async def ready() -> bool:
            return await is_ready(hub, "bob")

        await until(ready, 120)
        told = await lands_in_b(hub, local_clusters, namespace.name)
        full = "a: a is full: it takes one server at a time."
        assert any(line.startswith(full) and "Trying b next" in line for line in told), told
        found = await objects(local_clusters, "a", namespace.name)
        assert found
        assert all(thing.endswith(" jupyter-bob") for thing in found)
        assert await is_ready(hub, "bob")
        await asyncio.gather(stop_server(hub, "ada"), stop_server(hub, "bob"))
        await until_empty(local_clusters, namespace.name)


async def test_what_finds_a_left_alone_after_several_failures_starts_in_b_without_asking_a(
    start_hub: Start, local_clusters: LocalSet, namespace: Namespace
) -> None:
    context = local_clusters["a"].context
    async with fault_proxy.in_front_of(namespace.kubeconfig, context) as proxy:
        proxy.go_dark(fault_proxy.reset, fault_proxy.break_off)
        async with start_hub(ANYWHERE) as hub:
            left_alone = "cluster 'a' is left alone for some seconds"
            while left_alone not in hub.log.read_text():
                await asyncio.gather(*(fails(hub, user, "a") for user in ("bob", "eve", "joe")))
            told = await lands_in_b(hub, local_clusters, namespace.name)
            assert any(line.startswith("a: ") and "Trying b next" in line for line in told), told
            assert f"ada did not start in cluster 'a': {left_alone}" in hub.log.read_text()
            assert await objects(local_clusters, "a", namespace.name) == []
            await stop_server(hub, "ada")
            await until_empty(local_clusters, namespace.name)


async def fails(hub: Hub, user: str, cluster: str) -> None:
    await pick(hub, user, cluster)
    async with aclosing(progress(hub, user)) as lines:
        said = [line async for line in lines]
    assert not any(b'"ready": true' in line for line in said)


async def pick(hub: Hub, user: str, cluster: str) -> None:
    """Ask for a server of *user* in *cluster*, and in no other."""
    await hub.request("POST", f"users/{user}")
    options = {"profile": "anywhere", "cluster": cluster}
    status, answer = await hub.request("POST", f"users/{user}/server", json=options)
    assert status < 300 or "could not be started" in answer["message"], answer
