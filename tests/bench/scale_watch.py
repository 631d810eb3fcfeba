"""A loop that knows the longest of its turns; what is done in it does not belong here."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class WatchedSelector(selectors.DefaultSelector):
    """Knows the CPU seconds of the longest turn: what others do on this machine is not in them."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0
        self._began = time.thread_time()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """End one turn of the loop, and begin the next."""
        self.longest = max(self.longest, time.thread_time() - self._began)
        ready = super().select(timeout)
        self._began = time.thread_time()
        return ready


SELECTOR = WatchedSelector()
"""That of the process's one loop."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* in a loop that is watched."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(SELECTOR)) as runner:
        return runner.run(work)
