"""The stand-in of the chart's configuration file does what the chart's own does."""

from __future__ import annotations

import pytest
from traitlets.config import Config

from tests.hub.chart import release
from tests.hub.chart.examples import SWITCH, WEST

BY_DEFAULT = """
    allow_privilege_escalation common_labels environment events_enabled extra_annotations
    extra_containers extra_labels extra_pod_config extra_resource_guarantees extra_resource_limits
    fs_gid image init_containers lifecycle_hooks mem_guarantee namespace node_affinity_preferred
    node_affinity_required node_selector pod_affinity_preferred pod_affinity_required
    pod_anti_affinity_preferred pod_anti_affinity_required profile_list scheduler_name
    start_timeout storage_access_modes storage_capacity storage_extra_labels storage_pvc_ensure
    tolerations uid volume_mounts volumes
"""
"""What the chart says in ``c.KubeSpawner`` if nobody says anything."""


def test_the_section_has_what_the_chart_says_by_default() -> None:
    assert set(release.hub_config().KubeSpawner) == set(BY_DEFAULT.split())


def test_an_amount_that_is_said_is_in_the_section() -> None:
    config = release.hub_config({"singleuser": {"memory": {"limit": "2G"}}})
    assert set(config.KubeSpawner) == {*BY_DEFAULT.split(), "mem_limit"}


def test_these_are_said_to_every_spawner() -> None:
    assert release.hub_config().Spawner == Config(
        cmd="jupyterhub-singleuser", consecutive_failure_limit=5
    )


def test_the_sections_of_hub_config_stand_above_the_values() -> None:
    config = release.hub_config(SWITCH, WEST)
    assert config.JupyterHub.spawner_class == "mcks"
    assert config.MultiClusterKubeSpawner.read_kubespawner is True
    assert list(config.MultiClusterKubeSpawner.clusters) == ["west"]


def test_what_the_chart_keeps_in_its_secret_cannot_be_said_there() -> None:
    config = release.hub_config({"hub": {"config": {"JupyterHub": {"services": [1]}}}})
    assert config.JupyterHub.services != [1]


def test_a_section_in_small_letters_ends_the_hub() -> None:
    with pytest.raises(SystemExit, match="loadRoles"):
        release.hub_config({"hub": {"config": {"loadRoles": {}}}})


def test_extra_configuration_is_run_last_in_the_order_of_its_keys() -> None:
    code = {"b": "c.Spawner.x = 2", "a": "c.Spawner.x, c.Spawner.y = 1, get_config('hub.baseUrl')"}
    config = release.hub_config({"hub": {"extraConfig": code, "config": {"Spawner": {"x": 0}}}})
    assert (config.Spawner.x, config.Spawner.y) == (2, "/")


def test_roles_stand_beside_those_of_the_chart() -> None:
    roles = {"reader": {"scopes": ["list:users"], "groups": ["staff"]}}
    culler, reader = release.hub_config({"hub": {"loadRoles": roles}}).JupyterHub.load_roles
    assert culler["name"] == "jupyterhub-idle-culler"
    assert reader == {"name": "reader", **roles["reader"]}


def test_values_are_merged_as_helm_does() -> None:
    assert release.merged({"a": {"b": 1, "c": [1]}, "d": {"e": None}}, {"a": {"b": None}}) == {
        "a": {"c": [1]},
        "d": {},
    }
