"""How a user's requests get to the pod: one template per kind of route through a gateway, or none.

Waiting until a route works (gateway.py), and where a server is without a gateway (addresses.py),
does not belong here.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from mcks.core.manifests.defaults import default_template
from mcks.errors import ConfigError, unknown

SERVICE, POD = "service", "pod"
DIRECT = (SERVICE, POD)
"""Kinds without a gateway: hub and proxy ask the server itself."""
KINDS = ("ingress", "httproute", *DIRECT, "none")
_PORTS = {"http": 80, "https": 443}
_UNFIT = r"[\s\\\x00-\x1f\x7f]"
_NAME = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?"
"""Names that resolvers take; the underscore is for those of a container network."""


def template(kind: str) -> str | None:
    """Return the template text for a *kind* of route, None for those without an object."""
    if kind not in KINDS:
        raise ConfigError(unknown("kind of route", kind, KINDS))
    return None if kind in (*DIRECT, "none") else default_template(kind)


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


@lru_cache(maxsize=1000)
def check_public_url(url: str) -> str:
    """Return *url* as scheme://host[:port], or raise ConfigError.

    JupyterHub keeps only scheme, host and port of a server's URL, so a path would be lost. A name
    in another script becomes the one that name servers and certificates know.

    >>> check_public_url("https://Bücher.example:8443/")
    'https://xn--bcher-kva.example:8443'
    """
    url = url.strip()
    if "@" in url:
        raise ConfigError("ingress_public_url must not hold a user name or password")
    try:
        return _checked(url)
    except ValueError as exc:
        raise ConfigError(
            f"ingress_public_url {url!r} is not a URL ({exc}): write http://HOST or "
            "https://HOST[:PORT], the address of the cluster's gateway"
        ) from None


def _checked(url: str) -> str:
    """Raises ValueError for what is no URL, ConfigError for what JupyterHub cannot use."""
    if re.search(_UNFIT, url):
        raise ValueError("it has a space, a backslash or a control character")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("it does not begin with http://HOST or https://HOST")
    if parts.netloc.startswith("[") != (":" in parts.hostname):
        raise ValueError("only an IPv6 address stands in brackets")
    port = parts.port
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError("its port is not between 1 and 65535")
    place = f"{parts.scheme}://{_host(parts.hostname)}{f':{port}' if port else ''}"
    if parts.path.strip("/") or "?" in url or "#" in url:
        raise ConfigError(
            f"ingress_public_url {url!r} has a path: JupyterHub keeps only scheme, host and port. "
            f"Write {place}"
        )
    return place


def _host(name: str) -> str:
    """Return a host as it stands in a URL. Raises ValueError."""
    if ":" in name:
        address = ipaddress.IPv6Address(name)
        if address.scope_id:
            raise ValueError("an address with a zone is known on one machine only")
        return f"[{address}]"
    if name.rpartition(".")[2].isdigit():
        return str(ipaddress.IPv4Address(name))
    try:
        ascii_name = name.encode("idna").decode("ascii")
    except UnicodeError as exc:
        raise ValueError(f"no host can be called {name!r}") from exc
    if not re.fullmatch(_NAME, ascii_name, re.IGNORECASE):
        raise ValueError(f"no host can be called {name!r}")
    return ascii_name


def is_domain(name: str) -> bool:
    """Say whether *name* can stand at the end of a host's name.

    >>> is_domain("cluster.local"), is_domain(".cluster.local"), is_domain("cluster.local.")
    (True, False, False)
    """
    return not name.endswith(".") and re.fullmatch(_NAME, name, re.IGNORECASE) is not None


def same_place(url: str, other: str) -> bool:
    """Say whether two http(s) URLs have the same scheme, host and port.

    >>> same_place("https://g.example.org", "https://g.example.org:443/user/ada/")
    True
    """
    return _place(url) == _place(other)


def _place(url: str) -> tuple[str, str | None, int | None]:
    """A URL that was never one is a place of its own."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return url, None, None


class Target(NamedTuple):
    """A server as the hub's proxy will ask for it.

    ``url`` is the gateway's or the server's own (scheme, host, port), empty as long as a Pod has no
    address; ``proxy_spec`` is JupyterHub's. ``check`` is ``jupyterhub`` (the answer must come from
    a JupyterHub single-user server) or ``http`` (any answer below 400, for images that are
    something else). ``route`` is the kind of the way there.
    """

    url: str
    proxy_spec: str
    check: str = "jupyterhub"
    route: str = "ingress"

    @property
    def is_direct(self) -> bool:
        """Whether there is no gateway on the way."""
        return self.route in DIRECT

    @property
    def probe_url(self) -> str:
        """Where the probe asks: the server's API root."""
        return f"{self.url}{split_proxy_spec(self.proxy_spec)[1]}api"
