"""A Pod as KubeSpawner's hooks know it, in the models of Kubernetes' Python client; and back. Pure.

Which parts are models, and which are plain dicts with Kubernetes' names, is as in the Pods that
KubeSpawner makes. The client's classes are handed in; calling hooks does not belong here.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest


class _Shape(NamedTuple):
    """A model's class, and which of its fields (or their items) are models themselves."""

    model: str
    fields: Mapping[str, Any] = {}


_NODE_AFFINITY = _Shape(
    "V1NodeAffinity",
    {
        "preferredDuringSchedulingIgnoredDuringExecution": _Shape("V1PreferredSchedulingTerm"),
        "requiredDuringSchedulingIgnoredDuringExecution": _Shape(
            "V1NodeSelector", {"nodeSelectorTerms": _Shape("V1NodeSelectorTerm")}
        ),
    },
)
_BETWEEN_PODS = {
    "preferredDuringSchedulingIgnoredDuringExecution": _Shape("V1WeightedPodAffinityTerm"),
    "requiredDuringSchedulingIgnoredDuringExecution": _Shape("V1PodAffinityTerm"),
}
_CONTAINER = _Shape("V1Container")
_NOTEBOOK = _Shape(
    "V1Container",
    {
        "env": _Shape("V1EnvVar"),
        "lifecycle": _Shape("V1Lifecycle"),
        "ports": _Shape("V1ContainerPort"),
        "resources": _Shape("V1ResourceRequirements"),
        "volumeMounts": _Shape("V1VolumeMount"),
    },
)
_POD = _Shape(
    "V1Pod",
    {
        "metadata": _Shape("V1ObjectMeta"),
        "spec": _Shape(
            "V1PodSpec",
            {
                "affinity": _Shape(
                    "V1Affinity",
                    {
                        "nodeAffinity": _NODE_AFFINITY,
                        "podAffinity": _Shape("V1PodAffinity", _BETWEEN_PODS),
                        "podAntiAffinity": _Shape("V1PodAffinity", _BETWEEN_PODS),
                    },
                ),
                "containers": _CONTAINER,
                "imagePullSecrets": _Shape("V1LocalObjectReference"),
                "initContainers": _CONTAINER,
                "tolerations": _Shape("V1Toleration"),
                "volumes": _Shape("V1Volume"),
            },
        ),
    },
)


def as_model(pod: Manifest, client: Any) -> Any:
    """Return *pod* as a ``V1Pod`` of *client* (``kubernetes_asyncio.client``).

    What hooks append to is there also if it is empty, as in KubeSpawner's Pods.
    """
    unchecked = client.Configuration()
    unchecked.client_side_validation = False
    return _modelled(_with_empty(pod), _POD, client, unchecked)


def merged(pod: Any, before: Any, after: Any) -> Any:
    """Return *pod* with what a hook has changed: it got *before*, as plain values, and gave
    *after*.

    What the models do not know stays as it is, and so does what is not changed.
    """
    if before == after:
        return pod
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return _merged_fields(pod if isinstance(pod, Mapping) else {}, before, after)
    if isinstance(before, list) and isinstance(after, list):
        return [_merged_item(item, pod, before) for item in after]
    return after


def _merged_fields(
    pod: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, Any]:
    result = {}
    for key in {**pod, **after}:
        if key not in before:
            result[key] = after[key] if key in after else pod[key]
        elif key in after and (key in pod or before[key] != after[key]):
            result[key] = merged(pod.get(key), before[key], after[key])
    return result


def _merged_item(item: Any, items: Any, before: list[Any]) -> Any:
    """Find the item of the same name, which may have fields that the models do not know."""
    name = item.get("name") if isinstance(item, Mapping) else None
    if name is None:
        return item
    own, seen = ([i for i in found if _named(i, name)] for found in (items or [], before))
    return merged(own[0], seen[0], item) if len(own) == len(seen) == 1 else item


def _named(item: Any, name: Any) -> bool:
    return isinstance(item, Mapping) and item.get("name") == name


def _with_empty(pod: Manifest) -> Manifest:
    pod = copy.deepcopy(pod)
    _fill(pod["metadata"], {}, "labels", "annotations")
    _fill(pod["spec"], [], "volumes", "imagePullSecrets")
    for container in pod["spec"]["containers"]:
        if container["name"] == CONTAINER:
            _fill(container, [], "env", "volumeMounts")
            _fill(container, {}, "resources")
            _fill(container["resources"], {}, "requests", "limits")
    return pod


def _fill(place: dict[str, Any], empty: Any, *names: str) -> None:
    """Let *place* have *names*, also where a template says them with nothing behind."""
    for name in names:
        if place.get(name) is None:
            place[name] = copy.copy(empty)


def _modelled(value: Any, shape: _Shape, client: Any, unchecked: Any) -> Any:
    if isinstance(value, list):
        return [_modelled(item, shape, client, unchecked) for item in value]
    if not isinstance(value, Mapping):
        return value
    if shape is _CONTAINER and value.get("name") == CONTAINER:
        shape = _NOTEBOOK
    cls = getattr(client, shape.model)
    known = {
        attribute: _modelled(value[name], shape.fields[name], client, unchecked)
        if name in shape.fields
        else value[name]
        for attribute, name in cls.attribute_map.items()
        if name in value
    }
    return cls(local_vars_configuration=unchecked, **known)
