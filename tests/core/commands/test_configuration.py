"""Which configuration is meant if the command line names none. What is in it: checking/."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcks.core.commands.configuration import usual_file


def test_that_of_the_working_directory_else_that_of_the_chart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart = tmp_path / "chart.py"
    monkeypatch.chdir(tmp_path)
    assert usual_file(chart) == "jupyterhub_config.py"
    chart.touch()
    assert usual_file(chart) == str(chart)
    (tmp_path / "jupyterhub_config.py").touch()
    assert usual_file(chart) == "jupyterhub_config.py"
