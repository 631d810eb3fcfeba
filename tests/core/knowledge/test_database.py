"""What the hub's database says of servers, data and other holders of a name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from jupyterhub import orm
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from mcks.core.knowledge import database
from mcks.core.objects import Ref
from mcks.core.servers import state
from mcks.core.servers.server import Created
from mcks.core.servers.state import State, UserObject
from mcks.errors import ConfigError

HOME = UserObject("a", Ref("v1", "PersistentVolumeClaim", "home-ada", "ns"))
RUNNING = State(Created("jupyter-ada", "ns", "h", {"Pod": "uid"}), "a", "https://a", data=(HOME,))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'jupyterhub.sqlite'}"


@pytest.fixture
def session(url: str) -> Session:
    session: Session = orm.new_session_factory(url)()
    ada, bob = orm.User(name="ada"), orm.User(name="bob")
    stopped = State(Created("jupyter-bob", "ns"), "a", data=(HOME,))
    session.add_all(
        [
            orm.Spawner(user=ada, name="", state=state.save(RUNNING), server=orm.Server()),
            orm.Spawner(user=ada, name="two", state={}, server=orm.Server()),
            orm.Spawner(user=bob, name="", state=state.save(stopped)),
            orm.Spawner(user=bob, name="never", state=None),
        ]
    )
    session.commit()
    return session


def test_servers_that_run_are_known_and_the_data_of_all(session: Session) -> None:
    known = database.knowledge(session, "h")
    assert known.servers == {("a", "ns", "jupyter-ada")}
    assert known.uids == {"uid"}
    assert known.data == {("a", HOME.where)}
    assert known.users == {"ada", "bob"}


def test_data_of_a_user_is_that_of_all_servers(session: Session) -> None:
    ada = session.query(orm.User).filter_by(name="ada").one()
    assert database.data_of_user(SimpleNamespace(orm_user=ada)) == [HOME]


def test_a_user_has_the_name_of_now(session: Session) -> None:
    ada = session.query(orm.User).filter_by(name="ada").one()
    ada.name = "eve"
    session.commit()
    assert database.name_of(session, ada.id) == "eve"
    assert database.name_of(session, 99) == ""


def test_rows_are_read_in_slices_and_by_their_ids(session: Session) -> None:
    first = database.slice_after(session, 0, 3)
    rest = database.slice_after(session, first[-1].id, 3)
    assert [row.runs for row in [*first, *rest]] == [True, True, False, False]
    assert [row.state for row in rest] == [None]
    ids = {row.id for row in rest}
    assert database.rows_of(session, ids | {99}) == rest


def test_what_is_no_json_is_no_state_but_stops_nobody(session: Session) -> None:
    session.execute(text("UPDATE spawners SET state = '{' WHERE name = 'never'"))
    assert [row.state for row in database.slice_after(session, 3, 9)] == ["{"]


class Told:
    """What a session told, in words."""

    def __init__(self) -> None:
        self.words: list[object] = []

    def saved(self, row: database.SavedRow) -> None:
        self.words.append((row.id, row.runs, row.state))

    def doubtful(self, row_id: int) -> None:
        self.words.append(row_id)

    def unknown(self) -> None:
        self.words.append("unknown")

    def committed(self) -> None:
        self.words.append("committed")

    def rolled_back(self) -> None:
        self.words.append("rolled back")


@pytest.fixture
def told(session: Session) -> Iterator[Told]:
    told = Told()
    following = database.Following(session, told)
    yield told
    following.close()
    bob = session.query(orm.User).filter_by(name="bob").one()
    words = list(told.words)
    bob.orm_spawners[""].state = {"a": 1}
    session.commit()
    assert told.words == words


def server_of(session: Session, user: str) -> orm.Spawner:
    row = session.query(orm.User).filter_by(name=user).one()
    return row.orm_spawners[""]


def test_a_servers_start_state_and_stop_are_told_and_its_activity_is_not(
    session: Session, told: Told
) -> None:
    row = server_of(session, "bob")
    row.state = {"a": 1}
    row.server = orm.Server()
    session.commit()
    row.last_activity = datetime.now(UTC).replace(tzinfo=None)
    session.commit()
    session.delete(row.server)
    session.commit()
    saved = (row.id, True, {"a": 1})
    assert told.words == [
        saved,
        "committed",
        "committed",
        (*saved[:1], False, saved[2]),
        "committed",
    ]


def test_a_new_server_is_told_and_one_that_goes_with_its_user(session: Session, told: Told) -> None:
    bob = session.query(orm.User).filter_by(name="bob").one()
    session.add(new := orm.Spawner(user=bob, name="new"))
    session.commit()
    assert told.words == [(new.id, False, None), "committed"]
    ids = {row.id for row in bob.orm_spawners.values()}
    del told.words[:]
    session.delete(bob)
    session.commit()
    assert {*told.words} == {*ids, "committed"}
    session.add(orm.User(name="bob"))
    session.add(orm.Spawner(user=session.query(orm.User).filter_by(name="bob").one(), name=""))
    session.commit()


def test_what_tells_no_rows_is_said_and_what_is_undone(session: Session, told: Told) -> None:
    session.query(orm.APIToken).delete()
    session.query(orm.Spawner).filter_by(name="two").delete()
    session.rollback()
    assert told.words == ["unknown", "rolled back"]


def test_what_another_session_writes_is_not_told(session: Session, told: Told, url: str) -> None:
    with Session(create_engine(url)) as other:
        server_of(other, "bob").state = {"a": 1}
        other.commit()
        other.get_bind().dispose()  # type: ignore[union-attr]
    assert told.words == []


def test_a_database_can_be_read_beside_the_hub(session: Session, url: str) -> None:
    for spelled in (url, url.removeprefix("sqlite:///")):
        with database.opened(spelled) as opened:
            assert database.knowledge(opened, "h").users == {"ada", "bob"}


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    absent = tmp_path / "absent.sqlite"
    with pytest.raises(ConfigError, match="does not exist here"), database.opened(str(absent)):
        pass
    assert not absent.exists()


def test_a_database_without_users_is_not_believed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    orm.new_session_factory(url)().close()
    with pytest.raises(ConfigError, match="knows no user"), database.opened(url):
        pass


def test_what_is_no_hubs_database_is_said_without_its_password(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"")
    with (
        pytest.raises(ConfigError, match="cannot be read"),
        database.opened(f"sqlite:///{tmp_path / 'x.sqlite'}"),
    ):
        pass


def test_what_a_server_shares_with_others_is_not_its_own_nor_theirs_alone(
    session: Session,
) -> None:
    ada = session.query(orm.User).filter_by(name="ada").one()
    user = SimpleNamespace(orm_user=ada)
    alone = HOME._replace(cluster="b", of_server=True)
    ada.orm_spawners["two"].state = state.save(State(data=(alone,)))
    assert database.shared_by_others(user, "two") == [HOME]
    assert database.shared_by_others(user, "") == []
    assert database.shared_by_others(SimpleNamespace(orm_user=None), "") == []
