"""The chart's values become what the chart itself makes of them, as far as they set a spawner."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.conversion.chart.configuration import configuration
from mcks.core.conversion.chart.values import of_chart


def config_of(values: dict[str, Any]) -> Config:
    config, left, _ = configuration(of_chart(values, "values.yaml"))
    assert left == []
    return config


def test_without_values_the_charts_own_hold() -> None:
    said = config_of({"singleuser": {}}).KubeSpawner
    assert (said.uid, said.fs_gid, said.mem_guarantee, said.storage_capacity) == (
        *(1000, 100, "1G"),
        "10Gi",
    )
    assert said.image == "quay.io/jupyterhub/k8s-singleuser-sample:4.4.0"
    assert list(said.volumes) == list(said.volume_mounts) == ["volume-{user_server}"]
    assert [container["name"] for container in said.init_containers] == ["block-cloud-metadata"]
    assert [toleration["key"] for toleration in said.tolerations] == [
        "hub.jupyter.org/dedicated",
        "hub.jupyter.org_dedicated",
    ]
    assert len(said.node_affinity_preferred) == 1
    assert said.node_affinity_required == []


def test_null_takes_a_default_away() -> None:
    values = {"singleuser": {"uid": None, "fsGid": None, "cmd": None, "memory": None}}
    config = config_of(values)
    assert not {"uid", "fs_gid", "mem_guarantee"} & config.KubeSpawner.keys()
    assert config.Spawner.cmd is None
    assert "storage_class" not in config.KubeSpawner


@pytest.mark.parametrize("kind", ["prefer", "require", "ignore"])
def test_user_nodes_are_said_as_the_chart_does(kind: str) -> None:
    pods = {"nodeAffinity": {"matchNodePurpose": kind}, "tolerations": []}
    own = {"singleuser": {"extraNodeAffinity": {"required": [{"a": "b"}]}}}
    said = config_of({**own, "scheduling": {"userPods": pods}}).KubeSpawner
    assert said.tolerations == []
    assert len(said.node_affinity_required) == (2 if kind == "require" else 1)
    assert len(said.node_affinity_preferred) == (1 if kind == "prefer" else 0)


def test_homes_in_a_shared_claim_and_files_of_the_release() -> None:
    storage = {
        "type": "static",
        "static": {"pvcName": "nfs", "subPath": "home/{username}"},
        "extraVolumes": {"x": {"name": "x", "emptyDir": {}}},
        "extraVolumeMounts": [{"name": "x", "mountPath": "/x"}],
    }
    files = {"a.json": {"mountPath": "/etc/a.json", "mode": 0o440, "data": {}}}
    said = config_of({"singleuser": {"storage": storage, "extraFiles": files}}).KubeSpawner
    assert "storage_pvc_ensure" not in said
    assert said.volumes["home"]["persistentVolumeClaim"] == {"claimName": "nfs"}
    assert said.volume_mounts["home"]["subPath"] == "home/{username}"
    assert said.volumes["files"]["secret"]["items"] == [
        {"key": "a.json", "path": "a.json", "mode": 0o440}
    ]
    assert set(said.volume_mounts) == {"home", "0-files", "0-x"}


def test_settings_of_every_spawner_are_said_to_all() -> None:
    values = {"singleuser": {"defaultUrl": "/lab"}, "debug": {"enabled": True}}
    said = config_of(values).Spawner
    assert (said.cmd, said.default_url, said.debug) == ("jupyterhub-singleuser", "/lab", True)
    assert said.consecutive_failure_limit == 5


def test_no_storage_and_no_block_leave_nothing_behind() -> None:
    off = {"storage": {"type": "none"}, "cloudMetadata": {"blockWithIptables": False}}
    said = config_of({"singleuser": off, "scheduling": {"userScheduler": {"enabled": False}}})
    assert said.KubeSpawner.volumes == said.KubeSpawner.volume_mounts == {}
    assert said.KubeSpawner.init_containers == []


def test_secrets_for_images_come_from_all_three_places() -> None:
    values = {
        "imagePullSecret": {"create": True},
        "imagePullSecrets": ["b"],
        "singleuser": {"image": {"pullSecrets": [{"name": "c"}]}},
    }
    assert config_of(values).KubeSpawner.image_pull_secrets == [
        "image-pull-secret",
        "b",
        {"name": "c"},
    ]


def test_the_names_of_a_release_that_is_called_in_full_are_known() -> None:
    on = {"userScheduler": {"enabled": True}, "podPriority": {"enabled": True}}
    values = {
        "fullnameOverride": "lab",
        "nameOverride": "laboratory",
        "scheduling": on,
        "imagePullSecret": {"create": True},
        "singleuser": {"extraFiles": {"a": {"mountPath": "/a"}}},
    }
    said = config_of(values).KubeSpawner
    assert said.scheduler_name == "lab-user-scheduler"
    assert said.priority_class_name == "lab"
    assert said.image_pull_secrets == ["lab-image-pull-secret"]
    assert said.volumes["files"]["secret"]["secretName"] == "lab-singleuser"
    assert said.common_labels == {"app": "laboratory", "app.kubernetes.io/name": "laboratory"}


def test_what_has_the_releases_name_is_not_guessed_and_told() -> None:
    scheduling = {"userScheduler": {"enabled": True}, "podPriority": {"enabled": True}}
    values = of_chart({"hub": {"existingSecret": "mine"}, "scheduling": scheduling}, "v")
    config, left, notes = configuration(values)
    assert not {"scheduler_name", "priority_class_name"} & config.KubeSpawner.keys()
    assert [line.partition(":")[0] for line in left] == ["scheduling.podPriority"]
    assert "RELEASE-default-priority" in left[0]
    assert any("RELEASE-user-scheduler" in note for note in notes)
    assert any("the Secret 'mine'" in note for note in notes)


def test_files_of_the_release_are_told_to_be_copied() -> None:
    files = {"a": {"mountPath": "/a"}}
    values = {"fullnameOverride": "lab", "singleuser": {"extraFiles": files}}
    *_, notes = configuration(of_chart(values, "v"))
    assert any("the Secret 'lab-singleuser' is in the hub's own namespace" in n for n in notes)


def test_a_scheduler_that_is_off_is_not_told() -> None:
    off = {"scheduling": {"userScheduler": {"enabled": False}}}
    *_, notes = configuration(of_chart({"hub": {}, **off}, "v"))
    assert not any("scheduler" in note for note in notes)


def test_what_the_chart_seeds_itself_is_no_setting() -> None:
    said = {"JupyterHub": {"cookie_secret": "x", "services": [1], "admin_access": True}}
    hub = config_of({"hub": {"config": said, "baseUrl": "/lab", "allowNamedServers": True}})
    assert hub.JupyterHub.admin_access is True
    assert (hub.JupyterHub.base_url, hub.JupyterHub.allow_named_servers) == ("/lab", True)
    assert hub.JupyterHub.services == []
    assert "cookie_secret" not in hub.JupyterHub
