"""Sweeper: deletes what the hub could not delete in time, once its cluster can be reached again.

Which objects are orphans (orphans.py), and what a start makes (apply.py), does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from mcks.core.api.breaker import Breaker
from mcks.core.knowledge.orphans import HubKnowledge, Known, Orphan, of_servers, of_users, strangers
from mcks.core.labels import KEY_LABEL
from mcks.core.objects import Manifest, Ref, Selector
from mcks.core.servers import creation
from mcks.core.servers.server import Created
from mcks.errors import APIError, Forbidden, MCKSError

if TYPE_CHECKING:
    from mcks.core.api.client import ClusterClient
    from mcks.core.clusters.connected import ConnectedCluster

INTERVAL = 600.0
"""Seconds between two sweeps of a cluster."""
_PAUSE = 60.0
"""Seconds between two searches for orphans in a cluster, however often it comes back."""
_SEARCHES = 2
"""Clusters that are searched at a time: each search reads a list of all Secrets."""
_SLICE = 500
"""Objects that are looked at in one turn of the event loop."""
RETRY_AFTER = 30.0
"""Seconds until what could not be deleted is tried again."""
MARGIN = 60.0
"""Seconds beyond start_timeout after which what nobody knows of cannot be a start under way."""


@dataclass(frozen=True)
class PendingDeletion:
    """Something of this hub's that could not be deleted: a server's objects, or a user's."""

    created: Created | None = None
    data: Ref | None = None
    since: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        if self.created is not None:
            return f"server {self.created.key} in namespace {self.created.namespace}"
        return str(self.data)


class Hub(Protocol):
    """Who tells what the hub knows of at the moment; None if that cannot be told."""

    async def known(self) -> Known | None:
        """Tell it from memory."""

    async def verified(self) -> Known | None:
        """Tell it after the hub's database was read anew."""


class Sweeper:
    """Looks after the clusters of one hub.

    What *hub* cannot tell to be unknown, is no orphan. Both times are in seconds: what is younger
    than *min_age* may belong to a start under way; what could not be deleted is tried again after
    *retry_after*.
    """

    def __init__(
        self,
        hub_id: str,
        hub: Hub,
        log: logging.Logger,
        *,
        min_age: float,
        retry_after: float = RETRY_AFTER,
    ) -> None:
        self._hub_id, self._hub, self._log = hub_id, hub, log
        self._pending: dict[Breaker, list[PendingDeletion]] = {}
        self._searched: dict[Breaker, float] = {}
        self._reported: set[str] = set()
        self._searches = asyncio.Semaphore(_SEARCHES)
        self.min_age, self.retry_after = min_age, retry_after

    def delete_later(self, breaker: Breaker, deletion: PendingDeletion) -> None:
        """Remember *deletion* until it is done; *breaker* is that of its cluster."""
        self._pending.setdefault(breaker, []).append(deletion)
        breaker.attention.set()

    def hand_over(self, before: Breaker, now: Breaker) -> None:
        """Let what is pending behind *before* be deleted behind *now*: the same cluster's."""
        for deletion in self._pending.pop(before, []):
            self.delete_later(now, deletion)

    def has_pending(self, breaker: Breaker) -> bool:
        """Whether there is anything left to delete in that cluster."""
        return bool(self._pending.get(breaker))

    async def look_after(self, cluster: ConnectedCluster) -> None:
        """Sweep *cluster* now, after each outage, and from time to time; never during an outage,
        whose end the watch tells."""
        breaker = cluster.breaker
        await cluster.pods_of(cluster.namespace).synced.wait()
        while True:
            breaker.attention.clear()
            if not breaker.is_open:
                await self._sweep_as_needed(cluster)
            pause = self.retry_after if self.has_pending(breaker) else INTERVAL
            with contextlib.suppress(TimeoutError):
                # clusters that came back together need not all be swept together again
                async with asyncio.timeout(pause * random.uniform(0.75, 1)):  # noqa: S311
                    await breaker.attention.wait()

    async def _sweep_as_needed(self, cluster: ConnectedCluster) -> None:
        """Search for orphans as well, unless that was done a moment ago."""
        since = time.monotonic() - self._searched.get(cluster.breaker, float("-inf"))
        try:
            if since < _PAUSE:
                await self._delete_pending(cluster)
            else:
                await self.sweep(cluster)
        except MCKSError as exc:
            self._log.warning("The sweep of %s must wait: %s", cluster.title, exc)
        except Exception:  # it must not end before the hub
            self._log.exception("The sweep of %s failed", cluster.title)

    async def sweep(self, cluster: ConnectedCluster) -> None:
        """Delete what is pending, and orphans. Raises APIError, Unreachable."""
        await self._delete_pending(cluster)
        known = await self._hub.known()
        if known is None:
            return
        async with self._searches:
            found = await self._strangers(cluster, known)
            self._searched[cluster.breaker] = time.monotonic()
        if not self._orphans(cluster, found, known):
            return
        verified = await self._hub.verified()
        if verified is not None:
            for orphan in self._orphans(cluster, found, verified):
                await self._end(cluster, orphan)

    async def _strangers(self, cluster: ConnectedCluster, known: Known) -> list[Manifest]:
        """Return what carries a server's key in *cluster*, and is not known by its name."""
        client, namespace = cluster.client, cluster.namespace
        pods = list(cluster.pods_of(namespace).values())
        secrets = await _list(client, "Secret", namespace, self._tell_once)
        found = [m async for m in _strangers_among(cluster, [*pods, *secrets], known)]
        for elsewhere in _elsewhere(cluster, known):
            for kind in ("Pod", "Secret"):
                listed = await _list(client, kind, elsewhere, self._tell_once)
                found += [m async for m in _strangers_among(cluster, listed, known)]
        return found

    def _orphans(
        self, cluster: ConnectedCluster, found: Sequence[Manifest], known: Known
    ) -> list[Orphan]:
        """Return what is to be deleted, or reported, of what was *found*."""
        now, name = datetime.now(UTC), cluster.cluster.name
        return [
            orphan
            for orphan in of_servers(name, found, known, self._hub_id, now)
            if orphan.age >= self.min_age and orphan.uid not in self._reported
        ]

    async def _end(self, cluster: ConnectedCluster, orphan: Orphan) -> None:
        """Delete *orphan*; without a hub's id it may be another hub's, so it is reported, once."""
        if self._hub_id:
            self._log.warning("Deleting an orphan in %s: %s", cluster.title, orphan)
            await delete(cluster.client, orphan, self._hub_id)
            return
        self._reported.add(orphan.uid)
        self._log.warning(
            "%s holds a server that this hub does not know: %s. Set hub_id to have such "
            "servers deleted, or see `mcks gc`",
            cluster.title,
            orphan,
        )

    def _tell_once(self, warning: str) -> None:
        if warning not in self._reported:
            self._reported.add(warning)
            self._log.warning("%s", warning)

    async def _delete_pending(self, cluster: ConnectedCluster) -> None:
        if not self.has_pending(cluster.breaker):
            return
        for deletion in list(self._pending[cluster.breaker]):
            known: Known = await self._hub.known() or HubKnowledge()  # a start may begin meanwhile
            try:
                done = await self._delete_one(cluster, deletion, known)
            except APIError as exc:
                self._log.warning("%s: still cannot delete %s: %s", cluster.title, deletion, exc)
                continue
            if not done:
                continue
            with contextlib.suppress(KeyError, ValueError):  # it was handed over meanwhile
                self._pending[cluster.breaker].remove(deletion)
            self._log.info("%s: deleted at last: %s", cluster.title, deletion)

    async def _delete_one(
        self, cluster: ConnectedCluster, deletion: PendingDeletion, known: Known
    ) -> bool:
        name, created = cluster.cluster.name, deletion.created
        if deletion.data is not None:
            if (name, deletion.data) in known.data:
                # the hub has still to delete the user's records; or a new user has the name now
                return time.monotonic() - deletion.since > MARGIN
            await creation.remove_data(cluster.client, deletion.data, self._hub_id)
        if created is not None:
            if (name, created.namespace, created.key) in known.servers:
                # a new server has the names now, and its start has replaced what was there
                created.uids = {kind: uid for kind, uid in created.uids.items() if uid}
                created.unowned = ()
            await creation.remove(cluster.client, created)
        return True


async def find_all(
    cluster: ConnectedCluster, known: HubKnowledge, hub_id: str, log: logging.Logger
) -> list[Orphan]:
    """Return all orphans of servers and of users in *cluster*, wherever servers may live there."""
    name, now = cluster.cluster.name, datetime.now(UTC)
    servers: list[Manifest] = []
    claims: list[Manifest] = []
    for namespace in (cluster.namespace, *_elsewhere(cluster, known)):
        servers += await _list(cluster.client, "Pod", namespace, log.warning)
        servers += await _list(cluster.client, "Secret", namespace, log.warning)
        claims += await _list(cluster.client, "PersistentVolumeClaim", namespace, log.warning)
    return [
        *of_servers(name, servers, known, hub_id, now),
        *of_users(name, claims, known, hub_id, now),
    ]


async def _strangers_among(
    cluster: ConnectedCluster, objects: Sequence[Manifest], known: Known
) -> AsyncIterator[Manifest]:
    """Look at *objects* bit by bit: many servers must not hold up the hub."""
    for i in range(0, len(objects), _SLICE):
        for stranger in strangers(cluster.cluster.name, objects[i : i + _SLICE], known):
            yield stranger
        await asyncio.sleep(0)


def _elsewhere(cluster: ConnectedCluster, known: Known) -> list[str]:
    """Return the namespaces to look at beside that of *cluster*, which is all if it has none."""
    if cluster.namespace is None:
        return []
    named = set() if cluster.cluster.namespace else known.namespaces
    return sorted((named | known.places(cluster.cluster.name)) - {cluster.namespace})


async def _list(
    client: ClusterClient, kind: str, namespace: str | None, tell: Callable[[str], None]
) -> Sequence[Manifest]:
    """Metadata only: a Secret's content never comes near the hub."""
    selection = Selector("v1", kind, namespace, KEY_LABEL)
    try:
        found, _ = await client.list(selection, metadata_only=True)
    except Forbidden as exc:
        tell(f"{exc}. Without that right, left-over {kind}s are not found")
        return []
    return found


async def delete(client: ClusterClient, orphan: Orphan, hub_id: str) -> None:
    """Delete *orphan* and what goes with it, if it is still the same object. Raises APIError."""
    namespace = orphan.where.namespace or ""
    await creation.remove(client, Created(orphan.key, namespace, hub_id, {}, orphan.unowned))
    await client.delete(orphan.where, uid=orphan.uid)
