"""What is an orphan, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mcks.core.knowledge.orphans import HubKnowledge, Orphan, of_servers, of_users
from mcks.core.labels import HUB_LABEL, KEY_LABEL, LIFETIME, UNOWNED, USERNAME
from mcks.core.objects import Manifest, Ref
from mcks.core.servers.server import Created
from mcks.core.servers.state import State, UserObject

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def manifest(kind: str, key: str = "jupyter-ada", hub: str = "h", **meta: Any) -> Manifest:
    labels = {KEY_LABEL: key, **({HUB_LABEL: hub} if hub else {})}
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {
            "name": key,
            "namespace": "ns",
            "uid": f"{kind}-{key}",
            "labels": labels,
            "annotations": {USERNAME: "ada", "hub.jupyter.org/servername": "two"},
            "creationTimestamp": (NOW - timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
            **meta,
        },
    }


def found(
    known: HubKnowledge, *objects: Manifest, hub: str = "h", cluster: str = "a"
) -> list[Orphan]:
    return of_servers(cluster, objects, known, hub, NOW)


def test_a_pod_and_a_secret_that_nobody_knows_are_orphans() -> None:
    pod, secret = found(HubKnowledge(), manifest("Pod"), manifest("Secret"))
    assert (pod.where, secret.where.kind) == (Ref("v1", "Pod", "jupyter-ada", "ns"), "Secret")
    assert (pod.user, pod.server, pod.age) == ("ada", "two", 3600)


def test_what_has_an_owner_is_left_to_kubernetes() -> None:
    assert not found(HubKnowledge(), manifest("Secret", ownerReferences=[{"uid": "x"}]))


def test_secrets_that_outlive_servers_are_no_orphans() -> None:
    for lifetime in ("user", "keep"):
        annotations = {USERNAME: "ada", LIFETIME: lifetime}
        assert not found(HubKnowledge(), manifest("Secret", annotations=annotations))


def test_a_servers_secret_in_another_namespace_belongs_to_it() -> None:
    there = Ref("v1", "Secret", "jupyter-ada", "elsewhere")
    known = HubKnowledge()
    known.add(State(Created("jupyter-ada", "ns", "h", unowned=(there,)), "a"))
    secret = manifest("Secret", namespace="elsewhere")
    assert not found(known, secret)
    assert len(found(HubKnowledge(), secret)) == 1


def test_pods_of_another_name_are_not_the_servers() -> None:
    assert not found(HubKnowledge(), manifest("Pod", name="worker-1"))


def test_what_is_being_deleted_already_is_no_orphan() -> None:
    assert not found(HubKnowledge(), manifest("Pod", deletionTimestamp="2026-01-01T23:59:00Z"))


@pytest.mark.parametrize(
    "state",
    [
        State(Created("jupyter-ada", "ns", "h"), "a"),
        State(Created("another", "ns", "h", {"Pod": "Pod-jupyter-ada"}), "another"),
    ],
    ids=["by name", "by uid"],
)
def test_what_the_hub_knows_is_no_orphan(state: State) -> None:
    known = HubKnowledge()
    known.add(state)
    assert not found(known, manifest("Pod"))


def test_a_server_of_the_same_name_in_another_cluster_does_not_protect_an_orphan() -> None:
    known = HubKnowledge()
    known.add(State(Created("jupyter-ada", "ns", "h", {"Pod": "another"}), "b"))
    assert len(found(known, manifest("Pod"))) == 1


@pytest.mark.parametrize(("label", "own"), [("other", "h"), ("", "h"), ("h", "")])
def test_another_hubs_objects_are_never_orphans(label: str, own: str) -> None:
    assert not found(HubKnowledge(), manifest("Pod", hub=label), hub=own)


def test_what_nothing_owns_is_found_by_the_secret_for_the_pod_too() -> None:
    annotations = {UNOWNED: '[["v1", "Namespace", "scratch", null]]'}
    owned = manifest("Secret", annotations=annotations, ownerReferences=[{"uid": "x"}])
    (orphan,) = found(HubKnowledge(), manifest("Pod"), owned)
    assert orphan.unowned == (Ref("v1", "Namespace", "scratch"),)


def data(user: str = "ada", lifetime: str = "user") -> Manifest:
    annotations = {USERNAME: user, LIFETIME: lifetime}
    return manifest("PersistentVolumeClaim", annotations=annotations)


def test_data_of_unknown_users_is_found_and_that_of_others_is_not() -> None:
    where = Ref("v1", "PersistentVolumeClaim", "jupyter-ada", "ns")
    remembered = HubKnowledge()
    remembered.add_data([UserObject("a", where)])

    def orphans(known: HubKnowledge, *objects: Manifest) -> list[Orphan]:
        return of_users("a", objects, known, "h", NOW)

    (orphan,) = orphans(HubKnowledge(users=frozenset({"bob"})), data())
    assert orphan.is_data
    assert not orphans(HubKnowledge(users=frozenset({"ada"})), data())
    assert not orphans(remembered, data("renamed"))
    assert not orphans(HubKnowledge(), data(lifetime="keep"))
    assert not orphans(HubKnowledge(), manifest("PersistentVolumeClaim"))
