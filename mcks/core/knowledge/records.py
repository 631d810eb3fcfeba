"""Records: keeps an index of the hub's database current, so that nobody reads all of it again.

The database stays the truth. It is read once, in slices. After that its session tells what is
written; what is only known to have changed is read again, by its id. What another process has
written, or was written in a way that tells no rows, is found by reading all again, in slices: from
time to time, and before anything is deleted because nobody knows of it.

What follows from what is known (fleet.py, sweep.py) does not belong here.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Collection

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from mcks.core.knowledge import database
from mcks.core.knowledge.database import HubUser, SavedRow
from mcks.core.knowledge.index import Index, Row
from mcks.core.objects import Ref
from mcks.core.servers import state
from mcks.core.servers.server import Created

INTERVAL = 900.0
"""Seconds between two readings of the whole database."""
SLICE = 200
"""Rows that are read in one turn of the event loop."""


class Records:
    """What the database of *session* says of servers, for the hub with this *hub_id*."""

    def __init__(self, session: Session, hub_id: str, log: logging.Logger) -> None:
        self._session, self._hub_id, self._log = session, hub_id, log
        self._index = Index()
        self._doubtful: set[int] = set()
        self._since_commit: set[int] = set()
        self._unreadable: set[int] = set()
        self._complete, self._unknown = False, False
        self._reading: asyncio.Task[None] | None = None
        self._following = database.Following(session, self)

    def close(self) -> None:
        """Hear no more of the session."""
        self._following.close()
        if self._reading is not None:
            self._reading.cancel()

    # -- what is known ------------------------------------------------------------------------

    async def index(self) -> Index:
        """Return the index as the database is now; only the first call reads that as a whole."""
        while not self._complete:
            await self.read_again()
        self._read_doubtful()
        return self._index

    @property
    def seen(self) -> Index:
        """The index as far as it is known without a look into the database."""
        return self._index

    @property
    def understood(self) -> bool:
        """Whether all rows could be read: else what is unknown may be what one of them says."""
        return not self._unreadable

    async def other_holder(
        self, user: HubUser, cluster: str, created: Created, data: Collection[Ref]
    ) -> str:
        """Name another user who has a server or data in *cluster* under the names of *created* or
        *data*, "" if nobody has.

        That is so if a user was renamed, who keeps what is there, and somebody else has the former
        name now. Nobody is refused for what the database does not say any more.
        """
        index = await self.index()
        suspects = index.others(user.id, cluster, created, data)
        if not suspects:
            return ""
        self._doubtful |= suspects.keys()
        self._read_doubtful()
        for row in index.others(user.id, cluster, created, data).values():
            return database.name_of(self._session, row.user_id) or f"number {row.user_id}"
        return ""

    # -- how it is kept -----------------------------------------------------------------------

    async def read_again(self) -> None:
        """Compare the index with the whole database. It may be used meanwhile.

        Raises SQLAlchemyError.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_all(), name="mcks: read the database")
        await asyncio.shield(self._reading)

    async def keep(self) -> None:
        """Read all now, and again from time to time, to find what this process has not written.

        Runs until it is cancelled.
        """
        while True:
            try:
                await self.read_again()
            except SQLAlchemyError as exc:
                self._log.warning("The hub's database cannot be read: %s", type(exc).__name__)
            await asyncio.sleep(INTERVAL * random.uniform(0.75, 1.25))  # noqa: S311

    async def _read_all(self) -> None:
        self._unknown, known = False, set(self._index.ids())
        last, more, seen = 0, True, set[int]()
        while more:
            rows = database.slice_after(self._session, last, SLICE)
            for row in rows:
                self._put(row)
            seen.update(row.id for row in rows)
            last, more = rows[-1].id if rows else last, len(rows) == SLICE
            await asyncio.sleep(0)
        self._doubtful |= known - seen
        self._complete = not self._unknown

    def _read_doubtful(self) -> None:
        while self._doubtful:
            ids = set(sorted(self._doubtful)[:SLICE])
            rows = database.rows_of(self._session, ids)
            for row in rows:
                self._put(row)
            for row_id in ids - {row.id for row in rows}:
                self._index.put(row_id, None)
                self._unreadable.discard(row_id)
            self._doubtful -= ids

    def _put(self, saved: SavedRow) -> None:
        try:
            remembered = state.load(saved.state or {}, self._hub_id)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            if saved.id not in self._unreadable:
                what = type(exc).__name__
                self._log.error("The state of server %d is not understood (%s)", saved.id, what)
            self._unreadable.add(saved.id)
            self._index.put(saved.id, None)
            return
        self._unreadable.discard(saved.id)
        self._index.put(saved.id, Row(saved.user_id, saved.runs, remembered))

    # -- what the session tells ---------------------------------------------------------------

    def saved(self, row: SavedRow) -> None:
        """Take in a row that was written."""
        self._since_commit.add(row.id)
        self._doubtful.discard(row.id)
        self._put(row)

    def doubtful(self, row_id: int) -> None:
        """Read a row again before the index is asked next."""
        self._since_commit.add(row_id)
        self._doubtful.add(row_id)

    def unknown(self) -> None:
        """Read all rows again before the index is asked next."""
        self._unknown, self._complete = True, False

    def committed(self) -> None:
        """What was written so far holds."""
        self._since_commit.clear()

    def rolled_back(self) -> None:
        """Read again what was written since the last commit."""
        self._doubtful |= self._since_commit
        self._since_commit.clear()
