"""The protocols of spawners promise nothing that a spawner lacks: JupyterHub's has no types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jupyterhub import orm
from jupyterhub.user import User

from mcks.core.administrator import access
from mcks.core.hub import address, error_pages, removal, sharing_spawner
from mcks.core.knowledge import database
from mcks.core.profiles import choosing
from mcks.core.servers import starting
from tests.core.profiles.choosing.common import spawner_of


def promised(protocol: type) -> Iterator[str]:
    for cls in protocol.__mro__[:-1]:
        if getattr(cls, "_is_protocol", False) and cls.__module__.startswith("mcks."):
            yield from cls.__annotations__
            yield from (name for name in vars(cls) if not name.startswith("_"))


@pytest.mark.parametrize(
    "protocol",
    [
        access.AskingSpawner,
        choosing.ChoosingSpawner,
        starting.StartingSpawner,
        sharing_spawner.SharingSpawner,
        removal.RemovingSpawner,
        address.AddressedSpawner,
        error_pages.RefusedSpawner,
    ],
)
def test_a_spawner_has_all_that_is_read_of_it(protocol: type) -> None:
    names = set(promised(protocol))
    assert names
    spawner = spawner_of()
    assert {name for name in names if not hasattr(spawner, name)} == set()


@pytest.mark.parametrize(
    ("protocol", "attribute"),
    [
        (access.User, "user"),
        (database.HubUser, "user"),
        (error_pages.User, "user"),
        (starting.Hub, "hub"),
        (starting.Chosen, "choosing"),
    ],
)
def test_its_user_hub_and_choice_have_all_that_is_read_of_them(
    protocol: type, attribute: str
) -> None:
    names = set(promised(protocol))
    assert names
    part: Any = getattr(spawner_of(), attribute)
    assert {name for name in names if not hasattr(part, name)} == set()


def test_a_user_of_jupyterhub_has_what_is_read_of_users() -> None:
    session = orm.new_session_factory("sqlite:///:memory:")()
    session.add(row := orm.User(name="ada"))
    session.commit()
    user = User(row)
    for protocol in (access.User, database.HubUser, address.AddressedUser, error_pages.User):
        assert {name for name in promised(protocol) if not hasattr(user, name)} == set()
