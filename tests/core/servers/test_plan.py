"""What a cluster's settings add to a server's objects, and how an administrator takes it away."""

from __future__ import annotations

import logging

import pytest
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.configure import configure
from mcks.core.servers import plan

ENTRY = {"context": "x", "ingress_public_url": "http://192.0.2.1"}


@pytest.mark.parametrize("level", ["objects", "resources"])
@pytest.mark.parametrize(("key", "kind"), [("00-namespace", "Namespace")])
def test_what_a_setting_adds_goes_if_its_key_is_none(level: str, key: str, kind: str) -> None:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {"a": {**ENTRY, "namespace": "u-{{username}}"}}
    spawner = sample_spawner(config, "ada")
    configured = configure("a", spawner.clusters, config, logging.getLogger("test"))
    assert kind in {m["kind"] for m in plan.make(spawner, configured).objects}
    setattr(spawner, level, {**getattr(spawner, level), key: None})
    assert kind not in {m["kind"] for m in plan.make(spawner, configured).objects}
