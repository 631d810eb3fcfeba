"""What a start makes of a gateway's answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from mcks.core.pods.patience import ENDLESS, Patience
from mcks.core.servers import launch
from mcks.errors import StartFailed
from tests.fakes.live_watches import LiveWatches, Start, running
from tests.fakes.loopback_servers import LoopbackHub, start_with, until

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


async def start_behind(hub: LoopbackHub, gateway: str, patience: Patience) -> Start:
    """Start a server whose container runs, behind what is at *gateway*."""
    hub.config.MultiClusterKubeSpawner.clusters["a"]["ingress_public_url"] = gateway
    watches = LiveWatches(hub)
    start = Start(hub, patience, ready=True)
    await start.made()
    await watches.tell_pod(**running())
    return start


async def test_a_gateway_that_does_not_answer_at_all_is_given_up_where_another_cluster_is_left(
    loopback_hub: LoopbackHub, unused_tcp_port: int
) -> None:
    nobody = f"http://127.0.0.1:{unused_tcp_port}"
    start = await start_behind(loopback_hub, nobody, Patience(gateway=0.5))
    async with asyncio.timeout(30):
        with pytest.raises(StartFailed) as caught:
            await start.task
    failure = caught.value
    assert (failure.reason, failure.elsewhere) == ("gateway", True)
    assert "its cluster's gateway does not answer at all" in failure.user_message
    assert f"{nobody}/user/ada/api gave no answer (ClientConnectorError)" in failure.details
    assert "The cluster's gateway does not answer. Waiting whether that passes" in start.said


@dataclass
class Gateway:
    """A gateway on loopback that first says that nobody is there, and later shows the server."""

    url: str = ""
    asked: int = 0
    shows: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        if not self.shows.is_set():
            return web.Response(status=503)
        return web.json_response({"version": "2"}, headers={"X-JupyterHub-Version": "6"})


@pytest.fixture
async def late_gateway() -> AsyncIterator[Gateway]:
    gateway, app = Gateway(), web.Application()
    app.router.add_get("/{path:.*}", gateway.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield gateway
    await runner.cleanup()


async def test_a_gateway_that_answers_anything_is_waited_for(
    loopback_hub: LoopbackHub, late_gateway: Gateway
) -> None:
    start = await start_behind(loopback_hub, late_gateway.url, Patience(gateway=0.0))
    await until(lambda: start.task.done() or late_gateway.asked >= 3)
    assert not start.task.done()
    late_gateway.shows.set()
    assert await start.task == late_gateway.url


async def test_who_has_no_other_cluster_waits_for_a_silent_gateway(
    loopback_hub: LoopbackHub, unused_tcp_port: int
) -> None:
    start = await start_behind(loopback_hub, f"http://127.0.0.1:{unused_tcp_port}", ENDLESS)
    await asyncio.wait({start.task}, timeout=1.0)
    assert not start.task.done()
    start.task.cancel()
    await asyncio.gather(start.task, return_exceptions=True)


async def test_a_start_that_goes_well_has_no_task_but_for_what_is_made_at_once(
    loopback_hub: LoopbackHub, late_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each task more is some turns of the event loop more."""
    monkeypatch.setattr(launch, "_MOMENT", 60.0)  # whatever else the machine does
    begun: Counter[str] = Counter()

    def counted(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        if "/mcks/core/" in coro.cr_code.co_filename:
            begun[coro.__qualname__] += 1
        return asyncio.Task(coro, loop=loop, **options)

    late_gateway.shows.set()
    asyncio.get_running_loop().set_task_factory(counted)
    try:
        start = await start_behind(loopback_hub, late_gateway.url, ENDLESS)
        await start.task
    finally:
        asyncio.get_running_loop().set_task_factory(None)
    beside = {"wait_until_ready", "Wait.given_up", "Reflector.wait_for"}
    assert begun["_create"] == 3
    assert not beside & begun.keys()


async def never() -> str:
    await asyncio.Event().wait()
    raise AssertionError


async def failing() -> str:
    raise StartFailed("no")


async def test_what_ends_a_wait_is_not_begun_if_that_is_over_in_a_moment() -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    assert await launch._unless(pytest.fail, work()) == "done"


async def test_what_ends_a_wait_ends_it_with_what_it_gives_or_raises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(launch, "_MOMENT", 0.0)

    async def over() -> str:
        return "over"

    async with asyncio.timeout(20):
        assert await launch._unless(over, never()) == "over"
        with pytest.raises(StartFailed, match="no"):
            await launch._unless(failing, never())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_wait_that_fails_or_is_over_leaves_nothing_that_would_end_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(launch, "_MOMENT", 0.0)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def ends() -> str:
        begun.set()
        try:
            return await never()
        finally:
            ended.set()

    async def slow() -> str:
        await begun.wait()
        raise TimeoutError("of the work itself")

    async with asyncio.timeout(20):
        with pytest.raises(TimeoutError, match="of the work itself"):
            await launch._unless(ends, slow())
    assert ended.is_set()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_what_ends_a_wait_in_the_turn_in_which_that_is_over_does_no_harm(
    order: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_MOMENT", 0)
    loop, begun = asyncio.get_running_loop(), asyncio.Event()
    wrong: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: wrong.append(context))
    both: list[asyncio.Future[str]] = [loop.create_future(), loop.create_future()]

    async def ends() -> str:
        begun.set()
        return await both[1]

    async def work() -> str:
        return await both[0]

    waiting = asyncio.create_task(launch._unless(ends, work()))
    await begun.wait()
    await asyncio.sleep(0)
    for which in order:
        both[which].set_result("done")
    assert await waiting == "done"
    await asyncio.sleep(0)
    assert wrong == []
