"""KubeSpawner's hooks for a Pod: one changes it before it is created, one learns of it afterwards.

What a hook sees of a Pod (kubespawner/pod_model.py), and what else an administrator's functions may
do, does not belong here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from mcks.core.administrator.functions import ask
from mcks.core.kubespawner.models import plain
from mcks.core.kubespawner.translation import Translation
from mcks.core.labels import HUB_LABEL, KEY_LABEL, MANAGED_BY, SERVERNAME, USERNAME
from mcks.core.manifests.misread import misread
from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest, metadata
from mcks.core.servers.environment import find, notebook_container, reading_secret
from mcks.core.servers.server import Created, Plan
from mcks.core.servers.starting import Chosen
from mcks.errors import ConfigError

MODIFY, AFTER = "modify_pod_hook", "after_pod_created_hook"
_OURS = {
    "labels": (MANAGED_BY, KEY_LABEL, HUB_LABEL),
    "annotations": (USERNAME, SERVERNAME),
}


class HookedSpawner(Protocol):
    """A spawner, as far as it has such hooks."""

    choosing: Chosen
    pod_name: str
    pvc_name: str

    def pod_hook(self, name: str) -> Callable[..., Any] | None:
        """Return the hook *name*, if somebody has set it."""

    def translation(self) -> Translation:
        """Return what KubeSpawner's words make of the server's objects."""


async def modified(spawner: HookedSpawner, planned: Plan) -> Plan:
    """Return *planned* with the Pod that ``modify_pod_hook`` makes of it: the last word.

    What mcks needs of the Pod is put back. Raises FunctionFailed, and ConfigError for what cannot
    be a server's Pod any more.
    """
    hook = spawner.pod_hook(MODIFY)
    if hook is None:
        return planned
    from kubernetes_asyncio import client  # noqa: PLC0415 - slow, and only hooks need its models

    from mcks.core.kubespawner.pod_model import as_model, merged  # noqa: PLC0415 - the same

    _tell_names(spawner, planned.created)
    pod = find(planned.objects, "Pod", planned.created.key)
    model = as_model(pod, client)
    before = plain(model)
    answer = await ask(hook, spawner, MODIFY, model)
    if answer is None:
        raise ConfigError(f"{MODIFY} gives nothing: it must return the Pod")
    changed = _usable(pod, merged(pod, before, plain(answer)), planned)
    objects = [changed if manifest is pod else manifest for manifest in planned.objects]
    return planned._replace(objects=objects)


async def created(spawner: HookedSpawner, start: Created, pod: Manifest) -> None:
    """Tell ``after_pod_created_hook`` of *pod*, as the cluster has it. Raises FunctionFailed."""
    hook = spawner.pod_hook(AFTER)
    if hook is not None:
        _tell_names(spawner, start)
        await ask(hook, spawner, AFTER, copy.deepcopy(pod))


def _tell_names(spawner: HookedSpawner, start: Created) -> None:
    """Let a hook find this start's names where KubeSpawner has them."""
    spawner.pod_name = start.key
    spawner.choosing.overrides.set("namespace", start.namespace, "the namespace of this start")
    spawner.pvc_name = spawner.pvc_name or spawner.translation().fields()["pvc_name"]


def _usable(pod: Manifest, changed: Any, planned: Plan) -> Manifest:
    """Return *changed*, which was *pod*, as a server's Pod. Raises ConfigError."""
    if not isinstance(changed, Mapping) or not isinstance(changed.get("metadata"), Mapping):
        raise ConfigError(f"{MODIFY} gives a {type(changed).__name__}: it must return the Pod")
    _check_names(pod, changed, planned)
    if found := misread(dict(changed)):
        raise ConfigError(f"{MODIFY}: {found.path} is no text, as Kubernetes wants one there")
    changed = {**changed, "metadata": _marked(pod, changed)}
    _check_service(changed, planned)
    try:
        container = notebook_container(changed)
    except ConfigError as exc:
        raise ConfigError(f"{MODIFY}: {exc}") from exc
    key = planned.created.key
    container = {**container, "envFrom": reading_secret(container.get("envFrom") or [], key)}
    spec = changed["spec"]
    containers = [container if c.get("name") == CONTAINER else c for c in spec["containers"]]
    return {**changed, "spec": {**spec, "containers": containers}}


def _check_names(pod: Manifest, changed: Mapping[str, Any], planned: Plan) -> None:
    for field in ("apiVersion", "kind"):
        if changed.get(field) != pod[field]:
            raise ConfigError(f"{MODIFY} changes {field} to {changed.get(field)!r}: keep the Pod's")
    name, namespace = changed["metadata"].get("name"), changed["metadata"].get("namespace")
    if name != pod["metadata"]["name"]:
        raise ConfigError(
            f"{MODIFY} changes the Pod's name to {name!r}, by which mcks finds it: "
            "write pod_name_template or key_template"
        )
    if namespace not in (None, pod["metadata"].get("namespace"), planned.created.namespace):
        raise ConfigError(
            f"{MODIFY} moves the Pod to the namespace {namespace!r}, away from its Secret: "
            "write `namespace` of the cluster"
        )


def _marked(pod: Manifest, changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of *changed* with what mcks has written into that of *pod*."""
    meta = dict(changed["metadata"])
    for field, names in _OURS.items():
        had: Mapping[str, str] = metadata(pod).get(field) or {}
        meta[field] = {**(meta.get(field) or {}), **{n: had[n] for n in names if n in had}}
    return meta


def _check_service(changed: Mapping[str, Any], planned: Plan) -> None:
    """Raise ConfigError if the server's own Service does not find its Pod any more."""
    pod = find(planned.objects, "Pod", planned.created.key)
    for selector in _selectors(planned.objects, planned.created.key):
        lost = {
            name: value
            for name, value in selector.items()
            if pod["metadata"]["labels"].get(name) == value
            and changed["metadata"]["labels"].get(name) != value
        }
        for name, value in lost.items():
            raise ConfigError(
                f"{MODIFY} takes the label {name}={value} from the Pod, by which its Service "
                "finds it: keep that label"
            )


def _selectors(objects: Sequence[Manifest], key: str) -> list[Mapping[str, str]]:
    return [
        (manifest.get("spec") or {}).get("selector") or {}
        for manifest in objects
        if manifest["kind"] == "Service" and manifest["metadata"]["name"] == key
    ]
