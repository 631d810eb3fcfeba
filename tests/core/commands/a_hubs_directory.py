"""A hub's working directory with a configuration and a database, and mcks run there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from mcks.core.cli import main
from mcks.core.placement.drain_file import NAME
from tests.core import kubeconfigs

CONFIG = """
c = get_config()
print("what a configuration prints is no answer")
S = c.MultiClusterKubeSpawner
S.clusters = {
    "gpu-east": {"context": "east", "ingress_public_url": "http://192.0.2.1"},
    "gpu-west": {"context": "west", "ingress_public_url": "http://192.0.2.2"},
}
S.hub_connect_url = "https://hub.example.org"
c.JupyterHub.spawner_class = "mcks"
THIRD = {"kubernetes_context": "third", "ingress_public_url": "http://192.0.2.3"}
S.profile_list = [
    {"display_name": "East", "cluster": "gpu-east"},
    {"display_name": "West", "cluster": "gpu-west"},
    {"display_name": "Third", "spawner_override": THIRD},
]
"""
_MAIN = "from mcks.core.cli import main; raise SystemExit(main())"


class Said(NamedTuple):
    """What a command ended with, its answer, and what else it told."""

    code: int
    answer: str
    told: str


class HubsDirectory:
    """A directory as a hub leaves it that has run there."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path, self._capsys = path, capsys
        self.database = path / "jupyterhub.sqlite"
        self.file = path / NAME
        kubeconfigs.write(path / "kubeconfig", "east", "west", "third")
        self.configure()
        self.database.touch()

    def configure(self, more: str = "") -> None:
        """Write the configuration, with *more* at its end."""
        (self.path / "jupyterhub_config.py").write_text(CONFIG + more)

    def mcks(self, *arguments: str) -> Said:
        """Run ``mcks ARGUMENTS`` here."""
        self._capsys.readouterr()
        code = main(arguments)
        return Said(code, *self._capsys.readouterr())

    def answer(self, *arguments: str) -> str:
        """Run ``mcks ARGUMENTS`` here, which must go well."""
        said = self.mcks(*arguments)
        assert said.code == 0, said
        return said.answer


@pytest.fixture
def hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> HubsDirectory:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    return HubsDirectory(tmp_path, capsys)


def as_process(directory: Path, *arguments: str) -> Said:
    """Run ``mcks ARGUMENTS`` as a process of its own in *directory*."""
    ended = subprocess.run(
        [sys.executable, "-c", _MAIN, *arguments],
        cwd=directory,
        env=os.environ | {"KUBECONFIG": str(directory / "kubeconfig")},
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(ended.returncode, ended.stdout, ended.stderr)
