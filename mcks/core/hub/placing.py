"""Where one spawner's server starts: its candidates, and what tries in others have left behind.

How many tries there are and what is told of them (placement/tries.py), and what a try does
(spawner.py), does not belong here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mcks.core.clusters import candidates
from mcks.core.clusters.cluster import chosen_name
from mcks.core.hub.sharing import fleet_of
from mcks.core.hub.sharing_spawner import SharingSpawner
from mcks.core.placement import data_guard
from mcks.core.servers.server import Created
from mcks.core.servers.state import Left, UserObject
from mcks.errors import ConfigError, MCKSError, UnknownCluster

_TAKE_BACK = 10.0
"""Seconds that a start may spend on what an earlier one has left in a cluster."""
_NO_PLACE = frozenset({"no-place", "queue", "quota"})
"""Reasons of a failed start which the next user is likely to meet as well."""


class Choosing(Protocol):
    """What a user has chosen, and may use."""

    profile: str

    async def open_clusters(self, names: Sequence[str]) -> list[str]:
        """Return those of several names that the user may use."""


class PlacedSpawner(SharingSpawner, Protocol):
    """A spawner, as far as a cluster is found for its server."""

    choosing: Choosing  # type: ignore[assignment]
    candidates: candidates.Candidates
    cluster: str
    kubernetes_context: str
    known_clusters: Mapping[str, Any]
    clusters_ever: Mapping[str, Any]
    orm_spawner: Any
    _log_name: str

    def homes(self) -> Sequence[str]:
        """Return the clusters in which the user has data, what was used last first."""

    def get_state(self) -> dict[str, Any]:
        """Return what the database is to remember."""


class Placing:
    """Finds the clusters for the spawner's server. What it knows is the spawner's."""

    __slots__ = ("_spawner",)

    def __init__(self, spawner: PlacedSpawner) -> None:
        self._spawner = spawner

    def named(self) -> list[str]:
        """Name the clusters that are chosen, in the order in which they are tried.

        Raises ConfigError.
        """
        spawner = self._spawner
        if spawner.candidates and not (spawner.cluster or spawner.kubernetes_context):
            if found := [*candidates.mistakes(spawner.candidates, "candidates")]:
                raise ConfigError("; ".join(found), code="MCKS121")
            return candidates.in_order(spawner.candidates, spawner.user.name)
        clusters = spawner.known_clusters
        return [chosen_name(spawner.cluster, spawner.kubernetes_context, clusters)]

    async def candidates(self) -> list[str]:
        """Return the clusters to try: the user may use them. Those with the user's data come first,
        and what had no place lately comes last.

        Raises ConfigError, NotAllowed.
        """
        names = self.named()
        if len(names) == 1:
            return names
        no_place, profile = fleet_of(self._spawner).no_place, self._spawner.choosing.profile
        allowed = await self._spawner.choosing.open_clusters(names)
        placed = sorted(allowed, key=lambda name: no_place.lately(name, profile))
        return data_guard.near(placed, self._spawner.homes())

    def begins(self, cluster: str, created: Created) -> None:
        """Let the database know of a try in one of several clusters before anything is sent.

        The hub saves nothing of a server before it runs: what an end of the hub left in one
        cluster could not be told when the next start takes another one.
        """
        spawner = self._spawner
        spawner.remembered = spawner.remembered.with_left(cluster, created)
        self._save()

    def ends(self, cluster: str, created: Created) -> None:
        """Forget a try of which nothing is there, or whose server is the one that runs."""
        self._spawner.remembered = self._spawner.remembered.without_left(cluster, created)

    def note(self, cluster: str, failure: MCKSError | None = None) -> None:
        """Let others know what came of a try in *cluster*."""
        no_place, profile = fleet_of(self._spawner).no_place, self._spawner.choosing.profile
        if failure is None:
            no_place.forget(cluster, profile)
        elif getattr(failure, "reason", "") in _NO_PLACE:
            no_place.note(cluster, profile)

    async def take_back(self) -> None:
        """Delete what tries of earlier starts have left, as far as their clusters answer."""
        for left in self._spawner.remembered.left:
            await self._take_back(left)

    async def _take_back(self, left: Left) -> None:
        from mcks.core.servers import creation, leaving  # noqa: PLC0415 - see sharing.AHEAD

        spawner, fleet = self._spawner, fleet_of(self._spawner)
        uids: dict[str, str | None] = {"Secret": None, "Pod": None}
        created = Created(left.key, left.namespace, spawner.hub_id, uids)
        try:
            async with asyncio.timeout(_TAKE_BACK):
                connected = await fleet.pool.connect(left.cluster, spawner.clusters_ever)
                await creation.remove_found(connected.client, created)
                data = await leaving.found(connected.client, created)
        except UnknownCluster as exc:
            spawner.log.warning("%s: %s stays behind: %s", spawner._log_name, left.key, exc)
            data = []
        except (MCKSError, TimeoutError) as exc:
            why = str(exc) or "it does not answer in time"
            spawner.log.warning("%s: %s is deleted later: %s", spawner._log_name, left, why)
            fleet.delete_later(left.cluster, spawner.clusters_ever, created)
            return
        self.ends(left.cluster, created)
        known = {(datum.cluster, datum.where) for datum in spawner.remembered.data}
        new = [UserObject(left.cluster, one) for one in data if (left.cluster, one) not in known]
        spawner.remembered = spawner.remembered.with_data(new)

    def _save(self) -> None:
        spawner = self._spawner
        if spawner.user.db is not None:
            spawner.orm_spawner.state = spawner.get_state()
            spawner.user.db.commit()
