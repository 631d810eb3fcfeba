"""Wait: how long one start waits for its Pod's place, and what the cluster's autoscaler says of it.

What a Pod waits for, and what that means (`mcks.core.pods`), does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from mcks.core.objects import Manifest
from mcks.core.pods import events, failures, scheduling
from mcks.core.pods.patience import Clocks, Patience
from mcks.core.servers.progress import Progress, duration
from mcks.core.servers.server import Created

if TYPE_CHECKING:
    from mcks.core.clusters.connected import ConnectedCluster

_SILENT = 2
"""Times ``deadlines.doubt`` without a word from the API server: then it is away."""


class Wait:
    """The wait of one start for the place of the Pod that it has *created*."""

    def __init__(
        self,
        connection: ConnectedCluster,
        created: Created,
        patience: Patience,
        progress: Progress,
    ) -> None:
        self._connection, self._pods = connection, connection.pods_of(created.namespace)
        self._created = created
        self._patience, self._progress = patience, progress
        self._clocks = Clocks(patience)
        self._pod: Manifest | None = None
        self._told = scheduling.NOTHING_TOLD
        self._changed = asyncio.Event()

    def see(self, pod: Manifest) -> None:
        """Take in the Pod as it is at present."""
        self._pod = pod
        self._changed.set()

    async def given_up(self) -> failures.Verdict:
        """Return when nothing more is waited for, and say why; cancel it once the server runs.

        Events are followed only if that can end the wait, and the scheduler found no node: a Pod
        that gets its place at once costs no request.
        """
        listening: asyncio.Task[None] | None = None
        try:
            while True:
                self._changed.clear()
                if listening is None and self._wants_events():
                    listening = asyncio.create_task(self._listen())
                if (verdict := await self._judge()) is not None:
                    return verdict
        finally:
            if listening is not None:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    def _wants_events(self) -> bool:
        finite = self._patience.place is not None
        return finite and self._pod is not None and scheduling.is_unschedulable(self._pod)

    async def _judge(self) -> failures.Verdict | None:
        """Return the verdict if the time is over, else None at the next news or the time's end."""
        waiting = None if self._pod is None else scheduling.waits_for(self._pod, self._told)
        now = time.monotonic()
        until = None if waiting is None else self._clocks.until(waiting, now)
        if waiting is not None and until is not None:
            if until <= now:
                return self._verdict(waiting, now)
            self._tell(waiting)
        if self._patience.place is not None:  # there is another cluster to go to
            if self._away_from <= now:
                return failures.NO_ANSWER
            until = self._away_from if until is None else min(until, self._away_from)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if until is None else until - now):
                await self._changed.wait()
        return None

    def _tell(self, waiting: scheduling.Waiting) -> None:
        if waiting.growing:
            longer = duration(self._patience.scale_up)
            self._progress.say(waiting.now, waiting.percent)
            self._progress.say(f"It may take up to {longer} more", waiting.percent)

    def _verdict(self, waiting: scheduling.Waiting, now: float) -> failures.Verdict:
        """What is known may be old: a cluster that is away has perhaps found a place."""
        return failures.NO_ANSWER if now > self._away_from else failures.unplaced(waiting)

    @property
    def _away_from(self) -> float:
        """When the cluster has been silent for so long that it is away, if it stays silent."""
        return self._pods.last_contact + self._connection.client.deadlines.doubt * _SILENT

    async def _listen(self) -> None:
        """Follow the Pod's events; without the right to do so, nothing is known of a machine."""
        async for event in self._connection.pod_events.follow(self._created.where("Pod")):
            self._hear(event)

    def _hear(self, event: Manifest) -> None:
        if events.is_about(event, self._created.uids["Pod"] or ""):
            told = self._told.then(event)
            if told != self._told:
                self._told = told
                self._changed.set()
