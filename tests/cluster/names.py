"""What things of a set are called on the machine; nothing here looks at the machine (pure).

Every process, bridge, cgroup, chain and file of a set bears the set's name, so that all of it can
be found again by name alone, whatever was killed in between. Linux allows 15 characters for the
name of a bridge, which is why a set's name is short.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

CLUSTERS = ("a", "b")
PROCESS_MARK = "MCKS_LOCAL_CLUSTER"
"""The environment variable that every process of a set is started with: ``SET/CLUSTER``."""

DEFAULT_SET = os.environ.get("MCKS_SET") or "mcks"
"""The one set of a machine, unless MCKS_SET names another, to live beside it."""
_SET = re.compile(r"[a-z][a-z0-9]{0,7}")


@dataclass(frozen=True)
class ClusterName:
    """One cluster of one set, e.g. ``ClusterName("mcks", "a")``."""

    set_name: str
    cluster: str

    @property
    def tag(self) -> str:
        """Names the bridge, the cgroup, the CNI network and the node."""
        return f"{self.set_name}-{self.cluster}"

    @property
    def port(self) -> str:
        """Names the bridge's end of the pods' cable."""
        return f"{self.tag}-port"

    @property
    def cable(self) -> str:
        """Names the pods' end of their cable to the bridge."""
        return f"{self.tag}-pods"

    @property
    def trial(self) -> str:
        """Names a pod's end of the cable that is only tried."""
        return f"{self.tag}-try"

    @property
    def mark(self) -> str:
        """The value of PROCESS_MARK."""
        return f"{self.set_name}/{self.cluster}"

    @property
    def context(self) -> str:
        """The kubeconfig context, in the hub's and in the tests' kubeconfig."""
        return f"local-{self.cluster}"


def cluster_names(set_name: str) -> tuple[ClusterName, ...]:
    """The clusters of a set. Raises ValueError for a name that Linux could not take."""
    if not _SET.fullmatch(set_name):
        raise ValueError(
            f"a set's name is 1 to 8 lower case letters and digits, not {set_name!r}: "
            "it becomes part of the names of network bridges"
        )
    return tuple(ClusterName(set_name, cluster) for cluster in CLUSTERS)


def chain(set_name: str) -> str:
    """The iptables chain of a set, in the filter table and in the nat table."""
    return f"{set_name}-clusters"
