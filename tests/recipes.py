"""The recipes of docs/how-to/patches.md, and those that multicluster-kubespawner's README had.

A comment ``<!-- recipe: WHAT -->`` marks a block of YAML: ``object``, ``patch``, or ``once`` for
what an administrator creates in the cluster; ``, route KIND`` after it sets the cluster's route.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.configure import configure
from mcks.core.manifests.kubectl_yaml import load_all
from mcks.core.objects import Manifest
from mcks.core.servers import plan
from tests.peers import original

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "patches.md"
KEY = "jupyter-ada"

_PARTS = re.compile(
    r"^### (?P<title>[^\n]+)$|"
    r"^<!-- recipe: (?P<what>\w+)(?:, route (?P<route>\w+))? -->\n"
    r"```(?:yaml|jinja)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class Recipe:
    """What one heading's blocks say together."""

    title: str
    objects: list[str] = field(default_factory=list)
    patches: list[str] = field(default_factory=list)
    once: list[str] = field(default_factory=list)
    route: str = "ingress"

    def __str__(self) -> str:
        return self.title

    def add(self, what: str, text: str) -> None:
        """Take up a block."""
        {"object": self.objects, "patch": self.patches, "once": self.once}[what].append(text)

    def prerequisites(self) -> list[Manifest]:
        """Return what must be in the cluster before."""
        return [manifest for text in self.once for manifest in load_all(text)]

    def rendered(self, profile: str = "large") -> list[Manifest]:
        """Return all objects of the user ada's server, as a start would create them."""
        config = Config()
        cluster = {
            "context": "example",
            "namespace": "servers",
            "ingress_public_url": "https://gateway.example.org",
            "route": self.route,
            "route_gateway": "gateways/public" if self.route == "httproute" else "",
        }
        spawners = config.MultiClusterKubeSpawner
        spawners.clusters = {"example": cluster}
        spawners.resources = {f"50-{n:02}": text for n, text in enumerate(self.objects)}
        spawners.patches = {f"50-{n:02}": text for n, text in enumerate(self.patches)}
        spawner = sample_spawner(config, "ada")
        spawner.choosing.profile = profile
        configured = configure("example", spawner.clusters, config, spawner.log)
        return list(plan.make(spawner, configured).objects)


def of_the_page() -> list[Recipe]:
    """Return the recipes of the page, in its order."""
    return [recipe for recipe in _sections() if recipe.objects or recipe.patches]


def _sections() -> Iterator[Recipe]:
    recipe = Recipe("(before the first heading)")
    for part in _PARTS.finditer(PAGE.read_text()):
        if part["title"]:
            yield recipe
            recipe = Recipe(part["title"])
        else:
            recipe.route = part["route"] or recipe.route
            recipe.add(part["what"], part["text"])
    yield recipe


ORIGINAL = [
    Recipe("annotations, as in its README", patches=[original.PATCHES["01-annotations"]]),
    Recipe("a GPU, as in its README", patches=[original.PATCHES["02-gpu"]]),
    Recipe(
        "memory, as in its README: resources of the pod, by its indentation",
        patches=list(original.PROFILES[1]["spawner_override"]["patches"].values()),
    ),
    Recipe("a Role for Dask, as in its README", objects=list(original.DASK.values())),
]
