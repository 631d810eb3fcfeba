"""Silence: whether a gateway answers anything at all, by what those who asked it were given. Pure.

What a server answers through a gateway (gateway.py), and who asks (gateway_session.py), does not
belong here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_QUESTIONS = 3
_SECONDS = 10.0
"""So many questions in a row, and for so long, without any answer: then a gateway counts as silent.
One that is being replaced is away for less."""


class Silence:
    """How long one gateway has given no answer, not even one that says no."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._questions = 0
        self._cause = ""

    def broken(self) -> None:
        """Note that there was an answer."""
        self._since, self._questions = None, 0

    def goes_on(self, asked_at: float, cause: str) -> None:
        """Note that a question of that time had no answer."""
        self._since = asked_at if self._since is None else min(self._since, asked_at)
        self._questions += 1
        self._cause = cause

    @property
    def seconds(self) -> float:
        """Since the first question that had no answer; 0 if the last one had."""
        return 0.0 if self._since is None else self._clock() - self._since

    @property
    def words(self) -> str:
        """Say it for logs if it is certain; empty if not."""
        if self._questions < _QUESTIONS or self.seconds < _SECONDS:
            return ""
        return f"no answer for {self.seconds:.0f} s ({self._cause})"
