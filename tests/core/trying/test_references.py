"""What objects name and do not bring is found, wherever a Pod or a claim may name it."""

from __future__ import annotations

import pytest

from mcks.core.objects import Manifest, Ref
from mcks.core.trying.references import named


def pod(**spec: object) -> Manifest:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}


def other(kind: str, api_version: str = "v1", **spec: object) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}


GATEWAY_API = "gateway.networking.k8s.io/v1"


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        (pod(), []),
        (
            pod(priorityClassName="low", runtimeClassName="gvisor"),
            [
                Ref("scheduling.k8s.io/v1", "PriorityClass", "low"),
                Ref("node.k8s.io/v1", "RuntimeClass", "gvisor"),
            ],
        ),
        (pod(imagePullSecrets=[{"name": "r"}]), [Ref("v1", "Secret", "r", "jhub")]),
        (
            pod(
                volumes=[
                    {"name": "a", "secret": {"secretName": "s"}},
                    {"name": "b", "configMap": {"name": "c"}},
                    {"name": "c", "persistentVolumeClaim": {"claimName": "p"}},
                    {"name": "d", "secret": {"secretName": "o", "optional": True}},
                    {"name": "e", "emptyDir": {}},
                ]
            ),
            [
                Ref("v1", "Secret", "s", "jhub"),
                Ref("v1", "ConfigMap", "c", "jhub"),
                Ref("v1", "PersistentVolumeClaim", "p", "jhub"),
            ],
        ),
        (other("PersistentVolumeClaim", storageClassName=""), []),
        (
            other("PersistentVolumeClaim", storageClassName="fast"),
            [Ref("storage.k8s.io/v1", "StorageClass", "fast")],
        ),
        (
            other("Ingress", "networking.k8s.io/v1", ingressClassName="nginx"),
            [Ref("networking.k8s.io/v1", "IngressClass", "nginx")],
        ),
        (
            other(
                "HTTPRoute",
                GATEWAY_API,
                parentRefs=[{"name": "g"}, {"name": "h", "namespace": "n"}],
            ),
            [Ref(GATEWAY_API, "Gateway", "g", "jhub"), Ref(GATEWAY_API, "Gateway", "h", "n")],
        ),
    ],
)
def test_what_an_object_names(manifest: Manifest, found: list[Ref]) -> None:
    assert named([manifest], "jhub") == found


def test_what_the_start_brings_itself_is_not_looked_for() -> None:
    mounting = pod(volumes=[{"name": "c", "persistentVolumeClaim": {"claimName": "x"}}])
    assert named([mounting, other("PersistentVolumeClaim")], "jhub") == []


def test_what_would_be_in_a_users_own_namespace_is_not_looked_for() -> None:
    assert named([pod(imagePullSecrets=[{"name": "r"}])], None) == []
