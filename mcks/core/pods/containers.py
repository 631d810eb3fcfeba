"""The containers of a Pod: which of them is the server, and which have ended for good. Pure.

What their states mean for a start does not belong here (failures.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest, metadata

ENDED = frozenset({"Failed", "Succeeded"})
"""Phases of a Pod none of whose containers will run again."""


class Role(Enum):
    """What a container is to the server."""

    SERVER = "server"
    BESIDE = "beside"
    BEFORE = "before"


_STATUSES = {"initContainers": "initContainerStatuses", "containers": "containerStatuses"}
"""Where a Pod's status has what its spec calls so."""


class Container(NamedTuple):
    """One container as its Pod's status shows it. ``stays_ended``: it ended, and the kubelet will
    not start it again."""

    name: str
    role: Role
    status: Mapping[str, Any]
    stays_ended: bool

    @property
    def waiting(self) -> Mapping[str, Any]:
        """Why it does not run yet, or not again: ``reason`` and ``message``."""
        return (self.status.get("state") or {}).get("waiting") or {}

    @property
    def terminated(self) -> Mapping[str, Any]:
        """How it ended, empty unless it has."""
        return (self.status.get("state") or {}).get("terminated") or {}

    @property
    def runs(self) -> bool:
        """Whether it runs now."""
        return "running" in (self.status.get("state") or {})

    @property
    def has_run(self) -> bool:
        """Whether there can be a log of it."""
        return self.runs or bool(self.terminated or self.status.get("restartCount"))

    @property
    def was_oom(self) -> bool:
        """Whether the kernel ended it, now or the last time, because of its memory."""
        last = (self.status.get("lastState") or {}).get("terminated") or {}
        return "OOMKilled" in (self.terminated.get("reason"), last.get("reason"))

    @property
    def called(self) -> str:
        """The beginning of a sentence about it, for the user."""
        if self.role is Role.SERVER:
            return "The server"
        place = "beside" if self.role is Role.BESIDE else "that prepares"
        return f"The container {self.name!r} {place} the server"


def of(pod: Manifest) -> Iterator[Container]:
    """Yield the containers of *pod* that have a status, in the order in which they begin."""
    yield from _of_kind(pod, "initContainers")
    yield from _of_kind(pod, "containers")


def _of_kind(pod: Manifest, kind: str, only: str = "") -> Iterator[Container]:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    for one in status.get(_STATUSES[kind]) or ():
        name = one.get("name", "")
        if only and name != only:
            continue
        its: Mapping[str, Any] = next(
            (c for c in spec.get(kind) or () if c.get("name") == name), {}
        )
        yield Container(name, _role(name, kind, its), one, _stays_ended(pod, its, one))


def none_has_run(pod: Manifest) -> bool:
    """Whether it is certain that no container of *pod* has ever run: none has written anything."""
    if not (pod.get("spec") or {}).get("nodeName"):
        return True
    known = list(of(pod))
    return bool(known) and not any(c.has_run or c.status.get("lastState") for c in known)


def server_of(pod: Manifest) -> Container | None:
    """Return the container that is the server, None while it has no status."""
    return next(_of_kind(pod, "containers", CONTAINER), None)


def _role(name: str, kind: str, spec: Mapping[str, Any]) -> Role:
    if kind == "containers":
        return Role.SERVER if name == CONTAINER else Role.BESIDE
    return Role.BESIDE if spec.get("restartPolicy") == "Always" else Role.BEFORE


def _stays_ended(pod: Manifest, spec: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
    terminated = (status.get("state") or {}).get("terminated")
    if not terminated:
        return False
    if (pod.get("status") or {}).get("phase") in ENDED or metadata(pod).get("deletionTimestamp"):
        return True
    code = terminated.get("exitCode", 1)
    if any(_restarts(rule, code) for rule in spec.get("restartPolicyRules") or ()):
        return False
    policy = spec.get("restartPolicy") or (pod.get("spec") or {}).get("restartPolicy")
    return policy == "Never" or (policy == "OnFailure" and code == 0)


def _restarts(rule: Mapping[str, Any], code: int) -> bool:
    codes = rule.get("exitCodes") or {}
    among = code in (codes.get("values") or ())
    return among if codes.get("operator") == "In" else not among
