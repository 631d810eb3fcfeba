"""Builds CoreDNS, the clusters' name server (see dns/main.go); running it is dns.py's part."""

from __future__ import annotations

from pathlib import Path

from tests.cluster import build, cache

_SOURCE = Path(__file__).parent / "dns"
_FILES = ("go.mod", "go.sum", "main.go")


def _key() -> str:
    return cache.key(*(_SOURCE / name for name in _FILES))


def is_built() -> bool:
    """True if `dns_binary` need not build anything."""
    return cache.is_complete("coredns", _key())


def dns_binary() -> Path:
    """The executable, built if need be."""
    return cache.entry("coredns", _key(), _build) / "coredns"


def _build(directory: Path) -> None:
    with build.step("building CoreDNS (the first time: 1 minute on 2 cores)"):
        build.run(
            [
                "go",
                "build",
                "-trimpath",
                "-buildvcs=false",
                build.NO_DEBUGGING,
                "-ldflags",
                "-s -w",
                "-o",
                directory / "coredns",
                ".",
            ],
            cwd=_SOURCE,
            environment={"CGO_ENABLED": "0"},
        )
