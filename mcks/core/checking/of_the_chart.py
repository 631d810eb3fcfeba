"""What Zero to JupyterHub makes beside the hub, and nobody in another cluster. Pure.

What a cluster really has does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator

from mcks.core.objects import Manifest

_LEFT_OUT_BY = {
    "user-scheduler": "scheduling.userScheduler.enabled: false",
    "default-priority": "scheduling.podPriority.enabled: false",
    "image-pull-secret": "imagePullSecrets, to a Secret that you make in each cluster",
}
"""The end of a name that the chart gives -> its value that leaves the thing out."""


def named_in(pod: Manifest) -> Iterator[str]:
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
