"""Threads for calls that block: what a silent cloud or network share holds up is its own only.

Which calls these are, and their time-outs, belongs to who makes them.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Hashable
from functools import partial
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

_T = TypeVar("_T")
_AT_WORK = 6
"""Calls to one place at a time, as far as they work: more would only fight for the interpreter."""
_PATIENCE = 0.5
"""Seconds after which a call counts as one that waits for its place, and makes room for others."""
_EACH = 4
"""Threads of one who asks at the most, waiting ones included."""


class Threads:
    """Runs the blocking calls to one place, for one event loop.

    Not by asyncio's default executor: it has few threads, which all share who read files or look
    up names, and a program does not end before they have. Here each call has a thread of its own,
    which ends with the process at the latest.
    """

    def __init__(self) -> None:
        self._at_work = asyncio.Semaphore(_AT_WORK)
        self._rooms: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()

    async def run(self, name: str, who: Hashable, work: Callable[[], _T]) -> _T:
        """Do *work* for *who* in a thread called *name*, and give its result.

        A caller who gives up leaves the thread to itself; its room is taken until its call ends.
        """
        own = self._rooms.setdefault(who, asyncio.Semaphore(_EACH))
        await own.acquire()
        try:
            await self._at_work.acquire()
        except BaseException:
            own.release()
            raise
        return await _Call(work, self._at_work, own).start(name)


class _Call(Generic[_T]):
    """One call in its thread, and the room that it takes."""

    def __init__(
        self, work: Callable[[], _T], at_work: asyncio.Semaphore, own: asyncio.Semaphore
    ) -> None:
        self._work, self._at_work, self._own = work, at_work, own
        self._loop = asyncio.get_running_loop()
        self._result: asyncio.Future[_T] = self._loop.create_future()
        self._works = True

    def start(self, name: str) -> asyncio.Future[_T]:
        self._loop.call_later(_PATIENCE, self._make_room)
        threading.Thread(target=self._run, name=name, daemon=True).start()
        return self._result

    def _run(self) -> None:
        settle: Callable[[], None]
        try:
            settle = partial(self._result.set_result, self._work())
        except Exception as exc:
            settle = partial(self._result.set_exception, exc)
        except BaseException as exc:  # one that would end the whole hub
            failure = RuntimeError(f"{type(exc).__name__} in a thread")
            settle = partial(self._result.set_exception, failure)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._end, settle)

    def _make_room(self) -> None:
        if self._works:
            self._works = False
            self._at_work.release()

    def _end(self, settle: Callable[[], None]) -> None:
        self._make_room()
        self._own.release()
        if not self._result.done():
            settle()


_threads: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Threads]] = WeakKeyDictionary()


async def in_thread(place: str, who: Hashable, work: Callable[[], _T]) -> _T:
    """Do *work* in a thread: a call that blocks, to *place* (a cloud, ``files``), for *who*.

    *who* is a log-in or a cluster. If the call hangs, others who ask that place wait for half a
    second at the most, and those who ask another place not at all.
    """
    of_loop = _threads.setdefault(asyncio.get_running_loop(), {})
    threads = of_loop.setdefault(place, Threads())
    return await threads.run(f"mcks {place}", who, work)
