"""What a Pod without a place waits for, in words for its user. Pure.

For how long it may (patience.py), and whether the Pod is lost (failures.py), do not belong here.
What keeps it off each node: obstacles.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple

from mcks.core.names import KUEUE_QUEUE
from mcks.core.objects import Manifest, metadata
from mcks.core.pods import obstacles

_DEFAULT_SCHEDULER = "default-scheduler"
_KUEUE_ADMISSION = "kueue.x-k8s.io/admission"
_KUEUE_TOPOLOGY = "kueue.x-k8s.io/topology"
_KARPENTER_REFUSES = "Failed to schedule pod, "
_SECONDS = len("2026-01-01T00:00:00")

NEW_MACHINE = (42, "The cluster is adding a machine, which may take some minutes")
"""For the progress page: percent and sentence."""


class Kind(Enum):
    """What a Pod without a place waits for."""

    QUEUE = "a queue lets it go on"
    PLACE = "a node for it"
    PREEMPTION = "others end, on a node that is chosen already"
    NODE = "its node takes it"


class Waiting(NamedTuple):
    """What one Pod waits for. ``now`` is the sentence of the progress page, ``in_vain`` what the
    user is told if it never came; ``said`` are Kubernetes' words, for the log. ``growing`` and
    ``refused`` are what the cluster's autoscaler says: it adds a node for this Pod, or will not,
    and nothing else helps."""

    kind: Kind
    percent: int
    now: str
    in_vain: str
    said: str = ""
    growing: bool = False
    refused: bool = False


class Growth(Enum):
    """What the cluster's autoscaler does for a Pod, as a clause behind why there is no place."""

    NONE = ""
    COMING = ", and the machine that is being added did not come in time"
    FAILED = ", and a machine could not be added"
    REFUSED = ", and no machine is added"


class Told(NamedTuple):
    """An autoscaler's last word on a Pod, and when it was said."""

    growth: Growth = Growth.NONE
    said: str = ""
    when: str = ""

    def then(self, event: Manifest) -> Told:
        """Return what holds after *event*, which may be an older one, or of somebody else."""
        growth = _growth(event)
        if growth is None or (when := _time(event)) < self.when:
            return self
        return Told(growth, f"{event['reason']}: {event.get('message', '')}", when)


NOTHING_TOLD = Told()
_REASONS = {
    "TriggeredScaleUp": Growth.COMING,
    "Nominated": Growth.COMING,
    "FailedScaleUp": Growth.FAILED,
    "NotTriggerScaleUp": Growth.REFUSED,
}
"""Reasons of events of the cluster autoscaler, GKE's (FailedScaleUp) and Karpenter (Nominated)."""


def _growth(event: Manifest) -> Growth | None:
    reason, message = event.get("reason", ""), event.get("message") or ""
    if reason == "FailedScheduling" and message.startswith(_KARPENTER_REFUSES):
        return Growth.REFUSED
    return _REASONS.get(reason)


def _time(event: Manifest) -> str:
    """When *event* was seen last, to the second: whoever writes events uses one of these."""
    times: Iterable[Any] = (
        (event.get("series") or {}).get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        metadata(event).get("creationTimestamp") if "metadata" in event else None,
    )
    return str(next(filter(None, times), ""))[:_SECONDS]


def waits_for(pod: Manifest, told: Told = NOTHING_TOLD) -> Waiting | None:
    """Say what *pod* waits for; None once its node has taken it.

    *told* is what an autoscaler has said of it, if anybody listened.
    """
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    begun = status.get("initContainerStatuses") or status.get("containerStatuses")
    if begun or status.get("phase", "Pending") != "Pending":
        return None
    gates = [str(gate.get("name", "")) for gate in spec.get("schedulingGates") or ()]
    if gates:
        return _in_queue(gates, metadata(pod).get("labels") or {})
    condition = _scheduled(status)
    if spec.get("nodeName") or condition.get("status") == "True":
        return _on_node(str(spec.get("nodeName", "")))
    if "status" not in condition:
        return _unseen(str(spec.get("schedulerName", _DEFAULT_SCHEDULER)))
    return _unschedulable(status, str(condition.get("message", "")), told)


def is_unschedulable(pod: Manifest) -> bool:
    """Whether a scheduler has looked for a node for *pod*, and found none."""
    waiting = waits_for(pod)
    looked = "status" in _scheduled(pod.get("status") or {})
    return waiting is not None and waiting.kind in (Kind.PLACE, Kind.PREEMPTION) and looked


def _scheduled(status: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions: Iterable[Mapping[str, Any]] = status.get("conditions") or ()
    return next((one for one in conditions if one.get("type") == "PodScheduled"), {})


def _in_queue(gates: list[str], labels: Mapping[str, str]) -> Waiting:
    said = f"scheduling gates: {', '.join(gates)}"
    if queue := labels.get(KUEUE_QUEUE):
        said += f"; queue of Kueue: {queue}"
    if _KUEUE_ADMISSION in gates:
        name = queue or "Kueue"
    elif _KUEUE_TOPOLOGY in gates:
        return Waiting(
            Kind.QUEUE,
            35,
            "Kueue is choosing the server's machine",
            f"Kueue did not choose a machine for your server in time. {obstacles.LATER}",
            said,
        )
    else:
        name = ", ".join(gates)
    return Waiting(
        Kind.QUEUE,
        35,
        f"In the queue of {name}",
        f"Your server was still in the queue of {name} when its time was over. {obstacles.LATER}",
        said,
    )


def _on_node(node: str) -> Waiting:
    return Waiting(
        Kind.NODE,
        45,
        "The cluster prepares the server's container",
        f"The machine that was found for your server does not take it. {obstacles.LATER}",
        f"its node {node} has not begun with the pod",
    )


def _unseen(scheduler: str) -> Waiting:
    instead = ""
    if scheduler != _DEFAULT_SCHEDULER:
        instead = f", or leave that to {_DEFAULT_SCHEDULER!r}"
    return Waiting(
        Kind.PLACE,
        40,
        "Waiting for a place in the cluster",
        f"The cluster found no place for your server in time. {obstacles.LATER}",
        f"no scheduler {scheduler!r} has looked at the pod: let it run in this cluster{instead}",
    )


def _unschedulable(status: Mapping[str, Any], message: str, told: Told) -> Waiting:
    if node := status.get("nominatedNodeName"):
        return _preempting(str(node), message)
    return _without_node(message, told)


def _preempting(node: str, message: str) -> Waiting:
    return Waiting(
        Kind.PREEMPTION,
        41,
        "The cluster makes room for the server: it ends what has a lower priority",
        "The cluster was making room for your server by ending what has a lower priority, which "
        f"took too long. {obstacles.LATER}",
        f"nominated node {node}: {message}",
    )


def _without_node(message: str, told: Told) -> Waiting:
    obstacle = obstacles.of_message(message)
    growing = told.growth is Growth.COMING
    refused = told.growth is Growth.REFUSED and obstacle.a_node_helps
    because = obstacle.why or "no machine is right for it"
    percent, now = NEW_MACHINE if growing else looking(message)
    if refused:
        now += Growth.REFUSED.value
    return Waiting(
        Kind.PLACE,
        percent,
        now,
        f"The cluster has no place for your server: {because}{told.growth.value}. "
        f"{obstacle.advice}",
        "\n".join(filter(None, (message or "the pod is unschedulable", told.said))),
        growing,
        refused,
    )


def looking(message: str) -> tuple[int, str]:
    """Return (percent, sentence) for the progress page while no node is found, as the scheduler's
    *message* says."""
    why = obstacles.of_message(message).why
    return 40, "No place in the cluster yet, still looking" + (f": {why}" if why else "")
