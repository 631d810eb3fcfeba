"""Configures the kubelet of one cluster (pure, but for the file it writes)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.dns import DOMAIN
from tests.cluster.names import ClusterName
from tests.cluster.state import ClusterState, write_private

_SIGNALS = (
    "memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available",
    "imagefs.inodesFree", "pid.available",
)  # fmt: skip


@dataclass(frozen=True)
class Kubelet:
    """The one node of a cluster; its name is the cluster's tag, its address the bridge's."""

    name: ClusterName
    state: ClusterState
    directory: Path
    binaries: Path
    container_socket: Path

    @property
    def _config_file(self) -> Path:
        return self.directory / "kubelet.yaml"

    def argv(self) -> list[str | Path]:
        return [
            self.binaries / "kubelet",
            f"--config={self._config_file}",
            f"--kubeconfig={self.directory}/node.kubeconfig",
            f"--hostname-override={self.name.tag}",
            f"--node-ip={self.state.node_ip}",
            f"--root-dir={self.directory}/kubelet",
            f"--cert-dir={self.directory}/kubelet-certificates",
            "--v=1",
        ]

    def configure(self) -> None:
        """Write the configuration file."""
        write_private(self._config_file, json.dumps(self.config(), indent=1))

    def config(self) -> dict[str, Any]:
        """A KubeletConfiguration that evicts nothing and leaves the machine's limits alone."""
        pki = self.directory / "pki"
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": self.state.node_ip,
            "port": self.state.ports["kubelet"],
            "readOnlyPort": 0,
            "healthzBindAddress": "127.0.0.1",
            "healthzPort": self.state.ports["kubelet_health"],
            "containerRuntimeEndpoint": f"unix://{self.container_socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.name.tag}",
            "cgroupsPerQOS": True,
            "enforceNodeAllocatable": [],
            "failCgroupV1": False,
            "failSwapOn": False,
            "makeIPTablesUtilChains": False,
            "tlsCertFile": f"{pki}/kubelet.crt",
            "tlsPrivateKeyFile": f"{pki}/kubelet.key",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": f"{pki}/ca.crt"},
            },
            "authorization": {"mode": "Webhook"},
            "evictionHard": dict.fromkeys(_SIGNALS, "0%"),
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "imageMinimumGCAge": "87600h",
            "podLogsDir": f"{self.directory}/pod-logs",
            "volumePluginDir": f"{self.directory}/volume-plugins",
            "resolvConf": "",
            "clusterDomain": DOMAIN,
            "clusterDNS": [self.state.node_ip],
            "serializeImagePulls": False,
            "maxPods": 60,
        }
