"""configurable-http-proxy, JupyterHub's proxy, as the lock file in ``proxy`` names it."""

from __future__ import annotations

from pathlib import Path

from tests.cluster import debian, npm

_SOURCE = Path(__file__).parent / "proxy"


def proxy_command() -> list[str]:
    """How to start it: the value of ConfigurableHTTPProxy.command. Raises CannotRunHere."""
    script = npm.installed(_SOURCE) / "configurable-http-proxy" / "bin"
    return [debian.program("node") or "node", str(script / "configurable-http-proxy")]
