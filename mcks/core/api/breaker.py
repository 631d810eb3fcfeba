"""Breaker and Pulse: so that nobody waits for a cluster that does not answer.

What a request is, and what is told to whom, does not belong here.

The pulse tells a silent API server from a slow answer; the breaker leaves a cluster alone for a
while. Closed, every attempt is let through. After some failures in a row it opens: attempts are
refused at once. After a pause it is half-open: one attempt is let through; its success closes the
breaker, its failure doubles the pause.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from mcks import metrics
from mcks.core.api.turns import Alarm
from mcks.errors import APIError, AuthError, MCKSError, ServerError, Unavailable, Unreachable

_FAILURES = 3
"""Failures in a row that open the breaker. Each is a whole call, with its own retries."""
_FIRST_PAUSE = 10.0
_LONGEST_PAUSE = 60.0
_T = TypeVar("_T")


class Breaker:
    """The breaker of the cluster *name*, shared by all that ask it. *clock* gives seconds."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._clock = name, clock
        self._failures = 0
        self.is_open = False
        """Whether the cluster did not answer when it was asked last, again and again."""
        self._pause = _FIRST_PAUSE
        self._until = 0.0
        self._cause: MCKSError | None = None
        self._trying = False
        self._attempts = (
            Attempt(self, even_if_unavailable=False),
            Attempt(self, even_if_unavailable=True),
        )
        self.attention = asyncio.Event()
        """Set each time it closes again; who left something undone in the cluster waits for it."""
        metrics.CLUSTER_AVAILABLE.labels(name).set(1)

    @property
    def unavailable(self) -> MCKSError | None:
        """Why attempts are refused at present, None if one would be let through."""
        waiting = self.is_open and (self._trying or self._clock() < self._until)
        return self._cause if waiting else None

    def attempt(self, *, even_if_unavailable: bool = False) -> Attempt:
        """Judge by the outcome of a block. Raises Unavailable instead of entering it if open.

        One *even_if_unavailable* is always let through: of those who wait for the cluster.
        """
        return self._attempts[even_if_unavailable]

    def admit(self) -> None:
        """Begin an attempt. Raises Unavailable while the cluster is left alone."""
        if self.is_open and (cause := self.unavailable) is not None:
            raise Unavailable(self._name, cause)
        self._trying = self.is_open

    def ended(self, exc: BaseException | None, *, was_admitted: bool) -> None:
        """Judge by what an attempt has raised, None if nothing."""
        if was_admitted:
            self._trying = False
        if exc is None:
            self._succeeded()
        elif isinstance(exc, MCKSError):
            if _is_outage(exc):
                self._failed(exc)
            elif isinstance(exc, APIError):
                self._succeeded()

    def _failed(self, cause: MCKSError) -> None:
        self._failures += 1
        self._cause, self.is_open = cause, self._failures >= _FAILURES
        if self._failures == _FAILURES:
            self._pause = _FIRST_PAUSE
        elif self.is_open and self._clock() >= self._until:
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        else:
            return
        self._until = self._clock() + self._pause
        metrics.CLUSTER_AVAILABLE.labels(self._name).set(0)

    def _succeeded(self) -> None:
        if self.is_open:
            self.attention.set()
            metrics.CLUSTER_AVAILABLE.labels(self._name).set(1)
        self._failures, self._cause, self.is_open = 0, None, False


class Attempt(NamedTuple):
    """The block by whose outcome *breaker* judges, as often as it is entered."""

    breaker: Breaker
    even_if_unavailable: bool

    def __enter__(self) -> None:
        if not self.even_if_unavailable:
            self.breaker.admit()

    def __exit__(self, _: object, exc: BaseException | None, __: object) -> None:
        self.breaker.ended(exc, was_admitted=not self.even_if_unavailable)


class Silent(TimeoutError):
    """The API server answers nothing at present, not even what takes it no work."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:.0f} seconds, nor to what takes no work")


class Pulse:
    """Ends what waits for an API server that answers nothing, long before its own time is over.

    After *patience* seconds without an answer *alive* is asked, once for all who wait: whether the
    server answers anything. If not, all are told who have waited since that question or longer. A
    slow answer, as an admission webhook makes it, is waited for.
    """

    def __init__(self, alive: Callable[[], Awaitable[bool]], patience: float) -> None:
        self._alive, self._patience = alive, patience
        self._under_way: dict[asyncio.Task[Any], tuple[float, float]] = {}
        """Since when, and until when, each task waits; the eldest first. It is cancelled to tell it
        that it waits in vain, and is no more in here then."""
        self._next_look = Alarm(self._look)
        self._asking: asyncio.Task[None] | None = None

    async def feel(self, asking: Awaitable[_T], until: float) -> _T:
        """Return the answer that *asking* gives.

        Raises Silent if there is none at all, TimeoutError if there is none *until* that time of
        the event loop.
        """
        task, now = asyncio.current_task(), asyncio.get_running_loop().time
        assert task is not None  # noqa: S101 - this is a coroutine
        cancelled, began = task.cancelling(), now()
        self._under_way[task] = began, until
        self._next_look.by(min(began + self._patience, until))
        try:
            return await asking
        except asyncio.CancelledError as exc:
            if task in self._under_way or task.cancelling() > cancelled + 1:
                raise  # somebody else wants it to end
            ended = now()
            raise (TimeoutError() if ended >= until else Silent(ended - began)) from exc
        finally:
            if self._under_way.pop(task, None) is None:
                task.uncancel()

    def close(self) -> None:
        """Ask no more."""
        self._next_look.cancel()
        if self._asking is not None:
            self._asking.cancel()

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        self._end([task for task, (_, until) in self._under_way.items() if until <= now])
        if self._asking is None and self._waiting_since(now - self._patience):
            self._asking = asyncio.create_task(self._ask())
        self._look_again()

    def _look_again(self) -> None:
        if not self._under_way:
            return
        moment = min(until for _, until in self._under_way.values())
        if self._asking is None:
            eldest, _ = next(iter(self._under_way.values()))
            moment = min(moment, eldest + self._patience)
        self._next_look.by(moment)

    def _end(self, waiting: Iterable[asyncio.Task[Any]]) -> None:
        """Tell those who are *waiting*."""
        for task in waiting:
            del self._under_way[task]
            task.cancel()

    def _waiting_since(self, moment: float) -> list[asyncio.Task[Any]]:
        return [task for task, (began, _) in self._under_way.items() if began <= moment]

    async def _ask(self) -> None:
        """Look as long as anybody waits for too long; nobody waits for more than one look."""
        loop = asyncio.get_running_loop()
        try:
            while self._waiting_since(loop.time() - self._patience):
                asked_at = loop.time()
                if await self._alive():
                    await asyncio.sleep(self._patience)
                else:
                    self._end(self._waiting_since(asked_at))
        finally:
            self._asking = None
        self._look_again()


def _is_outage(exc: MCKSError) -> bool:
    """No answer, a gateway's answer instead of the API server's, or no way to log in.

    A 500 may come from one object's admission webhook, so it says nothing of the cluster.
    """
    gateway = isinstance(exc, ServerError) and exc.status in (502, 503, 504)
    return gateway or isinstance(exc, Unreachable | AuthError)
