"""What the hub's database remembers of a server: names only, never a manifest or a token. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcks.core.apply import Created
from mcks.core.cluster import CONTEXT_PREFIX
from mcks.core.objects import Ref


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
    created = Created(state["key"], _namespace_of_original(state), "", {"Pod": None})
    return Loaded(created, CONTEXT_PREFIX + context, url.rstrip("/"), kept_key)


def _namespace_of_original(state: Mapping[str, Any]) -> str:
    for manifest in state.get("created_resources") or ():
        if namespace := (manifest.get("metadata") or {}).get("namespace"):
            return str(namespace)
    return "default"
