"""A cluster is left with nothing new in it, unless somebody may miss it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from mcks.core.clusters.connected import ConnectedCluster
from mcks.core.hub.sharing import fleet_of
from mcks.core.labels import KEY_LABEL, LIFETIME
from mcks.core.objects import Manifest, Ref
from mcks.core.servers import creation, leaving
from mcks.core.servers.server import Created
from mcks.core.servers.state import State, UserObject
from mcks.errors import MCKSError
from tests.core.servers.test_creation import CLAIM, CLAIMS, over_quota, refuse_creates
from tests.core.servers.test_creation import manifest as named
from tests.fakes.loopback import event, status
from tests.fakes.loopback_servers import PODS, LoopbackHub, place, until

HOME = Ref("v1", "PersistentVolumeClaim", "jupyter-ada", "ns")
NAMESPACE = "/api/v1/namespaces/ada"
WAITS = [{"name": "notebook", "state": {"waiting": {"reason": "ContainerCreating"}}}]
RAN = [{"name": "notebook", "state": {"terminated": {"exitCode": 0}}}]


async def connect(hub: LoopbackHub) -> ConnectedCluster:
    return await fleet_of(hub.spawner()).pool.connect("a", hub.spawner().clusters)


def objects() -> list[Manifest]:
    kinds = [("PersistentVolumeClaim", "user"), ("Secret", "server"), ("Pod", "server")]
    return [named(kind, lifetime) for kind, lifetime in kinds]


async def failed_start(
    hub: LoopbackHub, *more: Manifest, node: str = "", **pod_status: Any
) -> Created:
    """What a start has made whose Pod came to this status, and is gone again."""
    client = (await connect(hub)).client
    created = Created("jupyter-ada", "ns")
    pods = await hub.watched()
    pod = await creation.create_all(client, [*more, *objects()], created)
    seen = {**pod, "spec": {"nodeName": node} if node else {}, "status": pod_status}
    await creation.remove(client, created)
    hub.server.watch_lines = [event("ADDED", seen), event("DELETED", seen)]
    hub.server.watch_held.set()
    await until(lambda: pods.last(pod["metadata"]["uid"]))
    assert pods.get(place("ada")) is None
    return created


async def test_a_claim_that_a_pod_without_a_place_was_to_use_is_deleted_by_its_uid(
    loopback_hub: LoopbackHub,
) -> None:
    created = await failed_start(loopback_hub, phase="Pending")
    assert created.new_data.keys() == {HOME}
    assert await leaving.leave(await connect(loopback_hub), created)
    assert CLAIM not in loopback_hub.server.objects
    assert (created.kept, created.data, created.new_data) == ((), (), {})
    assert created.deleted == (HOME,)


async def test_what_has_taken_the_name_of_a_new_claim_stays(loopback_hub: LoopbackHub) -> None:
    created = await failed_start(loopback_hub, phase="Pending")
    other = loopback_hub.server.put(CLAIM, named("PersistentVolumeClaim", "user"))
    assert await leaving.leave(await connect(loopback_hub), created)
    assert loopback_hub.server.objects[CLAIM] is other


async def test_a_claim_that_existed_before_stays(loopback_hub: LoopbackHub) -> None:
    loopback_hub.server.put(CLAIM, named("PersistentVolumeClaim", "user"))
    created = await failed_start(loopback_hub, phase="Pending")
    assert await leaving.leave(await connect(loopback_hub), created)
    assert CLAIM in loopback_hub.server.objects
    assert (created.data, created.new_data, created.deleted) == ((HOME,), {}, ())


@pytest.mark.parametrize(
    ("pod_status", "is_left"),
    [
        ({"phase": "Pending", "containerStatuses": WAITS}, True),
        ({"phase": "Pending"}, False),
        ({"phase": "Failed", "containerStatuses": RAN}, False),
        ({"phase": "Pending", "containerStatuses": WAITS, "initContainerStatuses": RAN}, False),
    ],
)
async def test_a_cluster_is_not_left_if_a_container_may_have_written_into_a_new_claim(
    loopback_hub: LoopbackHub, pod_status: dict[str, Any], is_left: bool
) -> None:
    created = await failed_start(loopback_hub, node="n1", **pod_status)
    assert await leaving.leave(await connect(loopback_hub), created) is is_left
    assert (CLAIM in loopback_hub.server.objects) is not is_left
    assert bool(created.new_data) is not is_left


async def test_a_pod_whose_end_nobody_saw_may_have_written(loopback_hub: LoopbackHub) -> None:
    created = await failed_start(loopback_hub, phase="Pending")
    created.uids["Pod"] = "unseen"
    assert not await leaving.leave(await connect(loopback_hub), created)
    created.uids["Pod"] = None
    loopback_hub.server.put(f"{PODS}/jupyter-ada", named("Pod"))
    assert not await leaving.leave(await connect(loopback_hub), created)
    assert CLAIM in loopback_hub.server.objects


async def test_a_claim_that_another_server_may_use_stays(loopback_hub: LoopbackHub) -> None:
    created = await failed_start(loopback_hub, phase="Pending")
    assert not await leaving.leave(await connect(loopback_hub), created, shared=True)
    assert CLAIM in loopback_hub.server.objects


def refuse_deletes(hub: LoopbackHub) -> None:
    async def refused(request: web.Request) -> web.Response:
        return status(403, "Forbidden", "may not delete")

    hub.server._delete = refused  # type: ignore[method-assign]


async def test_a_claim_that_cannot_be_deleted_is_left(
    loopback_hub: LoopbackHub, caplog: pytest.LogCaptureFixture
) -> None:
    created = await failed_start(loopback_hub, phase="Pending")
    refuse_deletes(loopback_hub)
    assert not await leaving.leave(await connect(loopback_hub), created)
    assert created.new_data.keys() == {HOME}
    assert "PersistentVolumeClaim jupyter-ada in namespace ns stays in a: " in caplog.text


async def test_a_users_namespace_stays_and_holds_nobody_back(loopback_hub: LoopbackHub) -> None:
    meta = {"name": "ada", "labels": {KEY_LABEL: "jupyter-ada"}, "annotations": {LIFETIME: "user"}}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    created = await failed_start(loopback_hub, namespace, phase="Pending")
    assert await leaving.leave(await connect(loopback_hub), created)
    assert NAMESPACE in loopback_hub.server.objects
    assert created.data == created.kept == (Ref("v1", "Namespace", "ada"),)


async def test_a_claim_that_was_refused_is_no_data(loopback_hub: LoopbackHub) -> None:
    created = Created("jupyter-ada", "ns")
    refuse_creates(loopback_hub, over_quota, 1, CLAIMS)
    connection = await connect(loopback_hub)
    with pytest.raises(MCKSError):
        await creation.create_all(connection.client, objects(), created)
    assert created.data == created.kept == ()
    assert await leaving.leave(connection, created)


@pytest.mark.parametrize("refused", ["secrets", "pods"])
async def test_new_data_of_a_start_whose_pod_was_never_made_is_deleted(
    loopback_hub: LoopbackHub, refused: str
) -> None:
    created = Created("jupyter-ada", "ns")
    refuse_creates(loopback_hub, over_quota, 9, refused)
    connection = await connect(loopback_hub)
    with pytest.raises(MCKSError):
        await creation.create_all(connection.client, objects(), created)
    assert await leaving.leave(connection, created)
    assert CLAIM not in loopback_hub.server.objects


def remembered(*data: UserObject, kept_key: str = "jupyter-ada") -> State:
    return State(kept_key=kept_key, data=data)


def test_what_was_deleted_is_forgotten_and_nothing_else() -> None:
    more = Ref("v1", "PersistentVolumeClaim", "more", "ns")
    known = remembered(UserObject("a", HOME), UserObject("a", more), UserObject("b", HOME))
    created = Created("jupyter-ada", "ns", kept=(more,), data=(more,), deleted=(HOME,))
    left = leaving.forgotten(known, "a", created, "")
    assert left == remembered(UserObject("a", more), UserObject("b", HOME))


def test_a_key_on_which_nothing_hangs_any_more_is_what_it_was_before() -> None:
    created = Created("jupyter-ada", "ns", deleted=(HOME,))
    known = remembered(UserObject("a", HOME))
    assert leaving.forgotten(known, "a", created, "") == remembered(kept_key="")
    assert leaving.forgotten(known, "a", created, "old") == remembered(kept_key="old")
