"""Creating a server's objects where others are faster, or something is in the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from mcks.core.api.client import ClusterClient
from mcks.core.hub.sharing import fleet_of
from mcks.core.labels import KEY_LABEL, LIFETIME
from mcks.core.objects import Manifest, ref
from mcks.core.servers import creation
from mcks.core.servers.server import Created
from mcks.errors import ConfigError, Conflict, Forbidden, NotFound, ServerError, Unreachable
from tests.fakes.loopback import Fault, cut, do_and_cut, status
from tests.fakes.loopback_servers import PODS, LoopbackHub, until

KEY = "jupyter-ada"
CLAIM = "/api/v1/namespaces/ns/persistentvolumeclaims/jupyter-ada"


def manifest(kind: str, lifetime: str = "server", **spec: Any) -> Manifest:
    meta = {"name": KEY, "namespace": "ns", "labels": {KEY_LABEL: KEY}}
    if lifetime != "server":
        meta["annotations"] = {LIFETIME: lifetime}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, **spec}


def server_objects() -> list[Manifest]:
    return [
        manifest("PersistentVolumeClaim", "user"),
        manifest("Secret"),
        manifest("ServiceAccount"),
        manifest("Service"),
        manifest("Pod"),
    ]


def lost_race() -> web.Response:
    said = 'Operation cannot be fulfilled on resourcequotas "q": the object has been modified; '
    said += "please apply your changes to the latest version and try again"
    return status(409, "Conflict", said, details={"name": "q", "kind": "resourcequotas"})


def refuse_creates(
    hub: LoopbackHub, refusal: Callable[[], web.Response], times: int, kind: str = ""
) -> None:
    """Refuse the first creates of each kind, or of this *kind* (in the plural) alone."""
    refused: Counter[str] = Counter()
    post = hub.server._post

    async def answer(request: web.Request) -> web.Response:
        plural = request.path.rpartition("/")[2]
        if kind not in ("", plural) or refused[plural] >= times:
            return await post(request)
        refused[plural] += 1
        return refusal()

    hub.server._post = answer  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creation, "_PAUSE", 0.001)
    monkeypatch.setattr(creation, "_LONGEST_PAUSE", 0.002)


async def client_of(hub: LoopbackHub) -> ClusterClient:
    spawner = hub.spawner()
    return (await fleet_of(spawner).pool.connect("a", spawner.clusters)).client


async def test_a_race_for_a_quota_is_run_again_for_every_kind_of_object(
    loopback_hub: LoopbackHub,
) -> None:
    client = await client_of(loopback_hub)
    refuse_creates(loopback_hub, lost_race, 3)
    await creation.create_all(client, server_objects(), Created(KEY, "ns"))
    assert {path.split("/")[-2] for path in loopback_hub.server.objects} == {
        "persistentvolumeclaims",
        "secrets",
        "serviceaccounts",
        "services",
        "pods",
    }
    assert not [path for method, path in loopback_hub.server.seen if method == "DELETE"]


async def test_a_race_that_is_never_won_ends(loopback_hub: LoopbackHub) -> None:
    client = await client_of(loopback_hub)
    refuse_creates(loopback_hub, lost_race, 1000)
    with pytest.raises(Conflict, match="the object has been modified"):
        await creation.create_all(client, server_objects(), Created(KEY, "ns"))
    posts = [path for method, path in loopback_hub.server.seen if method == "POST"]
    assert 1 < len(posts) <= 10


CLAIMS = "persistentvolumeclaims"


def over_quota() -> web.Response:
    return status(403, "Forbidden", "exceeded quota: small, requested: 1, used: 9, limited: 9")


async def test_data_that_exists_is_used_though_a_quota_forbids_to_make_it(
    loopback_hub: LoopbackHub,
) -> None:
    client = await client_of(loopback_hub)
    server = loopback_hub.server
    server.put(CLAIM, manifest("PersistentVolumeClaim", "user"))
    refuse_creates(loopback_hub, over_quota, 1, CLAIMS)
    await creation.create_all(client, server_objects(), Created(KEY, "ns"))
    assert f"{PODS}/{KEY}" in server.objects


async def test_what_is_to_be_kept_is_not_put_where_it_goes_with_another_server(
    loopback_hub: LoopbackHub,
) -> None:
    client = await client_of(loopback_hub)
    shared = manifest("PersistentVolumeClaim", "keep")
    for_a_moment = manifest("PersistentVolumeClaim")
    for_a_moment["metadata"] |= {
        "annotations": {LIFETIME: "server"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "Secret", "name": "x", "uid": "1"}],
    }
    loopback_hub.server.put(CLAIM, for_a_moment)
    with pytest.raises(ConfigError, match="what is kept in it would go as well"):
        await creation.create_all(client, [shared, *server_objects()[1:]], Created(KEY, "ns"))
    assert f"{PODS}/{KEY}" not in loopback_hub.server.objects


async def test_data_that_does_not_exist_is_refused_with_the_quotas_own_words(
    loopback_hub: LoopbackHub,
) -> None:
    client = await client_of(loopback_hub)
    refuse_creates(loopback_hub, over_quota, 1, CLAIMS)
    with pytest.raises(Forbidden, match="exceeded quota: small"):
        await creation.create_all(client, server_objects(), Created(KEY, "ns"))


async def test_a_quota_is_told_to_the_user_in_a_sentence_and_named_in_the_log(
    loopback_hub: LoopbackHub, caplog: pytest.LogCaptureFixture
) -> None:
    refuse_creates(loopback_hub, over_quota, 1, "pods")
    shown = await failed(loopback_hub)
    assert shown.jupyterhub_message.startswith("This cluster's quota has no room for your server")
    assert "small," not in shown.jupyterhub_message
    assert "exceeded quota: small" in caplog.text


async def failed(hub: LoopbackHub, **traits: Any) -> Any:
    with pytest.raises(Exception) as caught:  # noqa: PT011 (another class with each JupyterHub)
        await hub.spawner(**traits).start()
    return caught.value


async def test_what_was_never_sent_is_not_looked_for_when_the_start_is_taken_back(
    loopback_hub: LoopbackHub,
) -> None:
    spawner = loopback_hub.spawner()
    fleet = fleet_of(spawner)
    cluster = await fleet.pool.connect("a", spawner.known_clusters)
    await cluster.client.namespaced("v1", "Secret")
    for _ in range(3):
        with pytest.raises(Unreachable), cluster.breaker.attempt(even_if_unavailable=True):
            raise Unreachable("silent")
    with pytest.raises(Exception, match="does not answer"):
        await spawner.start()
    assert spawner.remembered.created is None
    asked = {path for _, path in loopback_hub.server.seen}
    assert asked <= {PODS}  # which is the watch
    assert not fleet.sweeper.has_pending(cluster.breaker)


@pytest.mark.parametrize("lost", [cut, do_and_cut])
async def test_what_may_have_been_made_is_looked_for(
    loopback_hub: LoopbackHub, lost: Fault
) -> None:
    client = await client_of(loopback_hub)
    for kind in ("Secret", "Pod"):
        await client.namespaced("v1", kind)
    post = loopback_hub.server._post

    async def answer(request: web.Request) -> web.StreamResponse:
        loopback_hub.server.fail_next(*[cut] * 20)
        return (await lost(request, post)) or web.Response()

    loopback_hub.server._post = answer  # type: ignore[assignment]
    created = Created(KEY, "ns")
    with pytest.raises(Unreachable):
        await creation._create_noted(client, manifest("Secret"), created)
    assert created.uids == {"Secret": None}


async def test_data_that_is_just_being_deleted_is_made_anew_when_it_is_gone(
    loopback_hub: LoopbackHub,
) -> None:
    client, server = await client_of(loopback_hub), loopback_hub.server
    old = server.put(CLAIM, manifest("PersistentVolumeClaim", "user"))
    old["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    created = Created(KEY, "ns")
    start = asyncio.create_task(creation.create_all(client, server_objects(), created))
    await until(lambda: server.seen.count(("GET", CLAIM)) > 1)
    assert not start.done()
    del server.objects[CLAIM]
    await start
    made = server.objects[CLAIM]
    assert made["metadata"]["uid"] != old["metadata"]["uid"]
    assert created.new_data == {ref(made): made["metadata"]["uid"]}


async def test_data_of_another_is_not_taken_for_the_users(loopback_hub: LoopbackHub) -> None:
    client = await client_of(loopback_hub)
    theirs = manifest("PersistentVolumeClaim", "user")
    theirs["metadata"]["labels"] = {}
    loopback_hub.server.put(CLAIM, theirs)
    created = Created(KEY, "ns")
    with pytest.raises(ConfigError, match="is not this server's"):
        await creation.create_all(client, server_objects(), created)
    assert created.data == created.kept == ()


async def test_data_whose_creation_nobody_answered_may_be_there(
    loopback_hub: LoopbackHub,
) -> None:
    client, created = await client_of(loopback_hub), Created(KEY, "ns")
    refuse_creates(loopback_hub, lambda: status(500, "InternalError"), 9, CLAIMS)
    with pytest.raises(ServerError):
        await creation.create_all(client, server_objects(), created)
    assert [where.name for where in created.data] == [KEY]
    assert created.new_data == {}


async def test_all_data_of_a_start_is_tried_though_one_part_is_refused(
    loopback_hub: LoopbackHub,
) -> None:
    """So it is known of each part whether it is there."""
    client, created = await client_of(loopback_hub), Created(KEY, "ns")
    more = manifest("PersistentVolumeClaim", "user")
    more["metadata"]["name"] = "more"
    refuse_creates(loopback_hub, over_quota, 1, CLAIMS)
    with pytest.raises(Forbidden, match="exceeded quota"):
        await creation.create_all(client, [more, *server_objects()], created)
    assert len(created.new_data) == 1
    assert created.data == created.kept == (*created.new_data,)


async def test_a_create_that_fails_beside_others_leaves_its_task_free_of_cancellation() -> None:
    """asyncio's TaskGroup of Python 3.11 would not: time-outs around it were not told as such."""

    async def fail() -> None:
        await asyncio.sleep(0)
        raise NotFound("no")

    ended = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(NotFound):
        await creation._together([wait(), fail()])
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert ended.is_set()
