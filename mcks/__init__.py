"""mcks: one JupyterHub, many Kubernetes clusters."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from mcks.errors import Refused as Refused


def check_config(config: Any) -> None:
    """Raise HasMistakes with all mistakes of *config*; made to be a configuration's last line.

    ``import mcks; mcks.check_config(c)``
    """
    from mcks.core.checking.config_check import check  # noqa: PLC0415 (heavy, and needed only here)
    from mcks.errors import HasMistakes  # noqa: PLC0415

    found = check(config)
    for told in found.warnings + found.notes:
        logging.getLogger("mcks").warning("%s", told)
    if found.problems:
        raise HasMistakes("\n- ".join(["the configuration has mistakes:", *found.problems]))


def cluster_profiles(
    namespace: str = "",
    selector: str = "",
    *,
    cluster: Any = None,
    providers: Any = (),
    settings: Any = None,
) -> Callable[[], Awaitable[Any]]:
    """Return a function for ``c.MultiClusterKubeSpawner.clusters`` that reads ClusterProfiles.

    ``c.MultiClusterKubeSpawner.clusters = mcks.cluster_profiles(namespace="fleet")``

    *namespace* and label *selector* say which, in a *cluster* that is described as one of
    ``clusters``: by default the hub's own, and the hub's namespace. *providers*: by which programs
    the hub logs in. *settings* of each cluster beside that: a dict, or a function of the
    ClusterProfile that returns one, or None for a cluster to leave out.
    """
    from mcks.core.clusters import sig_multicluster  # noqa: PLC0415 (heavy, and not always needed)

    return sig_multicluster.cluster_profiles(
        namespace, selector, cluster=cluster, providers=providers, settings=settings
    )
