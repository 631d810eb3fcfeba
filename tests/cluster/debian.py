"""Installs Debian's packages where a program is missing; knows no more of what they are for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.cluster import build

PACKAGES: Mapping[str, str] = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "ip": "iproute2",
    "iptables": "iptables",
    "busybox": "busybox-static",
    "setsid": "util-linux",
}
"""Programs that the clusters need, and the Debian package that has each."""
CNI_PACKAGE = "containernetworking-plugins"
_CNI_DIRECTORIES = (Path("/usr/lib/cni"), Path("/opt/cni/bin"), Path("/usr/libexec/cni"))
_CNI_PLUGINS = ("macvlan", "host-local", "loopback")
_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


def program(name: str) -> str | None:
    """The path of a program, also of those that are on root's PATH only."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}")


def cni_directory() -> Path | None:
    """Where the CNI plugins lie, or None."""
    for directory in _CNI_DIRECTORIES:
        if all((directory / plugin).exists() for plugin in _CNI_PLUGINS):
            return directory
    return None


def missing_packages() -> list[str]:
    """The packages that the clusters need and that are not there, whoever installed them."""
    missing = {package for name, package in PACKAGES.items() if program(name) is None}
    if cni_directory() is None:
        missing.add(CNI_PACKAGE)
    return sorted(missing)


def can_install() -> bool:
    """True on a Debian (or Ubuntu) where we are root."""
    return os.geteuid() == 0 and program("apt-get") is not None


def install(packages: Iterable[str]) -> None:
    """Install packages, telling which. Raises RuntimeError with apt's words when it fails."""
    names = sorted(packages)
    if not names:
        return
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with build.step(f"installing Debian packages: {', '.join(names)}"):
        build.run(["apt-get", "update", "-q"], environment=quiet)
        command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names]
        build.run(command, environment=quiet)
