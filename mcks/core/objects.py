"""Kubernetes objects as mcks handles them: plain JSON dicts and small names for them.

What is done with objects (patching, applying, watching) does not belong here.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Manifest = dict[str, Any]
"""One Kubernetes object as JSON: ``apiVersion``, ``kind``, ``metadata`` and the rest."""


class Ref(NamedTuple):
    """Where one object is: enough to get or delete it. ``namespace`` is None if cluster-scoped."""

    api_version: str
    kind: str
    name: str
    namespace: str | None = None

    def __str__(self) -> str:
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.kind} {self.name}{where}"


class Selector(NamedTuple):
    """Which objects a list or watch is about. ``namespace`` None means all namespaces."""

    api_version: str
    kind: str
    namespace: str | None = None
    label_selector: str = ""
    field_selector: str = ""


class WatchEvent(NamedTuple):
    """One line of a watch. A ``BOOKMARK`` carries only ``metadata.resourceVersion``."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    object: Manifest


def metadata(manifest: Manifest) -> dict[str, Any]:
    """The ``metadata`` of *manifest*, ``{}`` where it has none."""
    try:
        return manifest["metadata"] or {}
    except KeyError:
        return {}


def ref(manifest: Manifest) -> Ref:
    """Name the object that *manifest* describes. Needs ``kind`` and ``metadata.name``."""
    meta = manifest["metadata"]
    return Ref(manifest["apiVersion"], manifest["kind"], meta["name"], meta.get("namespace"))
