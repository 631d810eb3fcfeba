"""What the order of creation relies on: what a real cluster says of owners, accounts and uids."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.cluster.api import APIAnswer, KubernetesAPI
from tests.cluster.fixtures import Namespace

pytestmark = pytest.mark.cluster

NOBODY = "11111111-2222-3333-4444-555555555555"
KINDS = [
    ("v1", "Secret"),
    ("v1", "ServiceAccount"),
    ("v1", "Service"),
    ("networking.k8s.io/v1", "Ingress"),
]
SPECS: dict[str, Any] = {
    "Service": {"ports": [{"port": 80}]},
    "Ingress": {"defaultBackend": {"service": {"name": "x", "port": {"number": 80}}}},
}
NO_TOKEN: dict[str, Any] = {"automountServiceAccountToken": False}
GATED: dict[str, Any] = {"schedulingGates": [{"name": "example.org/not-yet"}]}


def manifest(api_version: str, kind: str, name: str, **meta: Any) -> dict[str, Any]:
    made = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **meta}}
    return made | ({"spec": SPECS[kind]} if kind in SPECS else {})


def pod(name: str, account: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "notebook", "image": "localhost/none", "imagePullPolicy": "Never"}
    spec = {"serviceAccountName": account, "containers": [container], **spec}
    return {**manifest("v1", "Pod", name), "spec": spec}


def owned_by(name: str, uid: str) -> list[dict[str, Any]]:
    return [{"apiVersion": "v1", "kind": "Secret", "name": name, "uid": uid}]


def test_what_names_an_owner_by_a_wrong_uid_is_deleted_and_nobody_elses(
    api: KubernetesAPI, namespace: Namespace
) -> None:
    """So no owner can be named before it exists, not even one of the right name."""
    place = namespace.name
    uid = api.create(manifest("v1", "Secret", "owner"), place)["metadata"]["uid"]
    for name, of in (("stays", uid), ("goes", NOBODY)):
        for api_version, kind in KINDS:
            owners = owned_by("owner", of)
            api.create(manifest(api_version, kind, name, ownerReferences=owners), place)

    for api_version, kind in KINDS:
        api.wait_gone(api_version, kind, "goes", place)

    for api_version, kind in KINDS:
        assert api.find(api_version, kind, "stays", place) is not None


def test_no_uid_is_known_before_its_object_is_made(
    api: KubernetesAPI, namespace: Namespace
) -> None:
    secret = manifest("v1", "Secret", "s", uid=NOBODY)
    secrets = api.path("v1", "Secret", namespace.name)

    with pytest.raises(APIAnswer, match="uid mismatch") as applied:
        api.apply(secret, namespace.name)
    tried = api.request("POST", secrets, secret, query={"dryRun": "All"})
    made = api.create(secret, namespace.name)

    assert applied.value.status == 409
    assert len({NOBODY, tried["metadata"]["uid"], made["metadata"]["uid"]}) == 3


@pytest.mark.parametrize("spec", [{}, NO_TOKEN, GATED], ids=["plain", "no token", "gated"])
def test_a_pod_is_refused_until_its_account_exists(
    api: KubernetesAPI, namespace: Namespace, spec: dict[str, Any]
) -> None:
    make = partial(api.create, pod("server", "own", **spec), namespace.name)
    with pytest.raises(APIAnswer, match='serviceaccount "own" not found') as refused:
        make()
    assert refused.value.status == 403

    api.create(manifest("v1", "ServiceAccount", "own"), namespace.name)

    assert make()["spec"]["serviceAccountName"] == "own"


def test_a_pod_cannot_be_given_its_account_later_not_even_before_it_has_a_node(
    api: KubernetesAPI, namespace: Namespace
) -> None:
    place = namespace.name
    api.create(pod("server", "default", **GATED), place)
    api.create(manifest("v1", "ServiceAccount", "own"), place)

    with pytest.raises(APIAnswer, match="pod updates may not change fields") as refused:
        api.patch("v1", "Pod", "server", {"spec": {"serviceAccountName": "own"}}, place)

    assert refused.value.status == 422


def test_a_request_makes_one_object(api: KubernetesAPI, namespace: Namespace) -> None:
    secrets = api.path("v1", "Secret", namespace.name)
    several = [manifest("v1", "Secret", name) for name in ("one", "two")]
    for kind in ("List", "SecretList"):
        body = {"apiVersion": "v1", "kind": kind, "items": several}
        with pytest.raises(APIAnswer) as refused:
            api.request("POST", secrets, body)
        assert refused.value.status == 400

    for name in ("one", "two"):
        assert api.find("v1", "Secret", name, namespace.name) is None
