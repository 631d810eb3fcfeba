"""How a user's requests get from the cluster's gateway to the pod: one template per kind of route.

Waiting until a route works does not belong here (gateway.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from mcks.core.manifests.defaults import default_template
from mcks.errors import ConfigError, unknown

KINDS = ("ingress", "httproute", "none")
_PORTS = {"http": 80, "https": 443}


def template(kind: str) -> str | None:
    """Return the template text for a *kind* of route, None for ``none``."""
    if kind not in KINDS:
        raise ConfigError(unknown("kind of route", kind, KINDS))
    return None if kind == "none" else default_template(kind)


def split_proxy_spec(proxy_spec: str) -> tuple[str, str]:
    """Split JupyterHub's *proxy_spec* into (host, path).

    The host is empty unless the hub uses ``subdomain_host``, which puts it before the path.

    >>> split_proxy_spec("/user/ada/")
    ('', '/user/ada/')
    >>> split_proxy_spec("ada.hub.example.org/user/ada/")
    ('ada.hub.example.org', '/user/ada/')
    """
    host, slash, path = proxy_spec.partition("/")
    return host, slash + path


def check_public_url(url: str) -> str:
    """Return *url* as scheme://host[:port], or raise ConfigError.

    JupyterHub keeps only scheme, host and port of a server's URL, so a path would be lost.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"ingress_public_url {url!r} is not a URL: write http://HOST or https://HOST[:PORT], "
            "the address of the cluster's gateway"
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigError(
            f"ingress_public_url {url!r} has a path: JupyterHub keeps only scheme, host and port. "
            f"Write {parts.scheme}://{parts.netloc}"
        )
    if parts.username or parts.password:
        raise ConfigError("ingress_public_url must not hold a user name or password")
    return f"{parts.scheme}://{parts.netloc}"


def same_place(url: str, other: str) -> bool:
    """Say whether two http(s) URLs have the same scheme, host and port.

    >>> same_place("https://g.example.org", "https://g.example.org:443/user/ada/")
    True
    """
    one, two = (
        (parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme))
        for parts in (urlsplit(url), urlsplit(other))
    )
    return one == two


@dataclass(frozen=True)
class Target:
    """A server as the hub's proxy will ask for it.

    ``url`` is the gateway's (scheme, host, port), ``proxy_spec`` JupyterHub's. ``check`` is
    ``jupyterhub`` (the answer must come from a JupyterHub single-user server) or ``http`` (any
    answer below 400, for images that are something else).
    """

    url: str
    proxy_spec: str
    check: str = "jupyterhub"

    @property
    def probe_url(self) -> str:
        """Where the probe asks: the server's API root."""
        return f"{self.url}{split_proxy_spec(self.proxy_spec)[1]}api"
