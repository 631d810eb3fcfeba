"""A real hub by the chart's values on the clusters of the tests.

The values say which cluster is meant; what is this machine's is set after them, as `MACHINE`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.cluster.fixtures import Clusters, Namespace
from tests.demo.hub import Hub, hub
from tests.hub.chart import release
from tests.hub.chart.examples import Values
from tests.hub.chart.hub_configuration import value
from tests.hub.chart.machine import BUSYBOX, adapted

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
    patch = clusters.notebook_patch()
    patches = {"10-of-this-machine": adapted(patch, blocked=blocked)} if patch else {}
    return release.merged(
        BUSYBOX,
        {
            "hub": {"config": {"MultiClusterKubeSpawner": {"patches": patches}}},
            "singleuser": {"cmd": clusters.notebook_command()},
        },
    )
