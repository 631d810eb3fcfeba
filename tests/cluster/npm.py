"""Installs locked packages from npm into the cache; what they are for is told elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster import build, cache, debian, machine


def installed(source: Path) -> Path:
    """The directory node_modules for the lock file in *source*. Raises CannotRunHere."""
    files = (source / "package.json", source / "package-lock.json")

    def install(directory: Path) -> None:
        machine.require(need=("node", "npm"))
        for file in files:
            shutil.copy(file, directory)
        with build.step(f"installing {source.name} from npm"):
            npm = debian.program("npm") or "npm"
            build.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=directory)

    return cache.entry(source.name, cache.key(*files), install) / "node_modules"
