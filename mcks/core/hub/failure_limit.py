"""JupyterHub 5 ends after some failed starts in a row: which of them it must not count.

How JupyterHub shows a failure does not belong here (error_pages.py).
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol


class CountedSpawner(Protocol):
    """A spawner, as far as the hub counts the failures of its starts."""

    consecutive_failure_limit: int
    handler: Any
    _spawn_future: asyncio.Future[Any] | None


def leave_out(spawner: CountedSpawner, refusal: Exception) -> None:
    """Keep a start that is about to end with *refusal* out of what counts as failures of the hub.

    JupyterHub 5 counts every exception when the start's future ends, and then looks whether the
    spawner's ``consecutive_failure_limit`` is reached. So this spawner has no limit until then, and
    right after it the count is what it was. To lower the count before would go wrong: another
    user's success may set it to 0 while this start is being cleaned up.
    """
    start, handler = spawner._spawn_future, spawner.handler
    if start is None or handler is None:
        return
    limit, spawner.consecutive_failure_limit = spawner.consecutive_failure_limit, 0

    def take_back(done: asyncio.Future[Any]) -> None:
        spawner.consecutive_failure_limit = limit
        if not done.cancelled() and done.exception() is refusal:
            handler.settings["failure_count"] -= 1

    start.add_done_callback(take_back)
