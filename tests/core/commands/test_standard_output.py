"""A command's answer can be read by programs, whatever the configuration prints; real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tests.core import kubeconfigs

pytestmark = pytest.mark.slow

LOUD = """
import os, subprocess, sys
print("Loading /etc/jupyterhub/secret/values.yaml")
sys.stdout.write("and more\\n")
os.write(1, b"by number\\n")
subprocess.run([sys.executable, "-c", "print('by a child')"], check=True)
subprocess.run("echo by a shell", shell=True, check=True)

def loud(spawner):
    print("by a function")
    return "x"

c.MultiClusterKubeSpawner.clusters = {
    "a": {
        "context": "ctx-a",
        "ingress_public_url": "http://192.0.2.1",
        "hub_connect_url": "http://192.0.2.9",
    }
}
c.MultiClusterKubeSpawner.environment = {"LOUD": loud}
c.JupyterHub.hub_connect_url = "https://hub.example.org"
c.JupyterHub.spawner_class = "mcks"
"""
MCKS = [sys.executable, "-c", "import sys; from mcks.core.cli import main; sys.exit(main())"]
NOISE = ["Loading /etc", "and more", "by number", "by a child", "by a shell"]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a")))
    (tmp_path / "hub.py").write_text(LOUD)
    return str(tmp_path / "hub.py")


def mcks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MCKS, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_check_answers_in_json_and_nothing_else(config: str) -> None:
    done = mcks("check", "--offline", "--json", "-f", config)
    answer = json.loads(done.stdout)
    assert answer.keys() == {"problems", "warnings", "notes", "findings", "clusters", "drained"}
    assert not any(answer.values())
    assert done.returncode == 0
    assert all(noise in done.stderr for noise in [*NOISE, "by a function"])


def test_render_answers_in_yaml_and_nothing_else(config: str) -> None:
    done = mcks("render", "--user", "ada", "-f", config)
    kinds = [document["kind"] for document in yaml.safe_load_all(done.stdout)]
    assert kinds == ["Secret", "ServiceAccount", "Pod", "Service", "Ingress"]
    assert all(noise in done.stderr for noise in [*NOISE, "by a function"])


def test_token_answers_with_a_credential_and_nothing_else(config: str) -> None:
    done = mcks("token", "a", "-f", config)
    assert json.loads(done.stdout)["kind"] == "ExecCredential"
    assert all(noise in done.stderr for noise in NOISE)


@pytest.mark.parametrize(
    "arguments", [["backends"], ["rbac", "--user", "x"], ["--help"], ["check", "--help"]]
)
def test_a_command_whose_answer_nobody_reads_ends_quietly(arguments: Sequence[str]) -> None:
    process = subprocess.Popen(
        [*MCKS, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()  # before anything was written
    _, err = process.communicate(timeout=60)
    assert err == b""
    assert process.returncode in (0, 141)
