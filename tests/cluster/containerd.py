"""Configures one cluster's containerd and its network plugin; the kubelet drives it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import build, debian, images
from tests.cluster.names import ClusterName
from tests.cluster.state import ClusterState, write_private

_DISABLED = ("btrfs", "zfs", "devmapper", "aufs", "overlayfs")
_NAMESPACE = "k8s.io"


@dataclass(frozen=True)
class Containerd:
    """One cluster's container runtime; all of its data and sockets lie in ``directory``."""

    name: ClusterName
    state: ClusterState
    directory: Path

    @property
    def socket(self) -> Path:
        return self.directory / "containerd.sock"

    @property
    def _config_file(self) -> Path:
        return self.directory / "containerd.toml"

    def argv(self) -> list[str | Path]:
        program = debian.program("containerd") or "containerd"
        return [program, "--config", self._config_file, "--log-level", "warn"]

    def configure(self) -> None:
        """Write the configuration files."""
        plugins = debian.cni_directory() or Path("/usr/lib/cni")
        write_private(self._config_file, self.config(plugins))
        network = json.dumps(self.network(), indent=1)
        write_private(self.directory / "cni" / f"{self.name.tag}.conflist", network)

    def network(self) -> dict[str, Any]:
        """The CNI configuration: the pods' cable to the set's own bridge, from network.py."""
        ipam = {
            "type": "host-local",
            "dataDir": f"{self.directory}/cni-addresses",
            "ranges": [[{"subnet": self.state.pod_subnet, "gateway": self.state.node_ip}]],
            "routes": [{"dst": "0.0.0.0/0", "gw": self.state.node_ip}],
        }
        pods = {"type": "macvlan", "master": self.name.cable, "mode": "bridge", "ipam": ipam}
        return {"cniVersion": "0.4.0", "name": self.name.tag, "plugins": [pods]}

    def config(self, plugins: Path) -> str:
        """containerd.toml.

        ``native`` snapshots work on every file system, and our images are tiny.
        restrict_oom_score_adj: without CAP_SYS_RESOURCE runc could start nothing otherwise.
        netns_mounts_under_state_dir: what is mounted below our directory is found again.
        """
        disabled = ", ".join(f'"io.containerd.snapshotter.v1.{name}"' for name in _DISABLED)
        runc = '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc'
        return f"""\
version = 2
root = "{self.directory}/containerd/root"
state = "{self.directory}/containerd/state"
disabled_plugins = [{disabled}, "io.containerd.internal.v1.tracing",
  "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "{self.socket}"
[ttrpc]
  address = "{self.socket}.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "{self.directory}/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{images.PAUSE}"
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{self.directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    default_runtime_name = "runc"
    {runc}]
      runtime_type = "io.containerd.runc.v2"
      {runc}.options]
        SystemdCgroup = false
        Root = "{self.directory}/containerd/runc"
"""

    def answers(self) -> bool:
        """True when it takes requests."""
        try:
            self._ctr("version")
        except RuntimeError:
            return False
        return True

    def import_images(self) -> None:
        """Load the images that it does not have yet."""
        known = self._ctr("images", "list", "--quiet").split()
        if {images.PAUSE, images.BUSYBOX, images.NOTEBOOK}.issubset(known):
            return
        for archive in images.archives():
            self._ctr("images", "import", "--snapshotter", "native", str(archive))

    def end_sandbox(self, pod: str, namespace: str) -> None:
        """Kill what holds a pod's network, as a crash does: the kubelet makes another one."""
        labels = {"pod.namespace": namespace, "pod.name": pod}
        wanted = [f'labels."io.kubernetes.{name}"=={value}' for name, value in labels.items()]
        wanted.append('labels."io.cri-containerd.kind"==sandbox')
        listed = self._ctr("containers", "list", "--quiet", ",".join(wanted))
        for sandbox in listed.split():
            self._ctr("tasks", "kill", "--signal", "SIGKILL", sandbox)

    def _ctr(self, *arguments: str) -> str:
        program = debian.program("ctr") or "ctr"
        options = ["--address", str(self.socket), "--namespace", _NAMESPACE]
        return build.run([program, *options, *arguments])
