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
from typing import Any

import aiohttp

from mcks.backends.proxy import proxy_for
from mcks.errors import AuthError, Unreachable

_DEADLINE = 30.0
_ATTEMPTS = 3
_FIRST_PAUSE = 0.5


class Refused(AuthError):
    """The cloud said no. *status* is the HTTP status, *code* the cloud's own word for it."""

    def __init__(self, message: str, *, status: int, code: str, text: str) -> None:
        self.status, self.code, self.text = status, code, text
        super().__init__(message)


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

    429 and 5xx are tried again, as long as the cloud asks, within half a minute. Raises `Refused`
    for other answers of 4xx; `Unreachable` when there is no answer, or none that makes sense.
    """
    if not request.url.startswith("https://"):
        raise Unreachable(f"{request}: {request.url} is not https: no token is sent there")
    # Loading the system's roots takes 20 ms.
    context = await asyncio.to_thread(ssl.create_default_context)
    deadline = time.monotonic() + _DEADLINE
    connector = aiohttp.TCPConnector(ssl=context, limit=4)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
        for attempt in range(1, _ATTEMPTS + 1):
            status, headers, body = await _once(session, request, deadline)
            if 200 <= status < 300:
                return _object(request, body)
            pause = _pause(status, headers, attempt)
            if pause is None or time.monotonic() + pause >= deadline:
                raise _error(request, status, body)
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
        raise Unreachable(f"{request}: no answer in time") from exc
    except aiohttp.ClientConnectorCertificateError as exc:
        raise Unreachable(f"{request}: {exc.host}: its certificate was refused") from exc
    except aiohttp.ClientConnectorError as exc:
        raise Unreachable(f"{request}: {exc.host}: no connection ({exc.os_error})") from exc
    except aiohttp.ClientError as exc:
        raise Unreachable(f"{request}: the connection broke ({type(exc).__name__})") from exc


def _pause(status: int, headers: Mapping[str, str], attempt: int) -> float | None:
    if attempt == _ATTEMPTS or (status != 429 and status < 500):
        return None
    try:
        asked = float(headers.get("Retry-After", "0"))
    except ValueError:
        asked = 0.0
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


def _error(request: Call, status: int, body: bytes) -> Refused | Unreachable:
    """Google and Azure say ``{"error": {...}}``, DigitalOcean ``{"id": ..., "message": ...}``."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = {}
    answer = answer if isinstance(answer, dict) else {}
    inner = answer.get("error")
    inner = inner if isinstance(inner, dict) else answer
    code = str(inner.get("status") or inner.get("code") or inner.get("id") or status)
    text = str(inner.get("message") or f"HTTP status {status}")[:500]
    if status >= 500 or 300 <= status < 400:
        return Unreachable(f"{request}: HTTP status {status}: {text}")
    return Refused(f"{request}: {code}: {text}", status=status, code=code, text=text)
