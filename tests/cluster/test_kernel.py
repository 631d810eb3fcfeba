"""The kernel's settings are raised where they are low, and it is said where they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.kernel import ENOUGH, allow_inotify_instances


def test_a_low_limit_is_raised_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setting = tmp_path / "max_user_instances"
    setting.write_text("128\n")
    allow_inotify_instances(setting)
    assert int(setting.read_text()) == ENOUGH
    assert "was 128" in capsys.readouterr().err


def test_a_higher_limit_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    setting = tmp_path / "max_user_instances"
    setting.write_text("65536\n")
    allow_inotify_instances(setting)
    assert setting.read_text() == "65536\n"
    assert capsys.readouterr().err == ""


def test_where_it_cannot_be_raised_the_command_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    allow_inotify_instances(tmp_path / "missing" / "max_user_instances")
    assert f"sysctl fs.inotify.max_user_instances={ENOUGH}" in capsys.readouterr().err
