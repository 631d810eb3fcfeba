"""A real hub as a process, without clusters and without a proxy: its pages and its API.

What a hub with clusters and proxy does (hubs.py) does not belong here.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.core import kubeconfigs
from tests.hub.hubs import HUB_6

_CONFIG = """
from jupyterhub.proxy import Proxy


class NoProxy(Proxy):
    should_start = False
    routes = {{}}

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {{"routespec": routespec, "target": target, "data": data}}

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return dict(self.routes)


c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.bind_url = "http://127.0.0.1:{port}{base_url}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.cookie_secret = b"0" * 32
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.load_groups = {{"staff": {{"users": ["bob"]}}}}
c.JupyterHub.services = [{{"name": "script", "api_token": "t" * 32}}]
c.JupyterHub.load_roles = [
    {{"name": "script", "services": ["script"], "scopes": ["admin:users", "admin:servers"]}}
]
c.JupyterHub.spawner_class = "mcks"
c.Spawner.consecutive_failure_limit = 2
c.MultiClusterKubeSpawner.clusters = {{
    "west": {{"context": "west", "ingress_public_url": "http://127.0.0.1:9"}}
}}
c.MultiClusterKubeSpawner.profile_list = [
    {{"display_name": "Small"}},
    {{
        "display_name": "Large",
        "profile_options": {{"image": {{"choices": {{"scipy": {{}}, "torch": {{}}}}}}}},
    }},
    {{"display_name": "Staff", "allowed_groups": ["staff"]}},
]
"""


class Running:
    """The hub's address, its process, its log, and a browser's cookies for each user."""

    def __init__(self, url: str, log: Path, process: asyncio.subprocess.Process) -> None:
        self.url = url
        self.log = log
        self.process = process

    async def log_in(self, user: str) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        async with session.get(f"{self.url}login") as response:
            await response.read()
        form = {"username": user, "password": "any", "_xsrf": _xsrf(session)}
        async with session.post(f"{self.url}login", data=form) as response:
            assert "Start" in await response.text()
        return session

    async def api(self, user: str, options: Any) -> tuple[int, str]:
        """Ask the API for a server; return status and message."""
        async with self._script() as session:
            async with session.post(f"{self.url}api/users/{user}") as response:
                assert response.status in (201, 409)
            url = f"{self.url}api/users/{user}/server"
            body = {"user_options": options} if HUB_6 else options
            async with session.post(url, json=body) as response:
                answer = await response.json(content_type=None) or {}
                return response.status, answer.get("message", "")

    async def stop(self, user: str) -> None:
        """Stop the user's server, or its start; return when the hub knows of neither."""
        url = f"{self.url}api/users/{user}"
        async with self._script() as session:
            async with session.delete(f"{url}/server") as response:
                assert response.status in (202, 204), await response.text()
            async with asyncio.timeout(30):
                while await self._servers(session, url):
                    await asyncio.sleep(0.05)

    async def _servers(self, session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
        async with session.get(url) as response:
            servers: dict[str, Any] = (await response.json())["servers"]
            return servers

    def _script(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(headers={"Authorization": "token " + "t" * 32})


async def page(session: aiohttp.ClientSession, url: str, **form: str) -> tuple[int, str]:
    """Load a page, or post *form*, as a browser does; return status and text."""
    if form:
        form["_xsrf"] = _xsrf(session)
        async with session.post(url, data=form) as response:
            return response.status, await response.text()
    async with session.get(url) as response:
        return response.status, await response.text()


def _xsrf(session: aiohttp.ClientSession) -> str:
    return next(cookie.value for cookie in session.cookie_jar if cookie.key == "_xsrf")


@asynccontextmanager
async def started(
    directory: Path, port: int, more: str = "", base_url: str = "/"
) -> AsyncIterator[Running]:
    """A hub with its files in *directory*; *more* is appended to its configuration."""
    config = directory / "jupyterhub_config.py"
    config.write_text(_CONFIG.format(port=port, base_url=base_url) + more)
    environment = os.environ | {"KUBECONFIG": str(kubeconfigs.write(directory / "kc", "west"))}
    log = directory / "hub.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "jupyterhub", "-f", str(config)),
            cwd=directory,
            env=environment,
            stdout=output,
            stderr=output,
        )
    running = Running(f"http://127.0.0.1:{port}{base_url}hub/", log, process)
    try:
        while not await answers(f"{running.url}health"):
            assert process.returncode is None, log.read_text()
            await asyncio.sleep(0.1)
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def serving(
    directory: Path, port: int, more: str = "", base_url: str = "/"
) -> AsyncIterator[Running]:
    """A hub as ``started`` gives it, which runs still when the test has ended."""
    async with started(directory, port, more, base_url) as running:
        yield running
        assert running.process.returncode is None, running.log.read_text()


async def answers(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False
