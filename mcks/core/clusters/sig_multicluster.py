"""Clusters as SIG Multicluster's ClusterProfile objects name them, read from a cluster.

What a profile means (mcks/backends/cluster_profile.py), and when it is read again, does not belong
here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from traitlets.config import Config

from mcks.backends import cluster_profile
from mcks.backends.cluster_profile import Provider
from mcks.core.clusters.pool import Pool
from mcks.core.objects import Manifest, Selector
from mcks.errors import ConfigError, NotFound

Settings = Mapping[str, Any]
_WHERE = "the inventory"
"""The name of the cluster with the profiles, for messages."""
_UNHEALTHY = "It is not healthy at the moment."
"""What users read; the manager's own words are for the log."""


def cluster_profiles(
    namespace: str = "",
    selector: str = "",
    *,
    cluster: Settings | None = None,
    providers: Iterable[Settings] = (),
    settings: Settings | Callable[[Manifest], Settings | None] | None = None,
) -> Callable[[], Awaitable[dict[str, Settings]]]:
    """Return a function for ``clusters``. Raises ConfigError for a wrong provider."""
    known = cluster_profile.providers_of(providers) or cluster_profile.NATIVE
    log = logging.getLogger("mcks")
    told: set[str] = set()

    async def named() -> dict[str, Settings]:
        found: dict[str, Settings] = {}
        for profile in await _listed(namespace, selector, cluster or {}):
            name = profile["metadata"]["name"]
            try:
                entry = _entry(profile, known, settings)
            except ConfigError as exc:
                _tell(f"The cluster of ClusterProfile {name!r} is left out: {exc}", told, log)
                continue
            if entry is None:
                continue
            if reason := cluster_profile.unhealthy(profile):
                _tell(f"Cluster {name!r} takes no new servers: {reason}", told, log)
                entry = {"drain": _UNHEALTHY, **entry}
            found[name] = entry
        return found

    return named


async def _listed(namespace: str, selector: str, cluster: Settings) -> Sequence[Manifest]:
    pool = Pool(Config(), logging.getLogger("mcks"))
    try:
        connected = await pool.connect(_WHERE, {_WHERE: cluster})
        place = namespace or connected.namespace
        selection = Selector(cluster_profile.API_VERSION, cluster_profile.KIND, place, selector)
        listed, _ = await connected.client.list(selection)
    except NotFound as exc:
        kind = f"{cluster_profile.KIND} of {cluster_profile.API_VERSION}"
        raise ConfigError(f"the cluster of the inventory knows no {kind}: {exc}") from exc
    finally:
        await pool.close()
    return listed


def _entry(
    profile: Manifest,
    providers: Sequence[Provider],
    settings: Settings | Callable[[Manifest], Settings | None] | None,
) -> dict[str, Any] | None:
    """Return the entry with the administrator's *settings*; None if those leave the cluster out.

    Raises ConfigError.
    """
    said = settings(profile) if callable(settings) else settings or {}
    if said is None:
        return None
    if not isinstance(said, Mapping):
        raise ConfigError(f"settings give {type(said).__name__} for it: they must give a dict")
    if "backend" in said:  # another way in than the profile's
        return dict(said)
    return {**cluster_profile.entry(profile, providers), **said}


def _tell(text: str, told: set[str], log: logging.Logger) -> None:
    if text not in told:
        told.add(text)
        log.warning("%s", text)
