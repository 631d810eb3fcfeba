"""Hubs that are in no cluster: what their pages say loads, is checked, and boots a hub.

Zero to JupyterHub has tests of its own (chart).
"""

from __future__ import annotations

import configparser
import re
import shlex
import socket
from pathlib import Path

import pytest
import yaml
from traitlets.config import Config

from mcks.core.checking import config_check
from mcks.core.checking.sample import sample_spawner
from mcks.core.cli import main
from tests.core import kubeconfigs
from tests.hub import plain_hub

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "how-to"
COMPOSE = ROOT / "deploy" / "compose"
NAMES = ["littlest-jupyterhub", "vm", "docker-compose"]
LITTLEST = """
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.cleanup_servers = False
c.Spawner.mem_limit = "1G"
c.Spawner.cpu_limit = 2.0
c.Spawner.default_url = "/lab"
c.SystemdSpawner.unit_name_template = "jupyter-{USERNAME}"
c.UserCreatingSpawner.user_groups = {}
"""
"""What The Littlest JupyterHub says before it reads the file of the page."""


def block(page: str, language: str) -> str:
    text = (PAGES / f"{page}.md").read_text()
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(found)


def mounted(page: str, directory: Path) -> str:
    """The page's configuration, with its kubeconfig where a test may write."""
    text = block(page, "python")
    (said,) = re.findall(r'"kubeconfig": "(.*?)"', text)
    return text.replace(said, str(kubeconfigs.write(directory / "kubeconfig", "west")))


@pytest.mark.parametrize("page", NAMES)
def test_a_check_finds_nothing(
    page: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "jupyterhub_config.py"
    before = LITTLEST if page == "littlest-jupyterhub" else ""
    file.write_text(before + mounted(page, tmp_path))
    assert main(["check", "--offline", "--strict", "-f", str(file)]) == 0
    assert capsys.readouterr().out == "0 problems found\n"


@pytest.mark.slow
@pytest.mark.parametrize("page", NAMES)
async def test_a_hub_boots_with_it(page: str, tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    before = LITTLEST if page == "littlest-jupyterhub" else ""
    own = before + mounted(page, tmp_path)
    async with plain_hub.serving(tmp_path, port, own) as hub:
        log = hub.log.read_text()
    assert "Using Spawner: mcks.core.spawner.MultiClusterKubeSpawner" in log
    assert "[E " not in log


def test_the_limits_of_the_littlest_hold_for_servers_in_clusters(tmp_path: Path) -> None:
    config = Config()
    exec(LITTLEST + mounted("littlest-jupyterhub", tmp_path), {"c": config})
    assert config_check.problems(config) == []
    spawner = sample_spawner(config, "ada")
    assert (spawner.mem_limit, spawner.cpu_limit) == (2**30, 2.0)
    assert spawner.default_url == "/lab"


@pytest.mark.parametrize(
    ("name", "language"),
    [("Dockerfile", "docker"), ("compose.yaml", "yaml"), ("etc/jupyterhub_config.py", "python")],
)
def test_the_page_on_compose_shows_the_file(name: str, language: str) -> None:
    assert block("docker-compose", language) == (COMPOSE / name).read_text()


def test_the_container_runs_the_file_that_is_mounted_and_keeps_its_state() -> None:
    described = yaml.safe_load((COMPOSE / "compose.yaml").read_text())
    hub = described["services"]["hub"]
    mounts = dict(volume.split(":")[:2] for volume in hub["volumes"])
    source, target = next((s, t) for s, t in mounts.items() if s.startswith("./"))
    file = COMPOSE / source / Path(hub["command"][-1]).relative_to(target)
    assert file.is_file()
    assert {s for s in mounts if not s.startswith("./")} == set(described["volumes"])
    assert str(Path(hub["command"][-1]).parent) in block("docker-compose", "python")
    port = hub["ports"][0].split(":")[1]
    assert f'bind_url = "http://:{port}"' in file.read_text()
    assert set(hub["build"]["args"]) == set(
        re.findall(r"^ARG (\w+)$", (COMPOSE / "Dockerfile").read_text(), re.MULTILINE)
    )


def test_the_unit_of_systemd_starts_the_hub_of_the_page() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(block("vm", "ini"))
    program, *arguments = shlex.split(unit["Service"]["ExecStart"])
    assert arguments == ["-f", "/etc/jupyterhub/jupyterhub_config.py", "--upgrade-db"]
    assert Path(program).parent.as_posix() in unit["Service"]["Environment"]
    assert unit["Service"]["WorkingDirectory"] == f"/var/lib/{unit['Service']['StateDirectory']}"
