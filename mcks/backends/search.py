"""Finding a cluster's API server with its cloud's patience: not before a cloud wants to be asked.

What is done with what was found does not belong here (`mcks.backends.connection`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from mcks.errors import MCKSError

if TYPE_CHECKING:
    from mcks.backends.base import Endpoint

_ONCE_IN = 60.0
"""Seconds between two searches because of a refused certificate."""
_LONGEST_WAIT = 3600.0
"""Seconds that a cloud may ask to wait."""


class Search:
    """Asks *ask* (`Backend.endpoint`) where the API server is."""

    def __init__(self, ask: Callable[[], Awaitable[Endpoint]]) -> None:
        self._ask = ask
        self._throttled: tuple[float, MCKSError] | None = None
        self._again: asyncio.Task[bool] | None = None
        self._again_at = float("-inf")

    async def find(self) -> Endpoint:
        """Ask now, but not before the time at which a cloud asked to be asked again."""
        if self._throttled is not None:
            until, refusal = self._throttled
            if time.monotonic() < until:
                raise refusal.with_traceback(None)
            self._throttled = None
        try:
            return await self._ask()
        except MCKSError as exc:
            if exc.retry_after:
                self._throttled = time.monotonic() + min(exc.retry_after, _LONGEST_WAIT), exc
            raise

    async def again(self, search: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
        """Do *search*, for all who want it at this time, once a minute at most; give its result.

        Else, and when it was ended by `close`, it is False.
        """
        if self._again is None:
            if time.monotonic() - self._again_at < _ONCE_IN:
                return False
            self._again_at = time.monotonic()
            self._again = asyncio.create_task(search())
        task = self._again
        # Unlike await, this leaves the search alone when the caller is cancelled.
        await asyncio.wait({task})
        self._again = None
        return not task.cancelled() and task.result()

    async def close(self) -> None:
        """End a search under way."""
        if self._again is not None:
            self._again.cancel()
            await asyncio.wait({self._again})
