"""What the nodes of the tests' clusters want otherwise than the chart. Nothing of the chart's own.

There is no registry, so servers run from images, and by programs, that the nodes have.
"""

from __future__ import annotations

from typing import Any

import yaml

from tests.cluster import images
from tests.hub.chart.examples import Values

BUSYBOX: Values = {
    "singleuser": {
        "networkTools": {"image": {"name": images.BUSYBOX.rpartition(":")[0], "tag": "1"}}
    }
}
"""The chart's first container has this image."""


def adapted(patch: str, *, blocked: bool = True) -> str:
    """Return the notebook's *patch* with the chart's home instead of its own.

    *blocked*: the chart's first container, which needs a program that the image has not, does
    nothing.
    """
    said: dict[str, Any] = yaml.safe_load(patch)
    spec = said["spec"]
    (container,) = spec["containers"]
    for place, field in ((spec, "volumes"), (container, "volumeMounts")):
        place[field] = [one for one in place[field] if one["name"] != "home"]
    if blocked:
        idle = {"name": "block-cloud-metadata", "command": ["true"], "imagePullPolicy": "Never"}
        spec["initContainers"] = [idle]
    return yaml.safe_dump(said)
