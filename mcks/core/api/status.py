"""Kubernetes' error answers (``Status`` objects) as mcks errors, without secrets.

Which answers are tried again does not belong here.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from mcks.errors import (
    APIError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    ServerError,
    TooManyRequests,
    Unauthorized,
)

_BY_STATUS: dict[int, type[APIError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
    429: TooManyRequests,
}
_CLOCK_TOLERANCE = 60.0
_NO_RIGHT = r'^\S+ (?:".*" )?is forbidden: User ".*" cannot \w+ resource '
"""What the authorizer says, as opposed to admission (quotas, security policies)."""
_UNKNOWN_FIELDS = r'(?:unknown|duplicate) field "[^"]{1,200}"'


class Asked(NamedTuple):
    """What was asked, for messages: where (the cluster), what to do, with which object, or with all
    of *kind* if *name* is empty."""

    cluster: str
    verb: str
    kind: str = ""
    name: str = ""
    namespace: str | None = None

    @property
    def action(self) -> str:
        """What was to be done, as a sentence goes on after ``cannot``."""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.kind} {self.name}".rstrip() + where

    def __str__(self) -> str:
        return f"cluster {self.cluster!r}: cannot {self.action}"


def error_from(asked: Asked, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
    """Make the error for an answer of *status* with *body*.

    The text holds Kubernetes' own message; of a refused Secret only the names of fields, because
    a message may quote values. A body that is no ``Status`` (from a proxy) is not shown.
    """
    answer = _status_object(body)
    reason = str(answer.get("reason") or "")
    message = _message(asked, status, answer)
    if status == 401:
        message += _clock_hint(headers)
    elif status == 403 and re.search(_NO_RIGHT, message):
        message = message.rstrip(".") + ". `mcks rbac` prints the Role that the hub needs there"
    return _class_of(status)(
        f"{asked}: {message}",
        status=status,
        reason=reason,
        retry_after=_retry_after(headers, answer),
    )


def error_event(asked: Asked, answer: dict[str, Any]) -> APIError:
    """Make the error for an ``ERROR`` event of a watch."""
    status = answer.get("code")
    status = status if isinstance(status, int) else 500
    return _class_of(status)(
        f"{asked}: {_message(asked, status, answer)}",
        status=status,
        reason=str(answer.get("reason") or ""),
        retry_after=_retry_after({}, answer),
    )


def _class_of(status: int) -> type[APIError]:
    """Return the class of its own that an HTTP *status* has, if it has one."""
    return _BY_STATUS.get(status, ServerError if status >= 500 else APIError)


def _status_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    if isinstance(answer, dict) and answer.get("kind") == "Status":
        return answer
    return {}


def _message(asked: Asked, status: int, answer: dict[str, Any]) -> str:
    if not answer:
        return f"HTTP status {status}, not in Kubernetes' words (from a proxy or load balancer?)"
    if asked.kind == "Secret" and status in (400, 422):
        return _message_without_values(answer)
    return str(answer.get("message") or answer.get("reason") or f"HTTP status {status}")


def _message_without_values(answer: dict[str, Any]) -> str:
    details = answer.get("details") or {}
    causes = [
        f"{cause.get('field', '?')}: {cause.get('reason', 'invalid')}"
        for cause in details.get("causes") or []
    ]
    causes += re.findall(_UNKNOWN_FIELDS, str(answer.get("message") or ""))
    return f"{answer.get('reason') or 'Invalid'}: {'; '.join(causes) or 'no field named'}"


def _retry_after(headers: Mapping[str, str], answer: dict[str, Any]) -> float | None:
    given = headers.get("Retry-After")
    if given is None:
        given = (answer.get("details") or {}).get("retryAfterSeconds")
    try:
        return None if given is None else max(float(given), 0.0)
    except (TypeError, ValueError):
        return None


def server_time(headers: Mapping[str, str]) -> float | None:
    """Unix seconds of the answer's ``Date`` header; None without a readable one."""
    try:
        return parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return None


def _clock_hint(headers: Mapping[str, str]) -> str:
    theirs = server_time(headers)
    skew = 0.0 if theirs is None else time.time() - theirs
    if abs(skew) < _CLOCK_TOLERANCE:
        return ""
    direction = "ahead of" if skew > 0 else "behind"
    return f" (the hub's clock is {abs(skew):.0f} s {direction} the server's: set it right)"
