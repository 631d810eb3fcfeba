"""KubeSpawner's values as plain Kubernetes objects. Pure.

Values may be dicts with Kubernetes' or Python's names (``mountPath``, ``mount_path``), or models of
the package kubernetes_asyncio; lists may be dicts as well, which are sorted by their keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mcks.core.kubespawner.fields import literal
from mcks.errors import ConfigError

_ABBREVIATIONS = {
    "host_ip": "hostIP",
    "host_ipc": "hostIPC",
    "host_pid": "hostPID",
    "host_i_ps": "hostIPs",
    "cluster_ip": "clusterIP",
    "pod_ip": "podIP",
    "set_hostname_as_fqdn": "setHostnameAsFQDN",
    "external_ip": "externalIP",
    "volume_id": "volumeID",
    "disk_uri": "diskURI",
    "pd_id": "pdID",
    "target_wwns": "targetWWNs",
    "_from": "from",
    "_continue": "continue",
    "_not": "not",
}


def kubernetes_name(name: str) -> str:
    """Return the field *name* as Kubernetes writes it.

    >>> kubernetes_name("mount_path"), kubernetes_name("mountPath"), kubernetes_name("host_ipc")
    ('mountPath', 'mountPath', 'hostIPC')
    """
    known = _ABBREVIATIONS.get(name)
    return known or re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def plain(value: Any) -> Any:
    """Return *value* without models: dicts with Kubernetes' names, without fields that are None."""
    names = getattr(value, "attribute_map", None)
    if names is not None:
        fields = {name: getattr(value, attribute) for attribute, name in names.items()}
        return {name: plain(item) for name, item in fields.items() if item is not None}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    return value


def expandable(value: Any) -> Any:
    """Return *value* as ``plain`` does, for what is expanded: in models nothing is a field.

    >>> expandable({"name": "{username}", "tty": True})
    {'name': '{username}', 'tty': True}
    """
    if hasattr(value, "attribute_map"):
        return literal(plain(value))
    if isinstance(value, Mapping):
        return {key: expandable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [expandable(item) for item in value]
    return value


def fields(value: Any) -> dict[str, Any]:
    """Return an object whose own fields may have Python's names; what is below is Kubernetes'.

    A field that is None is as if it were not said.
    """
    named = {kubernetes_name(str(key)): item for key, item in plain(value).items()}
    return {name: item for name, item in named.items() if item is not None}


def changed(place: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """Return *place* with the fields of *value* set; one that is None takes the field away."""
    none = {kubernetes_name(str(key)) for key, item in plain(value).items() if item is None}
    kept = {name: item for name, item in place.items() if name not in none}
    return {**kept, **fields(value)}


def listed(value: Any) -> list[Any]:
    """Return the items of a list, or of a dict in the order of its keys, or nothing for None."""
    if isinstance(value, Mapping):
        return [value[key] for key in sorted(value)]
    return list(value or ())


def check_objects(name: str, value: Any) -> None:
    """Raise ConfigError if an item of the word *name*, a list of objects, is something else."""
    for item in listed(value):
        if not isinstance(plain(item), Mapping):
            raise ConfigError(
                f"{name}: an item is of type {type(item).__name__}, where an object belongs: write "
                "a dict, such as {'name': ...}"
            )


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list or dict, each with Kubernetes' names."""
    return [fields(item) for item in listed(value)]
