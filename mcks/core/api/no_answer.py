"""What it means when no answer of Kubernetes comes: none at all, or one of somebody in between.

Answers of Kubernetes that are errors (`mcks.core.api.status`) do not belong here, nor what is
tried again.
"""

from __future__ import annotations

import ssl

import aiohttp

from mcks.backends.redirects import Redirected
from mcks.core.api.breaker import Silent
from mcks.core.api.deadlines import Deadlines
from mcks.errors import Unreachable


class ServerUnreachable(Unreachable):
    """The API server gave no answer, as opposed to a cloud that was asked for a credential."""


class OutcomeUnknown(ServerUnreachable):
    """No answer came, but the request may have been carried out."""


class CertificateRefused(ServerUnreachable):
    """The server's certificate did not pass. A rotated CA is the usual cause."""


class NotKubernetes(Unreachable):
    """What came is no answer of Kubernetes: from a proxy or load balancer in between, perhaps."""


class RedirectRefused(Unreachable):
    """The answer was a redirect, and none is followed: the request may hold a secret."""


def no_answer(what: str, exc: Exception, deadlines: Deadlines, *, repeatable: bool) -> Unreachable:
    """Make the error for *exc*, which came instead of an answer. *what* was asked of which server.

    If the request may have been carried out, and is not *repeatable*, it is `OutcomeUnknown`.
    """
    if isinstance(exc, Redirected):
        whither = f"to {exc.origin} " if exc.origin else ""
        return RedirectRefused(
            f"{what}: it redirects {whither}(HTTP status {exc.status}), and no redirect is "
            "followed. Let the cluster's server be the URL of the API server itself, not of what "
            "stands in front of it"
        )
    text = f"{what}: {_cause(exc, deadlines)}"
    if isinstance(exc, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return CertificateRefused(text)
    if repeatable or _never_sent(exc):
        return ServerUnreachable(text)
    return OutcomeUnknown(text)


def _never_sent(exc: Exception) -> bool:
    return isinstance(
        exc,
        aiohttp.ClientConnectorError
        | aiohttp.ConnectionTimeoutError
        | aiohttp.ClientHttpProxyError
        | aiohttp.InvalidURL,
    )


def _cause(exc: Exception, deadlines: Deadlines) -> str:
    """Say in one sentence why no answer came. Never a request's content."""
    match exc:
        case aiohttp.ClientConnectorCertificateError():
            error = exc.certificate_error
            text = f"its certificate was refused: {getattr(error, 'verify_message', '') or error}"
        case aiohttp.ClientConnectorSSLError():
            text = f"TLS failed: {getattr(exc.os_error, 'reason', '') or 'no common ground'}"
        case aiohttp.ClientConnectorDNSError():
            text = "its name cannot be resolved"
        case aiohttp.ClientHttpProxyError():
            text = f"the proxy refused the connection (HTTP status {exc.status})"
        case aiohttp.ConnectionTimeoutError():
            text = f"no connection within {deadlines.connect:.0f} seconds"
        case Silent():
            text = str(exc)
        case TimeoutError():
            text = f"no answer within {deadlines.total:.0f} seconds"
        case aiohttp.ClientConnectorError():
            text = f"no connection: {exc.os_error.strerror or type(exc.os_error).__name__}"
        case ssl.SSLError():
            text = f"TLS failed: {exc.reason}"
        case _:
            text = f"the connection broke ({type(exc).__name__})"
    return text
