"""What a start makes of a gateway's answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.fakes.loopback_servers import LoopbackHub, start_with


@pytest.fixture
async def redirecting(loopback_hub: LoopbackHub) -> AsyncIterator[LoopbackHub]:
    """The hub's cluster has a gateway that sends everybody to another address."""

    async def elsewhere(request: web.Request) -> web.Response:
        return web.Response(status=308, headers={"Location": "https://gw.example.org/"})

    app = web.Application()
    app.router.add_get("/{path:.*}", elsewhere)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    loopback_hub.config.MultiClusterKubeSpawner.clusters["a"]["ingress_public_url"] = url
    yield loopback_hub
    await runner.cleanup()


RUNNING = {
    "phase": "Running",
    "containerStatuses": [{"name": "notebook", "state": {"running": {}}}],
}


@pytest.mark.parametrize(("patience", "start_timeout"), [(0.2, 300), (60.0, 2)])
async def test_a_gateway_that_only_redirects_ends_the_start_early_or_with_its_time(
    redirecting: LoopbackHub,
    patience: float,
    start_timeout: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("mcks.core.servers.launch._ELSEWHERE", patience)
    told = await start_with(redirecting, RUNNING, start_timeout=start_timeout)
    assert "gateway sends requests for it to another address" in told
    assert "HTTP 308 to https://gw.example.org: set `ingress_public_url`" in caplog.text
