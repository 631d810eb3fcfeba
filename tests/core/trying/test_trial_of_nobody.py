"""A trial touches nothing of anybody's, and takes its own out whatever is in the way."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tornado import web
from traitlets.config import Config

from mcks.core.checking.sample import Sample
from mcks.core.clusters.pool import Pool
from mcks.core.hub.sharing import fleet_of
from mcks.core.labels import KEY_LABEL, LIFETIME
from mcks.core.objects import Ref
from mcks.core.servers import plan
from mcks.core.servers.environment import find
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.core.trying import trial
from mcks.errors import ConfigError
from tests.fakes.loopback_servers import PODS, LoopbackHub, pod

NAMESPACE = "/api/v1/namespaces/theirs"


async def trial_of(hub: LoopbackHub, spawner: MultiClusterKubeSpawner) -> trial.Trial:
    pool = fleet_of(spawner).pool
    planned = plan.make(spawner, spawner.configured(pool))
    cluster = await pool.connect("a", spawner.clusters)
    return trial.Trial(cluster, trial.disguised(planned), "hub.example.org", 5.0, lambda _: None)


@pytest.mark.parametrize("template", ["server-{{userid}}", "x{{ userid }}"])
def test_names_made_of_the_users_number_are_nobody_elses(template: str) -> None:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {"a": {"ingress_public_url": "http://192.0.2.1"}}
    config.MultiClusterKubeSpawner.key_template = template
    spawners = [trial.somebody(config, ()).spawner() for _ in range(2)]
    names = {plan.key_of(spawner, spawner.translation()) for spawner in spawners}
    assert len(names) == 2
    assert all(1_000_000_000 <= spawner.user.id < 2**31 for spawner in spawners)


async def test_a_server_that_has_the_name_is_left_alone(loopback_hub: LoopbackHub) -> None:
    loopback_hub.config.MultiClusterKubeSpawner.key_template = "jupyter-everybody"
    path = f"{PODS}/jupyter-everybody"
    loopback_hub.server.put(path, pod("jupyter-everybody"))
    before = dict(loopback_hub.server.objects)
    tried = await trial_of(loopback_hub, loopback_hub.spawner())
    with pytest.raises(ConfigError, match="somebody's server"):
        await tried.run()
    assert loopback_hub.server.objects == before


async def test_a_namespace_goes_also_if_the_pod_does_not(
    loopback_hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_CLEAN_UP", 0.5)
    uid = loopback_hub.server.put(f"{PODS}/jupyter-ada", pod("jupyter-ada"))["metadata"]["uid"]
    tried = await trial_of(loopback_hub, loopback_hub.spawner())
    await loopback_hub.watched()  # which never says that the Pod is gone: its node is away
    created = tried.planned.created
    assert created.key == "jupyter-ada"
    created.uids["Pod"] = uid
    created.data += (Ref("v1", "Namespace", "theirs"),)
    meta = {"name": "theirs", "labels": {KEY_LABEL: created.key}, "annotations": {LIFETIME: "user"}}
    loopback_hub.server.put(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    step = await tried._clean_up()
    assert (step.step, step.result) == ("end", "failed")
    assert NAMESPACE not in loopback_hub.server.objects


def test_its_pod_ends_at_once_however_long_servers_may_take() -> None:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {"a": {"ingress_public_url": "http://192.0.2.1"}}
    config.MultiClusterKubeSpawner.patches = {
        "10-slow": """
            kind: Pod
            metadata: {name: "{{key}}"}
            spec: {terminationGracePeriodSeconds: 600}
        """
    }
    spawner = Sample(config).spawner()
    pool = Pool(config, logging.getLogger("test"))
    planned = trial.disguised(plan.make(spawner, spawner.configured(pool)))
    spec = find(planned.objects, "Pod", planned.created.key)["spec"]
    assert spec["terminationGracePeriodSeconds"] == 1


async def test_a_hook_that_refuses_everybody_is_told(config: Config) -> None:
    def refuse(*_: Any) -> None:
        raise web.HTTPError(403, "not today")

    config.MultiClusterKubeSpawner.read_kubespawner = True
    config.KubeSpawner.modify_pod_hook = refuse
    with pytest.raises(ConfigError, match=r"modify_pod_hook.*refuse"):
        await trial.tried(config, "one", say=lambda _: None)
