"""Kubernetes events of one pod, in words for people, and those that mcks tells itself.

Whether a pod is lost does not belong here (failures.py).
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from mcks.core.objects import Manifest, Ref
from mcks.core.pods import scheduling

_VOLUME = (47, "Waiting for the server's volume")
_STEPS = {
    "NotTriggerScaleUp": (40, "The cluster adds no machine at the moment, still looking"),
    "FailedScaleUp": (0, "A machine could not be added to the cluster"),
    "TriggeredScaleUp": scheduling.NEW_MACHINE,
    "Nominated": scheduling.NEW_MACHINE,
    "Scheduled": (43, "A place was found for the server"),
    "SuccessfulAttachVolume": (48, "The server's volume was attached"),
    "FailedMount": _VOLUME,
    "FailedAttachVolume": _VOLUME,
    "Pulling": (50, "Fetching the server's image"),
    "Pulled": (70, "The server's image is there"),
    "Created": (75, "The server's container was made"),
    "Started": (78, "The server's container was started"),
    "BackOff": (0, "Waiting before the next try"),
}
"""Reasons of the kubelet, the scheduler, the cluster autoscaler, that of GKE (FailedScaleUp) and
Karpenter (Nominated)."""


def sentence(event: Manifest) -> str:
    """One line with all that the event says, for the log."""
    return (
        f"{event.get('type', 'Event')} {event.get('reason', '')}: {event.get('message', '')}"
    ).strip()


def step(event: Manifest) -> tuple[int, str] | None:
    """Return (percent, plain sentence) for the progress page; percent 0 is for what is no step.

    None for all that has no such sentence: the words of a controller ("Cancelling deletion of
    Pod", addresses inside the cluster) are not for users, and warnings may pass. If they do not,
    the start fails with a sentence of its own, and all events are in the hub's log.
    """
    if event.get("reason") == "FailedScheduling":
        return scheduling.looking(event.get("message") or "")
    return _STEPS.get(event.get("reason", ""))


def is_about(event: Manifest, uid: str) -> bool:
    """Whether *event* happened to the Pod with *uid*: an older one may have had its name."""
    return bool((event.get("involvedObject") or {}).get("uid", uid) == uid)


def warning(pod: Ref, uid: str | None, reason: str, message: str) -> Manifest:
    """Make the event that tells *message* of *pod*, as ``kubectl describe`` and dashboards show."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = {"apiVersion": pod.api_version, "kind": pod.kind, "name": pod.name}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{pod.name}.{secrets.token_hex(8)}", "namespace": pod.namespace},
        "involvedObject": {**about, "namespace": pod.namespace, **({"uid": uid} if uid else {})},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "source": {"component": "mcks"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
