"""Sweeper: deletes what the hub could not delete in time, once its cluster can be reached again.

Which objects are orphans (orphans.py), and what a start makes (apply.py), does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mcks.core.api.breaker import Breaker
from mcks.core.api.client import ClusterClient
from mcks.core.clusters.connected import ConnectedCluster
from mcks.core.hub.orphans import Known, Orphan, of_servers, of_users
from mcks.core.labels import KEY_LABEL
from mcks.core.objects import Manifest, Ref, Selector
from mcks.core.servers import creation
from mcks.core.servers.server import Created
from mcks.errors import APIError, Forbidden, MCKSError

INTERVAL = 600.0
"""Seconds between two sweeps of a cluster."""
SOON = 30.0
"""Seconds until what could not be deleted is tried again."""
MARGIN = 60.0
"""Seconds beyond start_timeout after which what nobody knows of cannot be a start under way."""


@dataclass(frozen=True)
class Debt:
    """Something of this hub's that could not be deleted: a server's objects, or a user's."""

    created: Created | None = None
    data: Ref | None = None
    since: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        if self.created is not None:
            return f"server {self.created.key} in namespace {self.created.namespace}"
        return str(self.data)


class Sweeper:
    """Looks after the clusters of one hub. *known* tells what the hub knows of at the moment, or
    None if that cannot be told: then nothing is taken for an orphan."""

    def __init__(self, hub_id: str, known: Callable[[], Known | None], log: logging.Logger) -> None:
        self._hub_id, self._known, self._log = hub_id, known, log
        self._debts: dict[Breaker, list[Debt]] = {}
        self._reported: set[str] = set()
        self.patience = 0.0
        """Seconds: what is younger may belong to a start under way."""

    def owe(self, breaker: Breaker, debt: Debt) -> None:
        """Remember *debt* until it is paid; *breaker* is that of its cluster."""
        self._debts.setdefault(breaker, []).append(debt)
        breaker.attention.set()

    def owes(self, breaker: Breaker) -> bool:
        """Whether there is anything left to delete in that cluster."""
        return bool(self._debts.get(breaker))

    async def attend(self, connection: ConnectedCluster) -> None:
        """Sweep the cluster of *connection* now, after each outage, and from time to time."""
        attention = connection.breaker.attention
        while True:
            await connection.pods_of(connection.namespace).synced.wait()
            attention.clear()
            try:
                await self.sweep(connection)
            except MCKSError as exc:
                self._log.warning("The sweep of %s must wait: %s", connection.title, exc)
            except Exception:  # it must not end before the hub
                self._log.exception("The sweep of %s failed", connection.title)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SOON if self.owes(connection.breaker) else INTERVAL):
                    await attention.wait()

    async def sweep(self, connection: ConnectedCluster) -> None:
        """Pay the debts and delete orphans. Raises APIError, Unreachable."""
        known = self._known()
        await self._pay(connection, known or Known())
        if known is None:
            return
        pods = connection.pods_of(connection.namespace).values()
        secrets = await _list(connection.client, "Secret", connection.namespace, self._log)
        for orphan in of_servers(
            connection.cluster.name, [*pods, *secrets], known, self._hub_id, datetime.now(UTC)
        ):
            if orphan.age < self.patience:
                continue
            if self._hub_id:
                self._log.warning("Deleting an orphan in %s: %s", connection.title, orphan)
                await delete(connection.client, orphan, self._hub_id)
            elif orphan.uid not in self._reported:
                self._reported.add(orphan.uid)
                self._log.warning(
                    "%s holds a server that this hub does not know: %s. Set hub_id to have such "
                    "servers deleted, or see `mcks gc`",
                    connection.title,
                    orphan,
                )

    async def _pay(self, connection: ConnectedCluster, known: Known) -> None:
        for debt in list(self._debts.get(connection.breaker, ())):
            try:
                paid = await self._pay_one(connection, debt, known)
            except APIError as exc:
                self._log.warning("%s: still cannot delete %s: %s", connection.title, debt, exc)
                continue
            if not paid:
                continue
            self._debts[connection.breaker].remove(debt)
            self._log.info("%s: deleted at last: %s", connection.title, debt)

    async def _pay_one(self, connection: ConnectedCluster, debt: Debt, known: Known) -> bool:
        cluster = connection.cluster.name
        if debt.data is not None:
            if (cluster, debt.data) in known.data:
                # the hub has still to delete the user's records; or a new user has the name now
                return time.monotonic() - debt.since > MARGIN
            await creation.remove_data(connection.client, debt.data, self._hub_id)
        if debt.created is not None:
            created = debt.created
            if (cluster, created.namespace, created.key) in known.servers:
                # a new server has the names now, and its start has replaced what was there
                created.uids = {kind: uid for kind, uid in created.uids.items() if uid}
                created.unowned = []
            await creation.remove(connection.client, created)
        return True


async def find_all(
    connection: ConnectedCluster, known: Known, hub_id: str, log: logging.Logger
) -> list[Orphan]:
    """Return all orphans of servers and of users in the namespace of *connection*."""
    client, namespace = connection.client, connection.namespace
    pods = await _list(client, "Pod", namespace, log)
    secrets = await _list(client, "Secret", namespace, log)
    claims = await _list(client, "PersistentVolumeClaim", namespace, log)
    name, now = connection.cluster.name, datetime.now(UTC)
    return [
        *of_servers(name, [*pods, *secrets], known, hub_id, now),
        *of_users(name, claims, known, hub_id, now),
    ]


async def _list(
    client: ClusterClient, kind: str, namespace: str | None, log: logging.Logger
) -> Sequence[Manifest]:
    """Metadata only: a Secret's content never comes near the hub."""
    selection = Selector("v1", kind, namespace, KEY_LABEL)
    try:
        found, _ = await client.list(selection, metadata_only=True)
    except Forbidden as exc:
        log.warning("%s. Without that right, left-over %ss are not found", exc, kind)
        return []
    return found


async def delete(client: ClusterClient, orphan: Orphan, hub_id: str) -> None:
    """Delete *orphan* and what goes with it, if it is still the same object. Raises APIError."""
    namespace = orphan.where.namespace or ""
    await creation.remove(client, Created(orphan.key, namespace, hub_id, {}, list(orphan.unowned)))
    await client.delete(orphan.where, uid=orphan.uid)
