"""The steps of a log-in, as errors name them. What goes wrong in one does not belong here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from mcks.errors import MCKSError

FIND = "cannot find the cluster"
LOG_IN = "cannot log in"


def of_cluster(name: str, problems: Iterable[str]) -> list[str]:
    """Put the cluster's name in front of each of its *problems*."""
    return [f"cluster {name!r}: {problem}" for problem in problems]


@contextmanager
def naming(where: str, step: str = "") -> Iterator[None]:
    """Put *where* (the cluster) and *step* in front of an error's text.

    Inside are modules that know a cloud, but not for which cluster it is asked.
    """
    try:
        yield
    except MCKSError as exc:
        exc.args = (": ".join(filter(None, [where, step, str(exc)])),)
        raise
