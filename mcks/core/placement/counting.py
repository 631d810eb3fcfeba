"""Counts servers: those that are recorded, and those that were let in since. Pure.

What a count is compared with (limits.py), and how records are kept (knowledge/index.py), does not
belong here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

Server = Hashable
"""The id of a server's row in the hub's database: it has only one, however often it is started."""


class Scope(NamedTuple):
    """Which servers count together: those of a cluster, a profile, a user. None: whichever."""

    cluster: str | None = None
    profile: str | None = None
    user_id: int | None = None

    def holds(self, cluster: str, profile: str, user_id: int) -> bool:
        """Whether a server of these belongs to it."""
        return (
            self.cluster in (None, cluster)
            and self.profile in (None, profile)
            and self.user_id in (None, user_id)
        )


class Records(Protocol):
    """What the hub has recorded of servers that run.

    *changed* has the servers of which something else is recorded since it was cleared.
    """

    changed: set[Server]

    def count(self, scope: Scope) -> int:
        """Return how many there are."""

    def counts(self, server: Server, scope: Scope) -> bool:
        """Whether *server* is among them."""


class NoRecords:
    """Those of a hub without a database."""

    def __init__(self) -> None:
        self.changed: set[Server] = set()

    def count(self, scope: Scope) -> int:
        """Return 0."""
        del scope
        return 0

    def counts(self, server: Server, scope: Scope) -> bool:
        """Return that it is not."""
        del server, scope
        return False


@dataclass(frozen=True, slots=True)
class LetIn:
    """A server that was let in: where it starts, and whether it is *gone* meanwhile."""

    cluster: str
    profile: str
    user_id: int
    gone: Callable[[], bool]
    starts: bool = True

    def within(self, scope: Scope) -> bool:
        """Whether it counts in *scope*."""
        return scope.holds(self.cluster, self.profile, self.user_id)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """All that may be limited of which it is a part."""
        cluster, profile = Scope(cluster=self.cluster), Scope(profile=self.profile)
        mine = (scope._replace(user_id=self.user_id) for scope in (cluster, profile))
        return cluster, profile, *mine


class Tally:
    """Counts each server once, from the moment when it is let in until it is gone.

    Nothing here looks at all that were let in: they are counted as they come and go.
    """

    def __init__(self) -> None:
        self._let_in: dict[Server, LetIn] = {}
        self._over: set[Server] = set()
        """Those whose start is over."""
        self._many = 1
        self._records: Records | None = None
        self._unseen: set[Server] = set()
        """Those of which it is not known yet whether they are recorded."""
        self._counted: dict[Server, tuple[Scope, ...]] = {}
        """The scopes in which each one counts here, and not among the records."""
        self._counts: Counter[Scope] = Counter()

    def __len__(self) -> int:
        return len(self._let_in)

    def others(self, scope: Scope, server: Server, records: Records) -> int:
        """Return how many servers there are beside *server* in *scope*: one of ``LetIn.scopes``."""
        self._look(records)
        recorded = records.count(scope) - records.counts(server, scope)
        return recorded + self._counts[scope] - (scope in self._counted.get(server, ()))

    def let_in(self, server: Server, one: LetIn) -> None:
        """Count *server* from now on."""
        self._over.discard(server)
        self._let_in[server] = one
        self._unseen.add(server)

    def started(self, server: Server) -> None:
        """Note that a start is over, however it ended."""
        self._let_in[server] = replace(self._let_in[server], starts=False)
        self._over.add(server)

    def settle(self, records: Records) -> None:
        """Leave to *records* what they know of by now, and forget what is gone."""
        self._look(records)
        for server in list(self._over):
            one = self._let_in[server]
            if one.gone() or records.counts(server, Scope(one.cluster)):
                del self._let_in[server]
                self._over.remove(server)
                self._count(server, ())
        self._many = 2 * len(self._over) + 1

    def settle_if_many(self, records: Records) -> None:
        """Do so if twice as many starts are over as when it was done last: each costs the same."""
        if len(self._over) >= self._many:
            self.settle(records)

    def _look(self, records: Records) -> None:
        """Count anew those of which *records* may say something else than before."""
        if records is not self._records:
            self._records = records
            self._unseen.update(self._let_in)
        self._unseen |= records.changed
        records.changed.clear()
        for server in self._unseen & self._let_in.keys():
            scopes = self._let_in[server].scopes
            self._count(server, tuple(s for s in scopes if not records.counts(server, s)))
        self._unseen.clear()

    def _count(self, server: Server, scopes: tuple[Scope, ...]) -> None:
        for scope in self._counted.pop(server, ()):
            self._counts[scope] -= 1
            if not self._counts[scope]:
                del self._counts[scope]
        if scopes:
            self._counted[server] = scopes
            self._counts.update(scopes)
