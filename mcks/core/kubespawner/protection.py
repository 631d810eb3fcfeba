"""What KubeSpawner and its chart kept a server from, and what a server's own objects keep it from.

Pure. Whether a cluster's network has policies of its own cannot be seen here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traitlets.config.loader import LazyConfigValue

from mcks.core.kubespawner.models import listed, plain
from mcks.core.names import CONTAINER
from mcks.core.objects import Manifest, metadata

METADATA = "the clouds' metadata address"
PRIVILEGES = "gaining privileges"
TOKEN = "a token for the Kubernetes API"  # noqa: S105 (words)
VISITORS = "requests of others than the hub's users"

_ADDRESS = "169.254.169.254"
_OF_THE_CHART = "hub.jupyter.org/network-access-hub"
"""The label by which Zero to JupyterHub lets a server reach the hub, past its NetworkPolicies."""


def lost(words: Mapping[str, Any], objects: Sequence[Manifest], key: str) -> list[str]:
    """Return what a hub with *words* in ``c.KubeSpawner`` kept servers from and *objects* do not.

    *objects* are those of the server *key*. KubeSpawner's own defaults count; what the chart makes
    beside them counts if *words* are the chart's.
    """
    kept = set(_kept(objects, key))
    return [what for what in _were_kept(words) if what not in kept]


def _were_kept(words: Mapping[str, Any]) -> Iterator[str]:
    chart = _OF_THE_CHART in (_value(words.get("extra_labels"), {}) or {})
    if chart or _blocks_metadata(_value(words.get("init_containers"), [])):
        yield METADATA
    if words.get("allow_privilege_escalation", False) is False:
        yield PRIVILEGES
    token = words.get("automount_service_account_token")
    if token is False or (token is None and not words.get("service_account")):
        yield TOKEN
    if chart:
        yield VISITORS


def _kept(objects: Sequence[Manifest], key: str) -> Iterator[str]:
    """A NetworkPolicy among the objects is somebody's intent: what it says is not judged."""
    policies = [m.get("spec") or {} for m in objects if m["kind"] == "NetworkPolicy"]
    if policies:
        yield VISITORS
    if any("egress" in policy for policy in policies):
        yield METADATA
    for pod in objects:
        if pod["kind"] == "Pod" and metadata(pod).get("name") == key:
            yield from _kept_by_pod(pod.get("spec") or {})


def _kept_by_pod(spec: Mapping[str, Any]) -> Iterator[str]:
    if _blocks_metadata(spec.get("initContainers")):
        yield METADATA
    for container in spec.get("containers") or ():
        context = container.get("securityContext") or {}
        if container.get("name") == CONTAINER and context.get("allowPrivilegeEscalation") is False:
            yield PRIVILEGES
    if spec.get("automountServiceAccountToken") is False:
        yield TOKEN


def _blocks_metadata(containers: Any) -> bool:
    """Whether one of *containers* sees to it, as the chart's does by iptables."""
    for container in plain(listed(containers)):
        said = [*(container.get("command") or ()), *(container.get("args") or ())]
        if any(_ADDRESS in str(word) for word in said):
            return True
    return False


def _value(said: Any, empty: Any) -> Any:
    """Return what was *said*, also where it was added to a value that is *empty*."""
    return said.get_value(empty) if isinstance(said, LazyConfigValue) else said
