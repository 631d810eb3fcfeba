"""What the hub keeps of each Pod: what it reads of one, a tenth of the whole. Pure.

What it reads out of that (`mcks.core.servers`, `mcks.core.knowledge.orphans`) does not belong here.
"""

from __future__ import annotations

import sys
from typing import Any

from mcks.core.labels import (
    DELETE_ON_STOP,
    HUB_LABEL,
    KEY_LABEL,
    LIFETIME,
    SERVERNAME,
    UNOWNED,
    USERNAME,
)
from mcks.core.names import KUEUE_QUEUE
from mcks.core.objects import Manifest, metadata

_ALL = "all of it"
_WORD = "one of few texts"
_CONTAINERS = {
    "name": _WORD,
    "restartPolicy": _WORD,
    "restartPolicyRules": _ALL,
    "ports": {"name": _WORD, "containerPort": _ALL},
}
_STATE = {
    "waiting": {"reason": _WORD, "message": _ALL},
    "running": {},
    "terminated": {"reason": _WORD, "exitCode": _ALL},
}
_STATUSES = {"name": _WORD, "restartCount": _ALL, "state": _STATE, "lastState": _STATE}
_SHAPE: dict[str, Any] = {
    "apiVersion": _WORD,
    "kind": _WORD,
    "metadata": {
        "name": _ALL,
        "namespace": _WORD,
        "uid": _ALL,
        "resourceVersion": _ALL,
        "creationTimestamp": _ALL,
        "deletionTimestamp": _ALL,
        "ownerReferences": _ALL,
        "labels": {
            KEY_LABEL: _ALL,
            HUB_LABEL: _WORD,
            DELETE_ON_STOP: _WORD,
            KUEUE_QUEUE: _WORD,
        },
        "annotations": {USERNAME: _ALL, SERVERNAME: _ALL, LIFETIME: _WORD, UNOWNED: _ALL},
    },
    "spec": {
        "restartPolicy": _WORD,
        "nodeName": _WORD,
        "schedulerName": _WORD,
        "schedulingGates": {"name": _WORD},
        "terminationGracePeriodSeconds": _ALL,
        "initContainers": _CONTAINERS,
        "containers": _CONTAINERS,
    },
    "status": {
        "phase": _WORD,
        "reason": _WORD,
        "message": _ALL,
        "podIP": _ALL,
        "nominatedNodeName": _WORD,
        "conditions": {"type": _WORD, "status": _WORD, "reason": _WORD, "message": _ALL},
        "initContainerStatuses": _STATUSES,
        "containerStatuses": _STATUSES,
    },
}


_ALIKE = ("conditions", "initContainerStatuses", "containerStatuses")
"""Parts of a status that are equal in most Pods that run."""
_DIFFERENT = 1000
"""So many parts are known, to find those that are equal; then it begins anew."""
_parts: dict[str, Any] = {}


def lean(pod: Manifest) -> Manifest:
    """Return what is kept of *pod*: keys, words and equal parts are those of all Pods.

    So nobody may change what is returned.
    """
    kept: Manifest = _kept(pod, _SHAPE)
    status, meta = kept.get("status") or {}, metadata(kept)
    labels, name = meta.get("labels") or {}, meta.get("name")
    for part in _ALIKE:
        if part in status:
            status[part] = _shared(status[part])
    if "spec" in kept:
        kept["spec"] = _shared(kept["spec"])
    if name and labels.get(KEY_LABEL) == name:
        labels[KEY_LABEL] = name
    return kept


def _shared(part: Any) -> Any:
    """Return one that is equal to *part*, for all who have such."""
    if len(_parts) >= _DIFFERENT:
        _parts.clear()
    return _parts.setdefault(repr(part), part)


def _kept(value: Any, shape: Any) -> Any:
    if isinstance(value, dict) and isinstance(shape, dict):
        return {
            key: value[key] if inner is _ALL else _kept(value[key], inner)
            for key, inner in shape.items()
            if key in value
        }
    if shape is _WORD and isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, list) and isinstance(shape, dict):
        return [_kept(one, shape) for one in value]
    return value
