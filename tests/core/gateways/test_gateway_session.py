"""Each gateway has its own connections, and nobody's time runs while they wait for theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import web
from yarl import URL

from mcks import metrics
from mcks.core.gateways import gateway, gateway_session, silence
from mcks.core.gateways.gateway_session import GatewaySession
from mcks.core.gateways.routes import Target
from mcks.core.hub.sharing import fleet_of
from mcks.errors import StartFailed
from tests.fakes.loopback_servers import LoopbackHub, until


class Gateway:
    """A gateway on loopback that keeps its answers back until it is told to give them."""

    def __init__(self) -> None:
        self.url = ""
        self.paths: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.speaks = asyncio.Event()

    @property
    def asked(self) -> int:
        return len(self.paths)

    async def answer(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        self.headers.append(request.headers)
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
    monkeypatch.setattr(gateway, "_ONE_TRY", 0.5)
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
    for _ in range(2):
        answer = await session.ask(URL(silent.url), {}, within=10.0)
        assert "Set-Cookie" in answer.headers
    assert not any("Cookie" in headers for headers in silent.headers)
    await session.close()
    assert (await session.ask(URL(silent.url), {}, within=10.0)).status == 200
    await session.close()


async def test_each_cluster_has_connections_of_its_own(loopback_hub: LoopbackHub) -> None:
    clusters = loopback_hub.config.MultiClusterKubeSpawner.clusters
    clusters["b"] = {**clusters["a"], "labels": {"a": "b"}}
    pool = fleet_of(loopback_hub.spawner()).pool
    one, other = [await pool.connect(name, clusters) for name in ("a", "b")]
    assert one.http is not other.http


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway counts as silent after three questions, and is looked at all the time."""
    monkeypatch.setattr(silence, "_SECONDS", 0.0)
    monkeypatch.setattr(gateway_session, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(gateway_session, "_LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(gateway_session, "_ONE_LOOK", 0.1)
    monkeypatch.setattr(gateway, "_ONE_TRY", 0.1)


@pytest.mark.usefixtures("soon")
async def test_who_waits_for_a_silent_gateway_asks_it_nothing_until_it_is_back(
    silent: Gateway,
) -> None:
    session = GatewaySession(cluster="west")
    target = Target(silent.url, "/user/ada/")
    assert metrics.GATEWAY_AVAILABLE.labels("west")._value.get() == 1
    for _ in range(3):
        assert (await gateway.ask(session, target)).text == "no answer (TimeoutError)"
    assert "no answer for" in session.silent(silent.url)
    await until(lambda: metrics.GATEWAY_AVAILABLE.labels("west")._value.get() == 0)
    by_waiting = silent.paths.count("/user/ada/api")
    assert (await gateway.ask(session, target)).text == "no answer (GatewaySilent)"
    assert silent.paths.count("/user/ada/api") == by_waiting
    silent.speaks.set()
    async with asyncio.timeout(20):
        await gateway.wait_until_ready(session, lambda: target)
    assert session.silent(silent.url) == ""
    await until(lambda: metrics.GATEWAY_AVAILABLE.labels("west")._value.get() == 1)
    await session.close()


@pytest.mark.usefixtures("soon")
async def test_many_who_wait_for_a_silent_gateway_wait_for_one_look(
    silent: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "_WHILE_SILENT", 600.0)
    session = GatewaySession()
    targets = [Target(silent.url, f"/user/{n}/") for n in range(50)]
    for _ in range(3):
        await gateway.ask(session, targets[0])
    told: list[gateway.Probe] = []
    questions = [path for path in silent.paths if path.endswith("/api")]

    async def wait(target: Target) -> Target:
        return await gateway.wait_until_ready(session, lambda: target, 0.0, told.append)

    waiting = [asyncio.create_task(wait(target)) for target in targets]
    await until(lambda: len(told) == 50)
    assert {probe.text for probe in told} == {"no answer (GatewaySilent)"}
    assert [path for path in silent.paths if path.endswith("/api")] == questions
    monkeypatch.setattr(gateway, "_ONE_TRY", 20.0)
    silent.speaks.set()
    async with asyncio.timeout(20):
        assert await asyncio.gather(*waiting) == targets
    assert len(told) == 50
    await session.close()


@pytest.mark.usefixtures("soon")
async def test_a_silent_server_without_a_gateway_says_nothing_of_others(silent: Gateway) -> None:
    session = GatewaySession()
    for _ in range(4):
        await gateway.ask(session, Target(silent.url, "/user/ada/", route="pod"))
    assert session.silent(silent.url) == ""
    assert silent.asked == 4
    await session.close()


@pytest.mark.usefixtures("soon")
async def test_starts_behind_a_silent_gateway_are_refused_before_anything_is_sent(
    loopback_hub: LoopbackHub, silent: Gateway
) -> None:
    loopback_hub.config.MultiClusterKubeSpawner.clusters["a"]["ingress_public_url"] = silent.url
    spawner = loopback_hub.spawner(cluster="a")
    pool = fleet_of(spawner).pool
    connected = await pool.connect("a", spawner.clusters)
    for _ in range(3):
        await gateway.ask(connected.http, Target(silent.url, "/user/bob/"))
    sent = [method for method, _ in loopback_hub.server.seen]
    with pytest.raises(Exception, match="gateway of the chosen cluster does not answer"):
        await spawner.start()
    assert [method for method, _ in loopback_hub.server.seen if method != "GET"] == [
        method for method in sent if method != "GET"
    ]
    assert await spawner.poll() == 0
    assert spawner.unavailable("a") == "the gateway of its cluster does not answer."


async def test_a_start_that_is_refused_for_its_gateway_may_go_on_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = GatewaySession()
    monkeypatch.setattr(session, "silent", lambda _: "no answer for 12 s (TimeoutError)")
    with pytest.raises(StartFailed) as refused:
        gateway.refuse_if_silent(session, Target("https://g.example.org", "/user/ada/"))
    assert (refused.value.reason, refused.value.elsewhere) == ("gateway", True)
    assert "https://g.example.org: no answer for 12 s" in refused.value.details
    gateway.refuse_if_silent(session, Target("https://10.1.2.3", "/user/ada/", route="pod"))
    await session.close()
