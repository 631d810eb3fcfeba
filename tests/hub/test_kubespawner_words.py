"""A hub with KubeSpawner's section and the switch, on a real cluster: home, limits, restart."""

from __future__ import annotations

import asyncio

import pytest
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.objects import Manifest
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Namespace
from tests.hub.hubs import Start, start_server, stop_server
from tests.hub.servers import Make, pod_of, until

pytestmark = pytest.mark.cluster

_SECTION = {
    "storage_pvc_ensure": True,
    "storage_capacity": "1Gi",
    "volumes": [{"name": "own", "persistentVolumeClaim": {"claimName": "{pvc_name}"}}],
    "volume_mounts": [{"name": "own", "mountPath": "/own", "subPath": "{username}"}],
    "mem_limit": "1G",
    "cpu_limit": 1,
    "extra_labels": {"team": "{username}"},
    "uid": lambda spawner: 0,
    "environment": {"WHO": "{username}"},
}


@pytest.fixture
def config(make: Make) -> Config:
    """The configuration of the other spawners of these tests, with KubeSpawner's section."""
    config = Config(make().config)
    config.KubeSpawner.update(_SECTION)
    config.MultiClusterKubeSpawner.read_kubespawner = True
    return config


def container_of(pod: Manifest | None) -> Manifest:
    assert pod is not None
    found: Manifest = pod["spec"]["containers"][0]
    return found


async def test_a_server_has_its_home_and_limits_and_both_are_there_after_a_restart(
    config: Config, api: KubernetesAPI, namespace: Namespace
) -> None:
    async def claim() -> Manifest | None:
        place = ("v1", "PersistentVolumeClaim", "claim-ada", namespace.name)
        return await asyncio.to_thread(api.find, *place)

    spawner: MultiClusterKubeSpawner = sample_spawner(config, "ada")
    await spawner.start()
    container = container_of(await pod_of(api, namespace))
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "1073741824"}
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "runAsUser": 0}
    assert {"name": "own", "mountPath": "/own", "subPath": "ada"} in container["volumeMounts"]
    made = await claim()
    assert made is not None
    state = spawner.get_state()
    assert state["pvc_name"] == "claim-ada"
    await spawner.stop()
    spawner.clear_state()
    assert await pod_of(api, namespace) is None
    config.KubeSpawner.pvc_name_template = "home-{username}"
    again: MultiClusterKubeSpawner = sample_spawner(config, "ada")
    again.load_state(spawner.get_state())
    await again.start()
    pod = await pod_of(api, namespace)
    assert pod is not None
    (volume,) = [v for v in pod["spec"]["volumes"] if v["name"] == "own"]
    assert volume["persistentVolumeClaim"] == {"claimName": "claim-ada"}
    await again.stop()
    again.clear_state()
    await again.delete_forever()

    async def gone() -> bool:
        found = await claim()
        return found is None or "deletionTimestamp" in found["metadata"]

    await until(gone)


EXTRA = """
c.MultiClusterKubeSpawner.read_kubespawner = True
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = "1Gi"
c.KubeSpawner.volumes = [{"name": "own", "persistentVolumeClaim": {"claimName": "{pvc_name}"}}]
c.KubeSpawner.volume_mounts.append({"name": "own", "mountPath": "/own"})
c.KubeSpawner.cpu_limit = 2
c.KubeSpawner.extra_labels.update({"team": "{username}"})
c.KubeSpawner.events_enabled = False
"""


async def test_a_real_hub_starts_servers_by_that_section_and_logs_what_has_no_effect(
    start_hub: Start, api: KubernetesAPI, namespace: Namespace
) -> None:
    async with start_hub(EXTRA) as hub:
        lines = await start_server(hub, "ada", "a")
        assert lines[-1].get("ready"), lines[-1]
        pod = await pod_of(api, namespace)
        assert pod is not None
        await stop_server(hub, "ada")
        log = hub.log.read_text()
    claims = [volume.get("persistentVolumeClaim") for volume in pod["spec"]["volumes"]]
    assert {"claimName": "claim-ada"} in claims
    assert container_of(pod)["resources"]["limits"]["cpu"] == "2"
    assert pod["metadata"]["labels"]["team"] == "ada"
    assert pod["metadata"]["labels"]["component"] == "singleuser-server"
    assert log.count("c.KubeSpawner.events_enabled has no effect") == 1
