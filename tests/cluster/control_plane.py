"""The command lines of etcd, the API server, the controllers and the scheduler (pure).

Order and waiting are cluster.py's part.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.cluster.names import ClusterName
from tests.cluster.state import ClusterState

Argv = list[str | Path]


@dataclass(frozen=True)
class ControlPlane:
    """One cluster's control plane: executables in ``binaries``, data in ``directory``."""

    name: ClusterName
    state: ClusterState
    directory: Path
    binaries: Path

    @property
    def pki(self) -> Path:
        return self.directory / "pki"

    def etcd(self) -> Argv:
        """Without fsync: the data of a test cluster need not survive a power cut."""
        client = f"http://127.0.0.1:{self.state.ports['etcd']}"
        peer = f"http://127.0.0.1:{self.state.ports['etcd_peer']}"
        return [
            self.binaries / "etcd",
            f"--name={self.name.tag}",
            f"--data-dir={self.directory}/etcd",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster={self.name.tag}={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
            "--heartbeat-interval=500",
            "--election-timeout=2500",
        ]

    def apiserver(self) -> Argv:
        """Listens on all addresses, because pods reach it at the bridge's and tests at loopback."""
        return [
            self.binaries / "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self.state.ports['etcd']}",
            "--bind-address=0.0.0.0",
            f"--secure-port={self.state.ports['apiserver']}",
            f"--advertise-address={self.state.node_ip}",
            f"--tls-cert-file={self.pki}/apiserver.crt",
            f"--tls-private-key-file={self.pki}/apiserver.key",
            f"--client-ca-file={self.pki}/ca.crt",
            f"--kubelet-client-certificate={self.pki}/kubelet-client.crt",
            f"--kubelet-client-key={self.pki}/kubelet-client.key",
            f"--kubelet-certificate-authority={self.pki}/ca.crt",
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={self.pki}/sa.pub",
            f"--service-account-signing-key-file={self.pki}/sa.key",
            f"--service-cluster-ip-range={self.state.service_subnet}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--profiling=false",
            *self.state.api_flags,
        ]

    def kcm(self) -> Argv:
        """The controllers.

        Without --kube-api-qps the default ServiceAccount takes twice as long to appear. A long
        grace period keeps the node Ready after an outage of the API server: client-go's watches
        need up to 30 s to come back, and the controllers judge by what they saw before.
        """
        return [
            self.binaries / "kube-controller-manager",
            *self._client("kcm"),
            f"--secure-port={self.state.ports['kcm']}",
            "--node-monitor-grace-period=300s",
            f"--root-ca-file={self.pki}/ca.crt",
            f"--service-account-private-key-file={self.pki}/sa.key",
            "--use-service-account-credentials",
            "--kube-api-qps=300",
            "--kube-api-burst=600",
            f"--flex-volume-plugin-dir={self.directory}/volume-plugins",
            f"--cluster-signing-cert-file={self.pki}/ca.crt",
            f"--cluster-signing-key-file={self.pki}/ca.key",
        ]

    def scheduler(self) -> Argv:
        return [
            self.binaries / "kube-scheduler",
            *self._client("scheduler"),
            f"--secure-port={self.state.ports['scheduler']}",
        ]

    def _client(self, user: str) -> Argv:
        kubeconfig = self.directory / f"{user}.kubeconfig"
        return [
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            f"--cert-dir={self.directory}/{user}-certificates",
        ]
