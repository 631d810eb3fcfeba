"""Looks at one entry of ``clusters``: every mistake in it at once, without a network.

Which address its Pods are told of the hub (hub_address.py) does not belong here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from traitlets import HasTraits, TraitError
from traitlets.config import Config

from mcks.backends.base import Backend
from mcks.backends.registry import backend_class
from mcks.core.checking import traits
from mcks.core.checking.finding import Finding, placed
from mcks.core.checking.kubernetes import kubernetes_rules
from mcks.core.clusters.cluster import Cluster, ConfiguredCluster
from mcks.core.clusters.configure import blaming, joined, mistaken_keys, settings_of, trait_names
from mcks.core.gateways.routes import DIRECT, KINDS
from mcks.errors import ConfigError, MCKSError, without_value

_T = TypeVar("_T", bound=HasTraits)


@dataclass(frozen=True)
class Entry:
    """An entry as far as it can be used: *cluster* and *backend* are None if they cannot."""

    found: list[Finding]
    cluster: Cluster | None = None
    backend: Backend | None = None

    def configured(self, config: Config) -> ConfiguredCluster | None:
        """Return the cluster, its mistakes mended somehow, so that what uses it can be seen."""
        if self.cluster is None or self.backend is None:
            return None
        return joined(self.cluster, self.backend, config)


def look(name: str, clusters: Mapping[str, Any], config: Config, log: logging.Logger) -> Entry:
    """Look at the entry of the cluster *name*."""
    found: list[Finding] = []
    settings = settings_of(name, clusters)
    backend_type = _backend_type(name, settings, config, found)
    ours = trait_names(Cluster)
    theirs = trait_names(backend_type) if backend_type else set()
    if backend_type:
        wrong = mistaken_keys(name, settings, ours | theirs)
        found += (placed("MCKS101", sentence) for sentence in wrong)
    of_cluster = {k: v for k, v in settings.items() if k in ours}
    cluster = _made(name, lambda **given: Cluster(name, config=config, **given), of_cluster, found)
    if cluster is not None:
        found += (placed("MCKS104", sentence) for sentence in cluster.mistakes())
        found += _labels(cluster)
        _mend(cluster)
    if backend_type is None:
        return Entry(found, cluster)

    def make(**given: Any) -> Backend:
        return backend_type(cluster_name=name, config=config, log=log, **given)

    before = len(found)
    given = {k: v for k, v in settings.items() if k in theirs}
    backend = _made(name, make, given, found)
    if backend is not None and len(found) == before:
        found += of_backend(backend)
    else:
        hidden = "whether its backend has all that it needs cannot be said"
        found.append(Finding("MCKS141", hidden, f"clusters[{name!r}]"))
    return Entry(found, cluster, backend)


def _backend_type(
    name: str, settings: Mapping[str, Any], config: Config, found: list[Finding]
) -> type[Backend] | None:
    said = settings.get("backend") or _default_backend(config)
    try:
        with blaming(name):
            if isinstance(said, str):
                return backend_class(said)
    except ConfigError as exc:
        found.append(placed("MCKS103", str(exc)))
    hidden = "what the settings of its backend are worth cannot be said"
    found.append(Finding("MCKS141", hidden, f"clusters[{name!r}]"))
    return None


def _default_backend(config: Config) -> Any:
    """Say what is used if an entry names none."""
    said = (config.get("Cluster") or {}).get("backend")
    return said or Cluster.class_traits()["backend"].default_value


def _made(
    name: str, make: Callable[..., _T], given: Mapping[str, Any], found: list[Finding]
) -> _T | None:
    """Make it of what is *given*; of the values that it refuses, each is told, and left out."""
    good = {}
    for key, value in given.items():
        try:
            one = make(**{key: value})
            traits.refuse_text_as_list(one, key, value)
        except (ConfigError, TraitError) as exc:
            found.append(Finding("MCKS102", _bare(name, exc), f"clusters[{name!r}].{key}"))
        else:
            good[key] = value
    try:
        return make(**good)
    except (ConfigError, TraitError) as exc:  # class-wide defaults, or values together
        found.append(Finding("MCKS102", _bare(name, exc), f"clusters[{name!r}]"))
    return None


def _bare(name: str, exc: Exception) -> str:
    return without_value(exc).removeprefix(f"cluster {name!r}: ")


def _mend(cluster: Cluster) -> None:
    """Replace what is wrong, and told, by what works: the rest is to be seen."""
    without_gateway = cluster.route == "httproute" and not cluster.route_gateway
    contradicting = cluster.route in DIRECT and cluster.ingress_public_url
    if cluster.route not in ("", *KINDS) or without_gateway or contradicting:
        cluster.route = "ingress"
    if any("accept_from" in sentence for sentence in cluster.mistakes()):
        cluster.isolate, cluster.accept_from = False, []
    if any("namespace" in sentence for sentence in cluster.mistakes()):
        cluster.namespace = ""
    if [*cluster.mistakes()]:
        cluster.ingress_public_url = "https://gateway.invalid"
    cluster.labels = {
        key: value
        for key, value in cluster.labels.items()
        if not [*kubernetes_rules.label_map({key: value})]
    }


def _labels(cluster: Cluster) -> Iterator[Finding]:
    for wrong in kubernetes_rules.label_map(cluster.labels):
        yield Finding("MCKS107", wrong.what, f"clusters[{cluster.name!r}].labels")


def of_backend(backend: Backend) -> Iterator[Finding]:
    """Yield what a backend says of itself; a stranger's may fail in ways of its own."""
    for code, ask in (("MCKS106", backend.problems), ("MCKS108", backend.doubts)):
        try:
            yield from (placed(code, sentence) for sentence in ask())
        except MCKSError as exc:
            yield placed(code, str(exc))
