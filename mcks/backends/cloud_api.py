"""One call to a cloud's own HTTPS API: deadline, bounded retries, errors.

What is asked of which cloud is in that cloud's backend. EKS does not use it: its SDK signs.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from mcks.auth.sdk import NOT_NOW, throttled
from mcks.backends.proxy import proxy_for
from mcks.errors import AuthError, MCKSError, Unreachable

_DEADLINE = 30.0
_ATTEMPTS = 3
_FIRST_PAUSE = 0.5


class Refused(AuthError):
    """The cloud said no. *status* is the HTTP status, *code* the cloud's own word for it.

    *text* is its own sentence, without code and step.
    """

    def __init__(self, message: str, *, status: int, code: str, text: str) -> None:
        self.status, self.code, self.text = status, code, text
        super().__init__(message)

    def advise(self, remedy: str) -> None:
        """Add what to do about it, if that is known."""
        if remedy:
            self.args = (f"{self}. {remedy}",)


@dataclass(frozen=True)
class Call:
    """One call. *cloud* and *doing* are for messages; *url* must be https."""

    cloud: str
    doing: str
    url: str
    token: str = field(repr=False)
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.cloud}: {self.doing}"


async def call(request: Call) -> dict[str, Any]:
    """Send *request* and give the JSON object that is the answer.

    429 and 5xx are tried again, but not before the time that the cloud asks for, and only within
    half a minute: else the error's ``retry_after`` says it. Raises `Refused` for other answers of
    4xx; `Unreachable` when there is no answer, or none that makes sense.
    """
    if not request.url.startswith("https://"):
        raise Unreachable(
            f"{request}: {request.url} is not https: no token is sent there. Set api_url to an "
            "https URL"
        )
    # Loading the system's roots takes 20 ms.
    context = await asyncio.to_thread(ssl.create_default_context)
    deadline = time.monotonic() + _DEADLINE
    connector = aiohttp.TCPConnector(ssl=context, limit=4)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
        for attempt in range(1, _ATTEMPTS + 1):
            status, headers, body = await _once(session, request, deadline)
            if 200 <= status < 300:
                return _object(request, body)
            asked = _asked_wait(status, headers)
            pause = _pause(status, asked, attempt)
            if pause is None or time.monotonic() + pause >= deadline:
                raise _error(request, status, body, asked)
            await asyncio.sleep(pause)
    raise AssertionError  # the last attempt returns or raises


async def _once(
    session: aiohttp.ClientSession, request: Call, deadline: float
) -> tuple[int, Mapping[str, str], bytes]:
    left = max(deadline - time.monotonic(), 0.1)
    try:
        async with session.request(
            request.method,
            request.url,
            params=request.query,
            headers={**request.headers, "Authorization": f"Bearer {request.token}"},
            proxy=proxy_for(request.url),
            timeout=aiohttp.ClientTimeout(total=left, sock_connect=min(left, 5)),
            # A redirect could lead to http, and to somebody else.
            allow_redirects=False,
        ) as response:
            return response.status, response.headers, await response.read()
    except TimeoutError as exc:
        raise Unreachable(f"{request}: no answer in time. {_way(request)}") from exc
    except aiohttp.ClientConnectorCertificateError as exc:
        raise Unreachable(
            f"{request}: {exc.host}: its certificate was refused. If a proxy reads the traffic, "
            "let SSL_CERT_FILE name its CA"
        ) from exc
    except aiohttp.ClientConnectorError as exc:
        raise Unreachable(
            f"{request}: {exc.host}: no connection ({exc.os_error}). {_way(request)}"
        ) from exc
    except aiohttp.ClientError as exc:
        raise Unreachable(
            f"{request}: the connection broke ({type(exc).__name__}). {_way(request)}"
        ) from exc


def _way(request: Call) -> str:
    return f"Let the hub reach {urlsplit(request.url).netloc}; HTTPS_PROXY counts"


def _asked_wait(status: int, headers: Mapping[str, str]) -> float:
    """Seconds that the cloud asks to wait; 0 if it does not say."""
    if status != 429 and status < 500:
        return 0.0
    asked = headers.get("Retry-After", "")
    try:
        return max(float(asked), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(asked).timestamp() - time.time(), 0.0)
    except ValueError:
        pass
    try:  # DigitalOcean's hourly limit: Unix seconds
        return max(float(headers.get("ratelimit-reset", "")) - time.time(), 0.0)
    except ValueError:
        return 0.0


def _pause(status: int, asked: float, attempt: int) -> float | None:
    if status != 429 and status < 500:
        return None
    if attempt == _ATTEMPTS:
        return None
    pause: float = _FIRST_PAUSE * 2 ** (attempt - 1) * (0.5 + random.random())  # noqa: S311
    return max(pause, asked)


def _object(request: Call, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Unreachable(f"{request}: the answer is not JSON (from a proxy?)")
    return answer


def _error(request: Call, status: int, body: bytes, asked: float) -> MCKSError:
    """Google and Azure say ``{"error": {...}}``, DigitalOcean ``{"id": ..., "message": ...}``."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = {}
    answer = answer if isinstance(answer, dict) else {}
    inner = answer.get("error")
    inner = inner if isinstance(inner, dict) else answer
    code = _reason(inner) or str(inner.get("status") or inner.get("code") or inner.get("id") or "")
    text = str(inner.get("message") or f"HTTP status {status}")[:500].rstrip(". ")
    error: MCKSError
    if status >= 500:
        error = Unreachable(
            f"{request}: HTTP status {status}: {text}. The fault is {request.cloud}'s: try again "
            "later, and look at its status page"
        )
    elif status < 400:
        error = Unreachable(f"{request}: HTTP status {status}: {text}. {_way(request)}")
    else:
        message = f"{request}: {code or status}: {text}"
        if status == 429:
            waiting = f" (asks to wait {asked:.0f} seconds)" if asked else ""
            message += f"{waiting}. {throttled(request.cloud)}"
        error = Refused(message, status=status, code=code or str(status), text=text)
        if status == 429:
            error.user_message = NOT_NOW
    error.retry_after = asked or None
    return error


def _reason(error: Mapping[str, Any]) -> str:
    """Give the reason of Google's ``ErrorInfo``, which is more exact than the status."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and str(detail.get("@type", "")).endswith("rpc.ErrorInfo"):
            return str(detail.get("reason") or "")
    return ""
