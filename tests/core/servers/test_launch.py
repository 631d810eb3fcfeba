"""What a start makes of a gateway's answers."""

from __future__ import annotations

import pytest

from tests.fakes.loopback_servers import LoopbackHub, start_with

RUNNING = {
    "phase": "Running",
    "containerStatuses": [{"name": "notebook", "state": {"running": {}}}],
}


@pytest.mark.slow
@pytest.mark.parametrize("times", [(0.2, 300), (60.0, 2)])
async def test_a_gateway_that_only_redirects_ends_the_start_early_or_with_its_time(
    loopback_hub: LoopbackHub,
    redirecting_gateway: str,
    times: tuple[float, int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    patience, start_timeout = times
    monkeypatch.setattr("mcks.core.servers.launch._ELSEWHERE", patience)
    clusters = loopback_hub.config.MultiClusterKubeSpawner.clusters
    clusters["a"]["ingress_public_url"] = redirecting_gateway
    told = await start_with(loopback_hub, RUNNING, start_timeout=start_timeout)
    assert "gateway sends requests for it to another address" in told
    assert "HTTP 308 to https://gw.example.org: set `ingress_public_url`" in caplog.text


async def test_an_address_of_a_gateway_that_is_no_url_refuses_a_start_before_anything_is_sent(
    loopback_hub: LoopbackHub,
) -> None:
    spawner = loopback_hub.spawner(ingress_public_url="http://gw.example.org:99999")
    with pytest.raises(Exception) as caught:  # noqa: PT011 (another class with each JupyterHub)
        await spawner.start()
    told = str(caught.value.jupyterhub_message)  # type: ignore[attr-defined]
    assert "'http://gw.example.org:99999' is not a URL (Port out of range" in told
    assert loopback_hub.server.seen == []
    assert await spawner.poll() == 0
