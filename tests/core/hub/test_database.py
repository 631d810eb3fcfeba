"""What the hub's database says of servers, data and other holders of a name."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from jupyterhub import orm
from sqlalchemy.orm import Session

from mcks.core.hub import database
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


def asking(session: Session, name: str) -> SimpleNamespace:
    user = session.query(orm.User).filter_by(name=name).one()
    return SimpleNamespace(db=session, orm_user=user)


@pytest.mark.parametrize(
    ("cluster", "key", "namespace", "data", "other"),
    [
        ("a", "jupyter-ada", "ns", [], "ada"),
        ("b", "jupyter-ada", "ns", [], ""),
        ("a", "jupyter-ada", "elsewhere", [], ""),
        ("a", "jupyter-ad", "ns", [], ""),
        ("a", "jupyter_ada", "ns", [], ""),
        ("a", "x", "ns", [HOME.where], "ada"),
        ("a", "x", "ns", [Ref("v1", "PersistentVolumeClaim", "home-ada", None)], "ada"),
        ("a", "x", "elsewhere", [Ref("v1", "PersistentVolumeClaim", "home-ada", None)], ""),
        ("a", "x", "ns", [Ref("v1", "ConfigMap", "home-ada", "ns")], ""),
        ("b", "x", "ns", [HOME.where], ""),
    ],
)
def test_names_that_another_user_holds_are_found(  # noqa: PLR0917
    session: Session, cluster: str, key: str, namespace: str, data: list[Ref], other: str
) -> None:
    session.add(orm.User(name="new"))
    bob = session.query(orm.User).filter_by(name="bob").one()
    session.query(orm.Spawner).filter_by(user=bob).delete()
    session.commit()
    created = Created(key, namespace)
    assert database.other_holder(asking(session, "new"), cluster, created, data) == other
    assert database.other_holder(asking(session, "ada"), cluster, created, data) == ""


def test_without_a_database_nobody_else_is_known() -> None:
    user = SimpleNamespace(id=1, name="ada", db=None, orm_user=None)
    assert database.other_holder(user, "a", Created("jupyter-ada", "ns"), []) == ""


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
