"""What the hub keeps of each Pod: what it reads of one, a tenth of the whole. Pure.

What it reads out of that (`mcks.core.servers`, `mcks.core.knowledge.orphans`) does not belong here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

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


_ALIKE = frozenset({"spec", "conditions", "initContainerStatuses", "containerStatuses"})
"""Parts that are equal in most Pods that run."""
_DIFFERENT = 1000
"""So many parts are known, to find those that are equal; then it begins anew."""
_parts: dict[str, Any] = {}


_Fields = tuple[tuple[str, Any], ...]
"""Names and what is kept of each, as a shape says it, to go through quickly."""


class _Part(NamedTuple):
    """What is kept of one of the parts that are alike: as it is, and with the words of all."""

    as_it_is: _Fields
    of_all: _Fields


def _fields(shape: Mapping[str, Any], word: str = _WORD) -> _Fields:
    return tuple((name, _inner(name, said, word)) for name, said in shape.items())


def _inner(name: str, said: Any, word: str) -> Any:
    if not isinstance(said, dict):
        return word if said is _WORD else _ALL
    if name in _ALIKE:
        return _Part(_fields(said, _ALL), _fields(said))
    return _fields(said, word)


_FIELDS = _fields(_SHAPE)


def lean(pod: Manifest) -> Manifest:
    """Return what is kept of *pod*: keys, words and equal parts are those of all Pods.

    So nobody may change what is returned.
    """
    kept: Manifest = _kept(pod, _FIELDS)
    meta = metadata(kept)
    labels, name = meta.get("labels"), meta.get("name")
    if name and labels and labels.get(KEY_LABEL) == name:
        labels[KEY_LABEL] = name
    return kept


def _kept(value: Any, fields: _Fields) -> Any:
    if type(value) is list:
        return [_kept(one, fields) for one in value]
    if type(value) is not dict:
        return value
    kept = {}
    for name, inner in fields:
        if name in value:
            said = value[name]
            if inner is _WORD and type(said) is str:
                said = sys.intern(said)
            elif type(inner) is _Part:
                said = _shared(said, inner)
            elif type(inner) is tuple:
                said = _kept(said, inner)
            kept[name] = said
    return kept


def _shared(value: Any, part: _Part) -> Any:
    """Return what is kept of *value*, one for all who have an equal one."""
    told = repr(_kept(value, part.as_it_is))
    if told not in _parts:
        if len(_parts) >= _DIFFERENT:
            _parts.clear()
        _parts[told] = _kept(value, part.of_all)
    return _parts[told]
