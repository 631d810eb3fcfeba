"""Index: what the hub's database remembers of its servers, by names instead of by rows. Pure.

How it is kept current (records.py), and what follows from it, does not belong here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mcks.core.objects import Ref
from mcks.core.placement.counting import Scope
from mcks.core.servers.server import Created
from mcks.core.servers.state import State

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Row:
    """A server in the database: whose it is, whether it runs or starts, what is remembered."""

    user_id: int
    runs: bool
    remembered: State


class Names(Generic[K]):
    """A name and the rows that have it: mostly one."""

    def __init__(self) -> None:
        self._rows: dict[K, int | tuple[int, ...]] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def rows(self, name: K) -> tuple[int, ...]:
        """Return the rows that have *name*."""
        found = self._rows.get(name, ())
        return (found,) if isinstance(found, int) else found

    def add(self, name: K, row_id: int) -> None:
        """Give *name* to a row."""
        others = self.rows(name)
        self._rows[name] = (*others, row_id) if others else row_id

    def remove(self, name: K, row_id: int) -> None:
        """Take *name* from a row."""
        left = list(self.rows(name))
        left.remove(row_id)
        if left:
            self._rows[name] = left[0] if len(left) == 1 else tuple(left)
        else:
            del self._rows[name]


class Index:
    """The rows that were ``put``, and which of them have a name in a cluster."""

    namespaces: AbstractSet[str] = frozenset()
    """No row says where others may live."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self.servers: Names[tuple[str, str, str]] = Names()
        """Cluster, namespace and key of what runs or starts."""
        self.uids: Names[str] = Names()
        self.unowned: Names[tuple[str, Ref]] = Names()
        self.data: Names[tuple[str, Ref]] = Names()
        self._stopped: Names[tuple[str, str, str]] = Names()
        """The same as ``servers`` of rows that name a server which the hub has stopped."""
        self._called: Names[tuple[str, str, str]] = Names()
        """Cluster, kind and name of data, whatever its namespace."""
        self._of_user: Names[int] = Names()
        self._running: Counter[Scope] = Counter()
        """How many servers there are of each cluster, and of each profile."""
        self.changed: set[Hashable] = set()
        """The ids of the rows that were put, gone ones too, since somebody cleared this."""
        self._places: dict[str, Counter[str]] = {}
        """By cluster, how often its namespaces are those of what runs or starts, or of data."""

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row_id: int, row: Row | None) -> bool:
        """Take in *row*, None if it is gone. Return whether that is news."""
        known = self._rows.get(row_id)
        if known == row:
            return False
        self.changed.add(row_id)
        if known is not None:
            del self._rows[row_id]
            for names, name in self._names(known):
                names.remove(name, row_id)
            self._count(known, -1)
        if row is not None:
            self._rows[row_id] = row
            for names, name in self._names(row):
                names.add(name, row_id)
            self._count(row, 1)
        return True

    def places(self, cluster: str) -> AbstractSet[str]:
        """Return the namespaces of *cluster* in which there are servers, or data."""
        return frozenset(self._places.get(cluster, ()))

    def count(self, scope: Scope) -> int:
        """Return how many servers run, or start again, in *scope*; those of a user are few."""
        if scope.user_id is None:
            return self._running[scope]
        return sum(self.counts(row_id, scope) for row_id in self._of_user.rows(scope.user_id))

    def counts(self, server: Hashable, scope: Scope) -> bool:
        """Whether the server whose row has this id is one of those."""
        row = self._rows.get(server) if isinstance(server, int) else None
        if row is None or not row.runs or row.remembered.created is None:
            return False
        return scope.holds(row.remembered.cluster, row.remembered.profile, row.user_id)

    def ids(self) -> list[int]:
        """Return the ids of all rows, in their order."""
        return sorted(self._rows)

    def others(
        self, user_id: int, cluster: str, created: Created, data: Collection[Ref]
    ) -> dict[int, Row]:
        """Return the rows of other users with a server or data in *cluster* under the names of
        *created* or *data*."""
        place = cluster, created.namespace, created.key
        ids = {*self.servers.rows(place), *self._stopped.rows(place)}
        for where in data:
            ids |= {*self._called.rows((cluster, where.kind, where.name))}
        return {
            row_id: row
            for row_id in sorted(ids)
            if (row := self._rows[row_id]).user_id != user_id
            and _holds(row.remembered, cluster, created, data)
        }

    def _count(self, row: Row, more: int) -> None:
        for cluster, namespace in _places(row):
            counts = self._places.setdefault(cluster, Counter())
            counts[namespace] += more
            if not counts[namespace]:
                del counts[namespace]
        remembered = row.remembered
        if row.runs and remembered.created is not None:
            self._running[Scope(cluster=remembered.cluster)] += more
            self._running[Scope(profile=remembered.profile)] += more

    def _names(self, row: Row) -> Iterator[tuple[Names[Any], Hashable]]:
        remembered, created = row.remembered, row.remembered.created
        for datum in remembered.data:
            yield self.data, (datum.cluster, datum.where)
            yield self._called, (datum.cluster, datum.where.kind, datum.where.name)
        if created is None:
            return
        place = remembered.cluster, created.namespace, created.key
        yield self.servers if row.runs else self._stopped, place
        if row.runs:
            yield self._of_user, row.user_id
            yield from ((self.uids, uid) for uid in created.uids.values() if uid)
            yield from ((self.unowned, (remembered.cluster, where)) for where in created.unowned)


def _places(row: Row) -> Iterator[tuple[str, str]]:
    remembered, created = row.remembered, row.remembered.created
    if row.runs and created is not None:
        yield remembered.cluster, created.namespace
    for datum in remembered.data:
        if datum.where.namespace:
            yield datum.cluster, datum.where.namespace


def _holds(theirs: State, cluster: str, created: Created, data: Collection[Ref]) -> bool:
    if theirs.created is not None and theirs.cluster == cluster:
        place = theirs.created.namespace, theirs.created.key
        if place == (created.namespace, created.key):
            return True
    wanted = {(w.kind, w.name, w.namespace or created.namespace) for w in data}
    return any(
        (w.kind, w.name, w.namespace or created.namespace) in wanted
        for where, w in ((datum.cluster, datum.where) for datum in theirs.data)
        if where == cluster
    )
