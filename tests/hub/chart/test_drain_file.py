"""Where hub and command meet in Zero to JupyterHub: in the hub's directory, which is its volume."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcks.core.commands.drain import Hub
from mcks.core.placement.drain_file import NAME
from mcks.errors import ConfigError
from tests.hub.chart import release
from tests.hub.chart.examples import SWITCH, WEST


def test_the_command_finds_the_file_in_the_hubs_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hub = Hub(release.hub_config(SWITCH, WEST))
    assert (hub.file, hub.names) == (tmp_path / NAME, ["west"])
    with pytest.raises(ConfigError, match=r"jupyterhub\.sqlite does not exist here"):
        hub.expect_here()
    (tmp_path / "jupyterhub.sqlite").touch()
    hub.expect_here()


def test_with_a_database_elsewhere_a_setting_names_a_file_on_a_volume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = {"hub": {"db": {"type": "mysql", "url": "mysql+pymysql://hub@db/hub"}}}
    hub = Hub(release.hub_config(SWITCH, WEST, elsewhere))
    hub.expect_here()
    assert hub.file == tmp_path / NAME
    said = {"hub": {"config": {"MultiClusterKubeSpawner": {"drain_file": "/data/drained.json"}}}}
    assert Hub(release.hub_config(SWITCH, WEST, elsewhere, said)).file == Path("/data/drained.json")
