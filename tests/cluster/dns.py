"""Configures the name server of one cluster: CoreDNS on this machine, outside the cluster.

Pods find it at the node's address, where the kubelet tells them to. A Service with a cluster IP
has that as its address, which leads nowhere here: there is no kube-proxy. The name of a headless
Service leads to its Pods.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.cluster.state import ClusterState, write_private

DOMAIN = "cluster.local"
PORT = 53
"""Where every resolver asks: a Pod's resolv.conf cannot name another."""


@dataclass(frozen=True)
class NameServer:
    """One cluster's DNS for the names of its Services."""

    state: ClusterState
    directory: Path
    program: Path

    @property
    def _file(self) -> Path:
        return self.directory / "Corefile"

    def configure(self) -> None:
        """Write the configuration file."""
        write_private(self._file, self.config())

    def config(self) -> str:
        """The Corefile: names of the cluster's domain, and no others."""
        return (
            f". {{\n"
            f"    bind {self.state.node_ip}\n"
            f"    errors\n"
            f"    kubernetes {DOMAIN} {{\n"
            f"        kubeconfig {self.directory}/admin.kubeconfig\n"
            f"    }}\n"
            f"}}\n"
        )

    def argv(self) -> list[str | Path]:
        return [self.program, "-conf", self._file, "-dns.port", str(PORT)]
