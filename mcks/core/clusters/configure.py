"""From an entry of ``clusters`` to a cluster and its backend, without any network."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from traitlets import TraitError
from traitlets.config import Config, LoggingConfigurable

from mcks.backends.base import Backend
from mcks.backends.registry import backend_class
from mcks.core.administrator.inventory import Inventory
from mcks.core.clusters.cluster import CONTEXT_PREFIX, Cluster, ConfiguredCluster
from mcks.core.kubespawner import section
from mcks.errors import ConfigError, MCKSError, UnknownCluster, unknown, without_value


def configure(
    name: str, clusters: Mapping[str, Any], config: Config, log: logging.Logger
) -> ConfiguredCluster:
    """Make Cluster and backend of the cluster *name*, without any network. Raises ConfigError."""
    if name not in clusters and not name.startswith(CONTEXT_PREFIX):
        raise _unknown_cluster(name, clusters)
    settings = settings_of(name, clusters)
    with blaming(name):
        said = settings.get("backend") or Cluster(name, config=config).backend
        if not isinstance(said, str):
            raise ConfigError(f"backend must be a name, not {type(said).__name__}")
        cls = backend_class(said)
    ours, theirs = split_settings(name, settings, cls)
    with blaming(name):
        cluster = Cluster(name, config=config, log=log, **ours)
        backend = cls(cluster_name=name, config=config, log=log, **theirs)
    cluster.check()
    return joined(cluster, backend, config)


def import_backends(clusters: Mapping[str, Any], config: Config) -> None:
    """Import the backends of *clusters*. What is wrong with them is told when they are used."""
    entries = [entry for entry in clusters.values() if isinstance(entry, Mapping)]
    said = {entry.get("backend") for entry in entries} or {None}
    with suppress(TraitError):
        default = Cluster("", config=config).backend
        for name in said:
            with suppress(MCKSError, TypeError):
                backend_class(name or default)


def _unknown_cluster(name: str, clusters: Mapping[str, Any]) -> UnknownCluster:
    error = UnknownCluster(unknown("cluster", name, clusters))
    if isinstance(clusters, Inventory):  # in which clusters come and go: it is no mistake
        error.user_message = (
            "The chosen cluster is not in service at the moment. Choose another profile, or try "
            "again later."
        )
    return error


def joined(cluster: Cluster, backend: Backend, config: Config) -> ConfiguredCluster:
    """Join *cluster* and *backend* with what ``c.KubeSpawner`` says of all clusters."""
    theirs = section.values(config) if section.is_read(config) else {}
    return ConfiguredCluster(
        cluster,
        backend,
        enable_user_namespaces=theirs.get("enable_user_namespaces") is True,
        last_resort=theirs.get("namespace") or "",
    )


def trait_names(cls: type[LoggingConfigurable]) -> set[str]:
    """Names of the configurable traits of *cls* that it does not share with every class."""
    common = set(LoggingConfigurable.class_trait_names())
    return set(cls.class_trait_names(config=True)) - common


def split_settings(
    name: str, settings: Mapping[str, Any], backend_class: type[LoggingConfigurable]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split an entry of ``clusters`` into what Cluster takes and what its backend takes.

    Raises ConfigError for a key that neither knows, and for a backend that shadows Cluster.
    """
    ours, theirs = trait_names(Cluster), trait_names(backend_class)
    if shadowed := ours & theirs:
        raise ConfigError(
            f"backend class {backend_class.__name__} defines {', '.join(sorted(shadowed))}, "
            "which mcks.core.clusters.cluster.Cluster has already: it must use another name"
        )
    if unknown_keys := [*mistaken_keys(name, settings, ours | theirs)]:
        raise ConfigError("; ".join(unknown_keys))
    cluster = {k: v for k, v in settings.items() if k in ours}
    return cluster, {k: v for k, v in settings.items() if k in theirs}


def mistaken_keys(name: str, settings: Mapping[str, Any], known: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each key of the cluster *name* that is not *known*."""
    for key in settings:
        if key not in known:
            yield f"clusters[{name!r}]: {unknown('key', str(key), known)}"


@contextmanager
def blaming(name: str) -> Iterator[None]:
    """Turn the error of a wrong value or backend into a ConfigError that names the cluster."""
    try:
        yield
    except (ConfigError, TraitError) as exc:
        raise ConfigError(f"clusters[{name!r}]: {without_value(exc)}") from None


def settings_of(name: str, clusters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the cluster *name*, an implicit one (``context:NAME``) included.

    Raises ConfigError if an entry is not a dict.
    """
    if name.startswith(CONTEXT_PREFIX) and name not in clusters:
        return {"context": name.removeprefix(CONTEXT_PREFIX)}
    entry = clusters[name]
    if not isinstance(entry, Mapping):
        raise ConfigError(f"clusters[{name!r}] must be a dict, not {type(entry).__name__}")
    return dict(entry)
