"""Installs configurable-http-proxy, JupyterHub's proxy, from npm into the cache."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster import build, cache, debian, machine

_SOURCE = Path(__file__).parent / "proxy"


def proxy_command() -> list[str]:
    """How to start it: the value of ConfigurableHTTPProxy.command. Raises CannotRunHere."""
    files = (_SOURCE / "package.json", _SOURCE / "package-lock.json")

    def install(directory: Path) -> None:
        machine.require(need=("node", "npm"))
        for file in files:
            shutil.copy(file, directory)
        with build.step("installing configurable-http-proxy"):
            npm = debian.program("npm") or "npm"
            build.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=directory)

    directory = cache.entry("proxy", cache.key(*files), install)
    script = directory / "node_modules" / "configurable-http-proxy" / "bin"
    return [debian.program("node") or "node", str(script / "configurable-http-proxy")]
