"""What is known of a running server's Pod at the moment. No network.

Starting and ending it (launch.py) does not belong here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mcks.core.objects import Manifest
from mcks.core.pods import failures
from mcks.core.servers import server

if TYPE_CHECKING:
    from mcks.core.clusters.connected import ConnectedCluster


class Sighting(NamedTuple):
    """What is known of a server's Pod. ``exit_code`` is None unless it has ended."""

    there: bool
    exit_code: int | None
    pod: Manifest | None = None

    @property
    def last_words(self) -> str:
        """What its user should know of its end, mostly nothing."""
        return "" if self.pod is None else failures.last_words(self.pod)


def look(connection: ConnectedCluster, created: server.Created) -> Sighting | None:
    """Say what is known at the moment, None if that is nothing. No network."""
    pods = connection.pods_of(created.namespace)
    if not pods.synced.is_set():
        return None
    pod = pods.get(created.where("Pod"))
    if pod is not None and created.owns(pod):
        return Sighting(True, failures.exit_code(pod), pod)
    pod = pods.last(created.uids.get("Pod") or "")
    if pod is None:
        return Sighting(False, 1)
    code = failures.exit_code(pod)
    return Sighting(False, 1 if code is None else code, pod)
