"""What is known to go wrong with KubeSpawner does not with mcks: one test for each such defect.

Where the installed KubeSpawner still has the defect, the test shows it side by side.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from aiohttp import web
from jupyterhub.utils import maybe_future

from mcks.core.clusters.pool import Pool
from mcks.core.labels import KEY_LABEL
from mcks.core.servers import plan
from tests.core.profiles.side_by_side import kubespawner
from tests.fakes.loopback import Handler, event, status
from tests.fakes.loopback_servers import (
    PODS,
    TERMINATED,
    LoopbackHub,
    place,
    pod,
    start_with,
    until,
)
from tests.hub.servers import HOME

# -- the watch --------------------------------------------------------------------------------


def listed(hub: LoopbackHub) -> int:
    """How often the hub has listed the Pods; a watch is no list."""
    asked = zip(hub.server.seen, hub.server.queries, strict=True)
    return sum(path == PODS and "watch" not in query for (_, path), query in asked)


async def test_a_watch_never_gives_up_however_often_it_fails(loopback_hub: LoopbackHub) -> None:
    """A watch that gave up was used for ever after: the hub's picture of the cluster froze."""
    spawner = loopback_hub.running()
    pods = await loopback_hub.watched()
    server = loopback_hub.server
    for _ in range(20):
        server.answer_next(
            status(500, "InternalError"), status(403, "Forbidden"), status(410, "Expired")
        )
    server.watch_held.set()
    await until(lambda: not server.faults)
    assert await spawner.poll() is None
    server.watch_lines = [event("DELETED", server.objects.pop(f"{PODS}/jupyter-ada"))]
    await until(lambda: pods.get(place("ada")) is None)
    assert await spawner.poll() == 1


async def pass_on(request: web.Request, handler: Handler) -> web.StreamResponse | None:
    """Let one request be answered as usual."""
    return None


async def expired(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a watch with an ERROR event, as for a version that is too old."""
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    return web.Response(body=event("ERROR", gone))


async def test_an_error_event_without_metadata_leads_to_one_new_list(
    loopback_hub: LoopbackHub,
) -> None:
    """An ERROR event of a watch from too old a version ended in a loop of KeyErrors."""
    loopback_hub.running()
    loopback_hub.server.fail_next(pass_on, expired)
    bob = loopback_hub.server.put("/elsewhere/bob", pod("jupyter-bob"))
    loopback_hub.server.watch_lines = [event("ADDED", bob)]
    pods = await loopback_hub.watched()
    await until(lambda: pods.get(place("bob")) is not None)
    assert listed(loopback_hub) == 2


async def test_a_watch_that_ends_in_time_is_opened_again_without_a_new_list(
    loopback_hub: LoopbackHub,
) -> None:
    """Each watch listed everything anew after ten seconds."""
    loopback_hub.running()
    server = loopback_hub.server
    server.watch_held.set()
    await loopback_hub.watched()
    await until(lambda: sum("watch" in query for query in server.queries) >= 5)
    assert listed(loopback_hub) == 1
    lives = [int(query["timeoutSeconds"]) for query in server.queries if "watch" in query]
    assert min(lives) > 60


@pytest.mark.slow
async def test_what_has_happened_is_asked_for_by_pod_and_pods_by_label(
    loopback_hub: LoopbackHub,
) -> None:
    """The events of a whole namespace, tens of thousands, filled the hub's memory."""
    spawner = loopback_hub.spawner(start_timeout=2)
    start = asyncio.create_task(spawner.start())
    await asyncio.sleep(0)
    shown = [line["message"] async for line in spawner.progress()]
    with pytest.raises(Exception, match="found no place for your server in time"):
        await start
    assert shown
    about: dict[str, set[str]] = {"pods": set(), "events": set()}
    for (method, path), query in zip(
        loopback_hub.server.seen, loopback_hub.server.queries, strict=True
    ):
        kind = path.rpartition("/")[2]
        if method == "GET" and kind in about:
            asked = query.get("labelSelector", "") + query.get("fieldSelector", "")
            about[kind].add(f"watch {asked}" if kind == "events" and "watch" in query else asked)
    assert about == {
        "pods": {KEY_LABEL},
        "events": {
            "involvedObject.kind=Pod,involvedObject.name=jupyter-ada",
            "watch involvedObject.kind=Pod",  # from then on, and nothing is kept of others
        },
    }


# -- pods that do not do well -------------------------------------------------------------------


async def test_a_pod_without_any_status_is_not_taken_for_ended(loopback_hub: LoopbackHub) -> None:
    """A pod whose containers had no status yet had ended with 1, and stayed behind."""
    spawner = loopback_hub.running()
    del loopback_hub.server.objects[f"{PODS}/jupyter-ada"]["status"]
    await loopback_hub.watched()
    assert await spawner.poll() is None
    assert ("DELETE", f"{PODS}/jupyter-ada") not in loopback_hub.server.seen


async def test_an_evicted_pod_has_ended_and_is_removed(loopback_hub: LoopbackHub) -> None:
    """An evicted pod stayed where it was, and the next start met it."""
    spawner = loopback_hub.running(phase="Failed", reason="Evicted", message="low on memory")
    server = loopback_hub.server
    evicted = server.objects[f"{PODS}/jupyter-ada"]
    server.watch_held.set()
    await loopback_hub.watched()
    assert await spawner.poll() is None  # not before it is gone
    await until(lambda: not server.objects)
    server.watch_lines = [event("DELETED", evicted)]
    async with asyncio.timeout(20):
        while await spawner.poll() is None:
            await asyncio.sleep(0.01)
    assert await spawner.poll() == 1


def waiting(reason: str, **more: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": "in Kubernetes' words"}}
    return {"containerStatuses": [{"name": "notebook", "state": state, **more}]}


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (waiting("CrashLoopBackOff", restartCount=2), "ends as soon as it is started"),
        ({"phase": "Failed", "reason": "Evicted"}, "evicted it. Start it again"),
        (waiting("ImagePullBackOff"), "image of this server could not be pulled"),
        (waiting("CreateContainerConfigError"), "something that its cluster does not have"),
        (TERMINATED, "ended before it was ready"),
    ],
)
async def test_a_pod_that_cannot_start_ends_the_start_at_once_with_a_sentence(
    loopback_hub: LoopbackHub, state: dict[str, Any], told: str
) -> None:
    """Crash-looping and evicted pods were waited for until the time was over."""
    assert told in await start_with(loopback_hub, state, start_timeout=300)


@pytest.mark.slow
async def test_a_pod_that_finds_no_place_may_still_find_one_until_the_time_is_over(
    loopback_hub: LoopbackHub,
) -> None:
    """A pod that could not be scheduled ended in the hub's own, unexplained time-out."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    told = await start_with(loopback_hub, {"conditions": [condition]}, start_timeout=2)
    assert "has no place for your server" in told


async def test_the_log_keeps_what_a_failed_pod_said(
    loopback_hub: LoopbackHub, caplog: pytest.LogCaptureFixture
) -> None:
    """A pod whose start failed was deleted, and all evidence with it."""
    happened = {"type": "Warning", "reason": "BackOff", "message": "back-off of the container"}
    server = loopback_hub.server
    server.put("/api/v1/namespaces/ns/events/e", {"metadata": {"name": "e"}, **happened})
    server.objects[f"{PODS}/jupyter-ada/log"] = {"said": "no space left on device"}
    with caplog.at_level(logging.ERROR):
        told = await start_with(loopback_hub, TERMINATED)
    assert "no space left on device" in caplog.text
    assert "back-off of the container" in caplog.text
    assert "no space" not in told


# -- secrets ------------------------------------------------------------------------------------


async def test_the_token_is_in_a_secret_and_not_in_the_pod(loopback_hub: LoopbackHub) -> None:
    """The hub's API token stands in the pod, for all who may read pods."""
    mine = loopback_hub.spawner()
    planned = plan.make(mine, mine.configured(Pool(mine.config, logging.getLogger("t"))))
    token = mine.api_token
    kinds = {m["kind"] for m in planned.objects if token in json.dumps(m)}
    assert kinds == {"Secret"}
    theirs = kubespawner([])
    theirs.hub, theirs.api_token, theirs._server = mine.hub, token, mine._server
    theirs.user.url, theirs.user.escaped_name, theirs.user.state = "/user/ada/", "ada", {}
    assert token in str((await theirs.get_pod_manifest()).to_dict())


# -- data ---------------------------------------------------------------------------------------


async def test_a_users_data_is_deleted_neither_with_the_server_nor_with_the_user(
    loopback_hub: LoopbackHub,
) -> None:
    """A volume that users shared was deleted together with one of them."""
    claims = "/api/v1/namespaces/ns/persistentvolumeclaims"
    objects = {**loopback_hub.spawner().objects, "05-home": HOME}
    await start_with(loopback_hub, TERMINATED, objects=objects)
    assert f"{claims}/jupyter-ada" in loopback_hub.server.objects
    await maybe_future(loopback_hub.spawner(objects=objects).delete_forever())
    assert f"{claims}/jupyter-ada" in loopback_hub.server.objects
    assert ("DELETE", f"{claims}/jupyter-ada") not in loopback_hub.server.seen
