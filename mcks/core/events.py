"""Kubernetes events of one pod, in words for people. Whether a pod is lost: failures.py."""

from __future__ import annotations

from collections.abc import AsyncIterator

from mcks.core.client import ClusterClient
from mcks.core.objects import Manifest, Ref, Selection

_WORDS = {
    "Scheduled": "A place was found for the server",
    "Pulling": "Fetching the server's image",
    "Pulled": "The server's image is there",
    "Created": "The server's container was made",
    "Started": "The server's container was started",
    "FailedScheduling": "No place in the cluster yet, still looking",
    "TriggeredScaleUp": "The cluster is adding a machine",
    "SuccessfulAttachVolume": "The server's volume was attached",
    "FailedMount": "Waiting for the server's volume",
    "FailedAttachVolume": "Waiting for the server's volume",
    "BackOff": "Waiting before the next try",
}


def sentence(event: Manifest) -> str:
    """One line with all that the event says, for the log."""
    return (
        f"{event.get('type', 'Event')} {event.get('reason', '')}: {event.get('message', '')}"
    ).strip()


def words(event: Manifest) -> str:
    """One plain sentence for the user."""
    reason = event.get("reason", "")
    return _WORDS.get(reason) or f"{reason}: {event.get('message', '')}"


async def follow(client: ClusterClient, pod: Ref) -> AsyncIterator[Manifest]:
    """Yield the events of *pod*, those that have been first, until the watch ends."""
    selection = Selection(
        "v1",
        "Event",
        pod.namespace,
        field_selector=f"involvedObject.kind=Pod,involvedObject.name={pod.name}",
    )
    async for event in client.watch(selection, ""):
        if event.type in ("ADDED", "MODIFIED"):
            yield event.object
