"""The URL of an API server as requests need it: in ASCII, and without a log-in.

What it may say a log-in for, and through which proxy it is reached, does not belong here.
"""

from __future__ import annotations

import base64

from yarl import URL

from mcks.errors import ConfigError


def read(server: str) -> tuple[str, str | None]:
    """Return *server*, and the Authorization header for the user and password in it, if any.

    They are in no URL then that a message or a log shows. Raises `ConfigError` for what is no URL
    of a host.
    """
    try:
        url = URL(server)
        host, login = url.raw_host, _login(url)
    except ValueError:
        host = None
    if not host or url.raw_query_string or url.raw_fragment:
        raise ConfigError(
            "server must be a URL of a host, with a port and a path at most, as in "
            "https://api.example.org:6443"
        )
    if login is None and server.isascii() and " " not in server:
        return server, None
    return str(url.with_user(None)), login


def _login(url: URL) -> str | None:
    if url.user is None and url.password is None:
        return None
    pair = f"{url.user or ''}:{url.password or ''}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
