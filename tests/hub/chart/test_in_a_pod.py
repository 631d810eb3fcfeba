"""A hub in a Pod by the page's values: its own cluster is ``here: {}``, another has a gateway."""

from __future__ import annotations

import asyncio

import pytest

from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.demo import kernel
from tests.hub.hub_in_a_pod import PodHub, hub_in_a_pod
from tests.hub.test_hub_in_a_pod import routes, until_ready

pytestmark = pytest.mark.cluster

CONFIGURATION = """
import yaml
from tests.hub.chart import release
from tests.hub.chart.examples import TYPICAL
from tests.hub.chart.machine import BUSYBOX, adapted

profiles = [{{"display_name": "Here"}}, {{"display_name": "West", "cluster": "west"}}]
values = release.merged(
    release.read(), TYPICAL, yaml.safe_load(release.PAGE.read_text()), BUSYBOX,
    {{"singleuser": {{"cmd": {command!r}, "profileList": profiles}}}},
)
release.configure(c, values, "{namespace}", "http://hub:{hub_port}")

del c.JupyterHub["base_url"]
c.JupyterHub.bind_url = {public!r}
c.Authenticator.allow_all = True
c.ConfigurableHTTPProxy.should_start = True
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.services = [{{"name": "operator", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{"name": "operator", "services": ["operator"], "scopes": {scopes!r}}}
]
c.MultiClusterKubeSpawner.clusters["west"] = {there!r}
patches = {patches!r}
c.MultiClusterKubeSpawner.patches = patches | {{"10-notebook": adapted(patches["10-notebook"])}}
"""


async def test_the_hubs_own_cluster_needs_no_word_and_the_other_has_its_gateway(
    local_clusters: LocalSet, namespace: Namespace
) -> None:
    configuration = CONFIGURATION.replace("{namespace}", namespace.name)
    async with hub_in_a_pod(local_clusters, namespace, configuration) as hub:
        await asyncio.gather(start(hub, "ada", "here"), start(hub, "bob", "west"))
        assert await routes(hub) == {
            "ada": f"http://jupyter-ada.{namespace.name}.svc:8888",
            "bob": hub.gateway_url,
        }
        for user, cluster in (("ada", "a"), ("bob", "b")):
            assert await kernel.run(hub, user, "print(6 * 7)") == "42\n"
            claim = ("v1", "PersistentVolumeClaim", f"claim-{user}", namespace.name)
            assert local_clusters[cluster].api.find(*claim) is not None
            await hub.request("DELETE", f"users/{user}/server")


async def start(hub: PodHub, user: str, profile: str) -> None:
    await hub.request("POST", f"users/{user}")
    options = {"profile": profile}
    status, said = await hub.request("POST", f"users/{user}/server", json=options)
    assert status < 300, (said, await hub.log())
    await until_ready(hub, user)
