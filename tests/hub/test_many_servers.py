"""A real hub with 1,000 servers in two clusters: it crashes, and finds every one of them again."""

from __future__ import annotations

import asyncio
import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from pathlib import Path

import pytest

from mcks.core.api.client import PAGE
from mcks.core.labels import KEY_LABEL
from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.demo.hub import Hub, hub
from tests.fakes.simulated_kubelet import SERVER_PATCH, simulated_gateway, simulated_kubelet
from tests.hub.places import orphans

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.alone,  # API servers count all that they are asked
    pytest.mark.slow,
    pytest.mark.timeout(900),
]

SERVERS = 1000
_AT_ONCE = 20
_PAGE = 200
"""As many users as the hub tells of at once."""
_MORE = 100
"""Starts that the hub is killed in."""
_DONE = 25
"""How many of them have ended by then."""
_REQUESTS = re.compile(
    r"^apiserver_request_total\{(?=.*\bresource=\"(\w+)\")(?=.*\bscope=\"namespace\")"
    r"(?=.*\bverb=\"LIST\").*\} (\d+)$",
    re.MULTILINE,
)
"""Lists of one namespace: only a hub asks for them, controllers look at the whole cluster."""

Uids = dict[str, str]


def configuration(gateway: str) -> str:
    """Servers on the simulated node, without the demonstration's homes."""
    return f"""
for cluster in c.MultiClusterKubeSpawner.clusters.values():
    cluster["ingress_public_url"] = {gateway!r}
c.MultiClusterKubeSpawner.objects.update({{"05-home": None}})
c.MultiClusterKubeSpawner.patches = {{"10-simulated": {SERVER_PATCH!r}}}
c.JupyterHub.cleanup_servers = False
c.JupyterHub.concurrent_spawn_limit = {SERVERS}
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 120}}
"""


@asynccontextmanager
async def many_servers(
    clusters: LocalSet, namespace: Namespace, directory: Path, count: int = SERVERS
) -> AsyncIterator[Hub]:
    """A hub that runs *count* servers, started through its API, half of them in each cluster."""
    async with AsyncExitStack() as stack:
        for cluster in clusters:
            await stack.enter_async_context(simulated_kubelet(cluster.api))
        extra = configuration(await stack.enter_async_context(simulated_gateway()))
        running = await stack.enter_async_context(
            hub(clusters, namespace.kubeconfig, directory, namespace=namespace.name, extra=extra)
        )
        names = users(0, count)
        await make_users(running, names)
        await start_all(running, names)
        await until_all_ready(running, names)
        yield running


def users(first: int, end: int) -> list[str]:
    return [f"user{number}" for number in range(first, end)]


def key_of(user: str) -> str:
    return f"jupyter-{user}"


async def make_users(hub: Hub, names: Sequence[str]) -> None:
    status, answer = await hub.request("POST", "users", json={"usernames": names})
    assert status == 201, answer


async def start_all(hub: Hub, names: Sequence[str]) -> None:
    """Start these users' servers, a few at once."""
    some = asyncio.Semaphore(_AT_ONCE)

    async def start(name: str) -> None:
        async with some:
            await start_one(hub, name)

    await asyncio.gather(*map(start, names))


async def start_one(hub: Hub, name: str) -> str:
    """Start a server, in the clusters in turn; return the name of its user when it is ready."""
    options = {"profile": "ab"[int(name[4:]) % 2]}
    status, answer = await hub.request("POST", f"users/{name}/server", json=options)
    assert status == 201, answer
    return name


async def until_all_ready(hub: Hub, names: Sequence[str]) -> None:
    """Wait until the hub says of these users' servers that they are ready; they are its first.

    It is asked for one page after the other, as it has better things to do than to tell all of all.
    """
    async with asyncio.timeout(180):
        for offset in range(0, len(names), _PAGE):
            while len(await _page(hub, "ready", offset)) < min(_PAGE, len(names) - offset):
                await asyncio.sleep(0.5)
    assert sorted(await ready_users(hub, len(names))) == sorted(names)


async def ready_users(hub: Hub, count: int) -> list[str]:
    """Those of *count* users whose servers are ready."""
    return [name for offset in range(0, count, _PAGE) for name in await _page(hub, "ready", offset)]


async def _page(hub: Hub, state: str, offset: int) -> list[str]:
    _, some = await hub.request("GET", f"users?state={state}&offset={offset}&limit={_PAGE}")
    return [user["name"] for user in some]


async def killed_amid_starts(hub: Hub, names: Sequence[str]) -> set[str]:
    """Start these users' servers at once, and kill the hub meanwhile.

    Return whose server was ready by then, as the hub said.
    """
    await make_users(hub, names)
    starts = [asyncio.create_task(start_one(hub, name)) for name in names]
    ready = {await done for done in islice(asyncio.as_completed(starts), _DONE)}
    await hub.kill()
    await asyncio.gather(*starts, return_exceptions=True)
    return ready


async def until_settled(hub: Hub, offset: int) -> set[str]:
    """Wait until the hub waits for no start of the users from *offset* on; return who has one."""
    async with asyncio.timeout(60):
        while True:
            active = set(await _page(hub, "active", offset))
            if active == set(await _page(hub, "ready", offset)):
                return active
            await asyncio.sleep(0.5)


async def pods(clusters: LocalSet, namespace: str) -> Uids:
    """Uids of all servers' Pods by key; no server may have two.

    The whole cluster is asked, so that `lists` does not count this.
    """
    found: Uids = {}
    for cluster in clusters:
        for pod in await cluster.admin().list("v1", "Pod"):
            if pod["metadata"]["namespace"] != namespace:
                continue
            key = pod["metadata"]["labels"][KEY_LABEL]
            assert key not in found, f"two Pods of {key}"
            found[key] = pod["metadata"]["uid"]
    return found


async def lists(clusters: LocalSet) -> dict[str, Counter[str]]:
    """How often each cluster's API server was asked for a namespace's objects, by kind."""
    counted = {}
    for cluster in clusters:
        series = await asyncio.to_thread(cluster.api.request, "GET", "/metrics")
        counted[cluster.name] = Counter[str]()
        for kind, count in _REQUESTS.findall(series):
            counted[cluster.name][kind] += int(count)
    return counted


async def test_a_hub_that_crashed_finds_all_of_1000_servers_and_again_when_it_crashed_amid_starts(
    local_clusters: LocalSet,
    namespace: Namespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(namespace.kubeconfig))
    monkeypatch.setenv("MCKS_DEMO", str(tmp_path / "demo.json"))
    async with many_servers(local_clusters, namespace, tmp_path) as hub:
        await _all_are_found_with_one_list_per_cluster_and_kind(hub, local_clusters, namespace)
        await _all_are_found_and_what_was_cut_short_begins_anew(hub, local_clusters, namespace)
        assert await orphans(hub, capsys) == []
        assert "Traceback" not in hub.log.read_text()


async def _all_are_found_with_one_list_per_cluster_and_kind(
    hub: Hub, clusters: LocalSet, namespace: Namespace
) -> None:
    before = await pods(clusters, namespace.name)
    assert len(before) == SERVERS
    listed = await lists(clusters)
    said = hub.log.stat().st_size

    await hub.kill()
    await hub.start()
    await until_all_ready(hub, users(0, SERVERS))

    assert await pods(clusters, namespace.name) == before
    answers = math.ceil(SERVERS / len(clusters.clusters) / PAGE)  # of one list
    for name, now in (await lists(clusters)).items():
        more = now - listed[name]
        assert more["pods"] == answers
        assert set(more.values()) <= {1, answers}, f"kinds listed more than once in {name}"
    log = hub.log.read_bytes()[said:].decode()
    assert "server stopped" not in log
    assert "had invalid url" not in log


async def _all_are_found_and_what_was_cut_short_begins_anew(
    hub: Hub, clusters: LocalSet, namespace: Namespace
) -> None:
    before = await pods(clusters, namespace.name)
    more = users(SERVERS, SERVERS + _MORE)
    ready = await killed_amid_starts(hub, more)
    between = await pods(clusters, namespace.name)
    await hub.start()
    await until_all_ready(hub, users(0, SERVERS))
    found = await until_settled(hub, SERVERS)
    assert ready <= found
    assert len(found) < _MORE, "the hub was killed too late"

    await start_all(hub, [name for name in more if name not in found])
    await until_all_ready(hub, users(0, SERVERS + _MORE))

    now = await pods(clusters, namespace.name)
    kept = before | {key: between[key] for key in map(key_of, ready)}
    assert {key: now[key] for key in kept} == kept
    assert len(now) == SERVERS + _MORE
