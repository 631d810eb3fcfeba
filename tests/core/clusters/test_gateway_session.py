"""Each gateway has its own connections, and nobody's time runs while they wait for theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from mcks.core.clusters import gateway, gateway_session
from mcks.core.clusters.gateway_session import GatewaySession
from mcks.core.clusters.routes import Target
from mcks.core.hub.fleet import fleet_of
from tests.fakes.loopback_servers import LoopbackHub


class Gateway:
    """A gateway on loopback that keeps its answers back until it is told to give them."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = 0
        self.speaks = asyncio.Event()

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        await self.speaks.wait()
        answer = web.json_response({"version": "1"}, headers={"X-JupyterHub-Version": "6"})
        answer.set_cookie("of", "one-user")
        return answer


@pytest.fixture
async def silent() -> AsyncIterator[Gateway]:
    silent = Gateway()
    app = web.Application()
    app.router.add_get("/{path:.*}", silent.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    silent.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield silent
    await runner.cleanup()


async def test_the_time_of_a_question_begins_when_it_is_sent(
    silent: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_session, "AT_ONCE", 1)
    monkeypatch.setattr(gateway, "_ONE_TRY", aiohttp.ClientTimeout(total=1))
    session = GatewaySession()
    target = Target(silent.url, "/user/ada/")
    asking = [asyncio.create_task(gateway.ask(session, target)) for _ in range(3)]
    first = await asking[0]
    assert not first.ready
    assert silent.asked <= 2
    silent.speaks.set()
    assert [(await probe).ready for probe in asking[1:]] == [True, True]
    await session.close()


async def test_what_one_server_sets_is_not_sent_to_the_next(silent: Gateway) -> None:
    silent.speaks.set()
    session = GatewaySession()
    async with session.get(silent.url) as answer:
        assert answer.cookies
    async with session.get(silent.url) as answer:
        assert "Cookie" not in answer.request_info.headers
    await session.close()
    async with session.get(silent.url) as answer:
        assert answer.status == 200
    await session.close()


async def test_each_cluster_has_connections_of_its_own(loopback_hub: LoopbackHub) -> None:
    clusters = loopback_hub.config.MultiClusterKubeSpawner.clusters
    clusters["b"] = {**clusters["a"], "labels": {"a": "b"}}
    pool = fleet_of(loopback_hub.spawner()).pool
    one, other = [await pool.connect(name, clusters) for name in ("a", "b")]
    assert one.http is not other.http
