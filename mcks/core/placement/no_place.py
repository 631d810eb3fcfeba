"""What clusters had no place for lately, so that the next user starts where there may be one.

Whether a cluster answers at all is its breaker's to know (api/breaker.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable

LASTING = 300.0
"""Seconds for which a failure to place is remembered."""


class NoPlace:
    """Remembers for some minutes in which cluster which profile found no place."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until: dict[tuple[str, str], float] = {}

    def note(self, cluster: str, profile: str) -> None:
        """Remember that a server of *profile* found no place in *cluster*."""
        self._until = {key: until for key, until in self._until.items() if until > self._now()}
        self._until[cluster, profile] = self._now() + LASTING

    def forget(self, cluster: str, profile: str) -> None:
        """Take back what was noted: a server of *profile* has found its place in *cluster*."""
        self._until.pop((cluster, profile), None)

    def lately(self, cluster: str, profile: str) -> bool:
        """Say whether that is so at present."""
        return self._until.get((cluster, profile), 0.0) > self._now()
