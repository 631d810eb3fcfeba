"""Every command knows the clusters that a function names; ``check --offline`` does not call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcks.core.cli import main
from tests.core import kubeconfigs

CONFIG = """
import asyncio
c.JupyterHub.spawner_class = "mcks"
c.JupyterHub.hub_connect_url = "https://hub.example.org"
c.MultiClusterKubeSpawner.profile_list = [{"display_name": "p", "cluster": "a"}]

async def named():
    with open("CALLS", "a") as file:
        file.write("x")
    await asyncio.sleep(0)
    return {
        "a": {
            "context": "ctx-a",
            "ingress_public_url": "http://192.0.2.1",
            "allow": lambda spawner: True,
            "environment": {"PLACE": "a"},
        },
    }

c.MultiClusterKubeSpawner.clusters = named
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a")))
    path = tmp_path / "jupyterhub_config.py"
    path.write_text(CONFIG.replace("CALLS", str(tmp_path / "calls")))
    return path


def calls(config: Path) -> int:
    file = config.parent / "calls"
    return len(file.read_text()) if file.exists() else 0


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main(list(arguments))
    told = capsys.readouterr()
    return told.out + told.err


def test_render_rbac_and_token_find_the_cluster(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(config)
    assert "PLACE: a" in shown(capsys, "render", "-f", file, "--user", "ada", "--profile", "p")
    assert "kind: Role" in shown(capsys, "rbac", "a", "-f", file, "--user", "hub")
    assert '"kind": "ExecCredential"' in shown(capsys, "token", "a", "-f", file)
    assert "Known: a" in shown(capsys, "token", "b", "-f", file)
    assert calls(config) == 4


def test_check_asks_and_then_says_what_is_wrong_in_the_answer(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = config.read_text()
    config.write_text(
        text.replace('"ctx-a"', '"ctx-b"').replace('"cluster": "a"', '"cluster": "x"')
    )
    told = shown(capsys, "check", "-f", str(config), "--timeout", "1")
    assert "unknown context 'ctx-b'" in told
    assert "unknown cluster 'x'" in told
    assert calls(config) == 1


def test_check_offline_does_not_call_and_says_so(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text() + "c.MultiClusterKubeSpawner.candidates = ['a', 'x']\n")
    assert main(["check", "-f", str(config), "--offline"]) == 0
    told = capsys.readouterr().out
    assert "clusters is a function: neither they nor what servers are made of" in told
    assert "unknown cluster" not in told
    assert calls(config) == 0


def test_check_finds_other_mistakes_although_the_function_is_not_called(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text() + "c.MultiClusterKubeSpawner.imge = 'x'\n")
    assert main(["check", "-f", str(config), "--offline"]) == 1
    assert "unknown trait 'imge'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("raise LookupError('the list is away')", "named raised LookupError: the list is away"),
        ("return ['a']", "named gives list: it must give a dict of clusters"),
    ],
)
def test_a_function_that_fails_is_an_error(
    line: str, told: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text().replace("await asyncio.sleep(0)", line))
    assert main(["check", "-f", str(config)]) == 1
    said = capsys.readouterr().out
    assert "MCKS306" in said
    assert told in said
    assert main(["render", "-f", str(config), "--user", "ada", "--profile", "p"]) == 1
    assert told in capsys.readouterr().err


def test_what_a_hub_starts_with_is_checked_without_a_call(config: Path) -> None:
    config.write_text(config.read_text() + "import mcks\nmcks.check_config(c)\n")
    assert main(["check", "-f", str(config), "--offline"]) == 0
    assert calls(config) == 0
