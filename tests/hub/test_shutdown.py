"""A real hub that is told to end while a start that came to nothing is being cleaned up."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from tests.fakes.loopback import FakeAPIServer
from tests.fakes.loopback_servers import until
from tests.hub.plain_hub import Running, started

pytestmark = pytest.mark.slow

_MORE = """
from mcks.core import start

start._CLEANUP = 2
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}
c.Spawner.start_timeout = 5
c.MultiClusterKubeSpawner.clusters = {{
    "a": {{"context": "c", "kubeconfig": {path!r}, "ingress_public_url": "http://127.0.0.1:9"}}
}}
c.MultiClusterKubeSpawner.profile_list = []
"""


@pytest.fixture
async def server() -> AsyncIterator[FakeAPIServer]:
    async with FakeAPIServer().running() as server:
        yield server


@pytest.fixture
async def hub(
    tmp_path: Path, unused_tcp_port: int, server: FakeAPIServer
) -> AsyncIterator[Running]:
    authority = base64.b64encode(server.ca_data).decode()
    cluster = {"server": server.url, "certificate-authority-data": authority}
    content = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "ns"}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    async with started(tmp_path, unused_tcp_port, _MORE.format(path=str(path))) as running:
        yield running


async def test_a_hub_ends_while_a_start_is_cleaned_up_in_a_silent_cluster(
    server: FakeAPIServer, hub: Running
) -> None:
    silent, asked = asyncio.Event(), asyncio.Event()

    async def say_nothing(
        request: web.Request, _: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> None:
        if request.method == "DELETE":
            asked.set()
        await silent.wait()

    await hub.api("ada", {})
    await until(lambda: any(verb == "POST" and "/pods" in path for verb, path in server.seen))
    server.fail_next(*[say_nothing] * 100)
    try:
        async with asyncio.timeout(20):
            await asked.wait()
        hub.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            await hub.process.wait()
    finally:
        if hub.process.returncode is None:
            hub.process.kill()
        silent.set()
    assert "will delete jupyter-ada in namespace ns of cluster 'a' later: " in hub.log.read_text()
