"""Counts servers: those that are recorded, and those that were let in since. Pure.

What a count is compared with (limits.py), and how records are kept (knowledge/index.py), does not
belong here.
"""

from __future__ import annotations

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
    """What the hub has recorded of servers that run."""

    def count(self, scope: Scope) -> int:
        """Return how many there are."""

    def counts(self, server: Server, scope: Scope) -> bool:
        """Whether *server* is among them."""


class NoRecords:
    """Those of a hub without a database."""

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


class Tally:
    """Counts each server once, from the moment when it is let in until it is gone."""

    def __init__(self) -> None:
        self._let_in: dict[Server, LetIn] = {}

    def __len__(self) -> int:
        return len(self._let_in)

    def others(self, scope: Scope, server: Server, records: Records) -> int:
        """Return how many servers there are in *scope* beside *server*."""
        recorded = records.count(scope) - records.counts(server, scope)
        return recorded + sum(
            one.within(scope) and not records.counts(other, scope)
            for other, one in self._let_in.items()
            if other != server
        )

    def let_in(self, server: Server, one: LetIn) -> None:
        """Count *server* from now on."""
        self._let_in[server] = one

    def started(self, server: Server) -> None:
        """Note that a start is over, however it ended."""
        self._let_in[server] = replace(self._let_in[server], starts=False)

    def settle(self, records: Records) -> None:
        """Leave to *records* what they know of by now, and forget what is gone."""
        for server, one in list(self._let_in.items()):
            if not one.starts and (one.gone() or records.counts(server, Scope(one.cluster))):
                del self._let_in[server]
