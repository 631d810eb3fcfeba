"""How many servers may run and start, and how long one may live, as an administrator says. Pure.

Counting servers, and ending them (`mcks.core.placement`), does not belong here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_LEAST = {"max_servers": 0, "max_starting": 1, "max_per_user": 0, "max_age": 1}
_MEANING = {"max_age": "seconds", "max_starting": "starts"}


class Limits(NamedTuple):
    """What one cluster or profile takes. None is without limit; *max_age* is in seconds."""

    max_servers: int | None = None
    max_starting: int | None = None
    max_per_user: int | None = None
    max_age: int | None = None

    @property
    def of_number(self) -> bool:
        """Whether servers must be counted."""
        return self.max_servers is not None or self.max_per_user is not None


UNLIMITED = Limits()


def mistake(name: str, value: Any) -> str:
    """Say what is wrong with *value* for the limit *name*, "" if nothing is.

    >>> mistake("max_age", "8h")
    "must be a whole number of seconds, 1 or more, or None for no limit, not '8h'"
    """
    least = _LEAST[name]
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return ""
    what = _MEANING.get(name, "servers")
    return f"must be a whole number of {what}, {least} or more, or None for no limit, not {value!r}"
