"""A hub in a Pod: its own cluster needs nothing but a name, another one has its gateway."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.demo import kernel
from tests.hub.hub_in_a_pod import PodHub, hub_in_a_pod, log_in
from tests.hub.servers import objects, until_empty

pytestmark = pytest.mark.cluster

WHERE = "import os; print(os.environ['JUPYTERHUB_API_URL'])"


async def test_a_user_works_in_the_hubs_own_cluster_without_a_gateway_and_in_another_by_its_own(
    local_clusters: LocalSet, namespace: Namespace
) -> None:
    async with hub_in_a_pod(local_clusters, namespace) as hub:
        await asyncio.gather(work_in(hub, "ada", "here"), work_in(hub, "bob", "there"))
        name = namespace.name
        assert await kernel.run(hub, "ada", WHERE) == f"http://hub:8081/{name}/hub/api\n"
        assert await routes(hub) == {
            "ada": f"http://jupyter-ada.{name}.svc:8888",
            "bob": hub.gateway_url,
        }
        assert await objects(local_clusters, "a", name) == [
            f"{kind} jupyter-ada" for kind in ("Pod", "Secret", "Service", "ServiceAccount")
        ]
        assert "Ingress jupyter-bob" in await objects(local_clusters, "b", name)
        await restart(hub)
        for user in ("ada", "bob"):
            assert await kernel.run(hub, user, "print(6 * 7)") == "42\n"
            await hub.request("DELETE", f"users/{user}/server")
        await until_empty(local_clusters, name)


async def work_in(hub: PodHub, user: str, cluster: str) -> None:
    """Log in, start a server in *cluster*, open it as a browser does, and compute something."""
    jar = aiohttp.CookieJar(unsafe=True)  # the hub's address is a number
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        await log_in(browser, hub, user)
        options = {"profile": cluster}
        status, said = await hub.request("POST", f"users/{user}/server", json=options)
        assert status < 300, (said, await hub.log())
        await until_ready(hub, user)
        async with browser.get(f"{hub.url}user/{user}/lab") as page:
            assert page.status == 200, await hub.log()
            assert "JupyterLab" in await page.text()
    assert await kernel.run(hub, user, "print(6 * 7)") == "42\n"


async def until_ready(hub: PodHub, user: str) -> None:
    async with asyncio.timeout(90):
        while not (server := await model(hub, user)).get("ready"):
            assert server, await hub.log()
            await asyncio.sleep(0.2)


async def model(hub: PodHub, user: str) -> dict[str, Any]:
    """What the hub's API says of the user's server; empty if there is none."""
    _, said = await hub.request("GET", f"users/{user}")
    found: dict[str, Any] = said["servers"].get("", {})
    return found


async def routes(hub: PodHub) -> dict[str, str]:
    """Where the hub's proxy sends each user's requests."""
    _, said = await hub.request("GET", "proxy")
    return {
        route["data"]["user"]: route["target"] for route in said.values() if "user" in route["data"]
    }


async def restart(hub: PodHub) -> None:
    """Let the hub end and begin anew in its Pod, and return when it knows its servers again."""
    before = await hub.log()
    await hub.request("POST", "shutdown", json={"proxy": True, "servers": False})
    async with asyncio.timeout(90):
        while (await hub.log()).startswith(before[:200]):
            await asyncio.sleep(0.2)
    await hub.cluster.admin().wait_pod_ready("hub", hub.namespace)
    for user in ("ada", "bob"):
        await until_ready(hub, user)
