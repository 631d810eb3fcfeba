"""What the hub's database remembers of a server: names only, never a manifest or a token. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mcks.core.apply import Created
from mcks.core.cluster import CONTEXT_PREFIX
from mcks.core.objects import Ref

_OBJECTS_OF_ORIGINAL = (
    ("v1", "Service"),
    ("networking.k8s.io/v1", "Ingress"),
    ("v1", "ServiceAccount"),
)


@dataclass(frozen=True)
class Loaded:
    """A saved state, understood. ``created`` is None if no server is known to run."""

    created: Created | None = None
    cluster: str = ""
    url: str = ""
    kept_key: str = ""


def save(created: Created | None, cluster: str, url: str, kept_key: str) -> dict[str, Any]:
    """Return JSON for a running server (*created*) or for the data that a stopped one left."""
    if created is None:
        return {"kept_key": kept_key} if kept_key else {}
    state: dict[str, Any] = {
        "cluster": cluster,
        "namespace": created.namespace,
        "key": created.key,
        "url": url,
    }
    if created.keeps_data or kept_key:
        state["kept_key"] = created.key
    if created.unowned:
        state["unowned"] = [
            [where.api_version, where.kind, where.name, where.namespace]
            for where in created.unowned
        ]
    return state


def load(state: Mapping[str, Any], hub_id: str) -> Loaded:
    """Understand a saved state, the original spawner's (0.1 and 0.2) included.

    Of the original's only names are read; its manifests, and the token in them, are dropped with
    the next save.
    """
    kept_key = state.get("kept_key", "")
    if "key" not in state:
        return Loaded(kept_key=kept_key)
    if "cluster" in state:
        created = Created(state["key"], state["namespace"], hub_id, {"Pod": None})
        created.unowned = [Ref(*where) for where in state.get("unowned", ())]
        created.keeps_data = bool(kept_key)
        return Loaded(created, state["cluster"], state.get("url", ""), kept_key)
    context = state.get("kubernetes_context", "")
    url = state.get("ingress_public_url ", state.get("ingress_public_url", ""))
    resources = state.get("created_resources") or ()
    namespace = _namespace_of_original(resources)
    created = Created(state["key"], namespace, "", {"Pod": None})
    created.unowned = _unowned_of_original(resources, created)
    return Loaded(created, CONTEXT_PREFIX + context, url.rstrip("/"), kept_key)


def _namespace_of_original(resources: Iterable[Mapping[str, Any]]) -> str:
    for manifest in resources:
        if namespace := (manifest.get("metadata") or {}).get("namespace"):
            return str(namespace)
    return "default"


def _unowned_of_original(resources: Iterable[Mapping[str, Any]], created: Created) -> list[Ref]:
    """The original gave its objects no owner; its first version did not even list them."""
    found = [
        Ref(m["apiVersion"], m["kind"], m["metadata"]["name"], m["metadata"].get("namespace"))
        for m in resources
        if m["kind"] not in ("Pod", "Namespace")
    ]
    return found or [
        Ref(api_version, kind, created.key, created.namespace)
        for api_version, kind in _OBJECTS_OF_ORIGINAL
    ]
