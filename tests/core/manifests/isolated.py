"""An isolated server's objects, and those who would like to speak with it."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.configure import configure
from mcks.core.labels import KEY_LABEL
from mcks.core.objects import Manifest
from mcks.core.servers import plan
from tests.core.manifests.network_policies import Endpoint

SERVERS = "servers"
ENTRY = {
    "context": "x",
    "namespace": SERVERS,
    "ingress_public_url": "https://gateway.example.org",
    "isolate": True,
}


def rendered(entry: dict[str, Any] | None = None, **spawner: Any) -> list[Manifest]:
    """The objects of the user ada's server; *entry* is added to the cluster's."""
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {"west": ENTRY | (entry or {})}
    config.MultiClusterKubeSpawner.update(spawner)
    sample = sample_spawner(config, "ada")
    configured = configure("west", sample.clusters, config, logging.getLogger("test"))
    return list(plan.make(sample, configured).objects)


def one(kind: str, objects: list[Manifest]) -> Any:
    (found,) = [manifest for manifest in objects if manifest["kind"] == kind]
    return found


def policies(objects: list[Manifest]) -> list[Manifest]:
    """The NetworkPolicies among *objects*, where a start puts them."""
    return [
        {**m, "metadata": {"namespace": SERVERS, **m["metadata"]}}
        for m in objects
        if m["kind"] == "NetworkPolicy"
    ]


SERVER = Endpoint("10.1.0.5", SERVERS, {KEY_LABEL: "jupyter-ada"})
PART_OF_IT = Endpoint("10.1.0.6", SERVERS, {KEY_LABEL: "jupyter-ada"})
OTHER_SERVER = Endpoint("10.1.0.7", SERVERS, {KEY_LABEL: "jupyter-bob"})
GATEWAY = Endpoint("10.1.2.3", "projectcontour", {"app": "envoy"})
DNS = Endpoint("10.1.0.2", "kube-system", {"k8s-app": "kube-dns"})
STRANGER = Endpoint("10.1.9.9", "elsewhere")
LOAD_BALANCER = Endpoint("35.191.0.7")

networks = pytest.mark.parametrize(
    "pods", [True, False], ids=["addresses mean pods", "addresses mean no pods"]
)
