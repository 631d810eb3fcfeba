"""A Pod finds no place, with a real scheduler. What a queue and an autoscaler do, the tests do
themselves: they keep the gates, and write the events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mcks.core.pods.patience import Patience
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Clusters, Namespace
from tests.cluster.local_set import LocalSet
from tests.faults.tries import Tries
from tests.hub.servers import Make, until_empty

pytestmark = pytest.mark.cluster

FOREVER = 3600.0
TOO_LARGE = """
    kind: Pod
    metadata: {name: "{{key}}"}
    spec:
      containers:
      - name: notebook
        resources: {requests: {memory: 900Ti}}
"""
NOBODY_HAS = """
    kind: Pod
    metadata: {name: "{{key}}"}
    spec: {nodeSelector: {example.org/gpu: "yes"}}
"""
GATED = """
    kind: Pod
    metadata:
      name: "{{key}}"
      labels: {kueue.x-k8s.io/queue-name: gpu-queue}
    spec:
      schedulingGates: [{name: kueue.x-k8s.io/admission}]
"""
FULL = "No place in the cluster yet, still looking: no machine has enough free memory"
NO_KIND = "no machine is of the kind that this profile asks for"
NEW_MACHINE = "The cluster is adding a machine, which may take some minutes"


@pytest.fixture
def api(clusters: Clusters) -> KubernetesAPI:
    return clusters["a"].api


async def write_event(
    api: KubernetesAPI, namespace: Namespace, uid: str, reason: str, message: str
) -> None:
    """Say of ada's Pod what an autoscaler says."""
    about = {"apiVersion": "v1", "kind": "Pod", "name": "jupyter-ada", "uid": uid}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"jupyter-ada.{reason.lower()}"},
        "involvedObject": {**about, "namespace": namespace.name},
        "type": "Normal",
        "reason": reason,
        "message": message,
        "source": {"component": "cluster-autoscaler"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
    await asyncio.to_thread(api.create, event, namespace.name)


@pytest.mark.alone  # other tests have nodes of their own
async def test_a_server_that_is_too_large_for_every_node_is_given_up_and_says_what_it_lacks(
    attempt: Tries,
) -> None:
    one = attempt(TOO_LARGE, Patience(place=3.0))
    await one.says(FULL)
    failure = await one.fails()
    assert (failure.reason, failure.elsewhere) == ("no-place", True)
    assert failure.user_message == (
        "The cluster has no place for your server: no machine has enough free memory. Try again "
        "later, or choose another profile."
    )
    assert "Insufficient memory" in failure.details
    assert "Warning FailedScheduling: 0/1 nodes are available" in failure.details


@pytest.mark.alone  # other tests have nodes of their own
async def test_a_selector_that_no_node_has_is_told_as_such_at_the_end_of_the_starts_time_too(
    make: Make,
    clusters: Clusters,
    namespace: Namespace,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spawner = make(start_timeout=6)
    spawner.patches = {**spawner.patches, "50-place": NOBODY_HAS}
    with pytest.raises(Exception) as caught:  # noqa: PT011 (another class with each JupyterHub)
        await spawner.start()
    told = str(caught.value.jupyterhub_message)  # type: ignore[attr-defined]
    assert f"The cluster has no place for your server: {NO_KIND}. Choose another profile" in told
    assert "didn't match Pod's node affinity/selector" in caplog.text
    await until_empty(clusters, namespace.name)


@pytest.fixture
def tainted(breakable_clusters: LocalSet) -> Iterator[None]:
    """All nodes of cluster a are for others."""
    api = breakable_clusters["a"].api
    nodes = {one["metadata"]["name"]: one["spec"].get("taints") for one in api.list("v1", "Node")}
    taint = {"key": "hub.jupyter.org/dedicated", "value": "core", "effect": "NoSchedule"}
    try:
        for node, taints in nodes.items():
            api.patch("v1", "Node", node, {"spec": {"taints": [*(taints or ()), taint]}})
        yield
    finally:
        for node, taints in nodes.items():
            api.patch("v1", "Node", node, {"spec": {"taints": taints}})


@pytest.mark.alone  # other tests have nodes of their own
@pytest.mark.usefixtures("tainted")
async def test_a_taint_that_the_server_does_not_tolerate_is_told_as_such(attempt: Tries) -> None:
    one = attempt("kind: Pod\nmetadata: {name: '{{key}}'}", Patience(place=3.0))
    failure = await one.fails()
    assert failure.reason == "no-place"
    assert "for your server: the machines are reserved for other work." in failure.user_message
    assert "untolerated taint" in failure.details


async def test_a_server_in_a_queue_says_so_and_has_the_time_that_queues_have(
    attempt: Tries,
) -> None:
    one = attempt(GATED, Patience(place=0.0, queue=2.0))
    await one.says("In the queue of gpu-queue")
    failure = await one.fails()
    assert (failure.reason, failure.elsewhere) == ("queue", True)
    assert "was still in the queue of gpu-queue when its time was over" in failure.user_message
    assert "scheduling gates: kueue.x-k8s.io/admission" in failure.details


async def test_a_server_whose_queue_lets_it_go_on_starts(
    attempt: Tries, api: KubernetesAPI, namespace: Namespace
) -> None:
    one = attempt(GATED, Patience(place=60.0))
    await one.says("In the queue of gpu-queue")
    ungated: dict[str, Any] = {"spec": {"schedulingGates": []}}
    await asyncio.to_thread(api.patch, "v1", "Pod", "jupyter-ada", ungated, namespace.name)
    async with asyncio.timeout(60):
        assert await one.task


async def test_a_queue_time_out_ends_a_start_that_has_no_other_cluster(
    make: Make, clusters: Clusters, namespace: Namespace
) -> None:
    spawner = make(queue_timeout=1.0)
    spawner.patches = {**spawner.patches, "50-place": GATED}
    async with asyncio.timeout(60):
        with pytest.raises(Exception) as caught:  # noqa: PT011 (another class with each JupyterHub)
            await spawner.start()
    told = str(caught.value.jupyterhub_message)  # type: ignore[attr-defined]
    assert "was still in the queue of gpu-queue when its time was over" in told
    await until_empty(clusters, namespace.name)


@pytest.mark.alone  # other tests have nodes of their own
async def test_an_autoscaler_that_adds_no_node_ends_the_wait_at_once(
    attempt: Tries, api: KubernetesAPI, namespace: Namespace
) -> None:
    one = attempt(TOO_LARGE, Patience(place=FOREVER))
    await one.says(FULL)
    refusal = "pod didn't trigger scale-up: 1 max node group size reached"
    await write_event(api, namespace, await one.pod(), "NotTriggerScaleUp", refusal)
    failure = await one.fails()
    assert failure.reason == "no-place"
    assert "no machine has enough free memory, and no machine is added." in failure.user_message
    assert refusal in failure.details


@pytest.mark.alone  # other tests have nodes of their own
async def test_a_node_that_is_being_added_is_waited_for_longer_and_takes_the_server(
    attempt: Tries, api: KubernetesAPI, namespace: Namespace
) -> None:
    label = f"example.org/{namespace.name}"
    patch = NOBODY_HAS.replace("example.org/gpu", label)
    one = attempt(patch, Patience(place=30.0, scale_up=FOREVER))
    await one.says(NO_KIND)
    growth = "pod triggered scale-up: [{group 0->1 (max: 2)}]"
    await write_event(api, namespace, await one.pod(), "TriggeredScaleUp", growth)
    await one.says(NEW_MACHINE)
    node = (await asyncio.to_thread(api.list, "v1", "Node"))[0]["metadata"]["name"]
    try:
        comes = {"metadata": {"labels": {label: "yes"}}}
        await asyncio.to_thread(api.patch, "v1", "Node", node, comes)
        async with asyncio.timeout(60):
            assert await one.task
    finally:
        gone = {"metadata": {"labels": {label: None}}}
        await asyncio.to_thread(api.patch, "v1", "Node", node, gone)
