"""A start goes through its candidates, and leaves nothing but in the cluster that takes it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

import mcks
from mcks.core.placement import drains
from mcks.core.servers.progress import Progress
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.fakes.loopback import event, status
from tests.fakes.loopback_servers import PODS, TERMINATED, URL, LoopbackHub, start_with, until

POD = f"{PODS}/jupyter-ada"
QUOTA = 'pods "jupyter-ada" is forbidden: exceeded quota: q, requested: pods=1, limited: pods=0'


@pytest.fixture
def two(loopback_hub: LoopbackHub) -> LoopbackHub:
    """A hub with the cluster ``a``, and one ``gone`` to which no connection can be made."""
    loopback_hub.config.MultiClusterKubeSpawner.clusters["gone"] = {
        "backend": "generic-kubeconfig",
        "kubeconfig": "/nonexistent/kubeconfig",
        "context": "loopback",
        "ingress_public_url": URL,
    }
    return loopback_hub


def refuse(hub: LoopbackHub) -> None:
    """Let the quota of cluster ``a`` be used up for the next object."""

    async def fault(request: web.Request, _: Any) -> web.StreamResponse | None:
        if request.method == "POST":
            return status(403, "Forbidden", QUOTA)
        hub.server.fail_next(fault)
        return None

    hub.server.fail_next(fault)


async def told(spawner: MultiClusterKubeSpawner) -> list[str]:
    progress = spawner._progress or Progress()
    return [line["message"] async for line in progress.follow()]


async def test_what_fails_everywhere_ends_the_start_in_the_first_cluster(
    two: LoopbackHub,
) -> None:
    said = await start_with(two, TERMINATED, candidates=["a", "gone"])
    assert "ended before it was ready" in said
    assert "gone" not in said


async def test_a_used_up_quota_leads_to_the_next_cluster_and_all_reasons_are_told(
    two: LoopbackHub,
) -> None:
    refuse(two)
    spawner = two.spawner(candidates=["a", "gone"])
    start = asyncio.create_task(spawner.start())
    await until(lambda: spawner._progress is not None)
    lines = asyncio.create_task(told(spawner))
    with pytest.raises(Exception) as caught:  # noqa: PT011 (another class with each JupyterHub)
        await start
    message = caught.value.jupyterhub_message  # type: ignore[attr-defined]
    first, a, gone, *_ = message.splitlines()
    assert first == "Your server could not be started in any of these clusters."
    assert a.startswith("a: This cluster's quota has no room for your server")
    assert gone.startswith("gone: This hub's configuration has a mistake")
    assert any("Trying gone next" in line for line in await lines)
    assert spawner.remembered.created is None
    assert spawner.remembered.left == ()
    assert not [path for path in two.server.objects if "jupyter-ada" in path]
    html = caught.value.jupyterhub_html_message  # type: ignore[attr-defined]
    assert "clusters.<br>a: " in html


async def test_a_cluster_that_had_no_place_comes_last_for_the_next_user(
    two: LoopbackHub,
) -> None:
    refuse(two)
    spawner = two.spawner(candidates=["a", "gone"])
    with pytest.raises(Exception, match="any of these clusters"):
        await spawner.start()
    bob = two.spawner("bob", candidates=["a", "gone"])
    assert await bob.placing.candidates() == ["gone", "a"]
    bob.choosing.profile = "another"
    assert await bob.placing.candidates() == ["a", "gone"]


async def test_what_a_hook_set_for_one_cluster_is_not_taken_to_the_next(
    two: LoopbackHub,
) -> None:
    seen: list[Any] = []

    def modify(spawner: MultiClusterKubeSpawner, pod: Any) -> Any:
        seen.append((spawner.remembered.cluster, spawner.namespace))
        return pod

    two.config.MultiClusterKubeSpawner.clusters["gone"] = {
        "context": "loopback",
        "ingress_public_url": URL,
        "namespace": "elsewhere",
    }
    two.config.KubeSpawner.modify_pod_hook = modify
    two.config.MultiClusterKubeSpawner.read_kubespawner = True
    two.server.watch_held.set()
    refuse(two)
    spawner = two.spawner(candidates=["a", "gone"])
    before = spawner.namespace
    start = asyncio.create_task(spawner.start())
    there = "/api/v1/namespaces/elsewhere/pods/jupyter-ada"
    await until(lambda: start.done() or there in two.server.objects)
    assert there in two.server.objects
    made = two.server.objects[there]
    two.server.watch_lines = [
        event("MODIFIED", {**made, "status": {"phase": "Pending", **TERMINATED}})
    ]
    await until(lambda: there not in two.server.objects)
    two.server.watch_lines = [event("DELETED", made)]
    with pytest.raises(Exception, match="any of these clusters"):
        await start
    assert seen == [("a", "ns"), ("gone", "elsewhere")]
    assert spawner.namespace == before


async def test_a_drained_cluster_is_skipped_and_one_drained_meanwhile_is_left(
    two: LoopbackHub,
) -> None:
    clusters = two.config.MultiClusterKubeSpawner.clusters
    clusters["resting"] = clusters["a"] | {"drain": "An upgrade"}
    drained: list[str] = []
    clusters["late"] = clusters["a"] | {"drain": lambda _: bool(drained)}
    refuse(two)
    spawner = two.spawner(candidates=["resting", "a", "late"])
    lines: list[str] = []
    say = Progress.say

    def heard(self: Progress, message: str, *more: Any) -> None:
        lines.append(message)
        if message == "Connecting to a":
            drained.append("late")
        say(self, message, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "say", heard)
        patch.setattr(drains, "PAUSE", 0.0)
        with pytest.raises(Exception, match="any of these clusters") as caught:
            await spawner.start()
    resting = "resting: The chosen cluster takes no new servers at the moment. An upgrade."
    message = caught.value.jupyterhub_message  # type: ignore[attr-defined]
    _, first, a, late, *_ = message.splitlines()
    assert first == lines[0] == resting
    assert a.startswith("a: This cluster's quota has no room for your server")
    assert late.startswith("late: The chosen cluster takes no new servers at the moment.")
    assert not [path for path in two.server.objects if "jupyter-ada" in path]


async def test_if_all_clusters_are_drained_nothing_is_sent_and_each_says_why(
    two: LoopbackHub,
) -> None:
    clusters = two.config.MultiClusterKubeSpawner.clusters
    for name in ("a", "gone"):
        clusters[name] = clusters[name] | {"drain": f"An upgrade of {name}"}
    spawner = two.spawner(candidates={"a": 1, "gone": 2})
    with pytest.raises(Exception, match="any of these clusters") as caught:
        await spawner.start()
    message = caught.value.jupyterhub_message  # type: ignore[attr-defined]
    assert sorted(message.splitlines()[1:]) == [
        "a: The chosen cluster takes no new servers at the moment. An upgrade of a.",
        "gone: The chosen cluster takes no new servers at the moment. An upgrade of gone.",
    ]
    assert two.server.seen == []


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_a_quota_that_refuses_one_cluster_says_whether_the_next_is_tried(
    two: LoopbackHub, elsewhere: bool
) -> None:
    def quota(_: Any, cluster: str) -> str:
        if cluster == "a":
            raise mcks.Refused("No credits are left.", elsewhere=elsewhere)
        return "12 credits left"

    spawner = two.spawner(candidates=["a", "gone"], quota=quota)
    with pytest.raises(Exception) as caught:  # noqa: PT011 (another class with each JupyterHub)
        await spawner.start()
    message = caught.value.jupyterhub_message  # type: ignore[attr-defined]
    lines = message.splitlines()
    assert lines[1 if elsewhere else 0] == ("a: " if elsewhere else "") + "No credits are left."
    assert ("gone: " in message) is elsewhere
    assert not [path for verb, path in two.server.seen if verb == "POST"]
    assert spawner.remembered.created is None


STOPS = [
    "POST ns/secrets",
    "POST ns/serviceaccounts",
    "DELETE ns/secrets",
    "POST elsewhere/secrets",
]


@pytest.mark.parametrize("where", STOPS)
async def test_a_start_that_is_stopped_at_a_request_ends_there_and_leaves_nothing(
    two: LoopbackHub, where: str
) -> None:
    clusters = two.config.MultiClusterKubeSpawner.clusters
    clusters["b"] = clusters["a"] | {"namespace": "elsewhere"}
    two.server.watch_held.set()
    spawner = two.spawner(candidates=["a", "b"])
    start = asyncio.create_task(spawner.start())
    met = stop_at(two, start, where)
    await asyncio.wait({start})
    assert met.is_set()
    assert start.cancelled() or start.exception()
    await until(lambda: spawner.removal.task is None)
    await spawner.stop()
    two.server.faults.clear()
    assert not [path for path in two.server.objects if path.endswith("/pods/jupyter-ada")]
    in_b = [path for verb, path in two.server.seen if verb == "POST" and "/elsewhere/" in path]
    assert bool(in_b) == ("elsewhere" in where)


def stop_at(hub: LoopbackHub, start: asyncio.Task[str], where: str) -> asyncio.Event:
    """Cancel *start* at its request *where*; the event is set once that has come.

    The quota of the first cluster has room for one object, and not for two.
    """
    met = asyncio.Event()
    verb, _, place = where.partition(" ")

    async def fault(request: web.Request, _: Any) -> web.StreamResponse | None:
        hub.server.fail_next(fault)
        ours = request.method == "POST" or "jupyter-ada" in request.path
        if ours and request.method == verb and f"/namespaces/{place}" in request.path:
            met.set()
            start.cancel()
        made = [path for path in hub.server.objects if "/ns/" in path and "jupyter-ada" in path]
        if request.method == "POST" and made and "/ns/" in request.path:
            return status(403, "Forbidden", QUOTA)
        return None

    hub.server.fail_next(fault)
    return met


async def test_a_start_whose_first_candidate_takes_it_sends_no_request_more(
    two: LoopbackHub,
) -> None:
    clusters = two.config.MultiClusterKubeSpawner.clusters
    clusters["b"] = clusters["a"] | {"namespace": "elsewhere"}
    await two.watched()
    counted = [await sent(two, "ada", cluster="a"), await sent(two, "bob", candidates=["a", "b"])]
    objects = 5
    assert [len(requests) for requests in counted] == [objects + 1, objects + 1]
    assert counted[1] == [(verb, path.replace("ada", "bob")) for verb, path in counted[0]]
    assert not [path for _, path in two.server.seen if "/elsewhere/" in path]


async def sent(hub: LoopbackHub, user: str, **traits: Any) -> list[tuple[str, str]]:
    """Start a server until its cluster has accepted it; return the requests that were sent, but for
    the lists of who looks after clusters."""
    before = len(hub.server.seen)
    spawner = hub.spawner(user, **traits)
    start = asyncio.create_task(spawner.start())
    await until(lambda: spawner._progress and spawner._progress.accepted.is_set())
    requests = [one for one in hub.server.seen[before:] if one[0] != "GET" or user in one[1]]
    made = hub.server.objects[f"{PODS}/jupyter-{user}"]
    hub.server.watch_lines = [event("DELETED", made)]
    hub.server.watch_held.set()
    start.cancel()
    await asyncio.gather(start, return_exceptions=True)
    return sorted(requests)


async def test_of_many_starts_at_once_the_first_are_made_before_the_last_have_begun(
    loopback_hub: LoopbackHub,
) -> None:
    server, users = loopback_hub.server, [f"user-{number}" for number in range(20)]
    server.watch_held.set()
    starts = [asyncio.create_task(loopback_hub.spawner(user).start()) for user in users]
    await until(lambda: [verb for verb, _ in server.seen].count("PATCH") == len(users))
    pods = [one for path, one in server.objects.items() if path.startswith(PODS)]
    server.watch_lines = [event("DELETED", one) for one in pods]
    for start in starts:
        start.cancel()
    await asyncio.gather(*starts, return_exceptions=True)
    changes = [verb for verb, path in server.seen if "/namespaces/ns/" in path and verb != "GET"]
    first_is_made = changes.index("PATCH")
    begun = changes[:first_is_made].count("POST")
    assert begun < 2 * len(users)  # of five objects each
