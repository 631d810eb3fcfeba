"""Python in values runs as the hub runs it: in its order, with what the chart's own file has."""

from __future__ import annotations

import base64
import sys
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.conversion.chart.configuration import configuration
from mcks.core.conversion.chart.values import of_chart
from mcks.errors import ConfigError

DIRECTORY = "/usr/local/etc/jupyterhub/jupyterhub_config.d"


def config_of(hub: dict[str, Any], **more: Any) -> Config:
    config, left, _ = configuration(of_chart({"hub": hub, **more}, "values.yaml"))
    assert left == []
    return config


def left_of(hub: dict[str, Any]) -> list[str]:
    return configuration(of_chart({"hub": hub}, "values.yaml"))[1]


def test_pieces_run_in_the_order_of_their_names_and_above_all() -> None:
    pieces = {
        "b": "assert os.path and get_name('x') == 'x'\nc.KubeSpawner.uid += 1",
        "a": "import z2jh\nc.KubeSpawner.uid = z2jh.get_config('singleuser.fsGid')",
        "c": "from z2jh import set_config_if_not_none, get_name\n"
        "set_config_if_not_none(c.KubeSpawner, 'gid', 'singleuser.fsGid')\n"
        "set_config_if_not_none(c.KubeSpawner, 'none', 'singleuser.nothing')\n"
        "c.KubeSpawner.scheduler_name = get_name('mine')",
    }
    said = config_of({"config": {"KubeSpawner": {"uid": 1}}, "extraConfig": pieces})
    assert (said.KubeSpawner.uid, said.KubeSpawner.gid) == (101, 100)
    assert said.KubeSpawner.scheduler_name == "mine"
    assert "none" not in said.KubeSpawner
    assert "z2jh" not in sys.modules


def test_what_cannot_run_is_told_and_the_rest_runs() -> None:
    pieces = {
        "a": "1 / 0",
        "b": "this is no Python",
        "c": "sys.exit('not here')",
        "d": "c.KubeSpawner.uid = 7",
    }
    config, left, _ = configuration(of_chart({"hub": {"extraConfig": pieces}}, "v"))
    wrong = "invalid syntax (hub.extraConfig['b'], line 1)"
    assert config.KubeSpawner.uid == 7
    assert [line.partition(", so what")[0] for line in left] == [
        "hub.extraConfig['a'] cannot run here (ZeroDivisionError: division by zero)",
        f"hub.extraConfig['b'] cannot run here (SyntaxError: {wrong})",
        "hub.extraConfig['c'] cannot run here (SystemExit: not here)",
    ]
    assert all("in the hub's Pod, without --values" in line for line in left)


def test_pieces_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"hub\.extraConfig must be a mapping"):
        left_of({"extraConfig": ["x"]})


@pytest.mark.parametrize(
    "piece",
    [
        "client.V1Container(name='x')",
        "AsyncHTTPClient, glob, re",
        "assert url_path_join('/a/', 'b') == '/a/b'",
        "for service in c.JupyterHub.services: assert service['name'] == 'dask'",
        "for role in c.JupyterHub.load_roles: role['name']",
        "c.JupyterHub.services.append({'name': 'x'})",
        "c.JupyterHub.tornado_settings['headers'] = {}",
        "c.JupyterHub.template_vars.update(a=1)",
        "c.KubeSpawner.environment['A'] = 'b'",
        "c.KubeSpawner.extra_annotations['a'] = 'b'",
        "c.KubeSpawner.node_selector['a'] = 'b'",
        "c.KubeSpawner.extra_pod_config.update(hostNetwork=True)",
        "c.KubeSpawner.extra_labels['a'] = 'b'",
        "for profile in c.KubeSpawner.profile_list: profile['slug']",
        "for container in [*c.KubeSpawner.init_containers, *c.KubeSpawner.extra_containers]: pass",
        "c.KubeSpawner.extra_resource_limits['nvidia.com/gpu'] = 1",
        "c.KubeSpawner.storage_extra_labels['a'] = 'b'",
        "common_labels['a'] = 'b'",
        "assert get_secret_value('hub.db.password', None) is None",
        "assert get_secret_value('proxy.secretToken') == 's'",
    ],
)
def test_code_finds_what_the_charts_own_file_has(piece: str) -> None:
    services = {"dask": {"apiToken": "never", "url": "http://x"}}
    hub = {"extraConfig": {"x": piece}, "services": services, "loadRoles": {"r": {"scopes": []}}}
    config_of(hub, proxy={"secretToken": "s"})


def test_volumes_can_be_added_by_the_name_that_the_chart_has_for_them() -> None:
    said = config_of({"extraConfig": {"x": "volumes['a'] = {'name': 'a', 'emptyDir': {}}"}})
    assert "a" in said.KubeSpawner.volumes


def test_a_secret_and_a_port_that_are_not_here_are_told() -> None:
    pieces = {"a": "get_secret_value('hub.db.password')", "b": "get_name_env('hub', '_PORT_1X')"}
    first, second = left_of({"extraConfig": pieces})
    assert "hub.db.password of the chart's Secret" in first
    assert "HUB_PORT_1X" in second


def test_files_of_the_configuration_run_before_the_pieces() -> None:
    encoded = base64.b64encode(b"c.KubeSpawner.uid += 1").decode()
    files: dict[str, dict[str, Any]] = {
        "b": {"mountPath": f"{DIRECTORY}/20.py", "binaryData": encoded},
        "a": {"mountPath": f"{DIRECTORY}/10.py", "stringData": "c.KubeSpawner.uid = 7"},
        "c": {"mountPath": "/etc/other.py", "stringData": "1 / 0"},
        "d": {"mountPath": f"{DIRECTORY}/x.json", "data": {}},
    }
    pieces = {"x": "c.KubeSpawner.uid *= 10"}
    assert config_of({"extraFiles": files, "extraConfig": pieces}).KubeSpawner.uid == 80
    files["a"]["stringData"] = "nobody"
    assert left_of({"extraFiles": files})[0].startswith("hub.extraFiles['a'] cannot run here")


@pytest.mark.parametrize("mounts", ["list", "mapping"])
def test_configuration_that_is_mounted_from_elsewhere_is_told(mounts: str) -> None:
    mount = {"name": "x", "mountPath": f"{DIRECTORY}/mine.py"}
    other = {"name": "y", "mountPath": "/srv/data"}
    said = [mount, other] if mounts == "list" else {"x": mount, "y": other}
    (told,) = left_of({"extraVolumeMounts": said})
    assert f"what is mounted at {DIRECTORY}/mine.py is configuration" in told
