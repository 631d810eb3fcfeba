"""A Pod finds no place, with a real scheduler, real eviction and a real garbage collector. What a
queue and an autoscaler do, the tests do themselves: they keep the gates, and write the events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mcks.core.hub.fleet import fleet_of
from mcks.core.pods.patience import ENDLESS, Patience
from mcks.core.servers import launch
from mcks.core.servers.progress import Progress
from mcks.core.servers.server import Plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import StartFailed
from tests.cluster import images
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Clusters, Namespace
from tests.cluster.local_set import LocalSet
from tests.hub.servers import Make, connection, until, until_empty

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


class Try:
    """One try to start ada's server in cluster a, with some patience."""

    def __init__(self, spawner: MultiClusterKubeSpawner, patch: str, patience: Patience) -> None:
        spawner.patches = {**spawner.patches, "50-place": patch}
        self.spawner, self.patience, self.progress = spawner, patience, Progress()
        self.planned: Plan | None = None
        self.task = asyncio.create_task(self._start())

    async def _start(self) -> str:
        fleet, clusters = fleet_of(self.spawner), self.spawner.known_clusters
        connected = await connection(self.spawner)
        self.planned = await fleet.plan(self.spawner, fleet.pool.configured("a", clusters))
        return await launch.start(connected, self.planned, self.progress, None, self.patience)

    async def says(self, line: str) -> None:
        """Return when the progress page has said *line*."""

        async def said() -> bool:
            return self.task.done() or any(line in one["message"] for one in self.progress._lines)

        await until(said)
        if self.task.done():
            await self.task

    async def fails(self) -> StartFailed:
        """Return why it failed, once it has."""
        async with asyncio.timeout(150):
            with pytest.raises(StartFailed) as caught:
                await self.task
        return caught.value

    async def pod(self) -> str:
        """Return the uid of the Pod once there is one."""
        await asyncio.wait(
            {self.task, waited := asyncio.create_task(self.progress.accepted.wait())},
            return_when=asyncio.FIRST_COMPLETED,
        )
        waited.cancel()
        assert self.planned is not None
        return str(self.planned.created.uids["Pod"])

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        if self.planned is not None:
            await launch.stop(await connection(self.spawner), self.planned.created)


class Tries:
    """Tries that are taken out again at the end of a test."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self.made: list[Try] = []

    def __call__(self, patch: str, patience: Patience, **traits: Any) -> Try:
        self.made.append(Try(self._make(**traits), patch, patience))
        return self.made[-1]


@pytest.fixture
async def attempt(make: Make, clusters: Clusters, namespace: Namespace) -> AsyncIterator[Tries]:
    tries = Tries(make)
    yield tries
    for one in tries.made:
        await one.end()
    await until_empty(clusters, namespace.name)


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


SILENT = ["/bin/sh", "-c", "sleep 3600"]


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
