"""What the objects of a start name and do not bring: classes, Gateways, Secrets, volumes. Pure.

Asking a cluster for them does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcks.core.objects import Manifest, Ref, metadata

CLASSES = {
    "storage.k8s.io/v1": "StorageClass",
    "networking.k8s.io/v1": "IngressClass",
    "scheduling.k8s.io/v1": "PriorityClass",
    "node.k8s.io/v1": "RuntimeClass",
}
"""Kinds that belong to the whole cluster, so that the least Role does not hold them."""
_VOLUMES = (
    ("persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
    ("configMap", "name", "ConfigMap"),
    ("secret", "secretName", "Secret"),
)


def named(objects: Sequence[Manifest], namespace: str | None) -> list[Ref]:
    """Return what *objects* need and do not bring, each once. Optional ones are left out.

    *namespace* is where they go; None leaves out all that would be in the user's own.
    """
    brought = {(m["kind"], m["metadata"]["name"]) for m in objects}
    found = [
        where
        for manifest in objects
        for where in _named(manifest, metadata(manifest).get("namespace") or namespace)
        if where.name and (where.kind, where.name) not in brought
    ]
    return list(dict.fromkeys(found))


def _named(manifest: Manifest, namespace: str | None) -> Iterator[Ref]:
    spec = manifest.get("spec") or {}
    match manifest["kind"]:
        case "Pod":
            yield _class("PriorityClass", spec.get("priorityClassName"))
            yield _class("RuntimeClass", spec.get("runtimeClassName"))
            if namespace is not None:
                yield from _of_pod(spec, namespace)
        case "PersistentVolumeClaim":
            yield _class("StorageClass", spec.get("storageClassName"))
        case "Ingress":
            yield _class("IngressClass", spec.get("ingressClassName"))
        case "HTTPRoute":
            yield from _gateways(manifest, spec, namespace)


def _class(kind: str, name: Any) -> Ref:
    version = next(version for version, known in CLASSES.items() if known == kind)
    return Ref(version, kind, str(name or ""))


def _of_pod(spec: Mapping[str, Any], namespace: str) -> Iterator[Ref]:
    for secret in spec.get("imagePullSecrets") or ():
        yield Ref("v1", "Secret", str(secret.get("name") or ""), namespace)
    for volume in spec.get("volumes") or ():
        for source, field, kind in _VOLUMES:
            said = volume.get(source) or {}
            if not said.get("optional"):
                yield Ref("v1", kind, str(said.get(field) or ""), namespace)


def _gateways(manifest: Manifest, spec: Mapping[str, Any], namespace: str | None) -> Iterator[Ref]:
    for parent in spec.get("parentRefs") or ():
        place = parent.get("namespace") or namespace
        if parent.get("kind", "Gateway") == "Gateway" and place is not None:
            yield Ref(manifest["apiVersion"], "Gateway", str(parent.get("name") or ""), place)
