"""What the tests of the original's defects share: a spawner for two clusters, and patches."""

from __future__ import annotations

import logging
from typing import Any

from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.pool import Pool
from mcks.core.objects import Manifest
from mcks.core.servers import plan
from mcks.core.servers.server import Plan
from mcks.core.spawner import MultiClusterKubeSpawner

KEY = "jupyter-ada"
CLUSTERS: dict[str, Any] = {
    "a": {"context": "ctx-a", "ingress_public_url": "http://192.0.2.1"},
    "b": {"context": "ctx-b", "ingress_public_url": "http://192.0.2.2", "namespace": "b-users"},
}


def spawner_of(user: str = "ada", **settings: Any) -> MultiClusterKubeSpawner:
    config = Config()
    config.MultiClusterKubeSpawner.update({"clusters": CLUSTERS, "cluster": "a", **settings})
    return sample_spawner(config, user)


def planned(spawner: MultiClusterKubeSpawner) -> Plan:
    return plan.make(spawner, spawner.configured(Pool(spawner.config, logging.getLogger("test"))))


def the(launch: Plan, kind: str) -> Manifest:
    (found,) = (m for m in launch.objects if m["kind"] == kind)
    return found


def patch(kind: str, content: str, name: str = "{{key}}") -> str:
    return f"kind: {kind}\nmetadata: {{name: '{name}'}}\n{content}"


def notebook(content: str) -> str:
    """A patch of the notebook's container."""
    return patch("Pod", f"spec: {{containers: [{{name: notebook, {content}}}]}}")
