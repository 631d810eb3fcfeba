"""Redirects are refused: a request may hold a secret, and a write that is redirected may be a read.

What a refused redirect means for who asked does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from urllib.parse import urlsplit

import aiohttp

_REDIRECTS = {301, 302, 303, 307, 308}
"""What aiohttp would follow."""


class Redirected(aiohttp.ClientError):
    """The answer was a redirect of *status* to *origin* (empty if it does not say)."""

    def __init__(self, status: int, location: str) -> None:
        self.status, self.origin = status, _origin(location)
        super().__init__(f"HTTP status {status}, a redirect")


async def refuse(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Be a middleware that raises `Redirected` instead of following one, whoever asks for what."""
    return unless_redirected(await handler(request))


def unless_redirected(response: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
    """Give back *response*; raise `Redirected` if it is one that aiohttp would have followed."""
    if response.status in _REDIRECTS:
        raise _refused(response)
    return response


def refuse_redirect(status: int, headers: Mapping[str, str]) -> None:
    """Raise `Redirected` if an answer of *status*, which has been read, is one of those."""
    if status in _REDIRECTS:
        raise Redirected(status, headers.get("Location", ""))


def refuse_redirects(session: aiohttp.ClientSession) -> None:
    """Let *session*, which somebody else has made, refuse them too. It makes requests slower."""
    if _REFUSAL not in session.trace_configs:
        session.trace_configs.append(_REFUSAL)


async def _refuse(
    session: aiohttp.ClientSession,
    context: SimpleNamespace,
    redirect: aiohttp.TraceRequestRedirectParams,
) -> None:
    del session, context
    raise _refused(redirect.response)


def _refused(response: aiohttp.ClientResponse) -> Redirected:
    response.close()
    return Redirected(response.status, response.headers.get("Location", ""))


def _origin(location: str) -> str:
    """Scheme and host of *location*; user, path and query may be somebody's secret."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" if parts.scheme and host else ""


_REFUSAL = aiohttp.TraceConfig()
_REFUSAL.on_request_redirect.append(_refuse)
_REFUSAL.freeze()
