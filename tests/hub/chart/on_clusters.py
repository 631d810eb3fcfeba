"""A real hub by the chart's values on the clusters of the tests.

The values say which cluster is meant; what is this machine's is set after them, as `MACHINE`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import images
from tests.cluster.fixtures import Clusters, Namespace
from tests.demo.hub import Hub, hub
from tests.hub.chart import release
from tests.hub.chart.examples import Values
from tests.hub.chart.hub_configuration import value

MACHINE = """
import json, os
from pathlib import Path

machine = json.loads(Path(os.environ["MCKS_DEMO"]).read_text())
directory = Path(machine["directory"])
del c.JupyterHub["base_url"]
c.JupyterHub.bind_url = machine["public_url"]
c.JupyterHub.hub_bind_url = c.JupyterHub.hub_connect_url = machine["hub_url"]
c.JupyterHub.db_url = f"sqlite:///{directory / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(directory / "cookie_secret")
c.ConfigurableHTTPProxy.should_start = True
c.ConfigurableHTTPProxy.command = machine["proxy_command"]
c.ConfigurableHTTPProxy.api_url = machine["proxy_api_url"]
c.ConfigurableHTTPProxy.pid_file = str(directory / "proxy.pid")
c.Authenticator.allow_all = True
for service in c.JupyterHub.services:
    if service.pop("command", ""):
        service["api_token"] = "cu" * 16
entries = c.MultiClusterKubeSpawner.clusters
for name, real in zip(entries, machine["clusters"]):
    entries[name].update(
        context=real["context"],
        namespace=machine["namespace"],
        ingress_public_url=real["gateway_url"],
        hub_connect_url=real["hub_connect_url"],
    )
    entries[name].pop("kubeconfig", None)
"""

CULLER = "cu" * 16
"""The token of the chart's service that stops idle servers; a test is its program."""
BLOCK = "singleuser.cloudMetadata.blockWithIptables"
StartRelease = Callable[..., AbstractAsyncContextManager[Hub]]


@pytest.fixture
def start_release(clusters: Clusters, namespace: Namespace, tmp_path: Path) -> StartRelease:
    """Start the hub of a release by layers of values; its clusters are those of the tests."""

    @asynccontextmanager
    async def started(*layers: Values, extra: str = "") -> AsyncIterator[Hub]:
        blocked = value(release.merged(release.read(), *layers), BLOCK)
        here = _of_this_machine(clusters, blocked)
        async with hub(
            clusters,
            namespace.kubeconfig,
            tmp_path,
            namespace=namespace.name,
            base_url=f"/{namespace.name}/",
            config=release.write(tmp_path, namespace.name, *layers, here),
            extra=MACHINE + extra,
        ) as running:
            yield running

    return started


def _of_this_machine(clusters: Clusters, blocked: bool) -> Values:
    """Servers run without a registry: from images, and by commands, that the nodes have.

    *blocked*: the chart's first container, which needs a program that they have not, does nothing.
    """
    patch = yaml.safe_load(clusters.notebook_patch() or "{}")
    patches = {}
    if patch:
        _keep_the_charts_home(patch)
        if blocked:
            idle = {"name": "block-cloud-metadata", "command": ["true"], "imagePullPolicy": "Never"}
            patch["spec"]["initContainers"] = [idle]
        patches["10-of-this-machine"] = yaml.safe_dump(patch)
    return {
        "hub": {"config": {"MultiClusterKubeSpawner": {"patches": patches}}},
        "singleuser": {
            "cmd": clusters.notebook_command(),
            "networkTools": {"image": {"name": images.BUSYBOX.rpartition(":")[0], "tag": "1"}},
        },
    }


def _keep_the_charts_home(patch: dict[str, Any]) -> None:
    spec = patch["spec"]
    (container,) = spec["containers"]
    for place, field in ((spec, "volumes"), (container, "volumeMounts")):
        place[field] = [one for one in place[field] if one["name"] != "home"]
