"""A real hub and its proxy keep limits: over a restart, in a queue, and beside the idle-culler."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.demo.hub import Hub, hub
from tests.fakes.simulated_kubelet import SERVER_PATCH, simulated_gateway, simulated_kubelet
from tests.hub.hub_process import HubProcess, running
from tests.hub.hubs import HUB_6, expect_stopped, progress, start_server, stop_server
from tests.hub.quick_cluster import QuickCluster
from tests.hub.servers import until

pytestmark = pytest.mark.cluster

MAKE_EVENTS = {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}
CULLER = """
c.JupyterHub.authenticate_prometheus = False
c.JupyterHub.load_roles.append(
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
)
c.JupyterHub.services.append({"name": "idle-culler", "api_token": "c" * 32})
"""
Serve = Callable[..., AbstractAsyncContextManager[Hub]]


@pytest.fixture
def serve(local_clusters: LocalSet, namespace: Namespace, tmp_path: Path) -> Serve:
    """A hub whose servers need no container; *limits* are those of its clusters."""

    @asynccontextmanager
    async def served(limits: dict[str, Any], extra: str = "") -> AsyncIterator[Hub]:
        async with simulated_gateway() as gateway:
            configuration = f"""
for cluster in c.MultiClusterKubeSpawner.clusters.values():
    cluster |= {limits!r}
    cluster["ingress_public_url"] = {gateway!r}
c.MultiClusterKubeSpawner.objects.update({{"05-home": None}})
c.MultiClusterKubeSpawner.patches = {{"10-simulated": {SERVER_PATCH!r}}}
c.JupyterHub.cleanup_servers = False
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}
{extra}
"""
            async with hub(
                local_clusters,
                namespace.kubeconfig,
                tmp_path,
                namespace=namespace.name,
                extra=configuration,
            ) as running:
                yield running

    return served


async def test_many_at_once_and_in_the_moment_of_a_success_never_pass_a_limit(
    quick_cluster: QuickCluster, tmp_path: Path
) -> None:
    quick_cluster.config.MultiClusterKubeSpawner.clusters["a"] |= {"max_servers": 5}
    async with running(quick_cluster.config, tmp_path / "hub.sqlite") as hubs:
        starts = [hubs[0].begin(f"user-{number}") for number in range(40)]
        let_in = hubs[0].fleet.limits._tally._let_in
        while not any(not one.starts for one in let_in.values()):
            await asyncio.sleep(0)  # until one has started, and the database does not know it
        starts += [hubs[0].begin(f"late-{number}") for number in range(10)]
        ended = await asyncio.gather(*starts, return_exceptions=True)
        refused = [str(one) for one in ended if isinstance(one, Exception)]
        assert len(refused) == 45
        assert all("a is full: it takes 5 servers at a time" in words for words in refused)
        assert sum("Pod " in one for one in await quick_cluster.contents()) == 5
        await hubs[0].kill()
        hubs[0] = HubProcess(quick_cluster.config, tmp_path / "hub.sqlite")
        with pytest.raises(Exception, match="a is full"):
            await hubs[0].begin("eve")
        await hubs[0].adoption
        await hubs[0].stop(
            next(f"user-{i}" for i in range(40) if hubs[0].spawner(f"user-{i}").ready)
        )
        await hubs[0].begin("eve")
        assert sum("Pod " in one for one in await quick_cluster.contents()) == 5


async def test_a_hub_that_restarts_counts_the_servers_that_run_at_once(
    serve: Serve, local_clusters: LocalSet
) -> None:
    async with simulated_kubelet(local_clusters["a"].api), serve({"max_servers": 2}) as hub:
        for user in ("ada", "bob"):
            lines = await start_server(hub, user, "a")
            assert lines[-1].get("ready"), lines
        assert (await start_server(hub, "eve", "a"))[-1].get("failed")
        await hub.kill()
        await hub.start()
        refused = (await start_server(hub, "eve", "a"))[-1]["message"]
        assert "a is full: it takes 2 servers at a time" in refused
        assert "Reference" not in refused
        await stop_server(hub, "ada")
        lines = await start_server(hub, "eve", "a")
        assert lines[-1].get("ready"), lines
        log = hub.log.read_text()
    assert not HUB_6 or "Traceback" not in log


async def test_who_waits_for_their_turn_reads_their_place_and_starts_when_it_comes(
    serve: Serve, local_clusters: LocalSet
) -> None:
    told: dict[str, list[str]] = {"ada": [], "bob": [], "eve": []}
    async with serve({"max_starting": 1}) as hub, asyncio.TaskGroup() as reading:
        for (user, lines), words in zip(told.items(), ("Creating", "1st", "2nd"), strict=True):
            reading.create_task(read(hub, user, lines))
            await until(partial(has, lines, words))
        async with simulated_kubelet(local_clusters["a"].api):
            for lines in told.values():
                await until(partial(has, lines, "Server ready at"))
    for user, places in (("ada", []), ("bob", ["1st"]), ("eve", ["2nd", "1st"])):
        found = re.findall(r"Waiting for your turn in a: (\w+) in the queue", "\n".join(told[user]))
        assert found == places


async def read(hub: Hub, user: str, lines: list[str]) -> None:
    """Start a server, and read its progress page to its end into *lines*."""
    await hub.request("POST", f"users/{user}")
    status, answer = await hub.request("POST", f"users/{user}/server", json={"profile": "a"})
    assert status == 202, answer
    async for line in progress(hub, user):
        if line.startswith(b"data:"):
            lines.append(json.loads(line[5:])["message"])


async def has(lines: list[str], words: str) -> bool:
    return any(words in line for line in lines)


@asynccontextmanager
async def culler(hub: Hub) -> AsyncIterator[None]:
    """The culler as a process of its own: one that the hub began would outlive a killed hub."""
    arguments = ("--timeout=1000", "--max-age=8", "--cull-every=1", f"--url={hub.url}hub/api")
    with hub.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "jupyterhub_idle_culler", *arguments),
            env={**os.environ, "JUPYTERHUB_API_TOKEN": "c" * 32},
            stdout=log,
            stderr=log,
        )
    try:
        yield
        assert process.returncode is None
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest.mark.slow
async def test_a_server_that_is_too_old_ends_once_beside_the_culler_and_over_a_restart(
    serve: Serve, local_clusters: LocalSet, namespace: Namespace
) -> None:
    await asyncio.to_thread(local_clusters.prepare_namespace, namespace.name, [MAKE_EVENTS])
    api = local_clusters["a"].api
    async with simulated_kubelet(api), serve({"max_age": 8}, CULLER) as hub:
        lines = await start_server(hub, "ada", "a")
        assert lines[-1].get("ready"), lines
        told = [line["message"] for line in lines]
        assert "A server ends 8 s after its start, used or not" in told
        await hub.kill()
        await hub.start()
        async with culler(hub):
            await expect_stopped(hub, "ada")
            log = hub.log.read_text()
            ended = "ada is ended: it has lived 8 s" in log
            assert ended or "Culling server ada" in log
            assert await running_servers(hub) == 0
            lines = await start_server(hub, "ada", "a")
            assert ended == ("Last time: Your server was ended after 8 s" in str(lines))
            await expect_stopped(hub, "ada")
            assert await running_servers(hub) == 0
        assert not HUB_6 or "Traceback" not in hub.log.read_text()
    events = await asyncio.to_thread(api.list, "v1", "Event", namespace.name)
    told = [event["message"] for event in events if event["reason"] == "EndsSoon"]
    assert told
    assert set(told) == {"This server ends in 2 s: it may live 8 s, used or not"}


async def running_servers(hub: Hub) -> float:
    """What the hub counts; a server that it ended twice would make that negative."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{hub.url}hub/metrics") as response,
    ):
        text = await response.text()
    found = re.search(r"^jupyterhub_running_servers (\S+)$", text, re.MULTILINE)
    assert found is not None, text[:500]
    return float(found[1])
