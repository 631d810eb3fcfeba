"""The chart's values become what the chart itself makes of them, as far as they set a spawner."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.conversion import chart
from mcks.errors import ConfigError


def config_of(values: dict[str, Any]) -> Config:
    config, left, _ = chart.configuration(chart.of_chart(values, "values.yaml"))
    assert left == []
    return config


def test_without_values_the_charts_own_hold() -> None:
    said = config_of({"singleuser": {}}).KubeSpawner
    assert (said.uid, said.fs_gid, said.mem_guarantee, said.storage_capacity) == (
        *(1000, 100, "1G"),
        "10Gi",
    )
    assert said.scheduler_name == "user-scheduler"
    assert said.image == "quay.io/jupyterhub/k8s-singleuser-sample:4.4.0"
    assert list(said.volumes) == list(said.volume_mounts) == ["volume-{user_server}"]
    assert [container["name"] for container in said.init_containers] == ["block-cloud-metadata"]
    assert [toleration["key"] for toleration in said.tolerations] == [
        "hub.jupyter.org/dedicated",
        "hub.jupyter.org_dedicated",
    ]
    assert len(said.node_affinity_preferred) == 1
    assert "node_affinity_required" not in said


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
    assert ("node_affinity_preferred" in said) == (kind == "prefer")


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
    assert not {"init_containers", "scheduler_name"} & said.KubeSpawner.keys()


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


def test_a_chart_that_contains_the_chart_is_looked_into() -> None:
    inner = {"singleuser": {"uid": 5}}
    assert config_of({"jupyterhub": inner, "other": {}}).KubeSpawner.uid == 5


def test_extra_configuration_runs_in_the_order_of_its_names_and_above_all() -> None:
    pieces = {
        "b": "assert os.path and get_name('x') == 'x'\nc.KubeSpawner.uid += 1",
        "a": "import z2jh\nc.KubeSpawner.uid = z2jh.get_config('singleuser.fsGid')",
        "c": "from z2jh import set_config_if_not_none, get_name\n"
        "set_config_if_not_none(c.KubeSpawner, 'gid', 'singleuser.fsGid')\n"
        "set_config_if_not_none(c.KubeSpawner, 'none', 'singleuser.nothing')\n"
        "c.KubeSpawner.scheduler_name = get_name('mine')",
    }
    said = config_of({"hub": {"config": {"KubeSpawner": {"uid": 1}}, "extraConfig": pieces}})
    assert (said.KubeSpawner.uid, said.KubeSpawner.gid) == (101, 100)
    assert said.KubeSpawner.scheduler_name == "mine"
    assert "none" not in said.KubeSpawner
    assert "z2jh" not in sys.modules


def test_what_cannot_run_is_told_and_the_rest_runs() -> None:
    pieces = {"a": "1 / 0", "b": "this is no Python", "c": "c.KubeSpawner.uid = 7"}
    values = chart.of_chart({"hub": {"extraConfig": pieces}}, "v")
    config, left, notes = chart.configuration(values)
    assert config.KubeSpawner.uid == 7
    assert [line.partition(" (")[0] for line in left] == [
        "hub.extraConfig['a'] cannot run here",
        "hub.extraConfig['b'] cannot run here",
    ]
    assert [note.partition(" ")[0] for note in notes] == [
        "singleuser.image.tag",
        "singleuser.networkTools.image.tag",
    ]


def test_what_is_no_chart_of_that_kind_is_refused() -> None:
    documents: list[Any] = [None, [], {"a": {}}, {"jupyterhub": {"b": 1}}]
    for document in documents:
        with pytest.raises(ConfigError, match="has neither 'singleuser' nor 'hub'"):
            chart.of_chart(document, "v")
