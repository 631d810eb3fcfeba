"""Which clusters keep a user's server from less than KubeSpawner did, in sentences.

What that was (kubespawner/protection.py) does not belong here.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from traitlets.config import Config

from mcks.core.checking.sample import Sample, without_failing
from mcks.core.clusters.pool import Pool
from mcks.core.kubespawner import protection, section
from mcks.core.servers import plan
from mcks.errors import MCKSError


def warnings(sample: Sample, log: logging.Logger) -> Iterator[str]:
    """Look at a server in each cluster, if the configuration of *sample* has been KubeSpawner's."""
    spawner = sample.spawner()
    if not _was_kubespawners(sample.config, spawner.profile_list):
        return
    for name in spawner.clusters:
        if lost := _lost(name, sample, log):
            yield (
                f"servers in cluster {name!r} are not kept from {', '.join(lost)}, as they were "
                "with KubeSpawner: write 'isolate': True into its entry"
            )


def _was_kubespawners(config: Config, profiles: Any) -> bool:
    """Whether there is a section of KubeSpawner's, or a profile in its words."""
    return bool(section.values(config)) or _speaks_kubespawner(profiles)


def _speaks_kubespawner(said: Any) -> bool:
    if isinstance(said, Mapping):
        return "kubespawner_override" in said or any(map(_speaks_kubespawner, said.values()))
    return isinstance(said, list | tuple) and any(map(_speaks_kubespawner, said))


def _lost(cluster: str, sample: Sample, log: logging.Logger) -> list[str]:
    """Compare with a server without a profile. What cannot be planned is told as a mistake."""
    spawner = sample.spawner()
    spawner.cluster, spawner.kubernetes_context = cluster, ""
    with contextlib.suppress(MCKSError):
        configured = spawner.configured(Pool(sample.config, log))
        plan.settle(spawner, configured.cluster)
        without_failing(spawner)
        planned = plan.make(spawner, configured)
        found = protection.lost(section.values(sample.config), planned.objects, planned.created.key)
        hub = configured.hub_pod
        if hub is not None and planned.created.namespace == hub.namespace:
            return [what for what in found if what != protection.VISITORS]  # by the chart's policy
        return found
    return []
