"""What the hub's database says of servers and users. What follows from it does not belong here."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from jupyterhub import orm
from sqlalchemy import String, create_engine, literal_column, or_
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from mcks.core.hub.orphans import HubKnowledge
from mcks.core.objects import Ref
from mcks.core.servers import state
from mcks.core.servers.server import Created
from mcks.core.servers.starting import User
from mcks.errors import ConfigError


class HubUser(User, Protocol):
    """A user with what the database says of them, None if there is no database (``mcks check``)."""

    db: Session | None
    orm_user: orm.User | None


def knowledge(session: Session, hub_id: str) -> HubKnowledge:
    """Read in the hub's database which servers run or start, and whose data there is."""
    with session.no_autoflush:  # the hub may be in the middle of a change
        users = session.query(orm.User.name).all()
        rows = session.query(orm.Spawner).all()
    found = HubKnowledge(users=frozenset(name for (name,) in users))
    for row in rows:
        loaded = state.load(row.state or {}, hub_id)
        if row.server_id is None:
            found.add_data(loaded.data)
        else:
            found.add(loaded)
    return found


def data_of_user(user: HubUser) -> list[state.UserObject]:
    """Return what is saved of the data of all servers of *user*, running or not."""
    row = user.orm_user
    found = [state.load(o.state or {}, "") for o in row.orm_spawners.values()] if row else []
    return [datum for loaded in found for datum in loaded.data]


def other_holder(user: HubUser, cluster: str, created: Created, data: Collection[Ref]) -> str:
    """Name another user who has a server or data in *cluster* under the names of *created* or
    *data*, "" if nobody has.

    That is so if a user was renamed, who keeps what is there, and somebody else has the former name
    now. Without a database nobody else is known.
    """
    session, row = user.db, user.orm_user
    if session is None or row is None:
        return ""
    saved = literal_column("spawners.state", String)  # as the text that it is in the database
    names = {created.key, *(where.name for where in data)}
    said = or_(*(saved.contains(f'"{name}"', autoescape=True) for name in names))
    with session.no_autoflush:
        rows = session.query(orm.Spawner).filter(orm.Spawner.user_id != row.id, said).all()
    for other in rows:
        if _holds(state.load(other.state, ""), cluster, created, data):
            return str(other.user.name)
    return ""


def _holds(theirs: state.State, cluster: str, created: Created, data: Collection[Ref]) -> bool:
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


@contextmanager
def opened(url: str) -> Iterator[Session]:
    """Open the hub's database at *url* to read it, beside a hub that runs.

    Raises ConfigError if there is none, or none that knows a user.
    """
    if "://" not in url:
        url = f"sqlite:///{url}"
    where = f"the hub's database {make_url(url).render_as_string(hide_password=True)}"
    file = make_url(url).database if url.startswith("sqlite") else None
    if file and not Path(file).is_file():
        raise ConfigError(
            f"{where} does not exist here: start mcks in the hub's directory, or name it "
            "with --database URL"
        )
    engine = create_engine(url)
    try:
        with Session(engine) as session:
            if session.query(orm.User.id).first() is None:
                raise ConfigError(f"{where} knows no user, so it cannot be the one in use")
            yield session
    except SQLAlchemyError as exc:
        raise ConfigError(f"{where} cannot be read: {type(exc).__name__}") from exc
    finally:
        engine.dispose()
