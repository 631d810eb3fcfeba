"""Who may use something: groups of the hub, and functions of the administrator. Nothing else."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from mcks.core.administrator.functions import failure


class Access(NamedTuple):
    """Both must say yes: *groups*, of which None is everybody, and *allow*, if there is one."""

    groups: frozenset[str] | None = None
    allow: Callable[..., Any] | None = None


EVERYBODY = Access()


class Group(Protocol):
    """A group of the hub."""

    name: str


class User(Protocol):
    """A user of the hub, who may be in groups."""

    name: str
    groups: Iterable[Group]


class AskingSpawner(Protocol):
    """The spawner of the user who asks; an administrator's function may look at all of it."""

    user: User
    log: logging.Logger


async def allowed(access: Access, spawner: AskingSpawner, what: str) -> bool:
    """Tell whether the user of *spawner* may. A function (async, too) that fails has said no.

    *what* it is about is for the log.
    """
    if access.groups is not None and not access.groups & groups_of(spawner):
        return False
    if access.allow is None:
        return True
    try:
        answer = access.allow(spawner)
        return bool(await answer if inspect.isawaitable(answer) else answer)
    except Exception as exc:
        told = failure(access.allow, exc)
        spawner.log.error("'allow' of %s: %s: so it is not allowed", what, told)
        return False


def groups_of(spawner: AskingSpawner) -> frozenset[str]:
    """Names of the hub's groups that the user is in."""
    return frozenset(group.name for group in spawner.user.groups)
