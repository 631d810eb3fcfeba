"""The index says at each moment what the database says, and reads it as a whole but once."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyterhub import orm
from sqlalchemy import create_engine, event, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from mcks.core.knowledge import records as records_module
from mcks.core.knowledge.database import knowledge
from mcks.core.knowledge.index import Index
from mcks.core.knowledge.records import Records
from mcks.core.objects import Ref
from mcks.core.servers import state
from mcks.core.servers.server import Created
from mcks.core.servers.state import State, UserObject

LOG = logging.getLogger("test")
NAMES = ("ada", "bob", "eve")


def saved(key: str, running: bool = True) -> dict[str, Any]:
    home = UserObject("a", Ref("v1", "PersistentVolumeClaim", f"home-{key}", "ns"))
    created = Created(key, "ns", "h", {"Pod": f"uid-{key}"}, keeps_data=True)
    known = State(created, "a", "https://a", data=(home,))
    return state.save(known if running else known.without_server())


class HubDatabase:
    """A database in memory, and how many statements were sent to it."""

    def __init__(self, expire_on_commit: bool = False) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        orm.Base.metadata.create_all(self.engine)
        self.session = Session(self.engine, expire_on_commit=expire_on_commit)
        self.statements: list[str] = []
        event.listen(self.engine, "before_cursor_execute", self._count)

    def _count(self, _c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.statements.append(statement)

    def user(self, name: str) -> Any:
        row = self.session.query(orm.User).filter_by(name=name).one_or_none()
        if row is None:
            row = orm.User(name=name)
            self.session.add(row)
            self.session.add(orm.Spawner(user=row, name=""))
            self.session.commit()
        return row

    def server(self, name: str) -> Any:
        return self.user(name).orm_spawners[""]

    def save(self, name: str, what: dict[str, Any] | None, runs: bool = True) -> None:
        row = self.server(name)
        row.state = what
        if runs and row.server is None:
            row.server = orm.Server()
        elif not runs and row.server is not None:
            self.session.delete(row.server)
            row.server = None
        self.session.commit()

    def records(self) -> Records:
        return Records(self.session, "h", LOG)

    def close(self) -> None:
        self.session.close()
        self.engine.dispose()


@pytest.fixture
def hub() -> Iterator[HubDatabase]:
    hub = HubDatabase()
    yield hub
    hub.close()


@contextmanager
def statements(hub: HubDatabase) -> Iterator[list[str]]:
    hub.statements.clear()
    yield hub.statements


def expect_the_same(index: Index, session: Session) -> None:
    known = knowledge(session, "h")
    for ours, theirs in (
        (index.servers, known.servers),
        (index.uids, known.uids),
        (index.unowned, known.unowned),
        (index.data, known.data),
    ):
        assert set(ours._rows) == theirs


async def test_the_database_is_read_once_and_then_its_session_tells(hub: HubDatabase) -> None:
    hub.save("ada", saved("jupyter-ada"))
    records = hub.records()
    await records.index()
    for name in NAMES:
        hub.save(name, saved(f"jupyter-{name}"))
        hub.save(name, saved(f"jupyter-{name}", running=False), runs=False)
        hub.save(name, saved(f"jupyter-{name}"))
    with statements(hub) as sent:
        index = await records.index()
        assert not await holder_of(records, 99, "jupyter-new")
    assert sent == []
    expect_the_same(index, hub.session)
    records.close()


async def holder_of(records: Records, user_id: int, key: str) -> str:
    user = SimpleNamespace(id=user_id, name="new", db=None, orm_user=None)
    return await records.other_holder(user, "a", Created(key, "ns", "h"), [])


async def test_a_holder_is_named_as_it_is_called_now_and_looked_up_by_its_id(
    hub: HubDatabase,
) -> None:
    hub.save("ada", saved("jupyter-ada"))
    records = hub.records()
    await records.index()
    hub.user("ada").name = "bob"
    hub.session.commit()
    with statements(hub) as sent:
        assert await holder_of(records, 99, "jupyter-ada") == "bob"
    assert len(sent) == 2
    assert all("WHERE spawners.id IN" in s or "WHERE users.id =" in s for s in sent)
    records.close()


async def test_nobody_is_refused_for_what_another_process_has_taken_out_of_the_database(
    hub: HubDatabase,
) -> None:
    hub.save("ada", saved("jupyter-ada"))
    records = hub.records()
    await records.index()
    hub.session.execute(text("DELETE FROM spawners"))
    assert await holder_of(records, 99, "jupyter-ada") == ""
    records.close()


async def test_what_another_process_writes_is_found_when_all_is_read_again(
    hub: HubDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_module, "SLICE", 2)
    for number in range(5):
        hub.save(f"user-{number}", saved(f"jupyter-{number}"))
    records = hub.records()
    await records.index()
    hub.session.execute(text("DELETE FROM spawners WHERE id IN (1, 4)"))
    hub.session.execute(text("UPDATE spawners SET server_id = NULL WHERE id = 5"))
    with statements(hub) as sent:
        await asyncio.gather(*(records.read_again() for _ in range(3)))
    assert len(sent) == 2
    expect_the_same(await records.index(), hub.session)
    records.close()


async def test_what_is_undone_or_written_by_the_table_is_read_again(hub: HubDatabase) -> None:
    for name in NAMES:
        hub.save(name, saved(f"jupyter-{name}"))
    records = hub.records()
    await records.index()
    hub.server("ada").state = saved("jupyter-other")
    hub.session.delete(hub.server("bob"))
    hub.session.flush()
    expect_the_same(await records.index(), hub.session)
    hub.session.rollback()
    expect_the_same(await records.index(), hub.session)
    assert len(await records.index()) == len(NAMES)
    hub.session.query(orm.Spawner).filter_by(id=1).delete()
    expect_the_same(await records.index(), hub.session)
    records.close()


@pytest.mark.parametrize("garbage", ['{"key": "x", "cluster": "a"}', "{", '{"data": [1]}'])
async def test_a_state_that_is_not_understood_makes_nothing_else_unknown(
    hub: HubDatabase, garbage: str, caplog: pytest.LogCaptureFixture
) -> None:
    hub.save("ada", saved("jupyter-ada"))
    hub.server("bob")
    hub.session.execute(text("UPDATE spawners SET state = :s WHERE id = 2"), {"s": garbage})
    records = hub.records()
    for _ in range(2):
        assert ("a", "ns", "jupyter-ada") in (await records.index()).servers
        await records.read_again()
    assert [records.understood] == [False]
    assert caplog.text.count("The state of server 2 is not understood") == 1
    foreign = '{"pod_name": "of another spawner"}'
    hub.session.execute(text("UPDATE spawners SET state = :s WHERE id = 2"), {"s": foreign})
    await records.read_again()
    assert records.understood
    records.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["run", "stop", "rename", "delete", "bulk", "undo", "foreign", "read"]),
        st.sampled_from(NAMES),
    ),
    max_size=12,
)


async def walk(hub: HubDatabase, steps: list[tuple[str, str]]) -> None:
    records = hub.records()
    await records.index()
    for what, name in steps:
        if what == "run":
            hub.save(name, saved(f"jupyter-{name}"))
        elif what == "stop":
            hub.save(name, saved(f"jupyter-{name}", running=False), runs=False)
        elif what == "rename":
            hub.user(name).name = f"{name}-{uuid.uuid4()}"
            hub.session.commit()
        elif what == "delete":
            hub.session.delete(hub.user(name))
            hub.session.commit()
        elif what == "bulk":
            hub.server(name)
            hub.session.query(orm.Spawner).filter_by(user_id=hub.user(name).id).update(
                {"server_id": None}
            )
            hub.session.commit()
        elif what == "undo":
            hub.server(name).state = saved("jupyter-undone")
            hub.session.flush()
            await records.index()
            hub.session.rollback()
        elif what == "foreign":
            hub.server(name)
            hub.session.execute(text("UPDATE spawners SET state = NULL, server_id = NULL"))
            hub.session.commit()
            hub.session.expire_all()
            await records.read_again()
        else:
            await records.read_again()
        expect_the_same(await records.index(), hub.session)
    records.close()


@settings(max_examples=25, derandomize=True, deadline=None, database=None)
@given(STEPS, st.booleans())
def test_whatever_the_hub_writes_the_index_says_what_the_database_says(
    steps: list[tuple[str, str]], expire: bool
) -> None:
    hub = HubDatabase(expire_on_commit=expire)
    try:
        asyncio.run(walk(hub, steps))
    finally:
        hub.close()
