"""Makes and removes the cgroup below which a kubelet keeps its pods, on cgroup v1 and v2."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

_V2_CONTROLLERS = "+cpu +cpuset +memory +pids +io"
_CPU_SHARES = {"cpu.shares": "8192", "cpu.weight": "313"}
"""For v1 and v2. By default all pods together get as much as one of the machine's processes."""


def hierarchies(mountinfo: str) -> list[Path]:
    """Where cgroup file systems are mounted, from the text of /proc/self/mountinfo."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        if after.split()[:1] in (["cgroup"], ["cgroup2"]):
            found.append(Path(before.split()[4]))
    return found


def _mounted() -> list[Path]:
    return hierarchies(Path("/proc/self/mountinfo").read_text())


def create(tag: str) -> None:
    """Make /TAG in every hierarchy; a kubelet does not make its own root."""
    for hierarchy in _mounted():
        if (hierarchy / "cgroup.controllers").exists():
            with contextlib.suppress(OSError):  # kept by another manager, who has done it
                (hierarchy / "cgroup.subtree_control").write_text(_V2_CONTROLLERS)
        (hierarchy / tag).mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            own = hierarchy / tag / name
            if own.exists() and not own.read_text().strip() and (hierarchy / name).exists():
                own.write_text((hierarchy / name).read_text())
        for name, value in _CPU_SHARES.items():
            if (own := hierarchy / tag / name).exists():
                own.write_text(value)


def existing(tag: str) -> Iterator[Path]:
    """The directories /TAG that are there now."""
    return (path for hierarchy in _mounted() if (path := hierarchy / tag).is_dir())


def remove(tag: str, seconds: float = 10.0) -> None:
    """Remove /TAG and all below it, everywhere. The processes in it must have been killed."""
    deadline = time.monotonic() + seconds
    while list(existing(tag)) and time.monotonic() < deadline:
        for root in existing(tag):
            children = sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True)
            for directory in (*children, root):
                with contextlib.suppress(OSError):  # a process is still on its way out
                    directory.rmdir()
        if list(existing(tag)):
            time.sleep(0.05)
