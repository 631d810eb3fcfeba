"""Tries: one start's way through its candidates, how much time each gets, and what is told. Pure.

Which clusters they are (hub/placing.py), and what a try does (spawner.py), does not belong here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence

from mcks.core.placement.data_guard import title
from mcks.core.pods.patience import Patience
from mcks.core.servers.progress import Progress
from mcks.errors import MCKSError, NoneWorked


class Tries:
    """The *names* of clusters in which a start is tried, in this order, within *seconds* in all.

    Iterate over it, and tell it of each try that ``failed``.
    """

    def __init__(
        self,
        names: Sequence[str],
        seconds: float,
        progress: Progress,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names, self._progress, self._now = names, progress, now
        self.are_several = len(names) > 1
        """Whether more than one cluster is named, even if others are left out."""
        self._ends = now() + seconds
        self._position = 0
        self._failed: list[tuple[str, MCKSError]] = []

    def __iter__(self) -> Iterator[str]:
        for position, name in enumerate(self._names):
            self._position = position
            yield name

    @property
    def seconds_left(self) -> float:
        """Those of the whole start."""
        return max(self._ends - self._now(), 0.0)

    @property
    def share(self) -> float:
        """Seconds that the present try may wait for what its cluster may not have: a fair share of
        what is left, so that each of the others gets one, too."""
        return self.seconds_left / (len(self._names) - self._position)

    @property
    def is_last(self) -> bool:
        """Whether there is no other cluster to go to."""
        return self._position >= len(self._names) - 1

    def patience(self, place: float, queue: float | None, scale_up: float) -> Patience:
        """Return how long the present try waits; these are the seconds that are configured.

        The last one waits as long as the start may take.
        """
        if self.is_last:
            return Patience(None, queue, scale_up)
        share = self.share
        queued = share if queue is None else min(queue, share)
        return Patience(min(place, share), queued, min(scale_up, share), min(place, share))

    def leave_out(self, name: str, failure: MCKSError) -> None:
        """Take out, before the first try, one of several that need not be tried: why is known.

        Raises ``NoneWorked`` if none is left.
        """
        self._names = [other for other in self._names if other != name]
        self._failed.append((title(name), failure))
        if not self._names:
            raise NoneWorked(self._failed)
        self._progress.say(f"{title(name)}: {failure.jupyterhub_message}")

    def failed(self, failure: MCKSError, *, ends: bool = False) -> None:
        """Take in why the present try failed, and say that the next one follows.

        Raises it, or ``NoneWorked`` after several tries, if there is no next one, it would fail
        everywhere, or the start *ends* in any case.
        """
        name = title(self._names[self._position])
        self._failed.append((name, failure))
        if ends or self.is_last or not failure.elsewhere or self.seconds_left <= 0:
            raise failure if len(self._failed) == 1 else NoneWorked(self._failed) from failure
        following = title(self._names[self._position + 1])
        why = _first_sentence(failure.jupyterhub_message)
        self._progress.again(f"{name}: {why} Trying {following} next")


def _first_sentence(words: str) -> str:
    """Leave out what to do about a failure: the start itself goes on.

    >>> _first_sentence("The quota has no room for 1.5 GiB. Stop a server.")
    'The quota has no room for 1.5 GiB.'
    """
    return re.split(r"(?<=[.!?])\s", words, maxsplit=1)[0]
