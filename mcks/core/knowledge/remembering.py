"""What a memory of servers reads of a spawner, for the type checker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mcks.core.servers.state import State

if TYPE_CHECKING:
    from mcks.core.knowledge.database import HubUser


class RememberingSpawner(Protocol):
    """A spawner, as far as it knows of a server that the database may not know of yet."""

    name: str
    user: HubUser
    remembered: State
    _starting: bool

    def __hash__(self) -> int:
        """Tell it from others."""
