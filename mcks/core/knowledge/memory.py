"""Memory: what this hub knows of its servers, from its database and from starts under way.

Reading the database (records.py), and what is deleted for being unknown (sweep.py), does not belong
here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from weakref import WeakSet

from sqlalchemy.orm import Session

from mcks.core.knowledge import database
from mcks.core.knowledge.database import HubUser
from mcks.core.knowledge.index import Index
from mcks.core.knowledge.orphans import HubKnowledge, Joined, Known
from mcks.core.knowledge.records import Records
from mcks.core.knowledge.remembering import RememberingSpawner
from mcks.core.objects import Ref
from mcks.core.placement.counting import NoRecords
from mcks.core.placement.counting import Records as Counts
from mcks.core.servers.server import Created
from mcks.core.servers.state import UserObject


class Memory:
    """What the hub with the database of *session* knows; None: it has none (``mcks check``).

    *namespaces*: where servers may live in clusters that name none, beside those of starts.
    """

    def __init__(
        self,
        session: Session | None,
        hub_id: str,
        log: logging.Logger,
        namespaces: AbstractSet[str] = frozenset(),
    ) -> None:
        self.records = None if session is None else Records(session, hub_id, log)
        self._no_records = NoRecords()
        self._namespaces = set(namespaces)
        self._learning: asyncio.Task[None] | None = None
        self._starts: dict[int, WeakSet[RememberingSpawner]] = {}
        """By their users' ids, so that no start looks at all others."""

    def join(self, spawner: RememberingSpawner, namespaces: AbstractSet[str] = frozenset()) -> None:
        """Count what *spawner* remembers among what is known, until the database says the same.

        It starts in one of these *namespaces*, unless its cluster names another.
        """
        self._starts.setdefault(spawner.user.id, WeakSet()).add(spawner)
        self._namespaces |= namespaces

    def learn(self, learning: asyncio.Task[None]) -> None:
        """Wait for *learning*, which names more namespaces, before it is told what is known."""
        self._learning = learning

    def live_in(self, namespaces: AbstractSet[str]) -> None:
        """Take in more namespaces in which servers may live."""
        self._namespaces |= namespaces

    async def known(self) -> Known | None:
        """Tell what is known at the moment; None without a database."""
        if self.records is None:
            return None
        await self._learned()
        return self._with_starts(await self.records.index())

    async def verified(self) -> Known | None:
        """Tell it after the database was read anew; None if that cannot be told."""
        if self.records is None:
            return None
        await self._learned()
        await self.records.read_again()
        index = await self.records.index()
        return self._with_starts(index) if self.records.understood else None

    async def counts(self) -> Counts:
        """Tell how many servers the database has, those that start aside."""
        return self._no_records if self.records is None else await self.records.index()

    def seen_counts(self) -> Counts:
        """Tell it without a look into the database, as far as it is known."""
        return self._no_records if self.records is None else self.records.seen

    async def other_holder(
        self, user: HubUser, cluster: str, created: Created, data: Collection[Ref]
    ) -> str:
        """Name another user who holds one of these names, "" if nobody does: see Records."""
        if self.records is None:
            return ""
        return await self.records.other_holder(user, cluster, created, data)

    def data_for(self, spawner: RememberingSpawner) -> list[UserObject]:
        """Tell which of its user's data the server of *spawner* may use, what it used last last."""
        return [*self.data_of_others(spawner), *spawner.remembered.data]

    def data_of_others(self, spawner: RememberingSpawner) -> list[UserObject]:
        """Tell what other servers of the same user have, or are making, that is not one's alone."""
        user, name = spawner.user, spawner.name
        starting = [
            datum
            for other in list(self._starts.get(user.id, ()))
            if other is not spawner and other.name != name
            for datum in other.remembered.shared
        ]
        return [*database.shared_by_others(user, name), *starting]

    async def keep(self) -> None:
        """Read the database now, and again from time to time, until cancelled."""
        if self.records is not None:
            await self.records.keep()

    def close(self) -> None:
        """Hear no more of the database."""
        if self.records is not None:
            self.records.close()

    async def _learned(self) -> None:
        if self._learning is not None:
            await asyncio.wait({self._learning})
            self._learning = None

    def _with_starts(self, index: Index) -> Known:
        starting = HubKnowledge(namespaces=set(self._namespaces))
        for user_id, starts in list(self._starts.items()):
            for spawner in list(starts):
                remembered = HubKnowledge()
                remembered.add(spawner.remembered)
                if spawner._starting or not remembered.within(index):
                    starting.add(spawner.remembered)
                else:
                    starts.discard(spawner)
            if not starts:
                del self._starts[user_id]
        return Joined(index, starting)
