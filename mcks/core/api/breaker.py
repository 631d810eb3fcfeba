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
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from mcks import metrics
from mcks.errors import APIError, AuthError, MCKSError, ServerError, Unavailable, Unreachable

_FAILURES = 3
"""Failures in a row that open the breaker. Each is a whole call, with its own retries."""
_FIRST_PAUSE = 10.0
_LONGEST_PAUSE = 60.0


class Breaker:
    """The breaker of the cluster *name*, shared by all that ask it. *clock* gives seconds."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._clock = name, clock
        self._failures = 0
        self._pause = _FIRST_PAUSE
        self._until = 0.0
        self._cause: MCKSError | None = None
        self._trying = False
        self.attention = asyncio.Event()
        """Set each time it closes again; who left something undone in the cluster waits for it."""
        metrics.CLUSTER_AVAILABLE.labels(name).set(1)

    @property
    def unavailable(self) -> MCKSError | None:
        """Why attempts are refused at present, None if one would be let through."""
        waiting = self.is_open and (self._trying or self._clock() < self._until)
        return self._cause if waiting else None

    @contextmanager
    def attempt(self, *, even_if_unavailable: bool = False) -> Iterator[None]:
        """Judge by the outcome of the block. Raises Unavailable instead of entering it if open.

        One *even_if_unavailable* is always let through: of those who wait for the cluster.
        """
        if not even_if_unavailable:
            self._admit()
        try:
            yield
        except MCKSError as exc:
            if _is_outage(exc):
                self._failed(exc)
            elif isinstance(exc, APIError):
                self._succeeded()
            raise
        else:
            self._succeeded()
        finally:
            if not even_if_unavailable:
                self._trying = False

    @property
    def is_open(self) -> bool:
        """Whether the cluster did not answer when it was asked last, again and again."""
        return self._failures >= _FAILURES

    def _admit(self) -> None:
        cause = self.unavailable
        if cause is not None:
            raise Unavailable(self._name, cause)
        self._trying = self.is_open

    def _failed(self, cause: MCKSError) -> None:
        self._failures += 1
        self._cause = cause
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
        self._failures, self._cause = 0, None


class Silent(TimeoutError):
    """The API server answers nothing at present, not even what takes it no work."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:.0f} seconds, nor to what takes no work")


class Pulse:
    """Ends what waits for an API server that answers nothing, long before its own time is over.

    After *patience* seconds without an answer *alive* is asked, once for all who wait: whether the
    server answers anything. A slow answer, as an admission webhook makes it, is waited for.
    """

    def __init__(self, alive: Callable[[], Awaitable[bool]], patience: float) -> None:
        self._alive, self._patience = alive, patience
        self._waiting: set[asyncio.Timeout] = set()
        self._asking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def felt(self) -> AsyncIterator[None]:
        """Wait for an answer in the block. Raises Silent if there is none at all."""
        loop, began = asyncio.get_running_loop(), time.monotonic()
        try:
            async with asyncio.timeout(None) as limit:
                doubt = loop.call_later(self._patience, self._doubt, limit)
                try:
                    yield
                finally:
                    doubt.cancel()
                    self._waiting.discard(limit)
        except TimeoutError as exc:
            if not limit.expired():
                raise
            raise Silent(time.monotonic() - began) from exc

    def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()

    def _doubt(self, limit: asyncio.Timeout) -> None:
        self._waiting.add(limit)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        """Look as long as anybody waits, who may have begun to when the last look was under way."""
        try:
            while doubting := set(self._waiting):
                if await self._alive():
                    await asyncio.sleep(self._patience)
                    continue
                for limit in doubting & self._waiting:
                    self._waiting.discard(limit)
                    limit.reschedule(asyncio.get_running_loop().time())
        finally:
            self._asking = None


def _is_outage(exc: MCKSError) -> bool:
    """No answer, a gateway's answer instead of the API server's, or no way to log in.

    A 500 may come from one object's admission webhook, so it says nothing of the cluster.
    """
    gateway = isinstance(exc, ServerError) and exc.status in (502, 503, 504)
    return gateway or isinstance(exc, Unreachable | AuthError)
