"""What is left out of JupyterHub 5's count of failures, beside a hub's own callback that counts.

Real hubs that would end: tests/hub/test_failure_limit.py.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from tornado import web

from mcks.core.hub import error_pages, failure_limit

LIMIT = 5


class CountingHub:
    """Counts as ``spawn_single_user`` of JupyterHub 5 does; ``limits`` are those that it saw."""

    def __init__(self, count: int) -> None:
        self.settings = {"failure_count": count}
        self.limits: list[int] = []
        start: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        start.add_done_callback(self._count)
        handler = SimpleNamespace(settings=self.settings)
        self.spawner = SimpleNamespace(
            consecutive_failure_limit=LIMIT, handler=handler, _spawn_future=start
        )
        self.start = start

    def _count(self, done: asyncio.Future[None]) -> None:
        if done.cancelled() or done.exception() is None:
            self.settings["failure_count"] = 0
            return
        self.settings["failure_count"] += 1
        self.limits.append(self.spawner.consecutive_failure_limit)

    async def end_with(self, error: Exception) -> int:
        """Let the start end; return what is counted then."""
        self.start.set_exception(error)
        await asyncio.wait({self.start})
        await asyncio.sleep(0)
        return self.settings["failure_count"]


async def test_a_refusal_meets_no_limit_and_leaves_the_count_as_it_is() -> None:
    hub, refusal = CountingHub(LIMIT - 1), web.HTTPError(403)
    failure_limit.leave_out(hub.spawner, refusal)
    assert await hub.end_with(refusal) == LIMIT - 1
    assert hub.limits == [0]
    assert hub.spawner.consecutive_failure_limit == LIMIT


async def test_a_success_of_somebody_else_meanwhile_is_not_forgotten() -> None:
    hub, refusal = CountingHub(LIMIT - 1), web.HTTPError(403)
    failure_limit.leave_out(hub.spawner, refusal)
    hub.settings["failure_count"] = 0
    assert await hub.end_with(refusal) == 0


async def test_what_ends_the_start_instead_of_the_refusal_counts() -> None:
    hub = CountingHub(1)
    failure_limit.leave_out(hub.spawner, web.HTTPError(403))
    assert await hub.end_with(RuntimeError()) == 2


async def test_a_start_that_is_stopped_meanwhile_is_none_of_the_failures() -> None:
    hub = CountingHub(1)
    failure_limit.leave_out(hub.spawner, web.HTTPError(403))
    hub.start.cancel()
    await asyncio.wait({hub.start})
    await asyncio.sleep(0)
    assert hub.settings["failure_count"] == 0


@pytest.mark.parametrize("absent", ["handler", "_spawn_future"])
async def test_where_no_hub_counts_nothing_is_done(absent: str) -> None:
    hub = CountingHub(1)
    setattr(hub.spawner, absent, None)
    failure_limit.leave_out(hub.spawner, web.HTTPError(403))
    assert hub.spawner.consecutive_failure_limit == LIMIT
    hub.start.cancel()


@pytest.mark.parametrize(("status", "counted"), [(400, 1), (499, 1), (500, 2)])
async def test_hooks_refuse_with_a_status_below_500(
    status: int, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_pages, "SpawnException", None)  # as with JupyterHub 5
    hub, error = CountingHub(1), web.HTTPError(status)
    spawner: Any = hub.spawner
    with pytest.raises(web.HTTPError), error_pages.hook_of(spawner):
        raise error
    assert await hub.end_with(error) == counted
