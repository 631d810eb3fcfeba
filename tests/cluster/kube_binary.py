"""Builds the one program that is etcd, all Kubernetes daemons and kubectl (see kube/main.go)."""

from __future__ import annotations

from pathlib import Path

from tests.cluster import build, cache

VERSION = "v1.34.4"
"""The newest minor version that still runs on cgroup v1 and with Debian 12's containerd 1.6."""
NAMES = (
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl",
    "kubectl-many",
)  # fmt: skip

_SOURCE = Path(__file__).parent / "kube"
_FILES = ("go.mod", "go.sum", "main.go", "kubectl_many.go")
_INFO = "k8s.io/component-base/version"
_FLAGS = f"-s -w -X {_INFO}.gitVersion={VERSION} -X {_INFO}.gitMajor=1 -X {_INFO}.gitMinor=34"


def _key() -> str:
    return cache.key(*(_SOURCE / name for name in _FILES), _FLAGS)


def is_built() -> bool:
    """True if `kube_binaries` would return at once."""
    return cache.is_complete("kube", _key())


def kube_binaries() -> Path:
    """The directory with one executable for each of NAMES."""
    return cache.entry("kube", _key(), _build)


def _build(directory: Path) -> None:
    with build.step(f"building Kubernetes {VERSION} (the first time: 4 to 8 minutes on 2 cores)"):
        build.run(
            [
                "go",
                "build",
                "-trimpath",
                "-buildvcs=false",
                build.NO_DEBUGGING,
                "-ldflags",
                _FLAGS,
                "-o",
                directory / "kube",
                ".",
            ],
            cwd=_SOURCE,
            environment={"CGO_ENABLED": "0"},
        )
    for name in NAMES:
        (directory / name).symlink_to("kube")
