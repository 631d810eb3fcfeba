"""A cluster on loopback, its gateway, and a configuration that names both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from traitlets.config import Config

from tests.core.trying.common import CONTOUR, Cluster, kubeconfig


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    server = Cluster()
    async with server.running():
        server.objects["/api/v1/namespaces/jhub"] = {"kind": "Namespace", "metadata": {}}
        server.objects[CONTOUR] = {"kind": "IngressClass", "metadata": {"name": "contour"}}
        yield server


@pytest.fixture
async def gateway() -> AsyncIterator[str]:
    app = web.Application()  # a gateway without routes: 404
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
def config(
    cluster: Cluster, gateway: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Config:
    monkeypatch.setenv("KUBECONFIG", kubeconfig(tmp_path / "kubeconfig", good=cluster))
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {
        "one": {"context": "good", "ingress_public_url": gateway}
    }
    return config
