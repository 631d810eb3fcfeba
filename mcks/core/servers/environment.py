"""Put a server's environment into its objects: into the Secret, references beside it. Pure.

Which variables there are does not belong here: JupyterHub and the administrator say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from mcks.core.manifests import limits, references
from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest, metadata
from mcks.errors import ConfigError, Tell, at_once

_MEMORY = {"MEM_LIMIT": "limits", "MEM_GUARANTEE": "requests"}
_CPU = {"CPU_LIMIT": "limits", "CPU_GUARANTEE": "requests"}
_AS_TYPED = {
    *("JUPYTERHUB_USER", "JUPYTERHUB_SERVER_NAME"),
    *("JUPYTERHUB_OAUTH_SCOPES", "JUPYTERHUB_OAUTH_ACCESS_SCOPES"),
    "JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES",
}
"""Names that people choose for themselves, and scopes in which they stand: ``$(...)`` in them means
nothing, and no other variable may become part of who has access to a server."""


def attach(
    objects: Sequence[Manifest], key: str, env: Mapping[str, Any], tell: Tell = at_once
) -> list[Manifest]:
    """Return *objects* with *env* in the Secret *key* and the container ``notebook`` reading it.

    *env* maps names to strings. A text with ``$(NAME)`` becomes an ``env`` entry of the container,
    where Kubernetes replaces it; a dict (``valueFrom``), too; None is left out. What the pod's own
    ``env`` or the Secret names already wins. The limits that JupyterHub announces (MEM_LIMIT ...)
    follow the patched container's resources, and JUPYTER_IMAGE its image.

    Raises ConfigError if the Secret, the Pod or the container is missing, or if a variable cannot
    reach the container; *tell* may take the latter instead.
    """
    pod = find(objects, "Pod", key)
    secret = find(objects, "Secret", key)
    container = notebook_container(pod)
    resources = container.get("resources") or {}
    texts, entries = _split(env)
    image = str(container.get("image", ""))
    texts = {"JUPYTER_IMAGE": image, "JUPYTER_IMAGE_SPEC": image} | texts | _cores(resources)
    entries |= {
        name: _memory_in_bytes(name, group)
        for name, group in _MEMORY.items()
        if "memory" in (resources.get(group) or {})
    }
    patched: list[dict[str, Any]] = container.get("env") or []
    said = {entry.get("name") for entry in patched} | _keys(secret)
    container = {
        **container,
        "env": references.in_order({n: e for n, e in entries.items() if n not in said}, patched),
        "envFrom": reading_secret(container.get("envFrom") or [], key),
    }
    data = secret.get("data") or {}
    kept = {name: text for name, text in texts.items() if name not in data}
    filled = {**secret, "stringData": kept | (secret.get("stringData") or {})}
    limits.check(filled, entries.values(), tell)
    reading = _with_container(pod, container)
    return [reading if m is pod else filled if m is secret else m for m in objects]


def _split(env: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """Divide *env* into texts for the Secret and entries for the container, both by name."""
    texts: dict[str, str] = {}
    entries: dict[str, dict[str, Any]] = {}
    for name, value in env.items():
        if name in _MEMORY or name in _CPU or value is None:
            continue
        if type(value) is not str and isinstance(value, Mapping):  # str is told faster
            entry = {"name": name, **value_from(value)}
            entries[entry["name"]] = entry
            continue
        text = str(value)
        if references.OPENER in text and name not in _AS_TYPED:
            entries[name] = {"name": name, "value": text}
        else:
            texts[name] = text
    return texts, entries


def _cores(resources: Mapping[str, Any]) -> dict[str, str]:
    said = {n: cores((resources.get(group) or {}).get("cpu")) for n, group in _CPU.items()}
    return {name: cpu for name, cpu in said.items() if cpu is not None}


def _keys(secret: Manifest) -> set[str]:
    return {*(secret.get("data") or {}), *(secret.get("stringData") or {})}


def find(objects: Sequence[Manifest], kind: str, name: str) -> Manifest:
    """Return the object of *kind* named *name*; ConfigError if ``objects`` makes none."""
    for manifest in objects:
        if manifest["kind"] == kind and metadata(manifest).get("name") == name:
            return manifest
    raise ConfigError(
        f"`objects` makes no {kind} named {name!r} (the value of {{{{key}}}}): mcks needs it. "
        "Was its template removed or its name changed? A value for `objects`, as YAML gives it, "
        "takes the place of all templates that come with mcks: write yours under `resources`"
    )


def notebook_container(pod: Manifest) -> dict[str, Any]:
    """Return the container that runs the server; ConfigError if the Pod has none."""
    containers: list[dict[str, Any]] = (pod.get("spec") or {}).get("containers") or []
    for container in containers:
        if container.get("name") == CONTAINER:
            return container
    raise ConfigError(
        f"the Pod has no container named {CONTAINER!r}; it has: "
        + (", ".join(str(c.get("name")) for c in containers) or "(none)")
    )


def _with_container(pod: Manifest, container: dict[str, Any]) -> Manifest:
    containers = [container if c.get("name") == CONTAINER else c for c in pod["spec"]["containers"]]
    return {**pod, "spec": {**pod["spec"], "containers": containers}}


def reading_secret(env_from: list[Any], key: str) -> list[Any]:
    """Let the container read the Secret first, so that whatever stands later wins."""
    if any((e.get("secretRef") or {}).get("name") == key for e in env_from):
        return env_from
    return [{"secretRef": {"name": key}}, *env_from]


def value_from(value: Mapping[str, Any]) -> dict[str, Any]:
    """Accept ``{"valueFrom": {...}}``, ``value_from``, and a bare ``{"secretKeyRef": {...}}``."""
    if "value_from" in value:  # as KubeSpawner's users may write it, after Kubernetes' client
        return {
            **{k: v for k, v in value.items() if k != "value_from"},
            "valueFrom": value["value_from"],
        }
    return dict(value) if "valueFrom" in value or "value" in value else {"valueFrom": dict(value)}


def _memory_in_bytes(name: str, group: str) -> dict[str, Any]:
    reference = {"containerName": CONTAINER, "resource": f"{group}.memory"}
    return {"name": name, "valueFrom": {"resourceFieldRef": reference}}


def cores(quantity: Any) -> str | None:
    """Return a Kubernetes CPU quantity as a decimal number of cores, None if it is not one.

    A resourceFieldRef cannot say this: it rounds up to whole cores.

    >>> cores("1500m"), cores(2), cores("0.5"), cores("many")
    ('1.5', '2', '0.5', None)
    """
    return _cores_of(str(quantity))


@lru_cache(maxsize=1000)
def _cores_of(text: str) -> str | None:
    try:
        number = Decimal(text.removesuffix("m")) / (1000 if text.endswith("m") else 1)
    except InvalidOperation:
        return None
    return format(number.normalize(), "f")
