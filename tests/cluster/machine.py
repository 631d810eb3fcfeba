"""Whether this machine can run the clusters, and what to do instead where it cannot."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import debian, processes

ALTERNATIVE = (
    "Instead, name two clusters of your own, as contexts of $KUBECONFIG and with the public URL of "
    'each one\'s gateway: MCKS_TEST_CONTEXTS="ctxA=https://a.example.org,ctxB=https://b.example.org"'
)
_DEVICE_PLUGINS = "/var/lib/kubelet/device-plugins/kubelet.sock"


class CannotRunHere(RuntimeError):
    """This machine cannot run the local clusters; the text says why and what to do instead."""


def missing(*, need: Sequence[str] = ("go",)) -> list[str]:
    """What this machine lacks, each a short sentence; empty if the clusters can run here."""
    if sys.platform != "linux":
        return [f"they run on Linux, and this is {sys.platform}"]
    lacks = []
    if os.geteuid() != 0:
        lacks.append("they need root, for containers and network bridges")
    lacks += [f"`{name}` is not installed" for name in need if debian.program(name) is None]
    packages = debian.missing_packages()
    if packages and not debian.can_install():
        lacks.append(f"these Debian packages are not installed: {', '.join(packages)}")
    if not Path("/lib64").is_symlink() and not Path("/lib").is_symlink():
        lacks.append("/lib is no link into /usr, so a pod cannot borrow this machine's programs")
    return lacks


def require(*, need: Sequence[str] = ("go",)) -> None:
    """Raise CannotRunHere, naming everything that is missing at once, unless nothing is."""
    if lacks := missing(need=need):
        raise CannotRunHere(message(lacks))


def message(lacks: Sequence[str]) -> str:
    """The one text for everything that is missing."""
    return f"The local clusters cannot run here: {'; '.join(lacks)}. {ALTERNATIVE}"


def refuse_foreign_kubelet() -> None:
    """Raise CannotRunHere if a kubelet runs that is of no set: two would share a socket's path."""
    ours = any("kubelet" in processes.command_line(process) for process in processes.marked())
    if not ours and kubelets():
        raise CannotRunHere(message(["another kubelet runs on this machine"]))


def kubelets() -> int:
    """How many kubelets listen at the socket whose path is hard-coded in them."""
    return kubelets_in(Path("/proc/net/unix").read_text())


def kubelets_in(unix_sockets: str) -> int:
    """Count the sockets that every kubelet opens in the text of /proc/net/unix."""
    return sum(line.split()[-1:] == [_DEVICE_PLUGINS] for line in unix_sockets.splitlines())
