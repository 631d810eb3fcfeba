"""A Pod fails, is not let in, or does not end: with a real kubelet, runtime and admission."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from mcks.core.spawner import MultiClusterKubeSpawner
from tests.cluster import images
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Clusters, Namespace
from tests.cluster.local_set import LocalSet
from tests.hub.servers import SERVER, Make, connection, pod_of, until, until_empty

pytestmark = pytest.mark.cluster

BESIDE = f"""
    kind: Pod
    metadata: {{name: "{{{{key}}}}"}}
    spec:
      containers:
      - name: notebook
      - name: database
        image: {images.BUSYBOX}
        imagePullPolicy: Never
        command: [sleep, "3600"]
"""
SIDECAR = f"""
    kind: Pod
    metadata: {{name: "{{{{key}}}}"}}
    spec:
      initContainers:
      - name: bucket
        image: {images.BUSYBOX}
        imagePullPolicy: Never
        command: [sleep, "3600"]
        restartPolicy: Always
"""
NEVER = '{kind: Pod, metadata: {name: "{{key}}"}, spec: {restartPolicy: Never}}'


def with_patches(spawner: MultiClusterKubeSpawner, *patches: str) -> MultiClusterKubeSpawner:
    numbered = {f"{20 + number}": patch for number, patch in enumerate(patches)}
    spawner.patches = {**spawner.patches, **numbered}
    return spawner


def python(spawner: MultiClusterKubeSpawner, program: str) -> list[str]:
    return [spawner.cmd[0], "-c", program]


async def failed(spawner: MultiClusterKubeSpawner) -> str:
    """Start in vain; return what the user reads."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 (another class with each JupyterHub)
        await spawner.start()
    assert await spawner.poll() == 0
    return str(caught.value.jupyterhub_message)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("code", "patches"),
    [(0, [BESIDE]), (0, [SIDECAR]), (3, [BESIDE, NEVER])],
    ids=["beside", "sidecar", "never restarted"],
)
async def test_a_server_that_ends_beside_a_living_container_has_ended_and_is_cleared_away(
    make: Make,
    local_clusters: LocalSet,
    namespace: Namespace,
    code: int,
    patches: list[str],
) -> None:
    spawner = with_patches(make(start_timeout=120), *patches)
    spawner.cmd = python(spawner, SERVER.replace("os._exit(3)", f"os._exit({code})"))
    url = await spawner.start()
    assert await spawner.poll() is None
    http = (await connection(spawner)).http
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        answer = await http.ask(URL(f"{url}{spawner.proxy_spec}exit"), {}, within=30.0)
        assert answer.status >= 500

    async def ended() -> bool:
        return await spawner.poll() is not None

    await until(ended)
    assert await spawner.poll() == code
    await until_empty(local_clusters, namespace.name)


async def test_a_server_that_comes_back_by_itself_has_not_ended(
    make: Make, local_clusters: LocalSet, namespace: Namespace
) -> None:
    spawner = with_patches(make(start_timeout=120), BESIDE)
    url = await spawner.start()
    http = (await connection(spawner)).http
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        answer = await http.ask(URL(f"{url}{spawner.proxy_spec}exit"), {}, within=30.0)
        assert answer.status >= 500

    async def restarted() -> bool:
        assert await spawner.poll() is None
        pod = await pod_of(local_clusters["a"].api, namespace)
        assert pod is not None
        server = next(c for c in pod["status"]["containerStatuses"] if c["name"] == "notebook")
        return bool(server["restartCount"] and "running" in server["state"])

    await until(restarted)
    await spawner.stop()


@pytest.mark.parametrize("patch", [BESIDE, SIDECAR], ids=["beside", "sidecar"])
async def test_a_start_whose_server_ends_at_once_beside_a_living_container_fails_at_once(
    make: Make,
    local_clusters: LocalSet,
    namespace: Namespace,
    patch: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spawner = with_patches(make(start_timeout=300), patch)
    spawner.cmd = python(spawner, "print('good bye')")
    async with asyncio.timeout(60):
        told = await failed(spawner)
    assert "The server ended before it was ready" in told
    assert "container 'notebook' ended with exit code 0 (Completed)" in caplog.text
    assert "good bye" in caplog.text
    await until_empty(local_clusters, namespace.name)


async def test_a_container_that_crashes_beside_the_server_is_named(
    make: Make,
    local_clusters: LocalSet,
    namespace: Namespace,
    caplog: pytest.LogCaptureFixture,
) -> None:
    crash = """[sh, -c, "echo no disk; exit 1"]
        readinessProbe: {exec: {command: ["false"]}, periodSeconds: 1}"""
    crashing = BESIDE.replace('[sleep, "3600"]', crash)
    told = await failed(with_patches(make(start_timeout=300), crashing))
    assert "The container 'database' beside the server ends as soon as it is started" in told
    assert "last log lines of container 'database':\nno disk" in caplog.text
    await until_empty(local_clusters, namespace.name)


@pytest.fixture
def api(clusters: Clusters) -> KubernetesAPI:
    return clusters["a"].api


async def test_a_quota_that_is_used_up_is_told_as_such(
    make: Make,
    api: KubernetesAPI,
    clusters: Clusters,
    namespace: Namespace,
    caplog: pytest.LogCaptureFixture,
) -> None:
    quota = ("v1", "ResourceQuota", "small", namespace.name)
    api.create(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "small"},
            "spec": {"hard": {"pods": "0"}},
        },
        namespace.name,
    )

    async def counts() -> bool:
        found = await asyncio.to_thread(api.find, *quota)
        return bool(found and found.get("status", {}).get("hard"))

    await until(counts)
    told = await failed(make())
    assert told.startswith("This cluster's quota has no room for your server at the moment.")
    assert "exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0" in caplog.text
    await until_empty(clusters, namespace.name)


POLICY = "pod-security.kubernetes.io/enforce"


async def test_a_policy_that_does_not_allow_the_server_is_told_as_such(
    make: Make,
    api: KubernetesAPI,
    clusters: Clusters,
    namespace: Namespace,
    caplog: pytest.LogCaptureFixture,
) -> None:
    api.patch("v1", "Namespace", namespace.name, {"metadata": {"labels": {POLICY: "restricted"}}})
    told = await failed(make())
    assert told.startswith("A rule of this cluster does not allow this server.")
    assert 'violates PodSecurity "restricted:latest"' in caplog.text
    await until_empty(clusters, namespace.name)


async def test_a_server_on_a_dead_node_is_told_to_be_in_the_way_of_the_next_one(
    make: Make,
    breakable_clusters: LocalSet,
    namespace: Namespace,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster = breakable_clusters["a"]
    await make().start()
    old = await pod_of(cluster.api, namespace)
    assert old is not None
    await asyncio.to_thread(cluster.stop, "kubelet", kill=True)
    told = await failed(make(start_timeout=15))
    assert told.startswith("Your last server has not ended yet in this cluster.")
    node = old["spec"]["nodeName"]
    for said in (
        f"Pod jupyter-ada in namespace {namespace.name} on node {node}",
        f"kubectl delete pod jupyter-ada -n {namespace.name} --force",
    ):
        assert said in caplog.text
    assert "Started container" not in caplog.text, "an event of the old Pod"
    assert "last log lines" not in caplog.text
    await asyncio.to_thread(cluster.start, "kubelet")
    await until_empty(breakable_clusters, namespace.name)


@dataclass
class Registry:
    """A registry that answers each question with *status*."""

    status: int = 503
    port: int = 0
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response({"errors": []}, status=self.status)

    def patch(self) -> str:
        image = f"127.0.0.1:{self.port}/team/unknown:1"
        container = f'{{name: notebook, image: "{image}", imagePullPolicy: Always}}'
        return (
            f'{{kind: Pod, metadata: {{name: "{{{{key}}}}"}}, spec: {{containers: [{container}]}}}}'
        )


@pytest.fixture
async def registry(local_clusters: LocalSet) -> AsyncIterator[Registry]:
    """A registry on this machine, which is the clusters' node too."""
    registry = Registry()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", registry.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    registry.port = runner.addresses[0][1]
    yield registry
    await runner.cleanup()


@pytest.mark.parametrize(
    "answer",
    [
        (404, "its registry does not have it"),
        (403, "its registry does not give it to this cluster, or does not have it"),
    ],
)
async def test_an_image_that_its_registry_does_not_give_ends_the_start_at_once(
    make: Make,
    local_clusters: LocalSet,
    namespace: Namespace,
    registry: Registry,
    answer: tuple[int, str],
) -> None:
    registry.status, why = answer
    async with asyncio.timeout(60):
        told = await failed(with_patches(make(start_timeout=300), registry.patch()))
    assert "The image of this server could not be pulled." in told
    assert f"The reason: {why}." in told
    await until_empty(local_clusters, namespace.name)


async def lines_of(spawner: MultiClusterKubeSpawner, lines: list[dict[str, Any]]) -> None:
    async for line in spawner.progress():
        lines.append(line)


async def test_an_image_whose_registry_is_ill_is_waited_for_with_words(
    make: Make, local_clusters: LocalSet, namespace: Namespace, registry: Registry
) -> None:
    spawner = with_patches(make(start_timeout=300), registry.patch())
    start = asyncio.create_task(failed(spawner))
    lines: list[dict[str, Any]] = []
    await asyncio.sleep(0)
    viewer = asyncio.create_task(lines_of(spawner, lines))

    async def back_off() -> bool:
        assert not start.done()
        pod = await pod_of(local_clusters["a"].api, namespace)
        statuses = (pod or {}).get("status", {}).get("containerStatuses") or []
        return any(
            one["state"].get("waiting", {}).get("reason") == "ImagePullBackOff" for one in statuses
        )

    await until(back_off)
    words = (
        "The image of this server could not be fetched yet: its registry has a fault of its own. "
        "The cluster tries again"
    )

    async def told() -> bool:
        return any(line["message"].startswith(words) for line in lines)

    await until(told)
    assert not start.done()
    registry.status = 404
    assert "The reason: its registry does not have it." in await start
    await viewer
    await until_empty(local_clusters, namespace.name)
