"""What the hub's database says of servers and users. What follows from it does not belong here."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from jupyterhub import orm
from sqlalchemy import Select, Text, create_engine, event, inspect, literal_column, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import ORMExecuteState, Session, object_session
from traitlets.config import Config

from mcks.core.knowledge.orphans import HubKnowledge
from mcks.core.servers import state
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
    found = HubKnowledge(users=frozenset(name for (name,) in users))
    last = 0
    while rows := slice_after(session, last, _SLICE):
        for row in rows:
            loaded = state.load(row.state or {}, hub_id)
            if row.runs:
                found.add(loaded)
            else:
                found.add_data(loaded.data)
        last = rows[-1].id
    return found


def data_of_user(user: HubUser) -> list[state.UserObject]:
    """Return what is saved of the data of all servers of *user*, running or not.

    What is deleted with a user is never taken from a copy of the database.
    """
    row = user.orm_user
    found = [state.load(o.state or {}, "") for o in row.orm_spawners.values()] if row else []
    return [datum for loaded in found for datum in loaded.data]


def shared_by_others(user: HubUser, server: str) -> list[state.UserObject]:
    """Return what is saved of the data of the user's other servers that is not theirs alone."""
    rows = user.orm_user.orm_spawners.items() if user.orm_user else ()
    others = (state.load(row.state or {}, "") for name, row in rows if name != server)
    return [datum for loaded in others for datum in loaded.shared]


class SavedRow(NamedTuple):
    """A server's row, as far as it is read: ``state`` is what its spawner has saved."""

    id: int
    user_id: int
    runs: bool
    state: Any


def slice_after(session: Session, last: int, limit: int) -> list[SavedRow]:
    """Read the *limit* rows of servers that follow the id *last*, by columns."""
    return _read(session, _ROWS.where(orm.Spawner.id > last).order_by(orm.Spawner.id).limit(limit))


def rows_of(session: Session, ids: Collection[int]) -> list[SavedRow]:
    """Read the rows of servers with these *ids*, as far as they are there."""
    return _read(session, _ROWS.where(orm.Spawner.id.in_(ids)))


def name_of(session: Session, user_id: int) -> str:
    """Return the present name of a user, "" if there is none."""
    with session.no_autoflush:
        found = session.execute(select(orm.User.name).where(orm.User.id == user_id)).scalar()
    return str(found or "")


_SLICE = 200
_STATE = literal_column("spawners.state", Text)
"""As the text that it is in the database."""
_ROWS = select(orm.Spawner.id, orm.Spawner.user_id, orm.Spawner.server_id, _STATE)


def _read(session: Session, rows: Select[Any]) -> list[SavedRow]:
    with session.no_autoflush:  # the hub may be in the middle of a change
        found = session.execute(rows).all()
    return [
        SavedRow(row_id, user, server is not None, _decoded(saved))
        for row_id, user, server, saved in found
    ]


def _decoded(saved: str | None) -> Any:
    """Return the JSON in *saved*; what is none stays a text, and no spawner's state."""
    try:
        return json.loads(saved or "null")
    except ValueError:
        return saved


class Changes(Protocol):
    """Who wants to hear what a session writes."""

    def saved(self, row: SavedRow) -> None:
        """A row of servers was written."""

    def doubtful(self, row_id: int) -> None:
        """A row of servers was written or deleted, and must be read to know what it says."""

    def unknown(self) -> None:
        """Any row of servers may have been written."""

    def committed(self) -> None:
        """What was written so far holds."""

    def rolled_back(self) -> None:
        """What was written since the last commit does not hold."""


class Following:
    """Tells *changes* what *session* writes, until it is closed."""

    def __init__(self, session: Session, changes: Changes) -> None:
        self._session, self._changes = session, changes
        self._listeners: list[tuple[Any, str, Callable[..., Any]]] = [
            (orm.Spawner, "after_insert", self._written),
            (orm.Spawner, "after_update", self._written),
            (orm.Spawner, "after_delete", self._deleted),
            (session, "do_orm_execute", self._executed),
            (session, "after_commit", self._committed),
            (session, "after_soft_rollback", self._rolled_back),
        ]
        for target, what, listener in self._listeners:
            event.listen(target, what, listener)

    def close(self) -> None:
        """Tell nothing from now on."""
        for target, what, listener in self._listeners:
            event.remove(target, what, listener)
        self._listeners = []

    def _written(self, _mapper: object, _connection: object, row: orm.Spawner) -> None:
        if object_session(row) is self._session:
            _tell(self._changes, row)

    def _deleted(self, _mapper: object, _connection: object, row: orm.Spawner) -> None:
        if object_session(row) is self._session:
            self._changes.doubtful(row.id)

    def _executed(self, execution: ORMExecuteState) -> None:
        table = getattr(execution.statement, "table", None)
        if getattr(table, "name", "") in _TABLES:
            self._changes.unknown()

    def _committed(self, session: Session) -> None:
        if not session.in_nested_transaction():
            self._changes.committed()

    def _rolled_back(self, *_: object) -> None:
        self._changes.rolled_back()


_TABLES = ("users", "spawners", "servers")
_COLUMNS = ("user_id", "server_id", "state")


def _tell(changes: Changes, row: orm.Spawner) -> None:
    """The activity of each server is written often, which is no news."""
    seen = inspect(row)
    if seen.persistent and not any(seen.attrs[name].history.has_changes() for name in _COLUMNS):
        return
    values = seen.dict
    if seen.persistent and not all(name in values for name in _COLUMNS):
        changes.doubtful(row.id)  # what was not loaded is not known here
        return
    user_id, server_id, saved = (values.get(name) for name in _COLUMNS)
    changes.saved(SavedRow(row.id, user_id, server_id is not None, saved))


def url_of(config: Config) -> str:
    """Return the URL of the hub's database as *config* has it."""
    return str(config.JupyterHub.get("db_url", "sqlite:///jupyterhub.sqlite"))


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
