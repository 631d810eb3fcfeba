"""``mcks render --diff`` shows what KubeSpawner's words change, and then each patch."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcks.core.cli import main
from tests.core import kubeconfigs

CONFIG = """
c.JupyterHub.spawner_class = "mcks"
c.MultiClusterKubeSpawner.read_kubespawner = True
c.MultiClusterKubeSpawner.clusters = {
    "c": {"context": "ctx-a", "ingress_public_url": "http://192.0.2.1"}
}
c.KubeSpawner.node_selector = {"disk": "ssd"}
c.KubeSpawner.uid = lambda spawner: 1234
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = "1Gi"
c.MultiClusterKubeSpawner.patches = {
    "01-pool": "kind: Pod\\nmetadata: {name: '{{key}}'}\\nspec: {nodeSelector: {pool: big}}\\n"
}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a")))
    path = tmp_path / "jupyterhub_config.py"
    path.write_text(CONFIG)
    return path


def test_the_words_come_first_and_then_the_patches(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "-f", str(config), "--user", "ada", "--diff"]) == 0
    words, _, patch = capsys.readouterr().out.partition("before patch '01-pool'")
    assert "Pod jupyter-ada before KubeSpawner's words" in words
    for line in ("+    disk: ssd", "+      runAsUser: 1234", "-  serviceAccountName: jupyter-ada"):
        assert line in words
    assert "+kind: PersistentVolumeClaim" in words
    assert "-kind: ServiceAccount" in words
    assert "+    pool: big" in patch
    assert "disk: ssd" in patch


def test_nothing_is_shown_where_there_are_no_words(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(CONFIG.replace("read_kubespawner = True", "read_kubespawner = False"))
    assert main(["render", "-f", str(config), "--user", "ada", "--diff"]) == 0
    assert "KubeSpawner" not in capsys.readouterr().out


HOOK = """
def hook(spawner, pod):
    pod.spec.node_selector[spawner.WHAT] = "of the hook"
    return pod

c.KubeSpawner.modify_pod_hook = hook
"""


@pytest.mark.parametrize("more", [[], ["--diff"]])
def test_a_hook_has_the_last_word(
    config: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    config.write_text(config.read_text() + HOOK.replace("WHAT", "user.name"))
    assert main(["render", "-f", str(config), "--user", "ada", *more]) == 0
    told = capsys.readouterr().out
    if more:
        told = told.partition("before modify_pod_hook")[2]
        assert "pool: big" in told
    assert "ada: of the hook" in told


def test_a_hook_that_fails_with_a_sample_user_is_told_and_left_out(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text() + HOOK.replace("WHAT", "nothing"))
    assert main(["render", "-f", str(config), "--user", "ada"]) == 0
    told = capsys.readouterr()
    assert "mcks: modify_pod_hook: the function hook raised AttributeError" in told.err
    assert "it is left out here" in told.err
    assert "pool: big" in told.out
