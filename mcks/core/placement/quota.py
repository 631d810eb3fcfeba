"""The administrator's word before a start makes anything: ``quota`` refuses it, or lets it through.

Where the sentence is shown, and which cluster is tried next, does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from mcks.core.administrator import functions
from mcks.core.administrator.lending import read


class AccountedSpawner(Protocol):
    """A spawner, as far as its administrator counts what its user may have."""

    quota: Callable[..., Any] | None


async def asked(spawner: AccountedSpawner, cluster: str) -> str:
    """Ask whether *spawner* may start in *cluster*; return a sentence for its user, or "".

    Raises Refused and whatever else the function refuses with, FunctionFailed, and ConfigError for
    an answer that is no sentence: it might be a no.
    """
    quota = read(spawner, "quota")
    if quota is None:
        return ""
    answer = await functions.ask(quota, spawner, "quota", cluster)
    return functions.sentence(answer, "quota", quota)
