"""What means something beside the hub, and nothing in another cluster. Pure.

Whether a cluster's pods really reach the hub, and what a cluster really has, does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from mcks.core.objects import Manifest

_ITSELF = "in a pod that is the pod itself"
_LEFT_OUT_BY = {
    "user-scheduler": "scheduling.userScheduler.enabled: false",
    "default-priority": "scheduling.podPriority.enabled: false",
    "image-pull-secret": "imagePullSecrets, to a Secret that you make in each cluster",
}
"""The end of a name that the chart gives -> its value that leaves the thing out."""


def doubt(url: str) -> str:
    """Say why pods of another cluster cannot mean the hub by *url*; empty if they may.

    >>> doubt("http://hub:8081/hub/api")
    "the name 'hub' has no domain, so it means nothing in another namespace or cluster"
    >>> doubt("https://hub.example.org")
    ''
    """
    host = urlsplit(url).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        if host == "localhost" or not host:
            return _ITSELF
        if "." in host.rstrip("."):
            return ""
        return (
            f"the name {host!r} has no domain, so it means nothing in another namespace or cluster"
        )
    return _ITSELF if address.is_loopback or address.is_unspecified else ""


def made_by_the_chart(pod: Manifest) -> Iterator[str]:
    """Tell what *pod* names that Zero to JupyterHub makes beside the hub only.

    Each comes with the chart's value that leaves it out.
    """
    spec = pod["spec"]
    named = [
        ("scheduler", spec.get("schedulerName"), "user-scheduler"),
        ("priority class", spec.get("priorityClassName"), "default-priority"),
        *(("Secret", s.get("name"), "image-pull-secret") for s in spec.get("imagePullSecrets", ())),
    ]
    for kind, name, of_the_chart in named:
        if name and (name == of_the_chart or name.endswith(f"-{of_the_chart}")):
            yield (
                f"the {kind} {name!r} is one that Zero to JupyterHub makes in the hub's own "
                f"cluster only: set {_LEFT_OUT_BY[of_the_chart]}"
            )
