"""Pod status and events -> is it hopeless, and what to tell whom. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mcks.core.objects import Manifest, Ref, metadata
from mcks.core.servers.environment import CONTAINER
from mcks.errors import ASK_ADMINISTRATORS as _ASK

_IMAGE = (
    "The image of this server could not be pulled. Choose another profile, "
    "or tell the administrators of this hub."
)
_WAITING = {
    "ErrImagePull": ("image", _IMAGE),
    "ImagePullBackOff": ("image", _IMAGE),
    "InvalidImageName": ("image", _IMAGE),
    "ErrImageNeverPull": ("image", _IMAGE),
    "ImageInspectError": ("image", _IMAGE),
    "CreateContainerConfigError": (
        "container-config",
        f"This server needs something that its cluster does not have. {_ASK}",
    ),
    "CreateContainerError": ("container", f"The server's container could not be made. {_ASK}"),
    "RunContainerError": ("container", f"The server's container could not be run. {_ASK}"),
    "CrashLoopBackOff": (
        "crash",
        f"The server ends as soon as it is started, again and again. {_ASK}",
    ),
}
_OOM = "The server needed more memory than its limit. Choose a profile with more memory."
_EVICTED = "The cluster needed the server's place and evicted it. Start it again."
_TAKEN = {"Evicted", "Preempting", "Terminated", "NodeShutdown", "NodeLost"}
_ENDED = f"The server ended before it was ready. {_ASK}"
_PATIENCE = {"ErrImagePull"}
"""Reasons that are often gone at the next try; Kubernetes names them otherwise if they last."""
_PASSING = re.compile(
    r"failed to sync|timed out|deadline exceeded|is reserved for|connection refused|unavailable"
)
"""A busy kubelet's or container runtime's words: it tries again by itself, and mostly succeeds."""
_ABSENT = re.compile(r'(?P<kind>secret|configmap) "(?P<name>[^"]+)" not found')
_KINDS = {"secret": "Secret", "configmap": "ConfigMap"}


@dataclass(frozen=True)
class Verdict:
    """Why a pod cannot start. ``reason`` is a short word for metrics, ``message`` for the user,
    ``details`` (Kubernetes' own words) for the log. ``absent`` is the object that the kubelet
    misses: its memory may be old, so the verdict holds only if the object really is not there."""

    reason: str
    message: str
    details: str = ""
    absent: Ref | None = None


def hopeless(pod: Manifest) -> Verdict | None:
    """Say why *pod* will never become ready, None while there is hope."""
    status = pod.get("status") or {}
    if status.get("phase") in ("Failed", "Succeeded"):
        return _ended(status)
    for container in _container_statuses(status):
        waiting = (container.get("state") or {}).get("waiting") or {}
        why = waiting.get("reason", "")
        if why in _WAITING and not _may_pass(why, container):
            reason, message = _WAITING[why]
            if why == "CrashLoopBackOff" and _was_oom(container):
                reason, message = "oom", _OOM
            said = waiting.get("message", "")
            return Verdict(reason, message, f"{why}: {said}".rstrip(": "), _absent(pod, said))
    return None


def _may_pass(why: str, container: Mapping[str, Any]) -> bool:
    if why == "CrashLoopBackOff":
        return bool(container.get("restartCount", 0) < 2)
    said = container["state"]["waiting"].get("message", "")
    return why in _PATIENCE or _PASSING.search(said) is not None


def _absent(pod: Manifest, said: str) -> Ref | None:
    found = _ABSENT.search(said)
    if found is None:
        return None
    return Ref("v1", _KINDS[found["kind"]], found["name"], metadata(pod).get("namespace"))


def _ended(status: Mapping[str, Any]) -> Verdict:
    details = f"{status.get('reason', '')} {status.get('message', '')}".strip()
    if status.get("reason") in _TAKEN:
        return Verdict("evicted", _EVICTED, details)
    if any(_was_oom(container) for container in _container_statuses(status)):
        return Verdict("oom", _OOM, details)
    return Verdict("ended", _ENDED, details or f"phase {status.get('phase')}")


def _was_oom(container: Mapping[str, Any]) -> bool:
    return any(
        ((container.get(key) or {}).get("terminated") or {}).get("reason") == "OOMKilled"
        for key in ("state", "lastState")
    )


def _container_statuses(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(key) or ()


def is_running(pod: Manifest) -> bool:
    """Whether the notebook's container runs: from here on the gateway is asked."""
    return any(
        c.get("name") == CONTAINER and "running" in (c.get("state") or {})
        for c in _container_statuses(pod.get("status") or {})
    )


def last_words(pod: Manifest) -> str:
    """Say why the server of *pod* ended, if its user can do something about it; else ""."""
    status = pod.get("status") or {}
    conditions = {c.get("type"): c for c in status.get("conditions") or ()}
    disrupted = (conditions.get("DisruptionTarget") or {}).get("status") == "True"
    if disrupted or status.get("reason") in _TAKEN:
        return _EVICTED
    if any(_was_oom(container) for container in _container_statuses(status)):
        return _OOM
    return ""


def exit_code(pod: Manifest) -> int | None:
    """Return the server's exit code if *pod* has ended, None while it has not.

    A pod that ended without one (evicted, node lost) has 1.
    """
    status = pod.get("status") or {}
    ended = status.get("phase") in ("Failed", "Succeeded")
    for container in _container_statuses(status):
        terminated = (container.get("state") or {}).get("terminated")
        if container.get("name") == CONTAINER and terminated and ended:
            return int(terminated.get("exitCode", 1))
    return 1 if ended else None


def phase(pod: Manifest | None) -> tuple[int, str]:
    """Return (percent, sentence) for the progress page."""
    if pod is None:
        return 30, "Waiting for the cluster to show the server"
    if is_running(pod):
        return 80, "The server's container runs"
    conditions = {c["type"]: c for c in (pod.get("status") or {}).get("conditions") or ()}
    if (conditions.get("PodScheduled") or {}).get("status") != "True":
        return 40, "Waiting for a place in the cluster"
    return 45, "The cluster prepares the server's container"
