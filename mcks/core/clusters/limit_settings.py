"""Settings of how many servers one cluster takes. Counting does not belong here."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from traitlets import Bool, HasTraits, Integer, TraitError

from mcks.core.administrator.limits import Limits, mistake


class _Limit(Integer):  # type: ignore[type-arg]
    """A whole number that makes sense as this limit, or None."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(None, allow_none=True, **kwargs)

    def validate(self, obj: Any, value: Any) -> int:
        if wrong := mistake(str(self.name), value):
            raise TraitError(f"The {self.name!r} trait of a {type(obj).__name__} instance {wrong}")
        return int(value)


class LimitSettings(HasTraits):
    """Settings of ``Cluster``. They hold for all profiles, beside those of a profile."""

    max_servers = _Limit(
        config=True,
        help="""
        How many servers there may be in this cluster at a time, those that start and end included.

        A start beyond that goes to the profile's next cluster, or is refused with a sentence that
        says why.
        """,
    )
    max_starting = _Limit(
        config=True,
        help="""
        How many servers may start in this cluster at a time. Further ones wait for their turn, in
        the order in which they came, and the progress page tells their place.
        """,
    )
    max_per_user = _Limit(
        config=True,
        help="""
        How many servers one user may have in this cluster at a time.
        """,
    )
    max_age = _Limit(
        config=True,
        help="""
        Seconds after which a server is ended, used or not, counted from its start.

        Users are told at the start. It holds for servers that start from now on.
        """,
    )
    count_other_hubs = Bool(
        False,
        config=True,
        help="""
        Whether servers of other hubs, in the namespace that this hub watches, count as well, for
        ``max_servers`` and ``max_per_user``.

        Without it only the servers of this hub count.
        """,
    )

    @cached_property
    def limits(self) -> Limits:
        """The limits as one value."""
        return Limits(self.max_servers, self.max_starting, self.max_per_user, self.max_age)
