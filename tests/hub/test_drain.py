"""``mcks drain`` beside a hub that runs: no new servers start there, and those that run stay."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mcks.core.placement.drain_file import NAME
from tests.hub.hub_process import HubProcess, running
from tests.hub.plain_hub import Running, page, serving
from tests.hub.quick_cluster import QuickCluster, objects_of
from tests.hub.servers import until

_MAIN = "from mcks.core.cli import main; raise SystemExit(main())"
SECONDS = 15
"""In which a hub sees what a command has said."""
WHY = "its cluster takes no new servers. An upgrade until noon."
REFUSED = "The chosen cluster takes no new servers at the moment. An upgrade until noon."
KEY = "h-jupyter-ada"


async def mcks(directory: Path, *arguments: str) -> str:
    """Run mcks as an administrator does, in the hub's directory; return its answer."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _MAIN, *arguments),
        cwd=directory,
        env=os.environ | {"KUBECONFIG": str(directory / "kc")},
        stdout=asyncio.subprocess.PIPE,
    )
    answer, _ = await process.communicate()
    assert process.returncode == 0
    return answer.decode()


async def within_seconds(condition: Callable[[], Awaitable[object]]) -> None:
    await until(condition, SECONDS)


@pytest.fixture
async def hub(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Running]:
    async with serving(tmp_path, unused_tcp_port) as hub:
        yield hub


async def _form(hub: Running) -> str:
    session = await hub.log_in("ada")
    try:
        return (await page(session, f"{hub.url}spawn/ada"))[1]
    finally:
        await session.close()


@pytest.mark.slow
async def test_form_and_api_say_why_until_the_cluster_is_undrained(
    hub: Running, tmp_path: Path
) -> None:
    assert WHY not in await _form(hub)
    await mcks(tmp_path, "drain", "west", "--reason", "An upgrade until noon")

    async def said() -> bool:
        return f"Unavailable at the moment: {WHY}" in await _form(hub)

    async def not_said() -> bool:
        return not await said()

    await within_seconds(said)
    for _ in range(3):  # the hub would end after 2 failures of its own
        status, message = await hub.api("ada", {"profile": "small"})
        assert status == 400
        assert message.startswith(REFUSED)
    assert "Reference" not in message
    assert "did not start (profile small, cluster west): cluster 'west' is dra" in _log(hub)
    assert "Cluster 'west' takes no new servers. An upgrade until noon." in _log(hub)
    await mcks(tmp_path, "undrain", "west")
    await within_seconds(not_said)
    _, message = await hub.api("ada", {"profile": "small"})
    assert "does not answer" in message  # so it was asked


def _log(hub: Running) -> str:
    return hub.log.read_text()


@pytest.fixture
def directory(quick_cluster: QuickCluster, tmp_path: Path) -> Path:
    """The hub's directory, with the configuration of ``quick_cluster`` for commands."""
    url = quick_cluster.config.JupyterHub.db_url = f"sqlite:///{tmp_path / 'hub.sqlite'}"
    clusters: Any = quick_cluster.config.MultiClusterKubeSpawner.clusters
    (tmp_path / "jupyterhub_config.py").write_text(
        f"c.JupyterHub.db_url = {url!r}\nc.MultiClusterKubeSpawner.clusters = {clusters!r}\n"
    )
    return tmp_path


@pytest.mark.cluster
async def test_a_running_server_stays_and_a_hub_that_begins_anew_knows_it_too(
    quick_cluster: QuickCluster, directory: Path
) -> None:
    async with running(quick_cluster.config, directory / "hub.sqlite") as hubs:
        await hubs[0].begin("ada")
        await mcks(directory, "drain", "a", "--reason", "An upgrade until noon")
        await _refuses(hubs[0], "bob")
        await _has_ada_only(quick_cluster, hubs[0])
        await hubs[0].kill()
        hubs[0] = HubProcess(quick_cluster.config, directory / "hub.sqlite")
        await hubs[0].adoption
        await _refuses(hubs[0], "bob")
        await _has_ada_only(quick_cluster, hubs[0])
        assert await hubs[0].stop("ada")
        await _refuses(hubs[0], "ada")
        await mcks(directory, "undrain", "a")

        async def is_open() -> bool:
            return not hubs[0].spawner("bob").unavailable("a")

        await within_seconds(is_open)
        await asyncio.gather(hubs[0].begin("ada"), hubs[0].begin("bob"))
        assert objects_of(KEY) <= await quick_cluster.contents()
        assert await hubs[0].stop("ada")
        assert await hubs[0].stop("bob")


async def _refuses(hub: HubProcess, user: str) -> None:
    """Wait until *hub* has seen that the cluster is drained, and try to start there."""

    async def is_drained() -> bool:
        return hub.spawner(user).unavailable("a") == WHY

    await within_seconds(is_drained)
    start = hub.begin(user)
    await asyncio.wait({start})
    error = start.exception()
    assert REFUSED in str(getattr(error, "jupyterhub_message", error))


async def _has_ada_only(cluster: QuickCluster, hub: HubProcess) -> None:
    assert await hub.spawner("ada").poll() is None
    pods = {thing for thing in await cluster.contents() if thing.startswith("Pod ")}
    assert pods == {f"Pod {KEY}"}
    assert not any("bob" in thing for thing in await cluster.contents())


@pytest.mark.cluster
async def test_nothing_is_sent_for_a_start_in_a_drained_cluster(
    quick_cluster: QuickCluster, directory: Path
) -> None:
    (directory / NAME).write_text('{"drained": {"a": {"reason": "An upgrade until noon"}}}')
    async with running(quick_cluster.config, directory / "hub.sqlite") as (hub,):
        await _refuses(hub, "ada")
        assert quick_cluster.asked == 0
