"""What ``mcks convert --check`` compares, and what it can do without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcks.core.cli import main

HUB = """
c.JupyterHub.spawner_class = "mcks"
c.MultiClusterKubeSpawner.read_kubespawner = True
c.MultiClusterKubeSpawner.clusters = {"here": {}}
"""


def test_a_users_own_text_may_be_a_size_or_a_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "texts.py"
    asked: dict[str, dict[str, Any]] = {
        name: {
            "display_name": name,
            "unlisted_choice": {
                "enabled": True,
                "display_name": "Your own",
                "kubespawner_override": {name: "{value}"},
            },
        }
        for name in ("mem_limit", "image", "mem_guarantee")
    }
    asked["mem_limit"]["choices"] = {"small": {"display_name": "s"}}
    profile = {"display_name": "Own", "profile_options": asked}
    config.write_text(HUB + f"c.KubeSpawner.profile_list = [{profile!r}]\n")
    assert main(["convert", "--check", "-f", str(config)]) == 0
    assert ", 0 servers differ" in capsys.readouterr().out


def test_the_hubs_own_cluster_is_compared_outside_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "own.py"
    config.write_text(HUB + 'c.KubeSpawner.node_selector = {"disk": "ssd"}\n')
    assert main(["convert", "--check", "-f", str(config)]) == 0
    assert "4 servers compared, 0 servers differ" in capsys.readouterr().out
