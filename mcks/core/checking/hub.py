"""Looks at the hub's own settings: the spawner's class, its id, where Pods are told that it is.

Sections that nobody reads (sections.py) do not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from traitlets.config import Config

from mcks.backends.base import Backend
from mcks.core import names
from mcks.core.checking import hub_address
from mcks.core.checking.cluster_settings import Entry
from mcks.core.checking.finding import Finding
from mcks.core.checking.sample import Sample
from mcks.core.spawner import MultiClusterKubeSpawner

_HOOKS = ("pre_spawn_hook", "post_stop_hook", "auth_state_hook", "progress_ready_hook")
"""Settings of JupyterHub's that may be anything for traitlets, and are called."""


def look(
    config: Config, sample: Sample, spawner: MultiClusterKubeSpawner, entries: Mapping[str, Entry]
) -> Iterator[Finding]:
    """Yield what of the hub's settings cannot work for its servers in the clusters *entries*."""
    hub_id = spawner.hub_id
    if hub_id and not names.is_dns_label(hub_id):
        yield Finding("MCKS027", f"hub_id {hub_id!r} is not a DNS label")
    for name in _HOOKS:
        hook = getattr(spawner, name, None)
        if hook is not None and not callable(hook):
            what = f"{name} must be a function of the spawner, not {type(hook).__name__}"
            yield Finding("MCKS013", what)
    yield from _addresses(config, sample, spawner, entries)


def _addresses(
    config: Config, sample: Sample, spawner: MultiClusterKubeSpawner, entries: Mapping[str, Entry]
) -> Iterator[Finding]:
    of_hub = config.get("JupyterHub") or {}
    for name, entry in entries.items():
        where, cluster = f"clusters[{name!r}]", entry.cluster
        inside = _is_inside(entry.backend)
        if cluster is not None and cluster.hub_connect_url:
            found = hub_address.said(
                cluster.hub_connect_url, f"{where}.hub_connect_url", inside=inside
            )
        elif spawner.hub_connect_url:
            url = spawner.hub_connect_url
            found = hub_address.said(url, "c.Spawner.hub_connect_url", inside=inside)
        elif _says_itself(of_hub):
            url = of_hub.get("hub_connect_url") or sample.hub_listens_at()
            found = hub_address.said(url, "c.JupyterHub.hub_connect_url", inside=inside)
        else:
            found = hub_address.unsaid(sample.hub_listens_at(), where)
        if found is not None:
            yield found


def _says_itself(of_hub: Mapping[str, Any]) -> bool:
    return bool(of_hub.get("hub_connect_url") or of_hub.get("hub_connect_ip"))


def _is_inside(backend: Backend | None) -> bool:
    """Whether the cluster is the one that the hub runs in."""
    return backend is not None and backend.identity() == "the hub's own ServiceAccount"
