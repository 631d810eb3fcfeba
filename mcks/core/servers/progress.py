"""What happened in one start, told to any number of viewers, each from the beginning.

Which words are used does not belong here.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

_MOST_LINES = 200
_SILENCE = (5.0, 10.0, 20.0, 30.0)
"""Seconds without news after which a viewer is told that it goes on; the last one repeats."""
_CREEP = 12
_CREEP_SECONDS = 45.0
"""Without news the bar moves on by at most so many percent, most of it in this time."""


class Progress:
    """A bounded list of messages that viewers follow until it ends. Percents never go back.

    ``accepted`` is set once the Pod exists, ``anew`` when there will be another one elsewhere.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        silence: Sequence[float] = _SILENCE,
    ) -> None:
        self._clock = clock
        self._silence = silence
        self._began = clock()
        self._lines: list[dict[str, Any]] = []
        self._most = _MOST_LINES
        self._said: set[str] = set()
        self._percent = 0
        self._step = ""
        self._step_began = self._began
        self._ended = False
        self._changed = asyncio.Event()
        self.accepted = asyncio.Event()
        self.anew = asyncio.Event()

    def say(self, message: str, percent: int = 0) -> None:
        """Add a *message*, unless it was said before or tells of a step (*percent*) long passed.

        0 is for messages that belong to no step.
        """
        passed = 0 < percent < self._percent
        self._percent = max(self._percent, percent)
        if message in self._said or passed or self._ended or len(self._lines) >= self._most:
            return
        now = self._clock()
        if percent:
            self._step, self._step_began = message, now
        self._said.add(message)
        self._lines.append(self._line(self._percent, message, "after {}", now, self._began))
        self._wake()

    def again(self, message: str) -> None:
        """Say *message*, and that the steps begin anew: in another cluster, with its own lines."""
        self._most = len(self._lines) + _MOST_LINES
        self.say(message)
        self._percent, self._step = 0, ""
        self._said.clear()
        self.accepted.clear()
        self.anew.set()
        self.anew = asyncio.Event()

    def end(self) -> None:
        """Let all viewers come to their end."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _line(
        self, percent: int, message: str, when: str, now: float, since: float
    ) -> dict[str, Any]:
        passed = now - since
        told = f" ({when.format(duration(passed))})" if passed >= 1 else ""
        seconds = round(now - self._began, 1)
        return {"progress": percent, "message": f"{message}{told}", "seconds": seconds}

    def _still(self) -> dict[str, Any]:
        """Say that the last step goes on: the bar creeps, as nobody knows how long it takes."""
        now = self._clock()
        crept = _CREEP * -math.expm1(-(now - self._step_began) / _CREEP_SECONDS)
        percent = min(self._percent + int(crept), 99)
        return self._line(percent, self._step, "for {} now", now, self._step_began)

    async def follow(self) -> AsyncIterator[dict[str, Any]]:
        """Yield ``{"progress": 0..100, "message": text, "seconds": since the start's beginning}``
        until the start is over."""
        shown = highest = silent = 0
        while True:
            changed = self._changed
            while shown < len(self._lines):  # a slow viewer's list grows meanwhile
                line = self._lines[shown]
                shown, silent = shown + 1, 0
                highest = max(highest, line["progress"])
                yield {**line, "progress": highest}
            if self._ended:
                return
            if changed is self._changed and not await self._news(changed, silent):
                silent += 1
                if self._step:
                    line = self._still()
                    highest = max(highest, line["progress"])
                    yield {**line, "progress": highest}

    async def _news(self, changed: asyncio.Event, silent: int) -> bool:
        """Wait for a change; return False if there is none for too long."""
        try:
            async with asyncio.timeout(self._silence[min(silent, len(self._silence) - 1)]):
                await changed.wait()
        except TimeoutError:
            return False
        return True


def duration(seconds: float) -> str:
    """Write whole seconds as a person does.

    >>> duration(3.7), duration(125)
    ('3 s', '2 min 5 s')
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
