"""Fleet: what all spawners of one hub share, its clusters and the sweeper that looks after them.

What a single server needs does not belong here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from mcks.core import labels
from mcks.core.clusters.pool import Pool, pool_of
from mcks.core.hub import database
from mcks.core.hub.orphans import Known
from mcks.core.hub.sweep import MARGIN, SOON, Debt, Sweeper
from mcks.core.objects import ref
from mcks.core.servers import creation
from mcks.core.servers.server import Plan
from mcks.core.servers.state import UserObject
from mcks.errors import ConfigError, MCKSError, StartFailed, UnknownCluster


class Fleet:
    """The clusters of one hub. Use ``fleet_of`` to get it."""

    def __init__(self, pool: Pool, spawner: Any) -> None:
        self.pool = pool
        self.sweeper = Sweeper(spawner.hub_id, self._known, spawner.log)
        self.sweeper.patience = spawner.start_timeout + MARGIN
        self._hub_id, self._log = spawner.hub_id, spawner.log
        self._session = getattr(spawner.user, "db", None)
        self._spawners: WeakSet[Any] = WeakSet()
        pool.attend = self.sweeper.attend

    def join(self, spawner: Any) -> None:
        """Let the sweeper know of a server that the database may not know of yet."""
        self._spawners.add(spawner)
        self.sweeper.patience = max(self.sweeper.patience, spawner.start_timeout + MARGIN)

    def _known(self) -> Known | None:
        if self._session is None:
            return None
        known = database.known(self._session, self._hub_id)
        for spawner in self._spawners:
            known.add(spawner.state_now())
        return known

    def check_names(self, user: Any, cluster: str, planned: Plan) -> None:
        """Refuse to start *planned* for *user* if its names are another's. Raises StartFailed."""
        data = [ref(m) for m in planned.objects if labels.lifetime(m) == "user"]
        other = database.other_holder(user, cluster, planned.created, data)
        if other:
            raise StartFailed(
                "The name of your server, or of its data, is another user's. "
                "Please tell the administrators of this hub.",
                details=f"{planned.created.key} or data of it in cluster {cluster!r} are those of "
                f"the user {other!r}, who was called otherwise when they were made: stop that "
                "server, move or delete that data, or give this user another name",
                reason="name-taken",
            )

    def owe(self, cluster: str, clusters: Mapping[str, Any], debt: Debt) -> None:
        """Delete *debt* in *cluster* as soon as that can be reached. It is forgotten with the hub's
        process; then its labels tell (``hub_id``)."""
        self.sweeper.owe(self.pool.breaker(cluster, clusters), debt)
        if self.pool.peek(cluster, clusters) is None:
            self.pool.run(self._reach(cluster, clusters))

    async def delete_data(self, datum: UserObject, clusters: Mapping[str, Any]) -> None:
        """Delete a user's object now, or as soon as its cluster can be reached."""
        try:
            connection = await self.pool.connect(datum.cluster, clusters)
            if await creation.remove_data(connection.client, datum.where, self._hub_id):
                self._log.info("Deleted %s in cluster %r", datum.where, datum.cluster)
        except UnknownCluster as exc:
            self._log.warning("%s stays: %s", datum.where, exc)
        except MCKSError as exc:
            self._log.warning("%s will be deleted later: %s", datum.where, exc)
            self.owe(datum.cluster, clusters, Debt(data=datum.where))

    async def _reach(self, cluster: str, clusters: Mapping[str, Any]) -> None:
        """Connect, so that the sweeper attends to the cluster."""
        while True:
            try:
                await self.pool.connect(cluster, clusters)
            except ConfigError as exc:
                self._log.error("Nothing can be deleted in cluster %r: %s", cluster, exc)
            except MCKSError:
                await asyncio.sleep(SOON)
                continue
            return


_fleets: WeakKeyDictionary[Pool, Fleet] = WeakKeyDictionary()


def fleet_of(spawner: Any) -> Fleet:
    """Return the fleet of the running event loop, made at the first call."""
    pool = pool_of(spawner.config, spawner.log)
    if pool not in _fleets:
        _fleets[pool] = Fleet(pool, spawner)
    return _fleets[pool]
