"""Hubs by Zero to JupyterHub's values on real clusters: homes, limits, Pods, the culler."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
import yaml

from mcks.core.objects import Manifest
from tests.cluster.fixtures import Clusters, Namespace
from tests.core.kubespawner.differences import without_differences
from tests.core.kubespawner.side_by_side import as_sent, theirs_by
from tests.demo import kernel
from tests.demo.hub import Hub
from tests.hub.chart import release
from tests.hub.chart.examples import TYPICAL, Values
from tests.hub.chart.on_clusters import CULLER, StartRelease, start_release
from tests.hub.hubs import expect_stopped, start_server, stop_server

pytestmark = pytest.mark.cluster
__all__ = ["start_release"]

PAGE: Values = yaml.safe_load(release.PAGE.read_text())
ELSEWHERE: Values = {
    "singleuser": {"profileList": [{"display_name": "Near the data", "cluster": "west"}]}
}


async def started(hub: Hub, profile: str) -> None:
    said = await start_server(hub, "ada", profile)
    assert said[-1].get("ready"), (said, hub.log.read_text()[-8000:])


async def pod(clusters: Clusters, cluster: str, namespace: Namespace) -> Manifest:
    api = clusters[cluster].api
    found = await asyncio.to_thread(api.find, "v1", "Pod", "jupyter-ada", namespace.name)
    assert found is not None
    return found


async def test_a_newcomers_server_has_home_and_limits_and_the_home_outlives_it(
    start_release: StartRelease, clusters: Clusters, namespace: Namespace
) -> None:
    async with start_release(TYPICAL, PAGE) as hub:
        await started(hub, "much-memory")
        container = (await pod(clusters, "a", namespace))["spec"]["containers"][0]
        assert container["resources"]["limits"] == {"cpu": "2", "memory": "2147483648"}
        await kernel.run(hub, "ada", "open('/home/jovyan/note', 'w').write('kept')")
        await stop_server(hub, "ada")
        await started(hub, "minimal")
        assert await kernel.run(hub, "ada", "print(open('/home/jovyan/note').read())") == "kept\n"
        await stop_server(hub, "ada")


async def test_a_server_in_another_cluster_is_kubespawners_pod_and_the_charts_culler_stops_it(
    start_release: StartRelease, clusters: Clusters, namespace: Namespace
) -> None:
    async with start_release(TYPICAL, PAGE, ELSEWHERE) as hub:
        await started(hub, "near-the-data")
        live = await pod(clusters, "b", namespace)
        assert is_within(await of_kubespawner(), live)
        await cull(hub, "ada")
        await expect_stopped(hub, "ada")
    assert "Using Spawner: mcks.core.spawner.MultiClusterKubeSpawner" in hub.log.read_text()


async def of_kubespawner() -> Manifest:
    """The Pod by the chart's own spawner, but for what the clusters of the tests want otherwise."""
    spawner = theirs_by(release.hub_config(TYPICAL, PAGE), "ada", user_id=1)
    manifest = without_differences(as_sent(await spawner.get_pod_manifest()))
    spec = manifest["spec"]
    del spec["securityContext"]["fsGroup"]
    for container in (*spec["containers"], *spec["initContainers"]):
        for field in ("image", "args", "command", "imagePullPolicy"):
            container.pop(field, None)
    del spec["containers"][0]["resources"]["requests"]
    return manifest


def is_within(small: Any, large: Any) -> bool:
    """Tell whether all of *small* is said in *large*, which the API server has completed."""
    if isinstance(small, dict):
        return isinstance(large, dict) and all(is_within(v, large.get(k)) for k, v in small.items())
    if isinstance(small, list):
        return all(any(is_within(one, other) for other in large or ()) for one in small)
    return bool(small == large)


async def cull(hub: Hub, user: str) -> None:
    """Ask for what the chart's culler asks for, with the rights of its role."""
    headers = {"Authorization": f"token {CULLER}"}
    url = f"{hub.url}hub/api/users"
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(url, params={"state": "ready"}) as response:
            assert [one["name"] for one in await response.json()] == [user]
        async with session.delete(f"{url}/{user}/server") as response:
            assert response.status in (202, 204), await response.text()
        async with session.post(f"{url}/eve") as response:
            assert response.status == 403
