"""What a cluster's settings add to a server's objects, and how an administrator takes it away."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest
import traitlets
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.configure import configure
from mcks.core.servers import plan
from tests.core.calls import counted
from tests.fakes.loopback_servers import LoopbackHub, start_with

IMAGE = """
kind: Pod
metadata: {name: "{{key}}"}
spec:
  containers:
  - {name: notebook, image: "example.org/notebook:1"}
"""
ENTRY = {"context": "x", "ingress_public_url": "http://192.0.2.1", "isolate": True}


@pytest.mark.parametrize("level", ["objects", "resources"])
@pytest.mark.parametrize(
    ("key", "kind"), [("00-namespace", "Namespace"), ("05-networkpolicy", "NetworkPolicy")]
)
def test_what_a_setting_adds_goes_if_its_key_is_none(level: str, key: str, kind: str) -> None:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {"a": {**ENTRY, "namespace": "u-{{username}}"}}
    spawner = sample_spawner(config, "ada")
    configured = configure("a", spawner.clusters, config, logging.getLogger("test"))
    assert kind in {m["kind"] for m in plan.make(spawner, configured).objects}
    setattr(spawner, level, {**getattr(spawner, level), key: None})
    assert kind not in {m["kind"] for m in plan.make(spawner, configured).objects}


def test_a_plan_reads_what_it_needs_of_its_cluster_and_its_user_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {"a": {**ENTRY, "namespace": "servers"}}
    spawner = sample_spawner(config, "ada")
    configured = configure("a", spawner.clusters, config, logging.getLogger("test"))
    reads: Counter[tuple[str, str]] = Counter()
    read = traitlets.TraitType.get

    def counted(trait: Any, of: Any, cls: Any = None) -> Any:
        reads[type(of).__name__, trait.name] += 1
        return read(trait, of, cls)

    plan.make(spawner, configured)
    monkeypatch.setattr(traitlets.TraitType, "get", counted)
    plan.make(spawner, configured)
    of_cluster = {name: count for (owner, name), count in reads.items() if owner == "Cluster"}
    assert len(of_cluster) > 10
    assert sum(of_cluster.values()) <= 1.5 * len(of_cluster), of_cluster
    assert sum(reads.values()) <= 110, reads  # half of them are JupyterHub's own


def test_a_plan_does_not_do_again_what_is_the_same_for_all_users() -> None:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {"a": {**ENTRY, "namespace": "servers"}}
    config.MultiClusterKubeSpawner.patches = {"10-image": IMAGE}
    spawners = [sample_spawner(config, name) for name in ("ada", "bob", "eve")]
    configured = configure("a", spawners[0].clusters, config, logging.getLogger("test"))
    counts = []
    for spawner in spawners:
        with counted() as calls:
            plan.make(spawner, configured)
        counts.append(len(calls))
    assert counts[1] == counts[2] < counts[0]  # templates, patches and their texts are known
    assert counts[1] <= 1450, Counter(calls).most_common(20)  # a third of them are JupyterHub's


CANNOT_BE_PULLED = {"waiting": {"reason": "InvalidImageName", "message": "couldn't parse"}}
HOPELESS = {"containerStatuses": [{"name": "notebook", "state": CANNOT_BE_PULLED}]}


async def test_isolation_costs_one_request_before_the_pod_is_made(
    loopback_hub: LoopbackHub,
) -> None:
    seen, objects = loopback_hub.server.seen, loopback_hub.server.objects
    counts: list[dict[str, int]] = []
    for isolate in (False, True):
        loopback_hub.config.MultiClusterKubeSpawner.clusters["a"]["isolate"] = isolate
        seen.clear()
        await start_with(loopback_hub, HOPELESS)
        made = [path.rpartition("/")[2] for method, path in seen if method == "POST"]
        counts.append({plural: made.count(plural) for plural in made})
        for left in [path for path in objects if path.endswith("/jupyter-ada")]:
            del objects[left]  # as the garbage collector does, which is not there
        if isolate:
            assert made.index("networkpolicies") < made.index("pods")
    assert counts[1] == {**counts[0], "networkpolicies": 1}
