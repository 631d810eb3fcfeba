"""How long a start waits for what a Pod may never get. What it waits for: scheduling.py. Pure."""

from __future__ import annotations

from typing import NamedTuple


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
