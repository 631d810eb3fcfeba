"""A start among several clusters goes where its user's data is, and leaves no new data behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcks.core.labels import KEY_LABEL
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.core.test_start import QUOTA
from tests.fakes.loopback import event, status
from tests.fakes.loopback_servers import URL, LoopbackHub, until
from tests.hub.servers import HOME

CLAIM = "/api/v1/namespaces/{}/persistentvolumeclaims/jupyter-ada"
POD = "/api/v1/namespaces/{}/pods/jupyter-ada"
DATA = ["a", "v1", "PersistentVolumeClaim", "jupyter-ada", "ns", False]
EVICTED = {
    "phase": "Failed",
    "reason": "Evicted",
    "containerStatuses": [{"name": "notebook", "state": {"terminated": {"exitCode": 137}}}],
}


@pytest.fixture
def two(loopback_hub: LoopbackHub) -> LoopbackHub:
    """A hub whose clusters ``a`` and ``b`` are two namespaces; each server has a home."""
    section = loopback_hub.config.MultiClusterKubeSpawner
    section.clusters["b"] = {
        "context": "loopback",
        "ingress_public_url": URL,
        "namespace": "elsewhere",
    }
    section.resources = {"05-home": HOME}
    return loopback_hub


def no_place_in(hub: LoopbackHub, namespace: str, kind: str = "pods") -> None:
    """Let a quota there have no room for objects of this *kind*."""
    post = hub.server._post

    async def answer(request: Any) -> Any:
        if request.path == f"/api/v1/namespaces/{namespace}/{kind}":
            return status(403, "Forbidden", QUOTA)
        return await post(request)

    hub.server._post = answer  # type: ignore[method-assign]


async def failure(start: asyncio.Task[str]) -> Any:
    with pytest.raises(Exception, match=r".") as caught:
        await start
    return caught.value


async def end_in(hub: LoopbackHub, start: asyncio.Task[str], namespace: str, **state: Any) -> None:
    """Let the Pod there end in this *state*, once it is made, and let it go when it is deleted."""
    pod = POD.format(namespace)
    await until(lambda: start.done() or pod in hub.server.objects)
    made = hub.server.objects[pod]
    seen = {**made, "spec": {**made["spec"], "nodeName": "n1"}, "status": state}
    hub.server.watch_lines = [event("MODIFIED", seen)]
    await until(lambda: pod not in hub.server.objects)
    hub.server.watch_lines = [event("DELETED", seen)]


def has_data(hub: LoopbackHub, namespace: str) -> bool:
    return CLAIM.format(namespace) in hub.server.objects


async def test_new_data_is_taken_out_of_a_cluster_before_the_next_is_tried(
    two: LoopbackHub,
) -> None:
    two.server.watch_held.set()
    no_place_in(two, "ns")
    spawner = two.spawner(candidates=["a", "b"])
    start = asyncio.create_task(spawner.start())
    await until(lambda: start.done() or POD.format("elsewhere") in two.server.objects)
    assert not has_data(two, "ns")
    assert has_data(two, "elsewhere")
    await end_in(two, start, "elsewhere", **EVICTED)
    await failure(start)
    assert [datum.cluster for datum in spawner.remembered.data] == ["b"]
    assert has_data(two, "elsewhere"), "the container has run there"
    assert await spawner.placing.candidates() == ["b", "a"]


async def test_a_start_that_finds_no_place_anywhere_leaves_no_data_nor_a_key(
    two: LoopbackHub,
) -> None:
    no_place_in(two, "ns")
    no_place_in(two, "elsewhere")
    spawner = two.spawner(candidates=["a", "b"])
    await failure(asyncio.create_task(spawner.start()))
    assert not has_data(two, "ns")
    assert not has_data(two, "elsewhere")
    assert spawner.get_state() == {}


async def test_a_claim_that_a_quota_forbids_is_no_data_and_the_next_cluster_is_tried(
    two: LoopbackHub,
) -> None:
    no_place_in(two, "ns", "persistentvolumeclaims")
    no_place_in(two, "elsewhere")
    spawner = two.spawner(candidates=["a", "b"])
    said = await failure(asyncio.create_task(spawner.start()))
    assert [line[:2] for line in said.jupyterhub_message.splitlines()[1:3]] == ["a:", "b:"]
    assert "Your data" not in said.jupyterhub_message
    assert spawner.get_state() == {}


def answers_nothing_about_claims_in(hub: LoopbackHub, namespace: str) -> None:
    """Do what is asked there about claims, and break the connection before the answer."""
    for verb in ("_get", "_post"):
        do = getattr(hub.server, verb)

        async def answer(request: Any, do: Any = do) -> Any:
            answered = await do(request)
            if f"/{namespace}/persistentvolumeclaims" in request.path:
                request.transport.abort()
            return answered

        setattr(hub.server, verb, answer)


async def test_data_of_which_nobody_heard_back_and_no_pod_was_made_keeps_nobody_from_the_next(
    two: LoopbackHub,
) -> None:
    two.server.watch_held.set()
    answers_nothing_about_claims_in(two, "ns")
    spawner = two.spawner(candidates=["a", "b"])
    start = asyncio.create_task(spawner.start())
    await until(lambda: start.done() or POD.format("elsewhere") in two.server.objects)
    assert not start.done(), start.exception()
    await end_in(two, start, "elsewhere", **EVICTED)
    await failure(start)
    assert {datum.cluster for datum in spawner.remembered.data} == {"a", "b"}, "both may be there"


async def test_data_of_which_nobody_heard_back_keeps_its_user_if_it_was_there_before(
    two: LoopbackHub,
) -> None:
    answers_nothing_about_claims_in(two, "ns")
    spawner = at_home(two)  # its candidates are b, a, c: what has data is tried first
    said = await failure(asyncio.create_task(spawner.start()))
    assert "b: Your data is in a, and not in b." in said.jupyterhub_message
    assert not has_data(two, "elsewhere")


async def test_nobody_is_led_away_from_data_that_a_container_may_have_written(
    two: LoopbackHub,
) -> None:
    two.server.watch_held.set()
    spawner = two.spawner(candidates=["a", "b"])
    start = asyncio.create_task(spawner.start())
    await end_in(two, start, "ns", **EVICTED)
    said = await failure(start)
    assert "b: Your data is in a, and not in b." in said.jupyterhub_message
    assert has_data(two, "ns")
    assert not has_data(two, "elsewhere")


def at_home(hub: LoopbackHub, **traits: Any) -> MultiClusterKubeSpawner:
    """The spawner of a user whose home is in ``a``."""
    meta = {"name": "jupyter-ada", "namespace": "ns", "labels": {KEY_LABEL: "jupyter-ada"}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta}
    hub.server.put(CLAIM.format("ns"), claim)
    spawner = hub.spawner(candidates=["b", "a", "c"], **traits)
    spawner.load_state({"kept_key": "jupyter-ada", "data": [DATA]})
    return spawner


@pytest.mark.parametrize("policy", [None, "ask", "stay"])
async def test_a_start_away_from_data_is_refused_and_all_tries_are_told(
    two: LoopbackHub, policy: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    no_place_in(two, "ns")
    spawner = at_home(two, data=policy)
    said = await failure(asyncio.create_task(spawner.start()))
    _, a, b, *more = said.jupyterhub_message.splitlines()
    assert a.startswith("a: This cluster's quota has no room")
    assert b.startswith("b: Your data is in a, and not in b.")
    assert not [line for line in more if line.startswith("c:")]
    assert ("start without it" in said.jupyterhub_html_message) is (policy != "stay")
    assert spawner.get_state()["data"] == [DATA]
    assert not [path for path in two.server.objects if "elsewhere" in path]


async def test_who_agrees_starts_elsewhere_if_there_is_no_place_near_the_data(
    two: LoopbackHub,
) -> None:
    no_place_in(two, "ns")
    no_place_in(two, "elsewhere")
    spawner = at_home(two)
    spawner.choosing.agreed = True
    lines: list[str] = []
    start = asyncio.create_task(spawner.start())
    await until(lambda: spawner._progress is not None)
    progress = spawner._progress
    assert progress is not None
    async for line in progress.follow():
        lines.append(line["message"])
    said = await failure(start)
    assert "Your data is in a. This server starts in b without it" in lines
    assert [line[:2] for line in said.jupyterhub_message.splitlines()[1:4]] == ["a:", "b:", "c:"]
    assert spawner.get_state()["data"] == [DATA]
