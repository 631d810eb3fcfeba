"""What a hub knows of starts under way, beside what its database says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from mcks.core.knowledge.memory import Memory
from mcks.core.objects import Ref
from mcks.core.placement.counting import Scope
from mcks.core.servers import state
from mcks.core.servers.server import Created
from mcks.core.servers.state import State, UserObject
from tests.core.calls import counted
from tests.core.knowledge.test_records import HubDatabase

PLACE = ("a", "ns", "jupyter-ada")


@pytest.fixture
def hub() -> Iterator[HubDatabase]:
    hub = HubDatabase()
    yield hub
    hub.close()


class Starting:
    """A spawner that starts jupyter-ada."""

    name = ""

    def __init__(self) -> None:
        self.user: Any = SimpleNamespace(id=1, name="ada")
        created = Created("jupyter-ada", "ns", "h", {"Pod": "uid"})
        self.remembered = State(created, "a", "https://a")
        self._starting = True


async def test_a_start_is_known_until_the_database_says_the_same(hub: HubDatabase) -> None:
    memory = Memory(hub.session, "h", logging.getLogger("test"))
    spawner = Starting()
    memory.join(spawner)

    async def is_known() -> bool:
        known = await memory.known()
        assert known is not None
        assert (PLACE in known.servers) == ("uid" in known.uids)
        return PLACE in known.servers

    assert await is_known()
    spawner._starting = False
    assert await is_known()
    hub.save("ada", state.save(spawner.remembered))
    assert await is_known()
    hub.save("ada", {}, runs=False)
    assert not await is_known()
    memory.close()


async def test_the_places_of_servers_are_those_of_profiles_of_starts_and_of_the_database(
    hub: HubDatabase,
) -> None:
    memory = Memory(hub.session, "h", logging.getLogger("test"), {"of-profile"})
    known = await memory.known()
    assert known is not None
    assert (known.namespaces, known.places("a")) == ({"of-profile"}, set())
    spawner = Starting()
    memory.join(spawner, {"of-start"})
    hub.save("bob", state.save(State(Created("jupyter-bob", "bobs", "h"), "a", "https://a")))
    known = await memory.known()
    assert known is not None
    assert known.namespaces == {"of-profile", "of-start"}
    assert (known.places("a"), known.places("b")) == ({"ns", "bobs"}, set())
    del spawner
    known = await memory.known()
    assert known is not None
    assert known.namespaces == {"of-profile", "of-start"}
    assert known.places("a") == {"bobs"}
    memory.close()


async def test_without_a_database_nothing_can_be_told() -> None:
    memory = Memory(None, "h", logging.getLogger("test"))
    assert await memory.known() is await memory.verified() is None
    await memory.keep()
    user: Any = SimpleNamespace(id=1, name="ada", db=None, orm_user=None)
    assert await memory.other_holder(user, "a", Created("jupyter-ada", "ns"), []) == ""
    memory.close()


async def test_what_is_not_understood_is_no_proof_that_a_server_is_unknown(
    hub: HubDatabase,
) -> None:
    hub.save("ada", {"key": "x", "cluster": "a"})
    memory = Memory(hub.session, "h", logging.getLogger("test"))
    assert await memory.known() is not None
    assert await memory.verified() is None
    hub.save("ada", {})
    assert await memory.verified() is not None
    memory.close()


def spawner_of(user: Any, name: str, remembered: State) -> Any:
    owner = SimpleNamespace(id=user.id, name=user.name, orm_user=user)
    return Spawner(name=name, user=owner, remembered=remembered, _starting=True)


class Spawner:
    """As far as a memory knows one."""

    def __init__(self, **known: Any) -> None:
        vars(self).update(known)


async def test_a_server_may_use_its_own_data_and_what_others_share_or_are_making(
    hub: HubDatabase,
) -> None:
    ada = hub.user("ada")
    claims = [Ref("v1", "PersistentVolumeClaim", name, "ns") for name in ("home", "own", "made")]
    home, own = UserObject("a", claims[0]), UserObject("b", claims[1], of_server=True)
    hub.save("ada", state.save(State(data=(home,))), runs=False)
    memory = Memory(hub.session, "h", logging.getLogger("test"))
    two = spawner_of(ada, "two", State(data=(own,)))
    making = spawner_of(ada, "three", State(Created("k", "ns", data=(claims[2],)), "c"))
    stranger = spawner_of(hub.user("bob"), "", State(data=(home._replace(cluster="d"),)))
    for spawner in (two, making, stranger):
        memory.join(spawner)
    assert memory.data_of_others(two) == [home, UserObject("c", claims[2])]
    assert memory.data_for(two) == [home, UserObject("c", claims[2]), own]
    assert memory.data_for(stranger) == [home._replace(cluster="d")]
    memory.close()


@pytest.mark.parametrize("count", [1, 200])
def test_what_a_user_has_is_found_without_a_look_at_the_starts_of_others(count: int) -> None:
    memory = Memory(None, "h", logging.getLogger("test"))
    user: Any = SimpleNamespace(id=0, orm_user=None)
    others = [Starting() for _ in range(count)]
    for number, spawner in enumerate(others, 1):
        spawner.user = SimpleNamespace(id=number, name=f"user-{number}")
        memory.join(spawner)
    one = Starting()
    one.user = user
    memory.join(one)
    with counted() as calls:
        assert memory.data_for(one) == []
    assert len(calls) < 20, calls


async def test_servers_are_counted_without_a_look_into_the_database(hub: HubDatabase) -> None:
    hub.save("ada", state.save(Starting().remembered))
    memory = Memory(hub.session, "h", logging.getLogger("test"))
    assert memory.seen_counts().count(Scope(cluster="a")) == 0  # it was never read
    assert (await memory.counts()).count(Scope(cluster="a")) == 1
    hub.save("bob", state.save(Starting().remembered))
    hub.statements.clear()
    assert (await memory.counts()).count(Scope(cluster="a")) == 2
    assert memory.seen_counts().count(Scope(cluster="a")) == 2
    assert hub.statements == []
    memory.close()
    without = Memory(None, "h", logging.getLogger("test"))
    assert (await without.counts()).count(Scope()) == without.seen_counts().count(Scope()) == 0


async def test_it_is_not_told_what_is_known_before_the_profiles_have_been_read(
    hub: HubDatabase,
) -> None:
    memory, read = Memory(hub.session, "h", logging.getLogger("test")), asyncio.Event()

    async def learn() -> None:
        await read.wait()
        memory.live_in({"of-profile"})

    memory.learn(asyncio.create_task(learn()))
    asking = [asyncio.create_task(ask()) for ask in (memory.known, memory.verified)]
    await asyncio.wait(asking, timeout=0)
    assert not any(task.done() for task in asking)
    read.set()
    for known in await asyncio.gather(*asking):
        assert known is not None
        assert known.namespaces == {"of-profile"}
    memory.close()


async def test_what_ended_while_it_was_read_keeps_nobody_waiting(hub: HubDatabase) -> None:
    memory = Memory(hub.session, "h", logging.getLogger("test"))
    learning = asyncio.create_task(asyncio.Event().wait())
    memory.learn(learning)  # type: ignore[arg-type]
    learning.cancel()
    assert await memory.known() is not None
    memory.close()
