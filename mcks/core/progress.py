"""What happened in one start, told to any number of viewers, each from the beginning.

Which words are used does not belong here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

_MOST_LINES = 200


class Progress:
    """A bounded list of messages that viewers follow until it ends. Percents never go back.

    ``accepted`` is set once the Pod exists.
    """

    def __init__(self) -> None:
        self._lines: list[dict[str, Any]] = []
        self._percent = 0
        self._ended = False
        self._changed = asyncio.Event()
        self.accepted = asyncio.Event()

    def say(self, message: str, percent: int = 0) -> None:
        """Add a *message*, unless it was said before or tells of a step (*percent*) long passed.

        0 is for messages that belong to no step.
        """
        passed = 0 < percent < self._percent
        self._percent = max(self._percent, percent)
        said = any(line["message"] == message for line in self._lines)
        if not (said or passed or self._ended or len(self._lines) >= _MOST_LINES):
            self._lines.append({"progress": self._percent, "message": message})
            self._wake()

    def end(self) -> None:
        """Let all viewers come to their end."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def follow(self) -> AsyncIterator[dict[str, Any]]:
        """Yield ``{"progress": 0..100, "message": text}`` until the start is over."""
        shown = 0
        while True:
            changed = self._changed
            for line in self._lines[shown:]:
                yield dict(line)
            shown = len(self._lines)
            if self._ended:
                return
            if changed is self._changed:
                await changed.wait()
