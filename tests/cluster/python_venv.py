"""Virtual environments from hash-locked requirements; what is in them is told by those files."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cluster import build, cache

_REQUIREMENTS = Path(__file__).parents[2] / "requirements"


def python_prefix() -> Path:
    """Where the Python lies on which virtual environments are built."""
    return Path(sys.base_prefix).resolve()


def virtual_environment(name: str) -> Path:
    """The environment of ``requirements/NAME.txt``, on the Python that runs this."""
    requirements = _REQUIREMENTS / f"{name}.txt"
    python = python_prefix() / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"

    def make(directory: Path) -> None:
        with build.step(f"installing requirements/{name}.txt"):
            build.run([str(python), "-m", "venv", str(directory)])
            pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            build.run([*pip, "--require-hashes", "--no-deps", "--requirement", str(requirements)])

    return cache.entry(name, cache.key(requirements, sys.version, str(python)), make)
