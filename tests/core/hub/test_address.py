"""A server by its Pod's address is found again when the hub starts, and followed when it moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from mcks.core.spawner import MultiClusterKubeSpawner
from tests.fakes.loopback import event
from tests.fakes.loopback_servers import PODS, LoopbackHub, place, until

POD = f"{PODS}/jupyter-ada"
RUNNING = [{"name": "notebook", "state": {"running": {}}}]


class Proxy:
    """Remembers the hub's wishes as its real proxy gets them."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.routes: list[str] = []
        self._failure = failure

    async def add_user(self, user: Any, server_name: str = "") -> None:
        self.routes.append(user.spawners[server_name].server.host)
        if self._failure is not None:
            raise self._failure


@pytest.fixture
async def notebook() -> AsyncIterator[int]:
    """Ada's server on loopback; its port."""

    async def api(_: web.Request) -> web.Response:
        return web.json_response({"version": "2"}, headers={"X-JupyterHub-Version": "6"})

    app = web.Application()
    app.router.add_get("/user/ada/api", api)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def put(hub: LoopbackHub, address: str, port: int = 8888) -> dict[str, Any]:
    """Let the cluster have Ada's Pod at *address*; return it."""
    hub.running(podIP=address, containerStatuses=RUNNING)
    pod = hub.server.objects[POD]
    pod["spec"]["containers"][0]["ports"] = [{"name": "notebook-port", "containerPort": port}]
    return pod


def started(hub: LoopbackHub, url: str, route: str = "pod") -> MultiClusterKubeSpawner:
    """Make a spawner whose server was started at *url*."""
    spawner = hub.spawner()
    state = {"cluster": "a", "namespace": "ns", "key": "jupyter-ada", "url": url}
    spawner.load_state({**state, "route": route})
    host, _, port = url.removeprefix("http://").rpartition(":")
    spawner.server.ip, spawner.server.port = host.strip("[]"), int(port)
    spawner.user.spawners[""] = spawner
    return spawner


async def moved(hub: LoopbackHub, address: str) -> None:
    """Return when the watch has told that Ada's Pod is at *address*."""
    pods = await hub.watched()
    changed = put(hub, address)
    hub.server.watch_lines = [event("MODIFIED", changed)]
    await until(lambda: (pods.get(place("ada")) or {})["status"]["podIP"] == address)


@pytest.mark.parametrize(
    ("address", "host"),
    [("10.1.0.9", "http://10.1.0.9:8888"), ("fd00::9", "http://[fd00::9]:8888")],
)
async def test_a_server_that_has_moved_with_its_pod_is_routed_there_at_the_next_poll(
    loopback_hub: LoopbackHub, address: str, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(loopback_hub, "10.1.0.8")
    spawner, proxy = started(loopback_hub, "http://10.1.0.8:8888"), Proxy()
    spawner.user.settings["proxy"] = proxy
    await loopback_hub.watched()
    assert await spawner.poll() is None
    assert spawner.server.host == "http://10.1.0.8:8888"
    await moved(loopback_hub, address)
    for _ in range(3):
        assert await spawner.poll() is None
    await until(lambda: proxy.routes)
    assert proxy.routes == [host]
    assert spawner.server.url == f"{host}/user/ada/"
    assert spawner.orm_spawner.state["url"] == host
    assert f"has moved from http://10.1.0.8:8888 to {host}" in caplog.text


async def test_a_proxy_that_cannot_be_told_leaves_the_route_to_the_hubs_own_look(
    loopback_hub: LoopbackHub, caplog: pytest.LogCaptureFixture
) -> None:
    put(loopback_hub, "10.1.0.9")
    spawner = started(loopback_hub, "http://10.1.0.8:8888")
    spawner.user.settings["proxy"] = Proxy(OSError("proxy away"))
    await loopback_hub.watched()
    assert await spawner.poll() is None
    await until(lambda: "its route stays for now: proxy away" in caplog.text)
    assert spawner.server.host == "http://10.1.0.9:8888"


@pytest.mark.parametrize("route", ["ingress", "service"])
async def test_a_server_that_is_asked_elsewhere_does_not_follow_its_pod(
    loopback_hub: LoopbackHub, route: str
) -> None:
    put(loopback_hub, "10.1.0.9")
    spawner = started(loopback_hub, "http://gateway:80", route)
    await loopback_hub.watched()
    assert await spawner.poll() is None
    assert spawner.server.host == "http://gateway:80"


@pytest.mark.parametrize(("address", "state"), [("", "running"), ("10.1.0.9", "waiting")])
async def test_a_pod_without_an_address_or_a_running_server_is_not_followed(
    loopback_hub: LoopbackHub, address: str, state: str
) -> None:
    pod = put(loopback_hub, address)
    pod["status"]["containerStatuses"] = [{"name": "notebook", "state": {state: {}}}]
    spawner = started(loopback_hub, "http://10.1.0.8:8888")
    await loopback_hub.watched()
    assert await spawner.poll() is None
    assert spawner.server.host == "http://10.1.0.8:8888"


async def test_a_hub_that_starts_again_finds_a_pod_where_it_is_now(
    loopback_hub: LoopbackHub, notebook: int
) -> None:
    put(loopback_hub, "127.0.0.1", notebook)
    spawner = started(loopback_hub, "http://192.0.2.8:8888")
    async with asyncio.timeout(20):
        assert await spawner.get_url() == f"http://127.0.0.1:{notebook}"


async def test_a_server_is_found_by_the_way_it_was_started_whatever_is_configured_now(
    loopback_hub: LoopbackHub, notebook: int
) -> None:
    put(loopback_hub, "10.1.0.9")
    known = f"http://127.0.0.1:{notebook}"
    loopback_hub.config.MultiClusterKubeSpawner.clusters["a"].pop("ingress_public_url")
    loopback_hub.config.MultiClusterKubeSpawner.clusters["a"]["route"] = "pod"
    spawner = started(loopback_hub, known, "ingress")
    async with asyncio.timeout(20):
        assert await spawner.get_url() == f"{known}/user/ada/"


async def test_a_start_returns_the_address_that_the_pod_has_got(
    loopback_hub: LoopbackHub, notebook: int
) -> None:
    loopback_hub.config.MultiClusterKubeSpawner.clusters = {
        "a": {"context": "loopback", "route": "pod"}
    }
    spawner = loopback_hub.spawner(port=notebook)
    server = loopback_hub.server
    server.watch_held.set()
    start = asyncio.create_task(spawner.start())
    await until(lambda: start.done() or POD in server.objects)
    made = server.objects[POD]
    status = {"phase": "Running", "containerStatuses": RUNNING}
    server.watch_lines = [event("MODIFIED", {**made, "status": status})]
    there = {**made, "status": {**status, "podIP": "127.0.0.1"}}
    server.watch_lines = [event("MODIFIED", there)]
    async with asyncio.timeout(20):
        assert await start == f"http://127.0.0.1:{notebook}"
    saved = spawner.get_state()
    assert (saved["url"], saved["route"]) == (f"http://127.0.0.1:{notebook}", "pod")
    written = [method for method, _ in server.seen if method != "GET"]
    assert written == [*["POST"] * 4, "PATCH"], "one less than with an Ingress"
