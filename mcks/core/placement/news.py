"""News: what users should know of clusters before they choose one.

How it is shown (profiles/options_form.py), and what keeps a start out of a cluster, does not belong
here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from mcks.core.clusters.cluster import RESOURCE_QUOTA, ConfiguredCluster
from mcks.core.placement import capacity, resource_quota
from mcks.core.placement.limits import shortest, told_age
from mcks.errors import ConfigError

if TYPE_CHECKING:
    from mcks.core.clusters.pool import Pool

Place = tuple[str, int | None]
"""A cluster, empty if it is open, and the longest life of a profile's servers, if one is said."""
_AT_HOME = "Your data is here."


class News:
    """Gathers it for one form at a time, from the clusters of *pool*.

    One that is *unavailable* at the moment is not asked.
    """

    def __init__(
        self, pool: Pool, unavailable: Callable[[str, Mapping[str, Any]], str], log: logging.Logger
    ) -> None:
        self._pool, self._unavailable = pool, unavailable
        self.capacity = capacity.Capacity(log)

    async def of(
        self, places: Collection[Place], clusters: Mapping[str, Any], homes: Collection[str]
    ) -> dict[Place, tuple[str, ...]]:
        """Return sentences about those of *places* of which there are some.

        All clusters are asked at once. *homes* are those with data of the user: worth telling where
        there is another place.
        """
        near = homes if len({*clusters, *homes}) > 1 else ()
        names = sorted({name for name, _ in places if name})
        free = await asyncio.gather(*(self._free(name, clusters) for name in names))
        words = dict(zip(names, free, strict=True))
        told = {
            (name, age): sentences(
                words.get(name, ""),
                at_home=name in near,
                max_age=shortest((age, self._max_age(name, clusters))),
            )
            for name, age in places
        }
        return {place: said for place, said in told.items() if said}

    def _max_age(self, name: str, clusters: Mapping[str, Any]) -> int | None:
        try:
            return self._pool.configured(name, clusters).cluster.limits.max_age if name else None
        except ConfigError:
            return None  # a start there tells it

    async def _free(self, name: str, clusters: Mapping[str, Any]) -> str:
        """Say what the cluster *name* has free; nothing while no server can start there."""
        try:
            configured = self._pool.configured(name, clusters)
        except ConfigError:
            return ""  # a start there tells it
        said = configured.cluster.capacity
        if not said or self._unavailable(name, clusters):
            return ""

        async def ask() -> str:
            if said == RESOURCE_QUOTA:
                return await self._quota(configured, clusters)
            return await capacity.called(said, configured.cluster)

        return await self.capacity.of(configured.cluster, ask)

    async def _quota(self, configured: ConfiguredCluster, clusters: Mapping[str, Any]) -> str:
        name = configured.cluster.name
        if configured.namespace is None:
            raise ConfigError(
                f"clusters[{name!r}].capacity: each user has a namespace there, so no "
                "ResourceQuota counts for all: write a function"
            )
        connected = await self._pool.connect(name, clusters)
        return await resource_quota.read(connected.client, configured.namespace)


def sentences(free: str, *, at_home: bool, max_age: int | None) -> tuple[str, ...]:
    """Return what is to be told of a cluster that has *free* what these words say."""
    age = "" if max_age is None else told_age(max_age)
    told = (_ended(free), _AT_HOME if at_home else "", _ended(age))
    return tuple(sentence for sentence in told if sentence)


def _ended(words: str) -> str:
    return f"{words}." if words[-1:].isalnum() else words
