"""A Pod loses its place before its server answers, or others lose theirs for it.

Eviction, priorities and the garbage collector of Pods are real.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from mcks.core.pods.patience import ENDLESS, Patience
from tests.cluster import images
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Clusters, Namespace
from tests.faults.tries import Tries

pytestmark = pytest.mark.cluster

SILENT = ["/bin/sh", "-c", "sleep 3600"]


@pytest.fixture
def api(clusters: Clusters) -> KubernetesAPI:
    return clusters["a"].api


async def test_a_server_that_is_evicted_before_it_answers_is_told_as_such(
    attempt: Tries, api: KubernetesAPI, namespace: Namespace
) -> None:
    one = attempt("kind: Pod\nmetadata: {name: '{{key}}'}", ENDLESS, cmd=SILENT)
    await one.says("The server's container runs")
    path = f"/api/v1/namespaces/{namespace.name}/pods/jupyter-ada/eviction"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "jupyter-ada"}}
    await asyncio.to_thread(api.request, "POST", path, eviction)
    failure = await one.fails()
    assert (failure.reason, failure.elsewhere) == ("evicted", True)
    assert "DisruptionTarget EvictionByEvictionAPI" in failure.details


async def test_a_server_that_somebody_deletes_before_it_answers_was_removed(
    attempt: Tries, api: KubernetesAPI, namespace: Namespace
) -> None:
    one = attempt("kind: Pod\nmetadata: {name: '{{key}}'}", ENDLESS, cmd=SILENT)
    await one.says("The server's container runs")
    await asyncio.to_thread(api.delete, "v1", "Pod", "jupyter-ada", namespace.name)
    failure = await one.fails()
    assert (failure.reason, failure.elsewhere) == ("gone", False)


@pytest.fixture
def lonely_node(api: KubernetesAPI, namespace: Namespace) -> Iterator[str]:
    """A node without a kubelet; its name."""
    name = f"lost-{namespace.name}"
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
    api.create({**node, "spec": {"unschedulable": True}})
    yield name
    api.delete("v1", "Node", name)


ON_NODE = """
    kind: Pod
    metadata: {{name: "{{{{key}}}}"}}
    spec: {{nodeName: {}}}
"""


async def test_a_node_that_does_not_take_the_server_is_given_up(
    attempt: Tries, api: KubernetesAPI, namespace: Namespace, lonely_node: str
) -> None:
    one = attempt(ON_NODE.format(lonely_node), Patience(place=2.0))
    failure = await one.fails()
    assert failure.reason == "no-place"
    assert "The machine that was found for your server does not take it" in failure.user_message
    assert f"its node {lonely_node} has not begun with the pod" in failure.details
    path = f"/api/v1/namespaces/{namespace.name}/pods/jupyter-ada"
    await asyncio.to_thread(api.request, "DELETE", path, {"gracePeriodSeconds": 0})


@pytest.mark.slow
async def test_a_server_whose_node_is_deleted_before_it_answers_was_evicted(
    attempt: Tries, api: KubernetesAPI, lonely_node: str
) -> None:
    one = attempt(ON_NODE.format(lonely_node), ENDLESS)
    await one.pod()
    await asyncio.to_thread(api.delete, "v1", "Node", lonely_node)
    failure = await one.fails()
    assert (failure.reason, failure.elsewhere) == ("evicted", True)
    assert failure.user_message.startswith("The cluster lost the machine that the server was on.")
    assert "DisruptionTarget DeletionByPodGC" in failure.details


@pytest.fixture
def scarce(api: KubernetesAPI, namespace: Namespace) -> Iterator[str]:
    """A resource of which the node has one, and a class of Pods that comes first; its name."""
    name = f"example.org/{namespace.name}"
    node = api.list("v1", "Node")[0]["metadata"]["name"]
    status = f"/api/v1/nodes/{node}/status"
    kind = "application/merge-patch+json"
    first = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    api.create({**first, "metadata": {"name": namespace.name}, "value": 1000})
    have: dict[str, Any] = {"status": {"capacity": {name: "1"}}}
    try:
        api.request("PATCH", status, have, content_type=kind)
        yield name
    finally:
        have = {"status": {"capacity": {name: None}, "allocatable": {name: None}}}
        api.request("PATCH", status, have, content_type=kind)
        api.delete("scheduling.k8s.io/v1", "PriorityClass", namespace.name)


def needs(resource: str, priority: str = "") -> str:
    first = f"priorityClassName: {priority}" if priority else ""
    return f"""
        kind: Pod
        metadata: {{name: "{{{{key}}}}"}}
        spec:
          {first}
          containers:
          - name: notebook
            resources: {{limits: {{{resource}: "1"}}, requests: {{{resource}: "1"}}}}
    """


def other(resource: str, priority: str = "") -> dict[str, Any]:
    """A Pod that needs the same, and takes its time to end."""
    container = {
        "name": "c",
        "image": images.BUSYBOX,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", "trap '' TERM; sleep 3600 & wait; wait"],
        "resources": {"limits": {resource: "1"}},
    }
    spec = {"containers": [container], "terminationGracePeriodSeconds": 5}
    first = {"priorityClassName": priority} if priority else {}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "other"}, "spec": spec | first}


async def test_a_server_for_which_others_are_ended_says_so_and_starts(
    attempt: Tries, api: KubernetesAPI, namespace: Namespace, scarce: str
) -> None:
    await asyncio.to_thread(api.create, other(scarce), namespace.name)
    await asyncio.to_thread(api.wait_pod_ready, "other", namespace.name)
    one = attempt(needs(scarce, namespace.name), Patience(place=60.0))
    await one.says("The cluster makes room for the server: it ends what has a lower priority")
    async with asyncio.timeout(60):
        assert await one.task


async def test_a_server_whose_place_is_taken_by_priority_is_told_so(
    attempt: Tries, api: KubernetesAPI, namespace: Namespace, scarce: str
) -> None:
    one = attempt(needs(scarce), ENDLESS, cmd=SILENT)
    await one.says("The server's container runs")
    await asyncio.to_thread(api.create, other(scarce, namespace.name), namespace.name)
    failure = await one.fails()
    assert (failure.reason, failure.elsewhere) == ("evicted", True)
    assert failure.user_message.startswith("What has a higher priority took the server's place")
    assert "DisruptionTarget PreemptionByScheduler" in failure.details
