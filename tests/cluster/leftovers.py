"""Finds whatever of a set is on the machine; removing it is teardown.py's part.

It looks at the machine and not at the set's records, which may be lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import cgroups, network, processes
from tests.cluster.names import ClusterName, chain, cluster_names
from tests.cluster.state import state_root

_CNI_RESULTS = Path("/var/lib/cni/results")
_CONTAINER_LOGS = Path("/var/log/containers")


@dataclass(frozen=True)
class Leftover:
    """One thing: ``kind`` is process, mount, link, rule, cgroup or file."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


def find(set_name: str) -> list[Leftover]:
    """Everything of the set that is on this machine now."""
    names = cluster_names(set_name)
    directory = state_root() / set_name
    mounts = mounts_below(directory, Path("/proc/self/mountinfo").read_text())
    found = [Leftover("process", _told(process)) for process in set_processes(set_name)]
    found += [Leftover("mount", path) for path in mounts]
    found += [Leftover("link", link) for link in own_links(network.links(), names)]
    for table in ("filter", "nat"):
        rules = own_rules(network.table_rules(table), set_name)
        found += [Leftover("rule", f"{table}: {rule}") for rule in rules]
    found += [
        Leftover("cgroup", str(path)) for name in names for path in cgroups.existing(name.tag)
    ]
    found += [Leftover("file", str(path)) for path in own_files(directory, names)]
    return found


def set_processes(set_name: str) -> list[processes.Process]:
    """The set's daemons (by their mark) and containers (by their cgroup)."""
    tags = [name.tag for name in cluster_names(set_name)]
    both = {*processes.marked(set_name), *processes.in_cgroups(tags)}
    return sorted(both, key=lambda process: process.pid)


def mounts_below(directory: Path, mountinfo: str) -> list[str]:
    """Mount points below a directory, deepest first, from the text of /proc/self/mountinfo."""
    points = [line.split()[4].replace("\\040", " ") for line in mountinfo.splitlines()]
    # A point can be mounted more than once, so each line counts.
    return sorted((p for p in points if Path(p).is_relative_to(directory)), reverse=True)


def own_links(links: dict[str, str], names: Iterable[ClusterName]) -> list[str]:
    """The set's bridges and cables, and what is attached to a bridge."""
    bridges = {name.tag for name in names}
    own = bridges.union(name.cable for name in names)
    return sorted(link for link, bridge in links.items() if link in own or bridge in bridges)


def own_rules(rules: Iterable[str], set_name: str) -> list[str]:
    """The lines of ``iptables -S`` that name the set's chain or one of its bridges."""
    wanted = {chain(set_name), *(name.tag for name in cluster_names(set_name))}
    return [rule for rule in rules if wanted.intersection(rule.split())]


def own_files(directory: Path, names: Iterable[ClusterName]) -> Iterator[Path]:
    """The state directory, and what kubelet and containerd leave in places that are fixed."""
    if directory.exists():
        yield directory
    yield from own_network_results(sorted(_CNI_RESULTS.glob("*")), names)
    for link in sorted(_CONTAINER_LOGS.glob("*")):
        if link.is_symlink() and link.readlink().is_relative_to(directory):
            yield link


def own_network_results(files: Iterable[Path], names: Iterable[ClusterName]) -> list[Path]:
    """The files of libcni's cache that belong to pods of these clusters.

    They are called NETWORK-POD-INTERFACE; each pod has one for our network and one for the
    loopback, whose network has the same name everywhere.
    """
    present = list(files)
    prefixes = tuple(f"{name.tag}-" for name in names)
    pods = {file.name.split("-")[-2] for file in present if file.name.startswith(prefixes)}
    return [file for file in present if pods.intersection(file.name.split("-"))]


def _told(process: processes.Process) -> str:
    return f"{process.pid} {processes.command_line(process)}"
