"""What `up` decided and every later command reads back: addresses, ports, directories.

The state directory is the only place of a set's data; it is private (0700) because it holds keys.
Processes keep their own records there (processes.py).
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.names import ClusterName, cluster_names

PORTS = (
    "apiserver", "etcd", "etcd_peer", "kcm", "scheduler", "kubelet", "kubelet_health", "gateway",
    "xds", "contour_metrics", "contour_health", "contour_stats", "contour_admin", "contour_debug",
)  # fmt: skip
_FORMAT = 1
_LONGEST_ROOT = 107 - len("/abcdefgh/a/containerd.sock.ttrpc")  # unix(7)


def state_root() -> Path:
    """MCKS_STATE, or its default. Raises ValueError if the sockets' paths would become too long."""
    root = Path(os.environ.get("MCKS_STATE") or "/var/lib/mcks-local").absolute()
    if len(os.fsencode(root)) > _LONGEST_ROOT:
        raise ValueError(f"MCKS_STATE: {root} is longer than {_LONGEST_ROOT} bytes: choose another")
    return root


@dataclass
class ClusterState:
    """One cluster: addresses as text, ports by their name in PORTS."""

    name: str
    node_ip: str
    pod_subnet: str
    service_subnet: str
    service_ip: str
    ports: dict[str, int]
    api_flags: list[str] = field(default_factory=list)


@dataclass
class SetState:
    """A set of clusters. ``keep``: brought up by hand, so the end of a test run leaves it."""

    set_name: str
    directory: Path
    clusters: dict[str, ClusterState]
    keep: bool = False

    @property
    def file(self) -> Path:
        return self.directory / "state.json"

    @property
    def kubeconfig(self) -> Path:
        """The hub's: contexts of all clusters, the least Role."""
        return self.directory / "hub.kubeconfig"

    @property
    def admin_kubeconfig(self) -> Path:
        """The tests' own: contexts of all clusters, system:masters."""
        return self.directory / "admin.kubeconfig"

    def names(self) -> tuple[ClusterName, ...]:
        return cluster_names(self.set_name)

    def cluster_directory(self, cluster: str) -> Path:
        return self.directory / cluster

    def save(self) -> None:
        """Write the file as one step: a reader sees the old one or the new one."""
        write_private(self.file, json.dumps(_to_json(self), indent=1))


def _to_json(state: SetState) -> dict[str, Any]:
    return {"format": _FORMAT, **dataclasses.asdict(state), "directory": str(state.directory)}


def load(set_name: str, root: Path | None = None) -> SetState | None:
    """The state that `up` left, or None if there is none that this version can read."""
    path = (root or state_root()) / set_name / "state.json"
    try:
        return _from_json(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _from_json(data: dict[str, Any]) -> SetState:
    if data.pop("format") != _FORMAT:
        raise ValueError("written by another version")
    clusters = {name: ClusterState(**value) for name, value in data.pop("clusters").items()}
    return SetState(**{**data, "clusters": clusters, "directory": Path(data["directory"])})


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, atomically."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(temporary).replace(path)
