"""Pod status -> is it hopeless, and what to tell whom. Pure.

Which words of a container runtime are hopeless (image_pulls.py) and what the API server refuses
(refusals.py) do not belong here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mcks.core.gateways.routes import Target
from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest, Ref, metadata, ref
from mcks.core.pods import containers, image_pulls, scheduling
from mcks.core.pods.containers import Container, Role
from mcks.core.pods.image_pulls import Outlook
from mcks.errors import ASK_ADMINISTRATORS as _ASK

_AGAIN = "Try again, or choose another profile."
_OTHERWISE = "Choose another profile, or tell the administrators of this hub."
_WAITING = {
    "CreateContainerConfigError": (
        "container-config",
        "{} needs something that its cluster does not have.",
    ),
    "CreateContainerError": ("container", "{} could not be made."),
    "RunContainerError": ("container", "{} could not be run."),
    "CrashLoopBackOff": ("crash", "{} ends as soon as it is started, again and again."),
}
_OOM = "The server needed more memory than its limit. Choose a profile with more memory."
_EVICTED = "The cluster needed the server's place and evicted it. Start it again."
_PREEMPTED = "What has a higher priority took the server's place in the cluster. Start it again."
_NODE_LOST = "The cluster lost the machine that the server was on. Start it again."
_TAKEN = {
    "Evicted": _EVICTED,
    "Preempting": _PREEMPTED,
    "Terminated": _EVICTED,
    "NodeShutdown": _EVICTED,
    "NodeLost": _NODE_LOST,
}
"""Reasons of a Pod that its cluster took away."""
_DISRUPTIONS = {
    "PreemptionByScheduler": _PREEMPTED,
    "DeletionByTaintManager": _NODE_LOST,
    "DeletionByPodGC": _NODE_LOST,
}
"""Reasons of a Pod's condition DisruptionTarget that tell more than that."""
_DISRUPTED = {"DisruptionTarget", "TerminationTarget"}
"""Conditions of a Pod that its cluster, or Kueue, takes away."""
_REFUSED_BY_NODE = (
    r"OutOf|UnexpectedAdmissionError$|TopologyAffinityError$|NodeAffinity$|NodePorts$"
)
_NOT_TAKEN = (
    "The machine that was found for the server had no place for it after all. Start it again."
)
_PASSING = (
    r"failed to sync|timed out|deadline exceeded|is reserved for|connection refused|unavailable"
)
"""A busy kubelet's or container runtime's words: it tries again by itself, and mostly succeeds."""
_ABSENT = r'(?P<kind>secret|configmap) "(?P<name>[^"]+)" not found'
_KINDS = {"secret": "Secret", "configmap": "ConfigMap"}


class Verdict(NamedTuple):
    """Why a pod cannot start. ``reason`` is a short word for metrics, ``message`` for the user,
    ``details`` (Kubernetes' own words) for the log. ``absent`` is the object that the kubelet
    misses: its memory may be old, so the verdict holds only if the object really is not there.
    ``container`` is the one whose log may tell more."""

    reason: str
    message: str
    details: str = ""
    absent: Ref | None = None
    container: str = CONTAINER


GONE = Verdict("gone", "The server was removed from its cluster while it started. Start it again.")
NO_ANSWER = Verdict(
    "no-answer", f"The cluster stopped answering while the server started. {_AGAIN}"
)
NEVER_MADE = Verdict(
    "timeout",
    f"The cluster did not bring up the server in time. {_AGAIN}",
    "the pod was never made",
)


def hopeless(pod: Manifest) -> Verdict | None:
    """Say why *pod* will never become ready, None while there is hope."""
    if _has_ended(pod):
        return _ended(pod)
    if metadata(pod).get("deletionTimestamp"):
        return vanished(pod)
    return next(filter(None, (_stuck(pod, one) for one in containers.of(pod))), None)


def vanished(pod: Manifest | None) -> Verdict:
    """Say why a *pod* that goes, or has gone, was taken away; None if its end was not seen."""
    if pod is not None and (message := _taken(pod)):
        return Verdict("evicted", message, _said(pod))
    return GONE if pod is None else GONE._replace(details=_said(pod))


def unplaced(waiting: scheduling.Waiting) -> Verdict:
    """Say that a Pod has not got in time what it waited for."""
    reason = "queue" if waiting.kind is scheduling.Kind.QUEUE else "no-place"
    return Verdict(reason, waiting.in_vain, waiting.said)


def _has_ended(pod: Manifest) -> bool:
    server = containers.server_of(pod)
    phase = (pod.get("status") or {}).get("phase")
    return phase in containers.ENDED or (server is not None and server.stays_ended)


def _stuck(pod: Manifest, container: Container) -> Verdict | None:
    why, said = container.waiting.get("reason", ""), container.waiting.get("message", "")
    if why in image_pulls.REASONS:
        reason, message = "image", _no_image(container)
        lost = image_pulls.judge(why, said).outlook is not Outlook.PASSES
    elif why in _WAITING:
        reason, message = _WAITING[why]
        message = f"{message.format(container.called)} {_ASK}"
        lost = not _may_pass(why, container)
        if why == "CrashLoopBackOff" and container.was_oom:
            reason, message = "oom", _too_little_memory(container)
    else:
        return None
    details = f"container {container.name!r}: {why}: {said}".rstrip(": ")
    return Verdict(reason, message, details, _absent(pod, said), container.name) if lost else None


def _may_pass(why: str, container: Container) -> bool:
    if why == "CrashLoopBackOff":
        return bool(container.status.get("restartCount", 0) < 2)
    return re.search(_PASSING, container.waiting.get("message", "")) is not None


def _no_image(container: Container) -> str:
    why = _pull(container).why
    because = f" The reason: {why}." if why else ""
    return f"{_image_of(container)} could not be pulled. {_OTHERWISE}{because}"


def _image_of(container: Container) -> str:
    if container.role is Role.SERVER:
        return "The image of this server"
    return f"The image of this server's container {container.name!r}"


def _pull(container: Container) -> image_pulls.Pull:
    waiting = container.waiting
    return image_pulls.judge(waiting.get("reason", ""), waiting.get("message", ""))


def _too_little_memory(container: Container) -> str:
    if container.role is Role.SERVER:
        return _OOM
    return f"{container.called} needed more memory than its limit. {_ASK}"


def _absent(pod: Manifest, said: str) -> Ref | None:
    found = re.search(_ABSENT, said)
    if found is None:
        return None
    return Ref("v1", _KINDS[found["kind"]], found["name"], metadata(pod).get("namespace"))


def _said(pod: Manifest) -> str:
    """Kubernetes' words on the end of *pod* and of its containers."""
    status = pod.get("status") or {}
    own = f"{status.get('reason', '')} {status.get('message', '')}".strip()
    disruptions = [
        f"{one.get('type')} {one.get('reason', '')}: {one.get('message', '')}".rstrip(": ")
        for one in _disruptions(pod)
    ]
    ends = [_end_of(one) for one in containers.of(pod) if one.terminated]
    return "; ".join(filter(None, [own, *disruptions, *ends])) or f"phase {status.get('phase')}"


def _ended(pod: Manifest) -> Verdict:
    details = _said(pod)
    if _taken(pod) or metadata(pod).get("deletionTimestamp"):
        return vanished(pod)
    if re.match(_REFUSED_BY_NODE, (pod.get("status") or {}).get("reason", "")):
        return Verdict("no-place", _NOT_TAKEN, details)
    culprit = _culprit(pod)
    name = culprit.name if culprit else CONTAINER
    if culprit is not None and culprit.was_oom:
        return Verdict("oom", _too_little_memory(culprit), details, container=name)
    called = culprit.called if culprit else "The server"
    return Verdict("ended", f"{called} ended before it was ready. {_ASK}", details, container=name)


def _culprit(pod: Manifest) -> Container | None:
    """The container that failed before the server could begin, else the server."""
    for one in containers.of(pod):
        if one.role is Role.BEFORE and one.terminated.get("exitCode"):
            return one
    return containers.server_of(pod)


def _end_of(container: Container) -> str:
    code = container.terminated.get("exitCode")
    reason = container.terminated.get("reason") or "no reason"
    return f"container {container.name!r} ended with exit code {code} ({reason})"


def late(pod: Manifest) -> Verdict:
    """Say why *pod* was not ready in time, though there was hope."""
    for container in containers.of(pod):
        if container.waiting.get("reason") in image_pulls.REASONS:
            said = f"container {container.name!r}: {container.waiting.get('message', '')}"
            return Verdict("image", _no_image(container), said, container=container.name)
    if waiting := scheduling.waits_for(pod):
        return unplaced(waiting)
    message = "The cluster did not bring up the server in time."
    return Verdict("timeout", f"{message} {_AGAIN}", "the pod never ran")


def not_shown(target: Target, answer: str) -> Verdict:
    """Say that the server runs, and that there is another *answer* where it should answer."""
    details = f"{target.probe_url} gave {answer}"
    if target.is_direct:
        message = "The server runs, but the hub does not reach it."
        details += (
            f' (route = "{target.route}"): the hub must reach the servers of this cluster, and '
            "their NetworkPolicies must let hub and proxy in"
        )
    else:
        message = "The server runs, but its cluster's gateway does not show it."
    return Verdict("timeout", f"{message} {_AGAIN}", details)


def silent(target: Target, answer: str, seconds: float) -> Verdict:
    """Say that nobody is there where the gateway should be."""
    return Verdict(
        "gateway",
        f"The server runs, but its cluster's gateway does not answer at all. {_AGAIN}",
        f"{target.probe_url} gave {answer}, and nothing else for {seconds:.0f} s",
    )


def redirected(target: Target, answer: str) -> Verdict:
    """Say that the gateway, or the server, sends requests elsewhere."""
    if target.is_direct:
        return Verdict(
            "redirect",
            f"The server runs, but it sends requests to another address. {_ASK}",
            f"{target.probe_url} gave {answer}: the server must answer there itself",
        )
    return Verdict(
        "redirect",
        "The server runs, but its cluster's gateway sends requests for it to another address. "
        + _ASK,
        f"{target.probe_url} gave {answer}: set `ingress_public_url` to where the gateway really "
        "serves, "
        "or let it not redirect",
    )


def still_ending(leftover: Manifest) -> Verdict:
    """Say that an object of the user's last server, which is to go, is still there."""
    meta, where = metadata(leftover), ref(leftover)
    node = (leftover.get("spec") or {}).get("nodeName")
    place = f" on node {node}" if node else ""
    since = meta.get("deletionTimestamp")
    asked = f"should have been gone since {since}" if since else "does not go"
    details = f"{where}{place}, of the last server of this name, {asked}."
    if finalizers := meta.get("finalizers"):
        details += f" It has the finalizers {', '.join(finalizers)}."
    if leftover["kind"] == "Pod" and node:
        details += (
            f" If node {node} does not come back, delete it (`kubectl delete node {node}`). Or "
            f"`kubectl delete pod {where.name} -n {where.namespace} --force`, but only when the "
            "machine is off for sure: Kubernetes then no longer knows of containers that may "
            "still run there, and two servers may write to one volume"
        )
    return Verdict(
        "not-ended",
        "Your last server has not ended yet in this cluster. Try again in some minutes, or choose "
        "a profile of another cluster. If it stays so, tell the administrators of this hub.",
        details,
    )


def is_running(pod: Manifest) -> bool:
    """Whether the notebook's container runs: from here on the gateway is asked."""
    server = containers.server_of(pod)
    return server is not None and server.runs


def last_words(pod: Manifest) -> str:
    """Say why the server of *pod* ended, if its user can do something about it; else ""."""
    if message := _taken(pod):
        return message
    server = containers.server_of(pod)
    return _OOM if server is not None and server.was_oom else ""


def _taken(pod: Manifest) -> str:
    """Say to the user how its cluster took *pod* away; empty if it did not."""
    told = [_DISRUPTIONS.get(one.get("reason", ""), _EVICTED) for one in _disruptions(pod)]
    return _TAKEN.get((pod.get("status") or {}).get("reason", ""), "") or "".join(told[:1])


def _disruptions(pod: Manifest) -> list[Mapping[str, Any]]:
    return [
        one
        for one in (pod.get("status") or {}).get("conditions") or ()
        if one.get("type") in _DISRUPTED and one.get("status") == "True"
    ]


def exit_code(pod: Manifest) -> int | None:
    """Return the server's exit code if it has ended for good, None while it has not.

    Its own container counts, whatever runs beside it. A pod that ended without a code (evicted,
    node lost) has 1.
    """
    if not _has_ended(pod):
        return None
    server = containers.server_of(pod)
    terminated: Mapping[str, Any] = server.terminated if server else {}
    return int(terminated.get("exitCode", 1))


def phase(pod: Manifest | None) -> tuple[int, str]:
    """Return (percent, sentence) for the progress page."""
    if pod is None:
        return 30, "Waiting for the cluster to show the server"
    if is_running(pod):
        return 80, "The server's container runs"
    if waiting := scheduling.waits_for(pod):
        return waiting.percent, waiting.now
    for container in containers.of(pod):
        if container.waiting.get("reason") in image_pulls.REASONS:
            because = f": {why}" if (why := _pull(container).why) else ""
            image = _image_of(container)
            return 50, f"{image} could not be fetched yet{because}. The cluster tries again"
    return 45, "The cluster prepares the server's container"
