"""How long a start waits for what a Pod may never get. What it waits for: scheduling.py. Pure."""

from __future__ import annotations

from typing import NamedTuple

from mcks.core.pods.scheduling import Kind, Waiting


class Patience(NamedTuple):
    """Seconds that one try waits, beside the time of the whole start. None: no limit but that."""

    place: float | None = None
    """Until a Pod for which no node is found is given up."""
    queue: float | None = None
    """Until a Pod behind a scheduling gate is given up."""
    scale_up: float = 0.0
    """More for a Pod for which the cluster is adding a node."""
    gateway: float | None = None
    """Until a gateway that answers nothing at all is given up, once the server runs."""


ENDLESS = Patience()
"""That of a start which has no other cluster to go to."""


class Clocks:
    """Since when one Pod has waited for what; each wait has its own clock."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._began: dict[Kind, float] = {}

    def until(self, waiting: Waiting, now: float) -> float | None:
        """Say when *waiting* has lasted too long, on the clock of *now*; None if it never does.

        What the autoscaler will not add is not waited for. Time in a queue is none of the search
        for a node, and a node that was found gets time of its own.
        """
        kind = Kind.PLACE if waiting.kind is Kind.PREEMPTION else waiting.kind
        began = self._began.setdefault(kind, now)
        if kind is Kind.QUEUE:
            return None if self._patience.queue is None else began + self._patience.queue
        if self._patience.place is None:
            return None
        if waiting.refused:
            return now
        more = self._patience.scale_up if waiting.growing else 0.0
        return began + self._patience.place + more
