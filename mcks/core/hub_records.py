"""What the hub's database says of servers and users. What follows from it does not belong here."""

from __future__ import annotations

from typing import Any

from jupyterhub import orm

from mcks.core import state
from mcks.core.orphans import Known


def known(session: Any, hub_id: str) -> Known:
    """Read which servers run or start, and whose data there is.

    *session* is an SQLAlchemy session of the hub's database.
    """
    with session.no_autoflush:  # the hub may be in the middle of a change
        users = session.query(orm.User.name).all()
        servers = session.query(orm.Spawner.state, orm.Spawner.server_id).all()
    found = Known(users=frozenset(name for (name,) in users))
    for saved, server_id in servers:
        loaded = state.load(saved or {}, hub_id)
        if server_id is None:
            found.add_data(loaded.data)
        else:
            found.add(loaded)
    return found


def data_of_user(user: Any) -> list[state.UserObject]:
    """Return what is saved of the data of all servers of *user*, running or not."""
    row = getattr(user, "orm_user", None)
    found = [state.load(o.state or {}, "") for o in row.orm_spawners.values()] if row else []
    return [datum for loaded in found for datum in loaded.data]
