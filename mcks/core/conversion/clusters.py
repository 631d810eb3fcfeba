"""Where servers live, as a setting of clusters: KubeSpawner says it for the whole hub.

What a namespace is made of (`hub`) does not belong here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from traitlets.config import Config

from mcks.core.clusters.cluster import ConfiguredCluster
from mcks.core.clusters.configure import configure
from mcks.core.conversion.names import user_namespace
from mcks.core.writing.marks import Marks
from mcks.errors import MCKSError

_ALL = "c.Cluster.namespace"


def namespaces(
    config: Config, spawner: Any, words: Mapping[str, Any], marks: Marks
) -> dict[str, str]:
    """Return settings of clusters, by what to write them to.

    A cluster's own namespace stays. That of its kubeconfig stands above KubeSpawner's, but for one
    of each user.
    """
    if words.get("enable_user_namespaces"):
        return {_ALL: user_namespace(marks, words)}
    if words.get("namespace", "") in ("", "default"):
        return {}
    said = str(words["namespace"])
    known = {name: _configured(name, spawner, config) for name in spawner.clusters}
    lacking = [name for name, hint in known.items() if hint == ""]
    if len(lacking) == len(known):
        return {_ALL: said}
    section = f"c.{type(spawner).__name__}"
    return {f'{section}.clusters[{name!r}]["namespace"]': said for name in lacking}


def _configured(name: str, spawner: Any, config: Config) -> str:
    """Return the namespace that is said for a cluster without KubeSpawner; empty if none is."""
    log = logging.getLogger("mcks.convert")
    try:
        found: ConfiguredCluster = configure(name, spawner.clusters, config, log)
        return found.cluster.namespace or found.backend.namespace_hint() or ""
    except MCKSError:
        return ""
