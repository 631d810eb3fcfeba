"""A real hub with Zero to JupyterHub's limit of failures in a row: who may end it, and who not.

It counts to the limit once for all that is told here: had a single refusal counted, it would have
ended too early, and had one been taken off what others' failures counted, it would not have ended.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jupyterhub
import pytest
from aiohttp import web

from tests.fakes.loopback import FakeAPIServer
from tests.hub.plain_hub import Running, answers, page, started

pytestmark = pytest.mark.slow

LIMIT = 5
TIMES = 7
DELAY = 2
"""Seconds from the last failure until the hub ends itself."""
ABORTING = f"Aborting due to {LIMIT} consecutive spawn failures"
_MORE = """
import asyncio
from pathlib import Path
from tornado import web
from mcks.core.spawner import MultiClusterKubeSpawner


class Odd(MultiClusterKubeSpawner):
    runs = False

    async def start(self):
        if self.choosing.profile == "defect":
            raise RuntimeError("not of mcks")
        if self.choosing.profile == "well":
            self.runs = True
            return WELL
        return await super().start()

    async def poll(self):
        return None if self.runs else await super().poll()


def hook(spawner):
    if spawner.choosing.profile == "hook":
        raise web.HTTPError(403, "the hook refuses")


async def async_hook(spawner):
    hook(spawner)


def apply(spawner, user_options):
    if spawner.choosing.profile == "options":
        raise ValueError("the options are refused")


async def after(spawner):
    if spawner.user.name == "slow":
        Path("held").touch()
        while not Path("go").exists():
            await asyncio.sleep(0.05)


async def never(spawner):
    await asyncio.Event().wait()


c.JupyterHub.spawner_class = Odd
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 100}
c.Spawner.consecutive_failure_limit = 5
c.Spawner.apply_user_options = apply
c.Spawner.pre_spawn_hook = async_hook
c.Spawner.post_stop_hook = after
c.MultiClusterKubeSpawner.cluster = "west"
c.MultiClusterKubeSpawner.clusters.update(
    {
        "alone": {"context": "west", "ingress_public_url": "http://127.0.0.1:9"},
        "asleep": {
            "context": "west", "ingress_public_url": "http://127.0.0.1:9", "allow": never
        },
        **CLUSTERS,
    }
)
SHORT = {"start_timeout": 6}
c.MultiClusterKubeSpawner.profile_list += [
    {"display_name": "Well"},
    {"display_name": "Defect"},
    {"display_name": "Hook"},
    {"display_name": "Options"},
    {"display_name": "Dead", "cluster": "west"},
    {"display_name": "Dead for many", "slug": "dead-for-many", "cluster": "alone"},
    {"display_name": "Silent", "cluster": "silent", "spawner_override": SHORT},
    {"display_name": "Asleep", "spawner_override": {**SHORT, "cluster": lambda _: "asleep"}},
    {"display_name": "Patient", "spawner_override": {"cluster": lambda _: "asleep"}},
    {"display_name": "Refusing", "cluster": "refusing"},
    {"display_name": "No login", "slug": "no-login", "cluster": "no-login"},
    {"display_name": "Nowhere", "spawner_override": {"cluster": "nowhere"}},
    {"display_name": "Broken", "spawner_override": {"patches": {"1": "{{ nothing }}"}}},
    {"display_name": "Trait", "spawner_override": {"mem_limit": lambda _: "much"}},
]
"""


@asynccontextmanager
async def _well() -> AsyncIterator[str]:
    """A notebook server, as far as a hub that waits for it can see."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(headers={"X-JupyterHub-Version": jupyterhub.__version__})

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _clusters(directory: Path) -> AsyncIterator[dict[str, Any]]:
    """Clusters that harm a start, each in its own way."""
    plugin = directory / "plugin"
    plugin.write_text("#!/bin/sh\nexit 1\n")
    plugin.chmod(0o700)
    version = "client.authentication.k8s.io/v1"
    login = {"apiVersion": version, "command": str(plugin), "interactiveMode": "Never"}
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:  # never says a word
        async with FakeAPIServer().running() as api_server:
            api_server.tokens = set()
            authority = base64.b64encode(api_server.ca_data).decode()
            trusted = {"server": api_server.url, "certificate-authority-data": authority}
            entries: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
                "silent": (
                    {"server": f"https://127.0.0.1:{silent.getsockname()[1]}"},
                    {"token": "t"},
                ),
                "refusing": (trusted, {"token": "t"}),
                "no-login": (trusted, {"exec": login}),
            }
            for name, (cluster, user) in entries.items():
                _write_kubeconfig(directory / name, cluster, user)
            clusters: dict[str, Any] = {
                name: {
                    "context": "c",
                    "kubeconfig": str(directory / name),
                    "ingress_public_url": "http://127.0.0.1:9",
                }
                for name in entries
            }
            clusters["no-login"]["allowed_exec_plugins"] = [str(plugin)]
            yield clusters


def _write_kubeconfig(path: Path, cluster: dict[str, str], user: dict[str, Any]) -> None:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
    }
    path.write_text(json.dumps(content))
    path.chmod(0o600)


@pytest.fixture
async def hub(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Running]:
    async with _clusters(tmp_path) as clusters, _well() as well:
        more = f"WELL = {well!r}\nCLUSTERS = {clusters!r}\n{_MORE}"
        async with started(tmp_path, unused_tcp_port, more) as running:
            yield running


async def refused(hub: Running, profile: str, words: str = "", user: str = "ada") -> None:
    """Let a start fail for which the hub is not to blame; users read *words*."""
    status, message = await hub.api(user, {"profile": profile})
    assert status in (400, 403), message
    assert words in message


async def refused_form(hub: Running) -> None:
    """Post a form with a profile that the user may not use."""
    session = await hub.log_in("ada")
    try:
        for _ in range(TIMES):
            _, html = await page(session, f"{hub.url}spawn", profile="staff")
            assert "You may not use this profile." in html
    finally:
        await session.close()


async def many(hub: Running, profile: str, words: str) -> None:
    """Let several users' starts fail at the same time."""
    users = [f"{profile}{number}" for number in range(TIMES)]
    await asyncio.gather(*(refused(hub, profile, words, user) for user in users))


async def defects(hub: Running, times: int) -> None:
    """Let starts fail for which the hub is to blame."""
    for _ in range(times):
        status, _ = await hub.api("eve", {"profile": "defect"})
        assert status == 500


async def lives_on(hub: Running) -> None:
    """Wait longer than a hub waits that has decided to end."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(hub.process.wait(), DELAY + 1)
    assert "Aborting" not in hub.log.read_text()
    assert await answers(f"{hub.url}health")


async def ends(hub: Running) -> None:
    """Wait until the hub has ended because it has counted to its limit."""
    async with asyncio.timeout(30):
        await hub.process.wait()
    assert ABORTING in hub.log.read_text()


AWAY = "The chosen cluster does not answer"
MISTAKE = "configuration has a mistake"
ONE_BY_ONE = {
    "staff": "You may not use this profile.",
    "typo": "unknown profile 'typo'",
    "hook": "the hook refuses",
    "options": "Invalid user options",
    "dead": AWAY,
    "refusing": "The chosen cluster refused",
    "no-login": "The hub could not log in",
    "nowhere": MISTAKE,
    "broken": MISTAKE,
    "trait": MISTAKE,
}
AT_ONCE = {
    "dead-for-many": AWAY,
    "silent": "Reference: ",
    "asleep": "in time",
}


async def test_only_what_is_the_hubs_own_fault_ends_the_hub(hub: Running) -> None:
    await defects(hub, LIMIT - 1)
    await refused_form(hub)
    for profile, words in ONE_BY_ONE.items():
        for _ in range(TIMES):
            await refused(hub, profile, words)
        assert "Aborting" not in hub.log.read_text(), profile
    for profile, words in AT_ONCE.items():
        await many(hub, profile, words)
        assert "Aborting" not in hub.log.read_text(), profile
    await lives_on(hub)
    await defects(hub, 1)
    await ends(hub)


async def test_a_success_while_a_refused_start_is_cleaned_up_begins_the_count_anew(
    hub: Running,
) -> None:
    await defects(hub, LIMIT - 1)
    slow = asyncio.create_task(refused(hub, "staff", user="slow"))
    async with asyncio.timeout(30):
        while not (hub.log.parent / "held").exists():
            await asyncio.sleep(0.05)
    assert (await hub.api("bob", {"profile": "well"}))[0] == 201
    (hub.log.parent / "go").touch()
    await slow
    await defects(hub, LIMIT - 1)
    await lives_on(hub)
    await defects(hub, 1)
    await ends(hub)


async def test_starts_that_are_stopped_are_no_failures(hub: Running) -> None:
    for number in range(TIMES):
        user = f"patient{number}"
        start = asyncio.create_task(hub.api(user, {"profile": "patient"}))
        async with asyncio.timeout(30):
            while f"{user} chose the profile" not in hub.log.read_text():
                await asyncio.sleep(0.05)
        await hub.stop(user)
        await asyncio.wait({start})
    await lives_on(hub)
