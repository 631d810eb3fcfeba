"""Who may use something: groups of the hub, and functions of the administrator. Nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Access:
    """Both must say yes: *groups*, of which None is everybody, and *allow*, if there is one."""

    groups: frozenset[str] | None = None
    allow: Callable[..., Any] | None = None


EVERYBODY = Access()


async def allowed(access: Access, spawner: Any, what: str) -> bool:
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
    except Exception:
        spawner.log.exception("'allow' of %s failed, so it is not allowed", what)
        return False


def groups_of(spawner: Any) -> frozenset[str]:
    """Names of the hub's groups that the user is in."""
    return frozenset(group.name for group in getattr(spawner.user, "groups", ()))
