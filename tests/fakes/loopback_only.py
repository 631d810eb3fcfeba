"""A guard: whoever tries to reach another host than this one fails the test."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_attempts: list[str] | None = None


class LeftTheMachine(OSError):
    """A test tried to reach another host."""


def _local(host: Any) -> bool:
    if isinstance(host, bytes):
        host = host.decode()
    if not host or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _attempts is None or event not in {"socket.connect", "socket.getaddrinfo"}:
        return
    if event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        _, address = arguments
        if not isinstance(address, tuple):
            return
        host = address[0]
    if not _local(host):
        _attempts.append(f"{event} {host}")
        raise LeftTheMachine(f"no way out of this machine: {event} {host}")


sys.addaudithook(_audit)


@contextmanager
def loopback_only() -> Iterator[list[str]]:
    """Refuse every other host, and fail at the end if one was tried, even if that was caught."""
    global _attempts
    attempts: list[str] = []
    _attempts = attempts
    try:
        yield attempts
    finally:
        _attempts = None
    assert not attempts, f"these hosts were tried: {attempts}"
