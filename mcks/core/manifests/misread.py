"""Finds numbers and booleans where Kubernetes wants a string: YAML's classic trap. Pure.

Other checks of types do not belong here: the API server makes them, with field validation.

The names below are those whose field is a string (or a map or list of strings) in every built-in
kind that has it; a test compares them with the API's schemas. In custom resources, whose fields may
mean anything, only ``metadata`` is looked at.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mcks.core.objects import Manifest


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILT_IN_GROUPS = _words(
    """
    admissionregistration.k8s.io apps autoscaling batch coordination.k8s.io discovery.k8s.io
    events.k8s.io networking.k8s.io node.k8s.io policy rbac.authorization.k8s.io resource.k8s.io
    scheduling.k8s.io storage.k8s.io
    """
)

FIELDS = _words(
    """
    apiGroup apiVersion claimName clusterIP containerName deviceClassName devicePath dnsPolicy
    driver effect externalName fieldPath fsGroupChangePolicy fsType generateName host hostIP
    hostname image imagePullPolicy ingressClassName ip key kind loadBalancerClass localhostProfile
    medium mountPath mountPropagation name namespace nodeName operator path pathType
    preemptionPolicy priorityClassName protocol resource resourceClaimName
    resourceClaimTemplateName restartPolicy runtimeClassName schedule schedulerName scheme
    secretName server service serviceAccount serviceAccountName serviceName sessionAffinity
    storageClassName subPath subPathExpr subdomain terminationMessagePath terminationMessagePolicy
    timeZone topologyKey type username volumeHandle volumeMode volumeName whenUnsatisfiable
    workingDir
    """
)

MAPS = _words(
    """
    annotations binaryData labels matchLabels nodeSelector selector stringData volumeAttributes
    """
)

LISTS = _words(
    """
    accessModes add apiGroups args audiences command drop except finalizers hostnames hosts
    matchLabelKeys mountOptions nameservers namespaces nonResourceURLs policyTypes resourceNames
    resources searches verbs
    """
)

VALUE_IN = _words("env httpHeaders options sysctls taints tolerations")
"""Lists whose elements have a ``value`` that is a string. Elsewhere it may be a number."""

VALUES_IN = _words("matchExpressions matchFields matchLabelExpressions")
"""Lists whose elements have ``values`` that are strings."""

_Path = tuple[str | int, ...]
_NOT_STRINGS = frozenset([bool, int, float])


class Misread(NamedTuple):
    """Where a *value* stands that should be a string. *field* is None for a list's element."""

    path: str
    field: str | None
    value: Any


def misread(manifest: Manifest, *, custom: bool = False) -> Misread | None:
    """Return the first number or boolean that should be a string, None if there is none.

    Null is fine: it means absent, and in a patch it removes. *custom* says that a manifest without
    ``apiVersion`` is one of a custom resource.
    """
    group, slash, _ = str(manifest.get("apiVersion") or "").partition("/")
    if custom or (slash and group not in BUILT_IN_GROUPS):
        manifest = {"metadata": manifest.get("metadata")}
    path = _in_mapping(manifest, "")
    if path is None and manifest.get("kind") in ("ConfigMap", "Secret"):
        data = manifest.get("data")  # in other kinds `data` may hold anything
        inner = _in_mapping(data, "stringData") if isinstance(data, dict) else None
        path = ("data", *inner) if inner else None
    if path is None:
        return None
    return Misread(
        _text(path), path[-1] if isinstance(path[-1], str) else None, _at(manifest, path)
    )


def _in_mapping(node: dict[str, Any], name: str) -> _Path | None:
    """Search *node*, which is (or is an element of) the field *name*; return the path within it."""
    for key, value in node.items():
        kind = type(value)
        if kind is str or value is None:
            continue
        inner: _Path | None = None
        if kind is dict:
            inner = _in_mapping(value, key)
        elif kind is list:
            inner = _in_list(value, key, strings=key in LISTS or _is_values(key, name))
        elif key in FIELDS or name in MAPS or (key == "value" and name in VALUE_IN):
            return (key,)
        if inner:
            return (key, *inner)
    return None


def _in_list(node: list[Any], name: str, *, strings: bool) -> _Path | None:
    for index, value in enumerate(node):
        if type(value) is dict:
            if inner := _in_mapping(value, name):
                return (index, *inner)
        elif strings and type(value) in _NOT_STRINGS:
            return (index,)
    return None


def _is_values(key: str, name: str) -> bool:
    return key == "values" and name in VALUES_IN


def _text(path: _Path) -> str:
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(parts).removeprefix(".")


def _at(node: Any, path: _Path) -> Any:
    for step in path:
        node = node[step]
    return node
