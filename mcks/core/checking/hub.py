"""Looks at the hub's own settings: the spawner's class, its id, where Pods are told that it is.

Sections that nobody reads (sections.py) do not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from traitlets.config import Config

from mcks.backends.base import Backend
from mcks.core import names
from mcks.core.checking import hub_address
from mcks.core.checking.finding import Finding
from mcks.core.clusters.cluster import Cluster
from mcks.core.spawner import MultiClusterKubeSpawner

_HOOKS = ("pre_spawn_hook", "post_stop_hook", "auth_state_hook", "progress_ready_hook")
"""Settings of JupyterHub's that may be anything for traitlets, and are called."""
_OF_THE_HUBS_CLUSTER = ("service", "pod")
"""Kinds of routes by which the hub's proxy reaches Pods of its own network only."""


def look(spawner: MultiClusterKubeSpawner) -> Iterator[Finding]:
    """Yield what of the hub's own settings cannot work."""
    hub_id = spawner.hub_id
    if hub_id and not names.is_dns_label(hub_id):
        yield Finding("MCKS027", f"hub_id {hub_id!r} is not a DNS label")
    for name in _HOOKS:
        hook = getattr(spawner, name, None)
        if hook is not None and not callable(hook):
            what = f"{name} must be a function of the spawner, not {type(hook).__name__}"
            yield Finding("MCKS013", what)


@dataclass(frozen=True)
class Addresses:
    """Who says which address of the hub Pods are told: a cluster, the spawner, or the hub."""

    config: Config
    of_spawner: str
    listens_at: str

    def look(
        self, name: str, cluster: Cluster | None, backend: Backend | None
    ) -> Iterator[Finding]:
        """Yield what is wrong with the address that Pods of the cluster *name* are told."""
        where, inside = f"clusters[{name!r}]", _is_inside(cluster, backend)
        of_hub = self.config.get("JupyterHub") or {}
        if cluster is not None and cluster.hub_connect_url:
            url, where = cluster.hub_connect_url, f"{where}.hub_connect_url"
        elif self.of_spawner:
            url, where = self.of_spawner, "c.Spawner.hub_connect_url"
        elif _says_itself(of_hub):
            url = of_hub.get("hub_connect_url") or self.listens_at
            where = "c.JupyterHub.hub_connect_url"
        else:
            url = ""
        if url:
            found = hub_address.said(url, where, inside=inside)
        else:
            found = hub_address.unsaid(self.listens_at, where, inside=inside)
        if found is not None:
            yield found


def _says_itself(of_hub: Mapping[str, Any]) -> bool:
    return bool(of_hub.get("hub_connect_url") or of_hub.get("hub_connect_ip"))


def _is_inside(cluster: Cluster | None, backend: Backend | None) -> bool:
    """Whether the cluster is the one that the hub runs in."""
    if cluster is not None and cluster.route in _OF_THE_HUBS_CLUSTER:
        return True
    return backend is not None and backend.is_hubs_own()
