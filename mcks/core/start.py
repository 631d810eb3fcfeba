"""Start: one start of a server, in the first of its clusters that has a place for it.

How what goes wrong is shown (spawner.py, hub/error_pages.py), and what a server is made of
(servers/plan.py), does not belong here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from mcks.core.administrator.lending import read
from mcks.core.api.turns import as_one_piece
from mcks.core.hub import error_pages, pod_hooks
from mcks.core.hub.sharing import fleet_of
from mcks.core.placement import quota
from mcks.core.placement.data_guard import title
from mcks.core.placement.tries import Tries
from mcks.core.servers import diagnosis, launch, state
from mcks.core.servers.progress import Progress
from mcks.core.servers.server import Created, Plan
from mcks.core.servers.state import UserObject
from mcks.errors import Drained, MCKSError, StartFailed, Unreachable

if TYPE_CHECKING:
    from mcks.core.spawner import MultiClusterKubeSpawner

REPORT = 0.9
"""Share of start_timeout after which mcks gives up itself, with a better word than the hub's."""
_WAITS = ("place_timeout", "queue_timeout", "scale_up_time")
"""Traits that say for how many seconds a try waits, and for what."""
_CLEANUP = 60.0
"""Seconds that a failed try may spend on taking its objects out again."""
_CLEANUP_OF_SILENT = 1.0
"""The same if its cluster has just not answered: it is done later, and the user is told now."""


class Start:
    """One start of the server of *spawner*, which tells what happens by *progress*."""

    def __init__(self, spawner: MultiClusterKubeSpawner, progress: Progress) -> None:
        self._spawner, self._progress = spawner, progress
        self._fleet = fleet_of(spawner)
        self._is_stopped = False
        """Whether somebody has ended it while a failed try was cleared up: then none follows."""
        self._empty: set[UserObject] = set()
        """Data that this start may have made where it failed before there was a Pod."""

    async def run(self) -> str:
        """Start the server and return its URL. Raises MCKSError, when nothing is left of it."""
        spawner = self._spawner
        self._tell_of_last_time()
        spawner.remembered = spawner.remembered._replace(cluster="")
        self._fleet.join(spawner)
        await spawner.placing.take_back()
        with as_one_piece():
            url = await self._in_one_of(self._tries(await spawner.placing.candidates()))
        spawner.remembered = spawner.remembered.started(url)
        spawner.remember_claim()
        return url

    def _tell_of_last_time(self) -> None:
        for notice in self._spawner.choosing.notices:
            self._progress.say(notice)
        if ended := self._spawner.remembered.ended:
            self._progress.say(f"Last time: {ended}")

    def _tries(self, names: Sequence[str]) -> Tries:
        """Try all *names* that take new servers; none of the others costs any time."""
        spawner = self._spawner
        tries = Tries(names, spawner.start_timeout * REPORT, self._progress)
        for name in names if tries.are_several else ():
            try:
                self._fleet.refuse_drained(name, spawner.known_clusters)
            except Drained as exc:
                tries.leave_out(name, exc)
        return tries

    async def _in_one_of(self, tries: Tries) -> str:
        spawner = self._spawner
        for name in tries:
            try:
                with spawner.choosing.overrides.undone_if_it_fails():
                    url = await self._in(name, tries)
            except MCKSError as exc:
                spawner.placing.note(name, exc)
                tries.failed(exc, ends=self._is_stopped)
                spawner.log.warning(
                    "%s did not start in cluster %r: %s", spawner._log_name, name, exc
                )
            else:
                spawner.placing.note(name)
                break
        return url

    async def _in(self, name: str, tries: Tries) -> str:
        """Start in the cluster *name* if it has room, and leave nothing there if that fails."""
        planned = await self._plan(name)
        self._check_data(planned)
        async with AsyncExitStack() as turn:
            await self._let_in(turn, name, tries)
            return await self._carry_out(planned, name, tries)

    def _check_data(self, planned: Plan) -> None:
        say = self._progress.say
        self._fleet.check_data(self._spawner, planned, say, empty=self._empty)

    async def _let_in(self, turn: AsyncExitStack, name: str, tries: Tries) -> None:
        """Wait until limits let the server in, for *turn*.

        Raises Full, StartFailed if it is late.
        """
        spawner = self._spawner
        profile = spawner.choosing.profile
        limited = self._fleet.limits.start(spawner, name, profile, self._progress)
        try:
            async with asyncio.timeout(tries.share):
                await turn.enter_async_context(limited)
        except TimeoutError as exc:
            late = "So many servers are starting that it was not your turn in time. Try again."
            raise StartFailed(late, reason="queue") from exc

    async def _carry_out(self, planned: Plan, name: str, tries: Tries) -> str:
        spawner, kept_key = self._spawner, self._spawner.remembered.kept_key
        self._progress.say(f"Connecting to {title(name)}", 5)
        if tries.are_several:
            spawner.placing.begins(name, planned.created)
        spawner.remembered = spawner.remembered._replace(
            created=planned.created,
            url=planned.target.url,
            route=planned.target.route,
        )
        try:
            url = await self._launch(planned, tries)
        except BaseException as exc:
            patience = _CLEANUP_OF_SILENT if _is_silence(exc) else _CLEANUP
            try:
                if await spawner.removal.complete(within=patience):
                    if tries.are_several or spawner.choosing.data_policy != "ignore":
                        await spawner.removal.leave(planned.created, name, kept_key)
                    spawner.placing.ends(name, planned.created)
            except asyncio.CancelledError:  # the removal goes on
                self._is_stopped = True
            raise
        spawner.placing.ends(name, planned.created)
        return url

    async def _plan(self, name: str) -> Plan:
        """Remember the name of the cluster and plan the start there."""
        spawner, fleet = self._spawner, self._fleet
        spawner.remembered = spawner.remembered._replace(cluster=name)
        known = spawner.known_clusters
        configured = fleet.pool.configured(name, known)
        await spawner.choosing.check_cluster(configured.cluster)
        fleet.refuse_drained(name, known)
        spawner.log.info("%s starts in cluster %r", spawner._log_name, name)
        with error_pages.hook_of(spawner):
            if said := await quota.asked(spawner, name):
                self._progress.say(said)
            await spawner.choosing.overrides.call(spawner.functions())
            return await pod_hooks.modified(spawner, await fleet.plan(spawner, configured))

    async def _launch(self, planned: Plan, tries: Tries) -> str:
        """Carry out *planned*, and remember the data that it makes; return the server's URL.

        Raises StartFailed if it is late.
        """
        spawner, cluster, deadline = self._spawner, None, tries.seconds_left
        place, queue, scale_up = (read(spawner, name) for name in _WAITS)
        patience = tries.patience(place, queue, scale_up)
        try:
            async with asyncio.timeout(deadline):
                async with asyncio.timeout(tries.share):
                    cluster = await spawner.connect()
                with error_pages.hook_of(spawner):
                    pod_created = partial(pod_hooks.created, spawner, planned.created)
                    return await launch.start(
                        cluster, planned, self._progress, pod_created, patience
                    )
        except TimeoutError as exc:
            if cluster is None:
                late = "The cluster did not answer in time."
                raise StartFailed(late, reason="no-answer") from exc
            raise await diagnosis.timed_out(cluster, planned, deadline) from exc
        finally:
            self._remember(planned)

    def _remember(self, planned: Plan) -> None:
        """Remember the data that *planned* has made, or may have made."""
        spawner = self._spawner
        name = spawner.remembered.cluster
        if data := [state.UserObject(name, *datum) for datum in planned.data()]:
            known = self._fleet.memory.data_for(spawner)
            self._empty |= {one for one in data if _is_empty(one, planned.created)} - {*known}
            spawner.remembered = spawner.remembered.with_data(data)


def _is_silence(exc: BaseException) -> bool:
    return isinstance(exc, Unreachable) or getattr(exc, "reason", "") == "no-answer"


def _is_empty(datum: UserObject, created: Created) -> bool:
    """Whether a try made *datum*, or heard nothing more of it, and then asked for no Pod."""
    is_new = datum.where in created.new_data or not created.uids
    return is_new and "Pod" not in created.uids
