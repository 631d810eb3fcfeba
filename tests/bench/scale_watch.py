"""What a piece of work takes: CPU, the longest turn of the event loop, collections, SQL statements.

What is measured does not belong here.
"""

from __future__ import annotations

import asyncio
import gc
import selectors
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from sqlalchemy import event

T = TypeVar("T")
Figures = dict[str, float]


class WatchedSelector(selectors.DefaultSelector):
    """Knows the CPU seconds of the longest turn: what others do on this machine is not in them.

    Nor are Python's collections of garbage, which are known by themselves: how long they take
    depends on all that the process holds, and where they fall is chance.
    """

    def __init__(self) -> None:
        super().__init__()
        self.longest_turn = self.longest_collection = 0.0
        self._began = self._collecting_since = time.thread_time()
        self._collected = 0.0
        gc.callbacks.append(self._collect)

    def forget(self) -> None:
        """Begin anew, in the middle of a turn."""
        self.longest_turn = self.longest_collection = self._collected = 0.0
        self._began = time.thread_time()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """End one turn of the loop, and begin the next."""
        turn = time.thread_time() - self._began - self._collected
        self.longest_turn = max(self.longest_turn, turn)
        ready = super().select(timeout)
        self._collected = 0.0
        self._began = time.thread_time()
        return ready

    def _collect(self, phase: str, _: object) -> None:
        if phase == "start":
            self._collecting_since = time.thread_time()
            return
        taken = time.thread_time() - self._collecting_since
        self._collected += taken
        self.longest_collection = max(self.longest_collection, taken)


_SELECTOR = WatchedSelector()
"""That of the process's one loop."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* in a loop that is watched."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(_SELECTOR)) as runner:
        return runner.run(work)


class Watched:
    """Notes what a piece of work takes."""

    def __init__(self, engine: Any) -> None:
        self.statements = 0
        event.listen(engine, "before_cursor_execute", self._count)

    def _count(self, *_: Any) -> None:
        self.statements += 1

    async def of(self, figures: Figures, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do *work* and note what it took under *name*."""
        await asyncio.sleep(0.02)  # what was done before has its own turn
        sent = self.statements
        _SELECTOR.forget()
        began, cpu = time.perf_counter(), time.process_time()
        result = await work()
        figures[f"{name} wall s"] = time.perf_counter() - began
        figures[f"{name} cpu s"] = time.process_time() - cpu
        await asyncio.sleep(0.02)
        figures[f"{name} block ms"] = _SELECTOR.longest_turn * 1e3
        figures[f"{name} collection ms"] = _SELECTOR.longest_collection * 1e3
        figures[f"{name} statements"] = self.statements - sent
        return result
