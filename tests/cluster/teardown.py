"""Takes a set off the machine, whole or half or after a crash: always the same way.

Nothing is asked of the clusters themselves, because any part of them may be dead or stopped: first
every process is killed, then what they held is removed, and last their files.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from pathlib import Path

from tests.cluster import cgroups, leftovers, network, processes
from tests.cluster.names import cluster_names
from tests.cluster.state import state_root, write_private

FIXED_DIRECTORIES = (
    "/run/containerd/s",
    "/run/containerd",
    "/usr/libexec/kubernetes/kubelet-plugins/volume/exec",
    "/usr/libexec/kubernetes/kubelet-plugins/volume",
    "/usr/libexec/kubernetes/kubelet-plugins",
    "/usr/libexec/kubernetes",
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
    "/var/lib/cni/results",
    "/var/lib/cni",
)
"""Where containerd and the kubelet write although nobody told them to."""
_KUBELET_SOCKET = Path("/var/lib/kubelet/device-plugins/kubelet.sock")


def remember_directories() -> None:
    """Note which of FIXED_DIRECTORIES are not there yet: if they appear, they are the sets'.

    The note is one for all sets, because the last one to go must remove them.
    """
    note = _note()
    if not note.exists():
        missing = [path for path in FIXED_DIRECTORIES if not Path(path).exists()]
        write_private(note, json.dumps(missing))


def remove(set_name: str) -> None:
    """Leave nothing of the set. Does nothing if there is nothing; what it cannot remove stays."""
    names = cluster_names(set_name)
    directory = state_root() / set_name
    sockets = shim_sockets(directory)
    kill_all(set_name)
    _unmount(directory)
    network.remove(set_name, names)
    for name in names:
        cgroups.remove(name.tag)
    for path in (*sockets, *leftovers.own_files(directory, names)):
        if path != directory:
            path.unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)
    _remove_fixed()


def kill_all(set_name: str) -> None:
    """Kill every process of the set, the containers' too."""
    for _ in range(10):  # containerd may have started one more meanwhile
        found = leftovers.set_processes(set_name)
        if not found:
            return
        processes.end(found, grace=0.0)


def _unmount(directory: Path) -> None:
    for _ in range(3):
        mounts = leftovers.mounts_below(directory, Path("/proc/self/mountinfo").read_text())
        if not mounts:
            return
        for point in mounts:
            # Lazily: a mount is busy until the kernel is done with the last killed process.
            subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)


def shim_sockets(directory: Path) -> list[Path]:
    """The sockets of containerd's shims, whose directory cannot be chosen."""
    found = []
    for file in directory.glob("*/containerd/state/io.containerd.runtime.v2.task/*/*/address"):
        with contextlib.suppress(OSError):
            found.append(Path(file.read_text().strip().removeprefix("unix://")))
    return found


def _remove_fixed() -> None:
    """Remove what the sets made outside their directories, when the last one has gone."""
    note = _note()
    if not note.exists() or [path for path in note.parent.iterdir() if path.is_dir()]:
        return
    ours = json.loads(note.read_text())
    if str(_KUBELET_SOCKET.parent) in ours and not _anyone_listens(_KUBELET_SOCKET):
        _KUBELET_SOCKET.unlink(missing_ok=True)
    for path in ours:
        with contextlib.suppress(OSError):  # not empty: it is another's by now
            Path(path).rmdir()
    note.unlink()
    with contextlib.suppress(OSError):
        note.parent.rmdir()


def _note() -> Path:
    return state_root() / "made.json"


def _anyone_listens(path: Path) -> bool:
    return str(path) in Path("/proc/net/unix").read_text()
