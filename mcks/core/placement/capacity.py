"""Capacity: what clusters have free, in a few words, kept for a while; nobody waits long for it.

Who asks, and what a ResourceQuota says (resource_quota.py), does not belong here.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakKeyDictionary

from mcks.auth.threads import in_thread
from mcks.core.administrator import functions
from mcks.core.clusters.cluster import Cluster
from mcks.errors import MCKSError

FRESH = 30.0
"""Seconds for which an answer is good, and until a cluster is asked again in any case."""
DEADLINE = 2.0
"""Seconds that a form waits at the most."""
PATIENCE = 20.0
"""Seconds after which an answer is given up; it may be late for one form, and good for the next."""
KEPT = 300.0
"""Seconds for which the last good answer is shown while there is no newer one."""

Ask = Callable[[], Awaitable[str]]


class Capacity:
    """Asks each cluster at most once in `FRESH` seconds, however many forms are shown."""

    def __init__(
        self,
        log: logging.Logger,
        *,
        deadline: float = DEADLINE,
        patience: float = PATIENCE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log, self._now = log, now
        self._deadline, self._patience = deadline, patience
        self._known: WeakKeyDictionary[Cluster, _Known] = WeakKeyDictionary()

    async def of(self, cluster: Cluster, ask: Ask) -> str:
        """Return what *ask* says of *cluster*, or has said lately; empty if that is nothing.

        All who want to know at the same time share one answer. What fails, or is late, is told in
        the log once.
        """
        known = self._known.setdefault(cluster, _Known())
        if known.asking is None and self._now() - known.asked >= FRESH:
            known.asked = self._now()
            known.asking = asyncio.create_task(self._ask(known, cluster, ask))
        if known.asking is not None:
            await self._wait(known, cluster)
        return known.answer if self._now() - known.answered < KEPT else ""

    async def close(self) -> None:
        """Ask nobody any more."""
        asking = [known.asking for known in self._known.values() if known.asking is not None]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _wait(self, known: _Known, cluster: Cluster) -> None:
        """Wait for the answer, but not beyond the deadline of whoever asked first."""
        left = known.asked + self._deadline - self._now()
        if known.asking is None or left <= 0:
            return
        await asyncio.wait({known.asking}, timeout=left)
        if known.asking is not None and not known.is_slow:
            known.is_slow = True
            self._log.warning(
                "%s takes longer than %g s: the form is shown without it, or with its last answer",
                _where(cluster),
                self._deadline,
            )

    async def _ask(self, known: _Known, cluster: Cluster, ask: Ask) -> None:
        try:
            async with asyncio.timeout(self._patience):
                known.answer = await ask()
            known.answered = self._now()
        except TimeoutError:
            self._tell(known, f"{_where(cluster)} gave no answer in {self._patience:g} s")
        except MCKSError as exc:
            self._tell(known, str(exc))
        except Exception as exc:  # such as an HTTPError, which is for a start to raise
            self._tell(known, f"{_where(cluster)} failed: {type(exc).__name__}: {exc}")
        finally:
            known.asking = None

    def _tell(self, known: _Known, failure: str) -> None:
        if known.told != failure:
            known.told = failure
            self._log.warning("%s (the form is shown without it, or with its last answer)", failure)


class _Known:
    """What is known of one cluster, by the clock of its Capacity."""

    def __init__(self) -> None:
        self.answer = ""
        self.answered = self.asked = -math.inf
        self.asking: asyncio.Task[None] | None = None
        self.is_slow = False
        """Whether the log has it that its answers come late."""
        self.told = ""


async def called(function: Callable[..., Any], cluster: Cluster) -> str:
    """Call the administrator's *function* with *cluster*; return its answer as one line.

    One that is not async runs in a thread of its own, because it may block. Raises FunctionFailed,
    ConfigError.
    """
    where = _where(cluster)
    with functions.naming(where, function):
        if inspect.iscoroutinefunction(function):
            answer = await function(cluster)
        else:
            answer = await in_thread("capacity", cluster.name, lambda: function(cluster))
            answer = await answer if inspect.isawaitable(answer) else answer
    return functions.sentence(answer, where, function)


def _where(cluster: Cluster) -> str:
    return f"clusters[{cluster.name!r}].capacity"
