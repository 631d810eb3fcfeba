"""A real hub, without clusters: form, links, crafted posts and API, as users and scripts meet them.

No server gets as far as a cluster here: the hub refuses before, or the cluster does not answer.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.core import kubeconfigs
from tests.hub.hubs import HUB_6

pytestmark = pytest.mark.slow

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
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
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
    """The hub's address, its log, and a browser's cookies for each user."""

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self.log = log

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
        headers = {"Authorization": "token " + "t" * 32}
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.post(f"{self.url}api/users/{user}") as response:
                assert response.status in (201, 409)
            url = f"{self.url}api/users/{user}/server"
            body = {"user_options": options} if HUB_6 else options
            async with session.post(url, json=body) as response:
                answer = await response.json(content_type=None) or {}
                return response.status, answer.get("message", "")


def _xsrf(session: aiohttp.ClientSession) -> str:
    return next(cookie.value for cookie in session.cookie_jar if cookie.key == "_xsrf")


@asynccontextmanager
async def serving(directory: Path, port: int, more: str = "") -> AsyncIterator[Running]:
    """A hub with its files in *directory*; *more* is appended to its configuration."""
    config = directory / "jupyterhub_config.py"
    config.write_text(_CONFIG.format(port=port) + more)
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
    running = Running(f"http://127.0.0.1:{port}/hub/", log)
    try:
        while not await _answers(f"{running.url}health"):
            assert process.returncode is None, log.read_text()
            await asyncio.sleep(0.1)
        yield running
        assert process.returncode is None, log.read_text()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest.fixture
async def hub(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Running]:
    async with serving(tmp_path, unused_tcp_port) as running:
        yield running


async def _answers(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def page(session: aiohttp.ClientSession, url: str, **form: str) -> tuple[int, str]:
    if form:
        form["_xsrf"] = _xsrf(session)
        async with session.post(url, data=form) as response:
            return response.status, await response.text()
    async with session.get(url) as response:
        return response.status, await response.text()


def checked(html: str) -> list[str]:
    return re.findall(r'value="([\w-]+)"[^<>]* checked', html)


async def test_form_links_posts_and_api_of_a_real_hub(hub: Running) -> None:
    ada, bob = await hub.log_in("ada"), await hub.log_in("bob")
    try:
        status, html = await page(ada, f"{hub.url}spawn")
        assert (status, checked(html)) == (200, ["small"])
        assert 'value="staff"' not in html
        _, html = await page(bob, f"{hub.url}spawn")
        assert 'value="staff"' in html

        link = f"{hub.url}spawn?profile=large&profile-option-large--image=torch"
        status, html = await page(ada, link)
        assert (status, checked(html)) == (200, ["large"])
        assert '<option value="torch" selected>' in html
        assert "Traceback" not in hub.log.read_text()

        for _ in range(3):  # more than consecutive_failure_limit: the hub must not end
            status, html = await page(ada, f"{hub.url}spawn", profile="staff")
            assert status == (403 if HUB_6 else 200)
            assert "You may not use this profile." in html
            assert checked(html) == ["small"]
        status, html = await page(ada, f"{hub.url}spawn", profile="<script>alert(1)</script>")
        assert status == (400 if HUB_6 else 200)
        assert "unknown profile" in html
        assert "<script>alert(1)" not in html
    finally:
        await ada.close()
        await bob.close()


async def test_what_the_api_is_told(hub: Running) -> None:
    for _ in range(3):
        status, message = await hub.api("ada", {"profile": "lage"})
        assert status == 400
        assert message == "unknown profile 'lage'. Did you mean 'large'? Known: large, small"
    options = {"profile": "large", "image": "tensor"}
    assert (await hub.api("ada", options))[0] == 400
    assert (await hub.api("ada", {"profile": ["large"]}))[0] == 400
    status, message = await hub.api("ada", {"profile": "staff"})
    assert status == 403
    assert message.startswith("You may not use this profile.")
    if HUB_6:  # before, the hub logs the stack of every refusal
        assert "Traceback" not in hub.log.read_text()
